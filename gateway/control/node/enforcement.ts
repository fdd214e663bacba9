// "Acknowledged means enforced": waits until every edge of this node acts on a place of the change log, and has those ended
// that do not. It keeps no log and reads none; edges report, the supervisor ends.
// Three states of an edge that has not confirmed. Slow: it talks, or says that it refuses what is revoked while it ends what is
// open; the caller waits, up to a bound. Silent: nothing came from it for two seconds. Disobedient: it talks, and the bound is over.
// The last two are ended, less and less eagerly in one place; where one may not be ended yet, the caller gets an error.
// Rules: gateway/RULES.md "Acknowledged means enforced".

import type { LogPosition } from '../../core/model/change.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { slotOf } from '../../wire/names.ts';
import { EdgeEnds } from './edge-ends.ts';

/** Why an edge is ended. */
export type EndReason = 'silent' | 'disobedient';

/** Counts what becomes of confirmations; for metrics. */
export interface EnforcementCounters {
  /** An edge had not confirmed after a quarter of a second, and was waited for. Once for each confirmation. */
  slow(): void;
  ended(reason: EndReason): void;
  /** A caller was told that nobody knows whether all edges act on the change. */
  unconfirmed(): void;
}

interface EnforcementOptions {
  readonly logger: Logger;
  /**
   * Has the process of an edge ended; `gone` is called once it is. null where nobody can (one process in a test): an edge
   * whose feed ended counts as gone then.
   */
  readonly endEdge: ((edge: string) => void) | null;
  readonly counters?: EnforcementCounters;
  /** From when on an edge that has not confirmed counts as slow, and how often it is looked at then. Default 250. */
  readonly slowMs?: number;
  /** An edge of which nothing was heard for so long is ended. Default 2000; twice that after each end of one in its place. */
  readonly silentMs?: number;
  /**
   * The longest that an edge may take and a caller waits, but for one more second while a process ends. An edge that has not reported
   * once has this time too: it is starting, or looking for a control that just started. Default 5000.
   */
  readonly boundMs?: number;
  /** Default: the machine's. */
  readonly nowMs?: () => number;
}

const defaultSlowMs = 250;
const defaultSilentMs = 2000;
const defaultBoundMs = 5000;
/** How long a caller waits on for the end of a process that was asked for at the last moment. */
const endGraceMs = 1000;
/** A timer that comes later than this was held up by control's own work, and so was the reading of what edges said. */
const ownDelayMs = 50;
/** So often a delay of control's own is believed within one confirmation; then the edge is ended all the same. */
const maxOwnDelays = 8;

interface EdgeStanding {
  /** The place that the edge acts on; null before its first report on its present feed. */
  applied: LogPosition | null;
  /** Up to where the edge refuses what is revoked, as it said while it goes on ending what is open; null when it said nothing. */
  refuses: LogPosition | null;
  /** The edge has reported before, so it serves with what it knew then. */
  hasReported: boolean;
  /** When something came from the edge last. */
  heardMs: number;
  isEnding: boolean;
}

interface Confirmation {
  readonly position: LogPosition;
  readonly begunMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  /** Edges that were counted as slow. */
  readonly slow: Set<string>;
  timer: NodeJS.Timeout | null;
}

/** The edges of one node. */
export class Enforcement {
  readonly #options: EnforcementOptions;
  readonly #edges = new Map<string, EdgeStanding>();
  readonly #waiting = new Set<Confirmation>();
  readonly #ends: EdgeEnds;
  readonly #nowMs: () => number;
  readonly #slowMs: number;
  readonly #boundMs: number;
  /** The epoch that the log goes on in, as far as edges were told; null before the first. */
  #epoch: string | null = null;

  constructor(options: EnforcementOptions) {
    const {
      slowMs = defaultSlowMs,
      silentMs = defaultSilentMs,
      boundMs = defaultBoundMs,
      nowMs = monotonicMs,
    } = options;
    this.#options = options;
    this.#slowMs = slowMs;
    this.#boundMs = boundMs;
    this.#nowMs = nowMs;
    this.#ends = new EdgeEnds({ patienceMs: silentMs, maxPatienceMs: boundMs });
  }

  /** Edges that run since before this control: they serve with what they know until they come back. */
  expect(edges: readonly string[]): void {
    for (const edge of edges) this.#edges.set(edge, this.#standing(false));
  }

  /** The edges are told that the log goes on in this epoch, after a restore. To be called before an edge can report a place in it. */
  began(epoch: string): void {
    this.#epoch = epoch;
  }

  /** The edge opened a feed: what it is sent there is what it has to report on. */
  joined(edge: string): void {
    const before = this.#edges.get(edge);
    const standing = this.#standing(before?.hasReported ?? false);
    standing.isEnding = before?.isEnding ?? false;
    this.#edges.set(edge, standing);
  }

