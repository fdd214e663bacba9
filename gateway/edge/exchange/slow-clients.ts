// Finds clients that send a request's body, or take an answer, slower than their route allows.
// Connections are looked at in a sweep of the ticker, never per chunk, and what is measured are counters that exist anyway. Time
// in which the upstream held the body up, or in which the client had nothing to take, does not count against the client.

import type { Downstream } from './downstream.ts';
import type { Exchange } from './exchange.ts';

/** What the sweeps saw of an exchange so far. */
interface Window {
  /** Time in which more of the body was due. */
  sendMs: number;
  /** `bytesIn` when this window began. */
  receivedBefore: number;
  /** Time in which the client had something to take. */
  takeMs: number;
  /** Bytes that the kernel had taken for the client when this window began; -1 while the client has nothing to take. */
  takenBefore: number;
}

// Often enough for the window, and seldom enough for 100,000 connections.
const leastSweepMs = 1000;

/** The rates of all connections of an edge. */
export class SlowClients {
  readonly #connections: Iterable<Downstream>;
  #windows = new Map<Exchange, Window>();
  #lastMs: number;

  /** @param connections  open client connections, read anew in each sweep */
  constructor(connections: Iterable<Downstream>, nowMs: number) {
    this.#connections = connections;
    this.#lastMs = nowMs;
  }

  /** @param windowMs  rates are averages over that much of the client's own time */
  sweep(nowMs: number, windowMs: number): void {
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs < Math.min(leastSweepMs, windowMs / 4)) return;
    this.#lastMs = nowMs;
    const before = this.#windows;
    // a new map, so that exchanges that are over are forgotten
    this.#windows = new Map();
    for (const connection of this.#connections) {
      const exchange = connection.exchange;
      if (exchange === null) continue;
      const { minRequestRate, minResponseRate } = exchange.permit.route.limits;
      const sends = minRequestRate > 0 && !exchange.isRequestSent;
      const takes = minResponseRate > 0 && exchange.isAnswering;
      if (!sends && !takes) continue;
      const window = before.get(exchange) ?? { sendMs: 0, receivedBefore: 0, takeMs: 0, takenBefore: -1 };
      if (sends && isTooSlowToSend(window, exchange, elapsedMs, windowMs)) connection.bodyIsTooSlow();
      else if (takes && isTooSlowToTake(window, connection, minResponseRate, elapsedMs, windowMs)) connection.abandon();
      else this.#windows.set(exchange, window);
    }
  }
}

function isTooSlowToSend(window: Window, exchange: Exchange, elapsedMs: number, windowMs: number): boolean {
  if (exchange.isBodyPaused) return false;
  window.sendMs += elapsedMs;
  if (window.sendMs < windowMs) return false;
  const received = exchange.bytesIn - window.receivedBefore;
  const isTooSlow = received < (exchange.permit.route.limits.minRequestRate * window.sendMs) / 1000;
  window.sendMs = 0;
  window.receivedBefore = exchange.bytesIn;
  return isTooSlow;
}

function isTooSlowToTake(
  window: Window,
  connection: Downstream,
  rate: number,
  elapsedMs: number,
  windowMs: number,
): boolean {
  const taken = connection.takenBytes;
  if (!connection.hasUnsent) {
    // the client has caught up: what it waits for now is not its own doing
    window.takenBefore = -1;
    return false;
  }
  if (window.takenBefore < 0) {
    window.takeMs = 0;
    window.takenBefore = taken;
    return false;
  }
  window.takeMs += elapsedMs;
  if (window.takeMs < windowMs) return false;
  const isTooSlow = taken - window.takenBefore < (rate * window.takeMs) / 1000;
  window.takeMs = 0;
  window.takenBefore = taken;
  return isTooSlow;
}
