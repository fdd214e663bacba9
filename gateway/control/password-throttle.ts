// Slows guesses down: after five wrong ones in a row from one address for one user, each further one has to wait longer.
// Keys are digests, so that memory is bounded whatever a client sends. Pure but for its own table; times come in.

import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const freeFailures = 5;
const maxWaitMs = 5 * 60_000;
const maxEntries = 10_000;

interface ThrottleEntry {
  failures: number;
  /** Guesses being checked right now; each may become a failure. */
  running: number;
  /** Monotonic time before which no guess is looked at. */
  blockedUntil: number;
}

/** Failures per user and address. */
export class PasswordThrottle {
  readonly #entries = new LRUCache<string, ThrottleEntry>({ max: maxEntries });

  /**
   * Asks whether a guess may be checked now. When it may, it counts as running until `end` is called.
   *
   * @returns 0 when it may, else the milliseconds to wait
   */
  begin(user: string, address: string, now: number): number {
    const key = keyOf(user, address);
    const entry = this.#entries.get(key) ?? { failures: 0, running: 0, blockedUntil: 0 };
    if (entry.blockedUntil > now) return entry.blockedUntil - now;
    // Guesses sent at once must not slip through before the first of them has failed.
    if (entry.running > 0 && entry.failures + entry.running >= freeFailures) return 1000;
    entry.running += 1;
    this.#entries.set(key, entry);
    return 0;
  }

  /** The outcome of a guess that `begin` let through. `unknown`: it was never checked. */
  end(user: string, address: string, outcome: 'right' | 'wrong' | 'unknown', now: number): void {
    const key = keyOf(user, address);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.running = Math.max(0, entry.running - 1);
    if (outcome === 'right') entry.failures = 0;
    if (outcome === 'wrong') {
      entry.failures += 1;
      if (entry.failures >= freeFailures) {
        entry.blockedUntil = now + Math.min(maxWaitMs, 1000 * 2 ** (entry.failures - freeFailures));
      }
    }
    if (entry.failures === 0 && entry.running === 0) this.#entries.delete(key);
  }
}

/** NFC as the users file has it: another spelling of a name is no second set of free guesses. */
function keyOf(user: string, address: string): string {
  return createHash('sha256')
    .update(JSON.stringify([address, user.normalize('NFC')]))
    .digest('base64');
}
