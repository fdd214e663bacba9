// What an edge does with the change log: keys, each batch in one turn, then the open permits, then its word that it acts on it.
// It reads nothing by itself: messages come from the feed in the order in which control sent them.
// Rules: gateway/RULES.md "Acknowledged means enforced" and "Freshness".

import { outsideLifeSeconds } from '../../core/decision/state/revocation-index.ts';
import type { LogPosition } from '../../core/model/change.ts';
import { machineMs, monotonicMs } from '../../telemetry/clock.ts';
import { endRevokedPermits } from '../exchange/decide-again.ts';
import type { Runtime } from '../exchange/runtime.ts';
import type { LogMessage } from './control-client.ts';
import { keysOf } from './live-keys.ts';

interface LogFollowerOptions {
  readonly runtime: Runtime;
  /** Says to control that this edge acts on the log up to there. */
  readonly confirm: (position: LogPosition) => void;
  /** Says to control that this edge refuses what is revoked there and goes on ending what is open. */
  readonly isEnding: (position: LogPosition) => void;
  /** Something is missing between what came and what is known: the whole index has to come again. */
  readonly resync: () => void;
}

// No token of ours outlives this by the clock of whoever made it; what was revoked longer ago ends nothing.
const clockSlackSeconds = 600;
const forgetEveryMs = 3_600_000;

export class LogFollower {
  readonly #options: LogFollowerOptions;
  /** How far this edge had heard of the log at moments of monotonic time, one an hour, the oldest first: no clock says what is old. */
  #heard: { readonly atMs: number; readonly seq: number }[] = [];
  #forgetAtMs = monotonicMs() + forgetEveryMs;

  constructor(options: LogFollowerOptions) {
    this.#options = options;
  }

  take(message: LogMessage): void {
    const { runtime } = this.#options;
    const { live } = runtime;
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
      case 'keys':
        runtime.replaceRing(keysOf(message.keys));
        return;
      case 'changes': {
        const outcome = live.revocations.apply({ epoch: message.epoch, seq: message.seq }, message.changes);
        if (outcome === 'gap') {
          this.#options.resync();
          return;
        }
        live.changed(message.changes);
        this.#settle(outcome === 'revoked');
        runtime.connections.tunnels.touched(message.changes);
        return;
      }
      case 'heartbeat': {
        const { log } = message;
        const known = live.revocations.position;
        if (log === null || known === null) return;
        // fresh is only who has all that control had read
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
    const { runtime, confirm, isEnding } = this.#options;
    const position = runtime.live.revocations.position;
    if (position === null) return;
    if (!revoked) confirm(position);
    else
      endRevokedPermits(
        runtime,
        () => confirm(position),
        () => isEnding(position),
      );
  }

  #freshen(readAgeMs: number, sentAtMs: number): void {
    const { live } = this.#options.runtime;
    const onTheWayMs = Math.max(0, machineMs() - sentAtMs);
    live.freshAtMs = Math.max(live.freshAtMs, monotonicMs() - readAgeMs - onTheWayMs);
  }

  #forget(): void {
    const nowMs = monotonicMs();
    if (nowMs < this.#forgetAtMs) return;
    this.#forgetAtMs = nowMs + forgetEveryMs;
    const { live, snapshot } = this.#options.runtime;
    const { position } = live.revocations;
    if (position === null) return;
    this.#heard.push({ atMs: nowMs, seq: position.seq });
    const longest = snapshot.maxTokenTtlSeconds + 2 * snapshot.clockSkewSeconds + clockSlackSeconds;
    const nodesSeq = this.#heardBefore(nowMs - longest * 1000);
    const outsideSeq = this.#heardBefore(nowMs - outsideLifeSeconds(longest) * 1000);
    live.revocations.forgetUpTo(nodesSeq, outsideSeq);
    this.#heard = this.#heard.filter(({ seq }) => seq >= outsideSeq);
  }

  /** The place that this edge had heard of before a moment; 0 for none. */
  #heardBefore(atMs: number): number {
    return this.#heard.findLast((mark) => mark.atMs < atMs)?.seq ?? 0;
  }
}
