// What an edge does with the change log: takes in each batch in one turn, has the open permits that hang on it ended, and then says
// that it acts on it.
// It reads nothing by itself: messages come from the feed in the order in which control sent them.
// Rules: gateway/RULES.md "Acknowledged means enforced" and "Freshness".

import { outsideLifeSeconds } from '../../core/decision/state/revocation-index.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { Change, LogPosition } from '../../core/model/change.ts';
import { machineMs, monotonicMs } from '../../telemetry/clock.ts';
import type { LogMessage } from './control-client.ts';
import type { LiveKeys } from './live-keys.ts';

interface LogFollowerOptions {
  readonly live: LiveKeys;
  /** The present configuration: how long a token may live says when a revocation is forgotten. */
  readonly snapshot: () => Pick<Snapshot, 'maxTokenTtlSeconds' | 'clockSkewSeconds'>;
  /**
   * Ends what is open and hangs on something that was revoked.
   *
   * @param done   called once all that was open at the call has been looked at
   * @param going  called now and then while it takes longer
   */
  readonly endRevoked: (done: () => void, going: () => void) => void;
  /** Something happened to these nodes: what is open with them may have to be decided on anew. */
  readonly touched: (changes: readonly Change[]) => void;
  /** Says to control that this edge acts on the log up to there. */
  readonly confirm: (position: LogPosition) => void;
  /** Says to control that this edge refuses what is revoked there and goes on ending what is open. */
  readonly isEnding: (position: LogPosition) => void;
  /** Something is missing between what came and what is known: the whole index has to come again. */
  readonly resync: () => void;
}

// By so much the clock of the process that made a token may be wrong. What was revoked longer ago than a token lives ends nothing.
const clockSlackSeconds = 600;
const forgetEveryMs = 3_600_000;

export class LogFollower {
  readonly #options: LogFollowerOptions;
  /** Up to where this edge had heard of the log, once an hour of monotonic time, the oldest first: no wall clock says what is old. */
  #heard: { readonly atMs: number; readonly seq: number }[] = [];
  #forgetAtMs = monotonicMs() + forgetEveryMs;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  take(message: LogMessage): void {
    const { live } = this.#options;
    switch (message.kind) {
      case 'index': {
        const { index } = message;
        if (index.epoch !== live.revocations.position?.epoch) this.#heard = [];
        live.revocations.replace({ epoch: index.epoch, seq: index.seq }, index.revocations);
        live.changed(null);
        this.#freshen(index.readAgeMs, index.sentAtMs);
        this.#settle(true);
        return;
      }
      case 'changes': {
        const outcome = live.revocations.apply({ epoch: message.epoch, seq: message.seq }, message.changes);
        if (outcome === 'gap') {
          this.#options.resync();
          return;
        }
        live.changed(message.changes);
        this.#settle(outcome === 'revoked');
        this.#options.touched(message.changes);
        return;
      }
      case 'heartbeat': {
        const { log } = message;
        const known = live.revocations.position;
        if (log === null || known === null) return;
        // the index is fresh only when this edge has all that control had read
        if (log.epoch === known.epoch && log.seq <= known.seq) this.#freshen(log.readAgeMs, log.sentAtMs);
        else this.#options.resync();
        this.#forget();
        return;
      }
      default:
        message satisfies never;
    }
  }

  /** Confirms once nothing that is open hangs on what was revoked. */
  #settle(revoked: boolean): void {
    const { live, endRevoked, confirm, isEnding } = this.#options;
    const { position } = live.revocations;
    if (position === null) return;
    if (!revoked) confirm(position);
    else
      endRevoked(
        () => confirm(position),
        () => isEnding(position),
      );
  }

  #freshen(readAgeMs: number, sentAtMs: number): void {
    const { live } = this.#options;
    const onTheWayMs = Math.max(0, machineMs() - sentAtMs);
    live.freshAtMs = Math.max(live.freshAtMs, monotonicMs() - readAgeMs - onTheWayMs);
  }

  #forget(): void {
    const nowMs = monotonicMs();
    if (nowMs < this.#forgetAtMs) return;
    this.#forgetAtMs = nowMs + forgetEveryMs;
    const { live } = this.#options;
    const snapshot = this.#options.snapshot();
    const { position } = live.revocations;
    if (position === null) return;
    this.#heard.push({ atMs: nowMs, seq: position.seq });
    const longest = snapshot.maxTokenTtlSeconds + 2 * snapshot.clockSkewSeconds + clockSlackSeconds;
    const nodesSeq = this.#heardBefore(nowMs - longest * 1000);
    const outsideSeq = this.#heardBefore(nowMs - outsideLifeSeconds(longest) * 1000);
    live.revocations.forgetUpTo(nodesSeq, outsideSeq);
    this.#heard = this.#heard.filter(({ seq }) => seq >= outsideSeq);
  }

  /** The place of the log that this edge had heard of before a moment; 0 when it had heard of none. */
  #heardBefore(atMs: number): number {
    return this.#heard.findLast((mark) => mark.atMs < atMs)?.seq ?? 0;
  }
}
