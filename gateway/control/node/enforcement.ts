// "Acknowledged means enforced": waits until every edge of this node acts on a place of the change log, and has the edges ended
// that do not. This file keeps no log and reads none; edges report, the supervisor ends processes.
// An edge that has not confirmed is in one of three states. Slow: the edge talks, or says that it refuses revoked tokens while it closes
// open connections; the caller waits, up to a bound. Silent: nothing came from the edge for two seconds. Disobedient: the edge talks, and the bound is over.
// Silent and disobedient edges are ended, later and later in one slot; while an edge may not be ended yet, the caller gets an error.
// Rules: gateway/RULES.md "Acknowledged means enforced".

import type { LogPosition } from '../../core/model/change.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { slotOf } from '../../wire/names.ts';
import { EdgeEnds } from './edge-ends.ts';

/** Why an edge is ended. */
export type EndReason = 'silent' | 'disobedient';

/** Counts the outcomes of confirmations, for metrics. */
export interface EnforcementCounters {
  /** An edge had not confirmed after a quarter of a second, and was waited for. Counted once for each confirmation. */
  slow(): void;
  ended(reason: EndReason): void;
  /** A caller was told that it is unknown whether all edges act on the change. */
  unconfirmed(): void;
}

interface EnforcementOptions {
  readonly logger: Logger;
  /**
   * Has the process of an edge ended; `gone` is called once the process is gone. null where no process can be ended (one process in a test): an edge
   * whose feed ended counts as gone then.
   */
  readonly endEdge: ((edge: string) => void) | null;
  readonly counters?: EnforcementCounters;
  /** After this time an edge that has not confirmed counts as slow, and it is checked at this interval. Default 250. */
  readonly slowMs?: number;
  /** An edge that was silent for this long is ended. Default 2000; doubled after each end of an edge in the same slot. */
  readonly silentMs?: number;
  /**
   * The longest time that an edge may take and a caller waits, plus one more second while a process ends. An edge that has not reported
   * yet has this time too: it is starting, or looking for a control that just started. Default 5000.
   */
  readonly boundMs?: number;
  /** Default: the timers of the machine. */
  readonly nowMs?: () => number;
}

const defaultSlowMs = 250;
const defaultSilentMs = 2000;
const defaultBoundMs = 5000;
/** How much longer a caller waits for the end of a process when that end was asked for at the last moment. */
const endGraceMs = 1000;
/** A timer that is later than this was held up by control's own work, which held up the reading of the edges' reports too. */
const ownDelayMs = 50;
/** How often a delay of control itself excuses an edge within one confirmation; after that the edge is ended all the same. */
const maxOwnDelays = 8;

interface EdgeStanding {
  /** The place that the edge acts on; null before its first report on its present feed. */
  applied: LogPosition | null;
  /** The place up to which the edge refuses revoked tokens, reported while it still closes open connections; null without such a report. */
  refuses: LogPosition | null;
  /** Whether the edge has reported before, and so serves with the state that it knew then. */
  hasReported: boolean;
  /** When the last message of any kind came from the edge. */
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

  /** Registers edges that have run since before this control: they serve with the state that they know until they reconnect. */
  expect(edges: readonly string[]): void {
    for (const edge of edges) this.#edges.set(edge, this.#standing(false));
  }

  /** The edges are told that the log goes on in this epoch, after a restore. To be called before an edge can report a place in this epoch. */
  began(epoch: string): void {
    this.#epoch = epoch;
  }

  /** The edge opened a feed, and has to report on the state that it is sent there. */
  joined(edge: string): void {
    const before = this.#edges.get(edge);
    const standing = this.#standing(before?.hasReported ?? false);
    standing.isEnding = before?.isEnding ?? false;
    this.#edges.set(edge, standing);
  }

  /** The edge's feed ended. The edge may go on serving, so it is waited for. */
  left(edge: string): void {
    if (this.#options.endEdge === null) this.gone(edge);
  }

  /** The edge's process is gone. */
  gone(edge: string): void {
    if (this.#edges.delete(edge)) this.#settle();
  }

  /** A request of any kind came from the edge, which shows that the edge runs. */
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

  /** The edge refuses tokens that were revoked up to this place and is still closing open connections: the edge is not ended for the time that this takes. */
  refuses(edge: string, position: LogPosition): void {
    const standing = this.#edges.get(edge);
    if (standing === undefined) return;
    standing.refuses = position;
    standing.heardMs = this.#nowMs();
  }

  /**
   * Resolves when every edge acts on the log up to a place, or is gone; at the bound also when the other edges have said that they refuse
   * the tokens that were revoked up to there. Everything up to the place has to be sent before.
   *
   * @throws Error when an edge has said neither by the bound
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

  /** @param held  milliseconds by which control itself was late, which do not count against edges */
  #lookLater(confirmation: Confirmation, held: number, ownDelays: number): void {
    const dueMs = this.#nowMs() + this.#slowMs;
    confirmation.timer = setTimeout(() => {
      const lateMs = this.#nowMs() - dueMs;
      // Edges may have answered in time while control was busy: their messages are read before they are judged.
      const isOwnDelay = lateMs > ownDelayMs && ownDelays < maxOwnDelays;
      if (isOwnDelay) this.#lookLater(confirmation, held + lateMs, ownDelays + 1);
      else if (this.#judge(confirmation, held)) this.#lookLater(confirmation, held, ownDelays);
    }, this.#slowMs);
  }

  /** @returns whether the confirmation is still open */
  #judge(confirmation: Confirmation, held: number): boolean {
    const now = this.#nowMs();
    const waitedMs = now - confirmation.begunMs - held;
    for (const [edge, standing] of this.#lagging(confirmation.position)) {
      this.#noteSlow(confirmation, edge);
      const reason = this.#whyEnd(confirmation, edge, standing, { now, waitedMs });
      if (reason !== null) this.#end(edge, standing, reason, now);
    }
    if (waitedMs < this.#boundMs) return true;
    // An edge that refuses revoked tokens does what was acknowledged; its open connections are being closed.
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
    // Ending edge after edge in one slot would help nobody: the caller is told that the change is not confirmed.
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
   * Whether an edge that acts on `applied` acts on the other place as well. Epochs have no order: only the present epoch is known
   * to come after the others, so a report of an earlier epoch says nothing about a place in the present epoch.
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
