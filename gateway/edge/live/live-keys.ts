// The edge's live index: the key ring, what was revoked, and the memory of tokens whose signature held.
// What is remembered is a pure function of the token's bytes and the ring: times and scope are checked on each request,
// so what is compared is the whole token and nothing else, and what another ring verified counts for nothing.
// Refusals are not remembered: a million bad tokens must not push out one good one.

import { LRUCache } from 'lru-cache';
import type { AccessAnswer } from '../../core/decision/state/access.ts';
import { AccessCache } from '../../core/decision/state/access-cache.ts';
import { RevocationIndex } from '../../core/decision/state/revocation-index.ts';
import type { LiveIndex } from '../../core/decision/state/snapshot.ts';
import type { Change, LogPosition } from '../../core/model/change.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { type TokenRefusal, type VerifiedToken, verifyToken } from '../../core/token/common-key-token.ts';
import { buildKeyRing, type KeyRing, type RingKey } from '../../core/token/key-ring.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { FeedKey } from '../../wire/feed.ts';
import { DigestCache } from './digest-cache.ts';

/** How much the decision cache of one edge holds at most. @testing */
export interface CacheLimits {
  /** 0 switches the cache off. */
  readonly entries: number;
  readonly bytes: number;
}

/** A member of one collection is about 1 KiB. */
const accessLimits = { entries: 65_536, bytes: 64 * 1024 * 1024 };

/** The keys of a message of the feed. */
export function keysOf(keys: readonly FeedKey[]): SigningKey[] {
  return keys.map((key) => ({ ...key, secret: Buffer.from(key.secret, 'base64url') }));
}

/** Single writer: reloads and the follower of the change log; a request asks within one turn. */
export class LiveKeys implements LiveIndex {
  readonly revocations = new RevocationIndex();
  /** When the log was read as far as the index holds it, in this process's monotonic time. */
  freshAtMs = Number.NEGATIVE_INFINITY;
  /** The time of the request that is decided on; set before each decision, so that no clock is read again for the index's age. */
  nowMs = 0;
  /** What control answered about access. */
  readonly access = new AccessCache(accessLimits);
  #ring: KeyRing;
  /** Another object with each ring; an entry names the era it was verified in. Not the ring itself, whose keys would live as long. */
  #era: object = {};
  #limits: CacheLimits;
  #cache: TokenMemory | null;
  #lately: DigestCache;
  readonly #metrics: EdgeMetrics;

  constructor(keys: readonly SigningKey[], limits: CacheLimits, metrics: EdgeMetrics) {
    this.#ring = buildKeyRing(keys);
    this.#limits = limits;
    this.#cache = makeCache(limits);
    this.#lately = new DigestCache(limits.entries);
    this.#metrics = metrics;
  }

  get entries(): number {
    return this.#cache?.size ?? 0;
  }

  /** Takes the ring of a new configuration, and its limits. */
  replaceKeys(keys: readonly SigningKey[], limits: CacheLimits): void {
    if (limits.entries !== this.#limits.entries || limits.bytes !== this.#limits.bytes) {
      this.#limits = limits;
      this.#cache = makeCache(limits);
      this.#lately = new DigestCache(limits.entries);
    }
    this.replaceRing(keys);
    // collections and their owners are in a configuration
    this.access.clear();
  }

  /**
   * Takes another ring. What the former one verified counts for nothing from here on, so a token of a key that went is refused at
   * once. Entries go when they are asked for: to empty a full cache of 65,536 takes 25 ms, and an edge has 250 for all of it.
   */
  replaceRing(keys: readonly SigningKey[]): void {
    this.#ring = buildKeyRing(keys);
    this.#era = {};
  }

  /** The change log went on, and the index has it; null when the whole index came anew. Before anything is decided on it. */
  changed(changes: readonly Change[] | null): void {
    const { position } = this.revocations;
    if (position !== null) this.access.changed(position, changes);
  }

  get position(): LogPosition | null {
    return this.revocations.position;
  }

  get indexAgeMs(): number {
    return this.nowMs - this.freshAtMs;
  }

  isRevoked(token: VerifiedToken): boolean {
    return this.revocations.isRevoked(token);
  }

  placesAhead(token: VerifiedToken): number {
    return this.revocations.placesAhead(token);
  }

  isForeign(token: VerifiedToken): boolean {
    return this.revocations.isForeign(token);
  }

  isOurs(token: string): boolean {
    return this.#ring.isNamedBy(token);
  }

  hasRevoked(nodes: readonly string[], position: LogPosition): boolean {
    return this.revocations.hasRevoked(nodes, position);
  }

  findAccess(account: string, host: string, path: string, now: EpochSeconds): AccessAnswer | null {
    return this.access.find(account, host, path, now);
  }

  signingKey(): RingKey | null {
    return this.#ring.signer('content');
  }

  verify(token: string): VerifiedToken | TokenRefusal {
    const cache = this.#cache;
    if (cache === null) return verifyToken(token, this.#ring);
    const key = fingerprint(token);
    const known = cache.get(key);
    if (known !== undefined && known.era === this.#era && known.token === token) {
      this.#metrics.cacheHit();
      return known.verified;
    }
    this.#metrics.cacheMiss();
    const verified = verifyToken(token, this.#ring);
    // a token that comes once must not cost the place of one that comes all the time, nor the work of storing it
    if (
      verified.kind === 'verified' &&
      (isOld(known, this.#era) || !this.#isFull(cache) || this.#lately.isKnown(key))
    ) {
      // a copy: the token is a slice of a request head, and would keep the whole head alive
      cache.set(key, { token: Buffer.from(token, 'latin1').toString('latin1'), era: this.#era, verified });
    }
    return verified;
  }

  #isFull(cache: TokenMemory): boolean {
    return cache.size >= cache.max || cache.calculatedSize > cache.maxSize * 0.9;
  }
}

/** A remembered token with its whole text: the fingerprint finds it, the text alone decides that it is the same. */
interface Remembered {
  readonly token: string;
  readonly era: object;
  readonly verified: VerifiedToken;
}

/** An entry of another ring counts for nothing: its place is free. */
function isOld(known: Remembered | undefined, era: object): boolean {
  return known !== undefined && known.era !== era;
}

type TokenMemory = LRUCache<number, Remembered>;

/**
 * 31 bits of the MAC, which a good token has uniformly distributed and nobody can choose without the key.
 * A string as the key costs three times as much: V8 internalizes each new string that a Map is asked for
 * (3 % of the edge's CPU by `perf`, with tokens of 270 characters).
 */
function fingerprint(token: string): number {
  let bits = token.length;
  // the very last character holds only four bits of the MAC
  for (let index = token.length - 7; index < token.length - 1; index++) {
    bits = (Math.imul(bits, 67) + token.charCodeAt(index)) | 0;
  }
  return bits;
}

function makeCache(limits: CacheLimits): TokenMemory | null {
  if (limits.entries === 0) return null;
  return new LRUCache({
    max: limits.entries,
    maxSize: Math.max(1, limits.bytes),
    sizeCalculation: (remembered) => remembered.token.length + remembered.verified.weight,
  });
}
