// "Acknowledged means enforced": waits until every edge of this node acts on a place of the change log, and has those ended
// that do not. It keeps no log and reads none; edges report, the supervisor ends.
// Rules: tokens.md "Acknowledged means enforced".

import type { LogPosition } from '../core/model/change.ts';
import { monotonicMs } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';

export interface EnforcementOptions {
  readonly logger: Logger;
  /**
   * Has the process of an edge ended; `gone` is called once it is. null where nobody can (one process in a test): an edge
   * whose feed ended counts as gone then.
   */
  readonly endEdge: ((edge: string) => void) | null;
  /** How long an edge has. Default 250. */
  readonly deadlineMs?: number;
  /** How long one has that has not reported once: it is starting, or looking for a control that just started. Default 5000. */
  readonly firstDeadlineMs?: number;
  /** Default: the machine's. */
  readonly nowMs?: () => number;
}

const defaultDeadlineMs = 250;
const defaultFirstDeadlineMs = 5000;
/** A timer that comes later than this was held up by control's own work, and so was the reading of what edges said. */
const ownDelayMs = 50;
/** So often that is believed of one confirmation; then an edge is ended whoever is to blame. */
const maxOwnDelays = 8;

interface EdgeStanding {
  /** What it acts on; null before its first report on its present feed. */
  applied: LogPosition | null;
  /** It has reported before, so it serves with what it knew then. */
  hasReported: boolean;
  /** It said that it is at work since its time was last looked at. */
  isWorking: boolean;
  isEnding: boolean;
}

interface Confirmation {
  readonly position: LogPosition;
  readonly resolve: () => void;
  /** When edges are ended that have reported before, and when the others. */
  readonly timers: NodeJS.Timeout[];
}

/** The edges of one node. */
export class Enforcement {
  readonly #options: EnforcementOptions;
  readonly #edges = new Map<string, EdgeStanding>();
  readonly #waiting = new Set<Confirmation>();
  /** The epoch that the log goes on in, as far as edges were told; null before the first. */
  #epoch: string | null = null;

  constructor(options: EnforcementOptions) {
    this.#options = options;
  }

  /** Edges that run since before this control: they serve with what they know until they come back. */
  expect(edges: readonly string[]): void {
    for (const edge of edges)
      this.#edges.set(edge, { applied: null, hasReported: false, isWorking: false, isEnding: false });
  }

  /** The edges are told that the log goes on in this epoch: a restore left the one before behind. Before any of them says so. */
  began(epoch: string): void {
    this.#epoch = epoch;
  }

  /** The edge opened a feed: what it is sent there is what it has to report on. */
  joined(edge: string): void {
    const before = this.#edges.get(edge);
    this.#edges.set(edge, {
      applied: null,
      hasReported: before?.hasReported ?? false,
      isWorking: false,
      isEnding: before?.isEnding ?? false,
    });
  }

  /** Its feed ended. It may serve on, so it is waited for. */
  left(edge: string): void {
    if (this.#options.endEdge === null) this.gone(edge);
  }

  /** Its process is gone. */
  gone(edge: string): void {
    if (this.#edges.delete(edge)) this.#settle();
  }

  applied(edge: string, position: LogPosition): void {
    const standing = this.#edges.get(edge);
    if (standing === undefined) return;
    standing.applied = position;
    standing.hasReported = true;
    this.#settle();
  }

  /** The edge refuses what is revoked and is ending what is open, which takes its time: it is not ended for that. */
  working(edge: string): void {
    const standing = this.#edges.get(edge);
    if (standing !== undefined) standing.isWorking = true;
  }

  /** Resolves when every edge acts on the log up to there, or is gone. Everything up to there was sent before. */
  confirm(position: LogPosition): Promise<void> {
    if (this.#lagging(position).length === 0) return Promise.resolve();
    const { deadlineMs = defaultDeadlineMs, firstDeadlineMs = defaultFirstDeadlineMs } = this.#options;
    const { nowMs = monotonicMs } = this.#options;
    return new Promise((resolve) => {
      const confirmation: Confirmation = { position, resolve, timers: [] };
      let ownDelays = 0;
      const look = (at: number, hasReported: boolean, afterMs: number) => {
        const dueMs = nowMs() + afterMs;
        confirmation.timers[at] = setTimeout(() => {
          // edges may have answered in time to a control that was busy: they are heard before they are judged
          const isOwnDelay = nowMs() - dueMs > ownDelayMs && ownDelays < maxOwnDelays;
          if (isOwnDelay) ownDelays += 1;
          if (isOwnDelay || this.#endLagging(position, hasReported)) look(at, hasReported, deadlineMs);
        }, afterMs);
      };
      look(0, true, deadlineMs);
      look(1, false, firstDeadlineMs);
      this.#waiting.add(confirmation);
    });
  }

  close(): void {
    for (const { timers } of this.#waiting) for (const timer of timers) clearTimeout(timer);
    this.#waiting.clear();
  }

  #settle(): void {
    for (const confirmation of this.#waiting) {
      if (this.#lagging(confirmation.position).length > 0) continue;
      for (const timer of confirmation.timers) clearTimeout(timer);
      this.#waiting.delete(confirmation);
      confirmation.resolve();
    }
  }

  #lagging(position: LogPosition): [string, EdgeStanding][] {
    return [...this.#edges].filter(([, { applied }]) => applied === null || !this.#covers(applied, position));
  }

  /**
   * Whether who acts on the one place acts on the other. Epochs have no order: only of the present one is it known that it comes
   * after the others, so a report that still names an earlier one says nothing about a place of this one.
   */
  #covers(applied: LogPosition, { epoch, seq }: LogPosition): boolean {
    if (applied.epoch === epoch) return applied.seq >= seq;
    return applied.epoch === this.#epoch;
  }

  /** @returns whether there are some that are at work, and have to be looked at again */
  #endLagging(position: LogPosition, hasReported: boolean): boolean {
    const { endEdge, logger } = this.#options;
    if (endEdge === null) return false;
    let again = false;
    for (const [edge, standing] of this.#lagging(position)) {
      if (standing.hasReported !== hasReported || standing.isEnding) continue;
      if (standing.isWorking) {
        standing.isWorking = false;
        again = true;
        continue;
      }
      logger.error({ edge }, 'an edge did not act on a revocation in time and is ended');
      standing.isEnding = true;
      endEdge(edge);
    }
    return again;
  }
}
