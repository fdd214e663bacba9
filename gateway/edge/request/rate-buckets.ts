// Token buckets of all rate limits of one edge, in a table of fixed size that strangers can fill but not exhaust.
// A bucket is the time at which it will be full again (GCRA), so a full bucket and no bucket are the same: idle callers cost nothing.
// A new key in a crowded set takes the place of the bucket that was used least: no caller is slowed down by the requests of another,
// and a flood of addresses gives no heavy user a fresh start. The hash has a secret key, so no client can choose its set.

import { randomInt } from 'node:crypto';
import type { RateLimit } from '../../core/decision/policy/rate-limit.ts';
import { digest, halfSipHash } from './half-sip-hash.ts';

const ways = 8;
const defaultSets = 16_384;

/** Of one limit: derived from its id, so that a reload which left the limit alone finds its buckets again. */
interface LimitKey {
  readonly k0: number;
  readonly k1: number;
}

export class RateBuckets {
  readonly #sets: number;
  readonly #k0 = randomInt(0x1_0000_0000) | 0;
  readonly #k1 = randomInt(0x1_0000_0000) | 0;
  readonly #limitKeys = new WeakMap<RateLimit, LimitKey>();
  /** 20 bytes a bucket, 2.5 MiB in all; made with the first limit that is asked. */
  #names: Int32Array = new Int32Array(0);
  #fullAtMs: Float64Array = new Float64Array(0);
  /** How long an empty bucket takes to fill: what makes the use of two limits comparable. */
  #horizonsMs: Float32Array = new Float32Array(0);

  /** @param sets  a power of two; eight buckets each */
  constructor(sets: number = defaultSets) {
    this.#sets = sets;
  }

  /**
   * Takes one request out of the bucket of `key` under each limit, or out of none when one of them is empty.
   *
   * @param keyOf  the key that is counted under a limit
   * @returns 0, or the seconds after which the request would pass, at least 1
   */
  take(limits: readonly RateLimit[], keyOf: (limit: RateLimit) => string, nowMs: number): number {
    let waitMs = 0;
    for (let index = 0; index < limits.length; index++) {
      const limit = limits[index];
      if (limit === undefined) break;
      const slot = this.#find(limit, keyOf(limit), nowMs);
      const fullAt = Math.max(this.#fullAtMs[slot] as number, nowMs);
      const over = fullAt - nowMs - (limit.burst - 1) * limit.intervalMs;
      // a little tolerance for rounding of fractions
      if (over > 1e-6) waitMs = Math.max(waitMs, over);
    }
    if (waitMs > 0) return Math.max(1, Math.ceil(waitMs / 1000));
    for (const limit of limits) {
      const slot = this.#find(limit, keyOf(limit), nowMs);
      this.#fullAtMs[slot] = Math.max(this.#fullAtMs[slot] as number, nowMs) + limit.intervalMs;
    }
    return 0;
  }

  /** The bucket of a key; a full one, in the place that is missed least, when there was none. */
  #find(limit: RateLimit, key: string, nowMs: number): number {
    if (this.#names.length === 0) this.#allocate();
    const { k0, k1 } = this.#keyOf(limit);
    halfSipHash(key, k0, k1);
    const low = digest[0] as number;
    const high = digest[1] as number;
    const first = (low & (this.#sets - 1)) * ways;
    let victim = first;
    let leastUsed = Number.POSITIVE_INFINITY;
    for (let slot = first; slot < first + ways; slot++) {
      if (this.#names[2 * slot] === low && this.#names[2 * slot + 1] === high) return slot;
      const used = ((this.#fullAtMs[slot] as number) - nowMs) / (this.#horizonsMs[slot] as number);
      if (used < leastUsed) {
        leastUsed = used;
        victim = slot;
      }
    }
    this.#names[2 * victim] = low;
    this.#names[2 * victim + 1] = high;
    this.#fullAtMs[victim] = nowMs;
    this.#horizonsMs[victim] = limit.burst * limit.intervalMs;
    return victim;
  }

  #keyOf(limit: RateLimit): LimitKey {
    const known = this.#limitKeys.get(limit);
    if (known !== undefined) return known;
    halfSipHash(limit.id, this.#k0, this.#k1);
    const made = { k0: digest[0] as number, k1: digest[1] as number };
    this.#limitKeys.set(limit, made);
    return made;
  }

  #allocate(): void {
    const slots = this.#sets * ways;
    this.#names = new Int32Array(2 * slots);
    this.#fullAtMs = new Float64Array(slots).fill(Number.NEGATIVE_INFINITY);
    this.#horizonsMs = new Float32Array(slots).fill(1);
  }
}
