// The edge's live index: the key ring, and the memory of tokens whose signature held.
// What is remembered is a pure function of the token's bytes and the ring: times and scope are checked on each request,
// so the cache key is the whole token and nothing else, and a new ring means a new cache.
// Refusals are not remembered: a million bad tokens must not push out one good one.

import { LRUCache } from 'lru-cache';
import type { LiveIndex } from '../core/decision/snapshot.ts';
import type { KeyRecord } from '../core/model/key.ts';
import { type TokenRefusal, type VerifiedToken, verifyToken } from '../core/token/common-key-token.ts';
import { buildKeyRing, type KeyRing, type RingKey } from '../core/token/key-ring.ts';
import type { EdgeMetrics } from '../telemetry/edge-metrics.ts';

export interface CacheLimits {
  /** 0 switches the cache off. */
  readonly entries: number;
  readonly bytes: number;
}

/** Single writer: only `replaceKeys` changes it, and a request asks within one turn. */
export class LiveKeys implements LiveIndex {
  #ring: KeyRing;
  #cache: LRUCache<string, VerifiedToken> | null;
  readonly #metrics: EdgeMetrics;

  constructor(keys: readonly KeyRecord[], limits: CacheLimits, metrics: EdgeMetrics) {
    this.#ring = buildKeyRing(keys);
    this.#cache = makeCache(limits);
    this.#metrics = metrics;
  }

  get entries(): number {
    return this.#cache?.size ?? 0;
  }

  replaceKeys(keys: readonly KeyRecord[], limits: CacheLimits): void {
    this.#ring = buildKeyRing(keys);
    this.#cache = makeCache(limits);
  }

  signingKey(): RingKey | null {
    return this.#ring.signer('content');
  }

  verify(token: string): VerifiedToken | TokenRefusal {
    const cache = this.#cache;
    if (cache === null) return verifyToken(token, this.#ring);
    const known = cache.get(token);
    if (known !== undefined) {
      this.#metrics.cacheHit();
      return known;
    }
    this.#metrics.cacheMiss();
    const verified = verifyToken(token, this.#ring);
    if (verified.kind === 'verified') {
      // a copy: the token is a slice of a request head, and would keep the whole head alive
      cache.set(Buffer.from(token, 'latin1').toString('latin1'), verified);
    }
    return verified;
  }
}

function makeCache(limits: CacheLimits): LRUCache<string, VerifiedToken> | null {
  if (limits.entries === 0) return null;
  return new LRUCache({
    max: limits.entries,
    maxSize: Math.max(1, limits.bytes),
    sizeCalculation: (verified, token) => token.length + verified.weight,
  });
}
