// A connection after its 101: bytes both ways, which nobody looks at, until one side or a rule of ours ends it.
// A tunnel holds no bytes: what one side does not take stops the reading of the other. It knows no frames, and makes up none.
// It ends with its permit, with its route, and last in a drain.
// Rules: RFC 9110 §7.8; gateway/RULES.md "One graph of revocation" and "Framing".

import type { ResponseHead } from '../../http1/response-head.ts';
import { completesUpgrade, type Upgrade } from '../../http1/upgrade.ts';
import type { TunnelEnd } from '../../telemetry/tunnel-metrics.ts';
import { writeSwitchHead } from '../answer/forwarded-heads.ts';
import type { Deadlined } from '../engine/ticker.ts';
import type { TunnelledConnection, TunnelSink } from '../upstream/answer-sink.ts';
import { isStillAllowed, type Prolonged, renewableHolder } from './decide-again.ts';
import type { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';
import { upgradeLines } from './judge-upgrade.ts';
import type { Runtime } from './runtime.ts';

// How long one side may go on after the other said that it has no more.
const halfOpenMs = 30_000;
// How long an ended upstream connection may take for what was written to it.
const lingerMs = 2000;
// After this long without a byte everything that was sent has arrived, or never will.
const quietMs = 2000;
// How long before the end of a permit control is asked at most; and how soon again while control does not answer.
const askAheadMs = 60_000;
const askAgainMs = 5000;

const never = Number.POSITIVE_INFINITY;

/**
 * Leaves HTTP. `begin` is to be called next, once the upstream's connection knows of the tunnel.
 *
 * @returns null, and nothing has happened, when this 101 is not the answer to what was asked for
 */
export function openTunnel(runtime: Runtime, exchange: Exchange, upgrade: Upgrade, head: ResponseHead): Tunnel | null {
  if (!completesUpgrade(head, upgrade)) return null;
  const text = writeSwitchHead(runtime, exchange, head, upgradeLines(upgrade));
  exchange.leaveHttp();
  return new Tunnel(runtime, exchange, upgrade, text);
}

/** Two connections that are one now. Made by `openTunnel`. */
export class Tunnel implements Deadlined, TunnelSink {
  deadlineMs = never;
  readonly exchange: Exchange;
  readonly upgrade: Upgrade;
  readonly #runtime: Runtime;
  readonly #client: Downstream;
  #upstream: TunnelledConnection | null = null;
  #head: string;
  /** When the permit ends. */
  #permitEndMs = never;
  /** When control is asked whether the tunnel may go on. */
  #askDueMs = never;
  #idleDueMs = never;
  /** When the upstream has to have taken what it was given. */
  #upstreamTakesMs = never;
  #halfOpenDueMs = never;
  #hasClientEnded = false;
  #hasUpstreamEnded = false;
  #isOver = false;

  constructor(runtime: Runtime, exchange: Exchange, upgrade: Upgrade, head: string) {
    this.#runtime = runtime;
    this.exchange = exchange;
    this.upgrade = upgrade;
    this.#client = exchange.downstream;
    this.#head = head;
    this.#planPermit(0);
  }

  /** Writes the 101 and what came behind it (`start` to `end`, only lent), then what the client said too early. */
  begin(upstream: TunnelledConnection, bytes: Buffer, start: number, end: number): void {
    const runtime = this.#runtime;
    runtime.connections.tunnels.add(this);
    runtime.reports.tunnelBegan(this.exchange);
    runtime.ticker.watch(this);
    this.#upstream = upstream;
    const client = this.#client.socket;
    client.cork();
    client.write(this.#head, 'latin1');
    this.#head = '';
    if (start < end) this.fromUpstream(bytes, start, end);
    client.uncork();
    this.#touch();
    const early = this.#client.enterTunnel(this);
    if (early !== null) this.fromClient(early);
    if (this.#upstreamTakesMs === never) client.resume();
    // the configuration may have changed while the upstream was thinking
    this.reconsider();
    runtime.connections.endTunnelsWhenAlone();
  }

  /** The tunnel has ended: what still comes is dropped. */
  get isOver(): boolean {
    return this.#isOver;
  }

  fromClient(chunk: Buffer): void {
    if (this.#isOver) return;
    this.exchange.bytesIn += chunk.length;
    if (this.#upstream?.writeBody(chunk) === false) {
      this.#client.socket.pause();
      this.#upstreamTakesMs = this.#runtime.ticker.nowMs + this.exchange.timeouts.upstreamIdleMs;
    }
    this.#touch();
  }

  /** Bytes are only lent, as in `Exchange.relay`: the connection reads on once the client took them. */
  fromUpstream(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.exchange.bytesOut += end - start;
    this.#runtime.metrics.bytesOut += end - start;
    this.#client.socket.write(bytes.subarray(start, end));
    this.#touch();
  }

  upstreamDrained(): void {
    if (this.#isOver || this.#upstreamTakesMs === never) return;
    this.#upstreamTakesMs = never;
    this.#touch();
    this.#client.socket.resume();
  }

  clientEnded(): void {
    if (this.#isOver) return;
    this.#hasClientEnded = true;
    if (this.#hasUpstreamEnded) this.shut('closed');
    else {
      this.#upstream?.socket.end();
      this.#beginHalfOpen();
    }
  }

  upstreamEnded(): void {
    if (this.#isOver) return;
    this.#hasUpstreamEnded = true;
    if (this.#hasClientEnded) this.shut('closed');
    else {
      this.#client.socket.end();
      this.#beginHalfOpen();
    }
  }

  /** The client's connection broke, or was given up: the upstream's is reset too. */
  clientClosed(): void {
    if (this.#isOver) return;
    this.#finish('client-gone');
    reset(this.#upstream?.socket);
  }

  upstreamClosed(): void {
    if (this.#isOver) return;
    // What was sent a while ago has arrived. What came just now still has to: a reset would throw it away.
    const isQuiet = this.#idleDueMs - this.exchange.timeouts.tunnelIdleMs < this.#runtime.ticker.nowMs - quietMs;
    this.#finish('upstream-gone');
    if (isQuiet && !this.#client.hasUnsent) this.#client.reset();
    else this.#client.cutOff(false);
  }

  /** Ends the tunnel when what allowed it would not allow it any more. */
  reconsider(): void {
    if (this.#isOver) return;
    if (!isStillAllowed(this.#runtime, this.exchange, this.upgrade)) this.shut('revoked');
  }

  /** Some nodes changed: control is asked when this tunnel may depend on one of them. @param isCollection  a collection is among them */
  touched(nodes: ReadonlySet<string>, isCollection: boolean): void {
    if (this.#isOver || renewableHolder(this.exchange) === null) return;
    const { permit, request } = this.exchange;
    const { sub = '', n = [] } = permit.claims ?? {};
    const { live, ticker, permits } = this.#runtime;
    if (nodes.has(sub) || n.some((node) => nodes.has(node))) permits.ask(this);
    // an answer that still holds is remembered, and then nothing needs to be asked
    else if (isCollection && permit.how !== 'session') {
      if (live.findAccess(sub, request.host, request.path, ticker.epochSeconds) === null) permits.ask(this);
    }
  }

  /** Takes control's word on whether the tunnel may go on. */
  prolong(outcome: Prolonged): void {
    if (this.#isOver) return;
    if (outcome.kind === 'gone') {
      this.shut('revoked');
      return;
    }
    const { nowMs } = this.#runtime.ticker;
    if (outcome.kind === 'away') {
      const leftMs = this.#permitEndMs - nowMs;
      this.#askDueMs = nowMs + Math.min(askAgainMs, leftMs / 2);
    } else {
      const endMs = this.#permitEndMs;
      this.exchange.permit = outcome.permit;
      this.exchange.request = outcome.request;
      this.#planPermit(endMs);
    }
    this.#schedule();
  }

  /** Ends both connections behind what was written to them; what still comes is dropped. */
  shut(why: TunnelEnd): void {
    if (this.#isOver) return;
    this.#finish(why);
    this.#client.exchangeDone(true);
    if (this.#upstream === null) return;
    // no more is sent, and what still comes is read and dropped: a reset would overtake what the upstream was given last
    this.#upstream.deadlineMs = this.#runtime.ticker.nowMs + lingerMs;
    this.#upstream.socket.end();
    this.#upstream.resume();
  }

  onDeadline(): void {
    const now = this.#runtime.ticker.nowMs;
    if (this.#permitEndMs <= now) this.shut('expired');
    else if (this.#upstreamTakesMs <= now) {
      this.#finish('stalled');
      this.#client.reset();
      reset(this.#upstream?.socket);
    } else if (this.#halfOpenDueMs <= now) this.shut('half-open');
    else if (this.#idleDueMs <= now) this.shut('idle');
    else {
      if (this.#askDueMs <= now) {
        this.#askDueMs = never;
        this.#runtime.permits.ask(this);
      }
      this.#schedule();
    }
  }

  /** @param endedMs  when the permit before ended; control is not asked again about a permit that ends no later */
  #planPermit(endedMs: number): void {
    const { ticker, snapshot } = this.#runtime;
    const exp = this.exchange.permit.claims?.exp;
    const leftMs = exp === undefined ? never : (exp + snapshot.clockSkewSeconds - ticker.epochSeconds) * 1000;
    this.#permitEndMs = ticker.nowMs + leftMs;
    const isLater = this.#permitEndMs > endedMs + 1000 && renewableHolder(this.exchange) !== null;
    if (isLater) this.#askDueMs = this.#permitEndMs - Math.min(askAheadMs, leftMs / 2);
  }

  #touch(): void {
    this.#idleDueMs = this.#runtime.ticker.nowMs + this.exchange.timeouts.tunnelIdleMs;
    this.#schedule();
  }

  #schedule(): void {
    const permitMs = Math.min(this.#permitEndMs, this.#askDueMs);
    this.deadlineMs = Math.min(this.#idleDueMs, permitMs, this.#upstreamTakesMs, this.#halfOpenDueMs);
  }

  #beginHalfOpen(): void {
    this.#halfOpenDueMs = this.#runtime.ticker.nowMs + halfOpenMs;
    this.#schedule();
  }

  #finish(why: TunnelEnd): void {
    this.#isOver = true;
    this.#runtime.ticker.unwatch(this);
    this.#runtime.permits.forget(this);
    this.#runtime.connections.tunnels.delete(this);
    this.#runtime.reports.tunnelOver(this.exchange, why);
    this.#runtime.engine.giveRequestHead(this.exchange.request.head);
  }
}

/** TLS and Unix sockets know no reset; there a bare end has to do. */
function reset(socket: TunnelledConnection['socket'] | undefined): void {
  if (socket === undefined || socket.destroyed) return;
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