  /** The edge's feed ended. The edge may serve on, so it is waited for. */
  left(edge: string): void {
    if (this.#options.endEdge === null) this.gone(edge);
  }

  /** The edge's process is gone. */
  gone(edge: string): void {
    if (this.#edges.delete(edge)) this.#settle();
  }

  /** A request came from the edge, whatever it was: the edge runs. */
  heard(edge: string): void {
    const standing = this.#edges.get(edge);
    if (standing !== undefined) standing.heardMs = this.#nowMs();
  }

  applied(edge: string, position: LogPosition): void {
    const standing = this.#edges.get(edge);
    if (standing === undefined) return;
    standing.applied = position;
    standing.hasReported = true;
    standing.heardMs = this.#nowMs();
    this.#settle();
  }

  /** The edge refuses what is revoked up to there and is ending what is open, which takes its time: it is not ended for that. */
  refuses(edge: string, position: LogPosition): void {
    const standing = this.#edges.get(edge);
    if (standing === undefined) return;
    standing.refuses = position;
    standing.heardMs = this.#nowMs();
  }

  /**
   * Resolves when every edge acts on the log up to there, or is gone; at the bound also when the others have said that they refuse
   * what is revoked there. Everything up to there was sent before.
   *
   * @throws Error when an edge has said neither by then
   */
  confirm(position: LogPosition): Promise<void> {
    if (this.#lagging(position).length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const begunMs = this.#nowMs();
      const confirmation: Confirmation = { position, begunMs, resolve, reject, slow: new Set(), timer: null };
      this.#waiting.add(confirmation);
      this.#lookLater(confirmation, 0, 0);
    });
  }

  close(): void {
    for (const { timer } of this.#waiting) if (timer !== null) clearTimeout(timer);
    this.#waiting.clear();
  }

  #standing(hasReported: boolean): EdgeStanding {
    return { applied: null, refuses: null, hasReported, heardMs: this.#nowMs(), isEnding: false };
  }

  /** @param held  milliseconds by which control itself was late: edges are not judged by those */
  #lookLater(confirmation: Confirmation, held: number, ownDelays: number): void {
    const dueMs = this.#nowMs() + this.#slowMs;
    confirmation.timer = setTimeout(() => {
      const lateMs = this.#nowMs() - dueMs;
      // edges may have answered in time to a control that was busy: they are heard before they are judged
      const isOwnDelay = lateMs > ownDelayMs && ownDelays < maxOwnDelays;
      if (isOwnDelay) this.#lookLater(confirmation, held + lateMs, ownDelays + 1);
      else if (this.#judge(confirmation, held)) this.#lookLater(confirmation, held, ownDelays);
    }, this.#slowMs);
  }

  /** @returns whether the confirmation is still waited for */
  #judge(confirmation: Confirmation, held: number): boolean {
    const now = this.#nowMs();
    const waitedMs = now - confirmation.begunMs - held;
    for (const [edge, standing] of this.#lagging(confirmation.position)) {
      this.#noteSlow(confirmation, edge);
      const reason = this.#whyEnd(confirmation, edge, standing, { now, waitedMs });
      if (reason !== null) this.#end(edge, standing, reason, now);
    }
    if (waitedMs < this.#boundMs) return true;
    // an edge that refuses what is revoked does what was acknowledged; what is open with it is being ended
    const unsure = this.#lagging(confirmation.position).filter(
      ([, standing]) => !this.#covers(standing.refuses, confirmation.position),
    );
    const isEnding = unsure.length > 0 && unsure.every(([, standing]) => standing.isEnding);
    if (isEnding && waitedMs < this.#boundMs + endGraceMs) return true;
    this.#waiting.delete(confirmation);
    if (unsure.length === 0) confirmation.resolve();
    else {
      this.#options.counters?.unconfirmed();
      confirmation.reject(new Error('an edge has not confirmed the change in time'));
    }
    return false;
  }

  #whyEnd(
    { begunMs, position }: Confirmation,
    edge: string,
    standing: EdgeStanding,
    { now, waitedMs }: { readonly now: number; readonly waitedMs: number },
  ): EndReason | null {
    if (this.#covers(standing.refuses, position)) return null;
    const hasTalked = standing.heardMs > begunMs;
    if (waitedMs >= this.#boundMs) return hasTalked ? 'disobedient' : 'silent';
    if (!standing.hasReported) return null;
    const silentMs = Math.min(waitedMs, now - standing.heardMs);
    return silentMs >= this.#ends.patienceMs(slotOf(edge) ?? edge, now) ? 'silent' : null;
  }

  #noteSlow({ slow }: Confirmation, edge: string): void {
    if (slow.has(edge)) return;
    slow.add(edge);
    this.#options.counters?.slow();
    this.#options.logger.warn({ edge }, 'an edge is slow to confirm a revocation and is waited for');
  }

  #end(edge: string, standing: EdgeStanding, reason: EndReason, now: number): void {
    const { endEdge, logger, counters } = this.#options;
    if (endEdge === null || standing.isEnding) return;
    // to end edge after edge in one slot would help nobody: the caller is told that the change is not confirmed
    if (!this.#ends.mayEnd(slotOf(edge) ?? edge, now)) return;
    standing.isEnding = true;
    this.#ends.ended(slotOf(edge) ?? edge, now);
    counters?.ended(reason);
    logger.error({ edge, reason }, endWords[reason]);
    endEdge(edge);
  }

  #settle(): void {
    for (const confirmation of this.#waiting) {
      if (this.#lagging(confirmation.position).length > 0) continue;
      if (confirmation.timer !== null) clearTimeout(confirmation.timer);
      this.#waiting.delete(confirmation);
      confirmation.resolve();
    }
  }

  #lagging(position: LogPosition): [string, EdgeStanding][] {
    return [...this.#edges].filter(([, { applied }]) => !this.#covers(applied, position));
  }

  /**
   * Whether an edge that acts on `applied` acts on the other place as well. Epochs have no order: only of the present epoch is it known
   * that it comes after the others, so a report of an earlier epoch says nothing about a place in the present one.
   */
  #covers(applied: LogPosition | null, { epoch, seq }: LogPosition): boolean {
    if (applied === null) return false;
    if (applied.epoch === epoch) return applied.seq >= seq;
    return applied.epoch === this.#epoch;
  }
}

const endWords: Readonly<Record<EndReason, string>> = {
  silent: 'an edge said nothing while a revocation waited for it and is ended',
  disobedient: 'an edge did not act on a revocation in time and is ended',
};
