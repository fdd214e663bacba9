// The revocations that one process knows: which tokens they end, and up to which place of the change log they are known.
// Pure. The index has no clock: the live index (snapshot.ts) knows its age.
// Rules: gateway/RULES.md "One graph of revocation". Clocks matter only for outside tokens, which name no place of the log.

import { type Change, type LogPosition, passwordPasses } from '../../model/change.ts';
import { signingKeyNode, userRecordNode } from '../../model/node-id.ts';
import type { EpochSeconds } from '../../model/time.ts';
import type { VerifiedToken } from '../../token/common-key-token.ts';
import { impliedNodes } from '../../token/pass-claims.ts';
import { tokenKinds } from '../../token/token-kinds.ts';

/** The last revocation of one node, or of outside tokens of one jti, sub or kid. */
interface Revocation {
  readonly seq: number;
  readonly at: EpochSeconds;
}

/** How long the log keeps a change at least, in seconds. */
const logLifeSeconds = 35 * 24 * 3600;

/**
 * How long revocations of outside tokens count: as long as the log keeps them, and at least as long as a token may live. A token
 * without `iat` that is refused for living too long becomes acceptable towards its `exp`, so the longest life alone is not enough.
 *
 * @param longestSeconds  the longest life of a token on any route, plus the clock skew
 */
export function outsideLifeSeconds(longestSeconds: number): number {
  return Math.max(logLifeSeconds, longestSeconds);
}

/** The outcome of a batch: `gap` when it does not follow the known changes, so that the whole index has to be read again. */
type BatchOutcome = 'nothing-revoked' | 'revoked' | 'gap';

/** The index has a single writer. Readers ask within one turn of the event loop, so they see a batch completely or not at all. */
export class RevocationIndex {
  #position: LogPosition | null = null;
  readonly #nodes = new Map<string, Revocation>();
  /** Revocations of outside tokens, which end passes too, by `jti:…`, `sub:…`, `kid:…`, and `passwordPasses`. */
  readonly #outside = new Map<string, Revocation>();
  #skewSeconds = 0;
  /** A new object whenever verdicts on tokens may have changed. A token remembers the object under which it was judged last. */
  #generation: object = {};

  /** The place of the log up to which all revocations are known; null before the index was loaded. */
  get position(): LogPosition | null {
    return this.#position;
  }

  /** How many revocations are remembered. */
  get size(): number {
    return this.#nodes.size + this.#outside.size;
  }

  /** @param skewSeconds  how far the clock of the maker of outside tokens may differ. Default 0 */
  setSkew(skewSeconds: number): void {
    if (skewSeconds === this.#skewSeconds) return;
    this.#skewSeconds = skewSeconds;
    this.#generation = {};
  }

  /** Replaces the whole index. */
  replace(position: LogPosition, revocations: readonly Change[]): void {
    this.#nodes.clear();
    this.#outside.clear();
    for (const change of revocations) this.#take(change);
    this.#position = position;
    this.#generation = {};
  }

  /**
   * Takes the next changes, in the order of the log. A batch that was taken before changes nothing.
   *
   * @param position  the place of the log after the batch
   */
  apply(position: LogPosition, changes: readonly Change[]): BatchOutcome {
    const known = this.#position;
    if (known === null || known.epoch !== position.epoch) return 'gap';
    const fresh = changes.filter((change) => change.seq > known.seq);
    // the log has no gaps, so a missing number is a change that this index does not know
    if (fresh.some((change, at) => change.seq !== known.seq + 1 + at)) return 'gap';
    if (position.seq > known.seq + fresh.length) return 'gap';
    if (fresh.length === 0) return 'nothing-revoked';
    let revoked = false;
    for (const change of fresh) if (this.#take(change)) revoked = true;
    this.#position = { epoch: known.epoch, seq: known.seq + fresh.length };
    if (revoked) this.#generation = {};
    return revoked ? 'revoked' : 'nothing-revoked';
  }

  /**
   * Forgets revocations that can end no token any more, by places of the log and never by a clock.
   *
   * @param nodesSeq    revocations of nodes up to this place are forgotten: no token of latchkey's from before it still lives
   * @param outsideSeq  the same for outside tokens; see `outsideLifeSeconds`
   */
  forgetUpTo(nodesSeq: number, outsideSeq: number): void {
    for (const [node, { seq }] of this.#nodes) if (seq <= nodesSeq) this.#nodes.delete(node);
    for (const [node, { seq }] of this.#outside) if (seq <= outsideSeq) this.#outside.delete(node);
  }

  /**
   * Whether a revocation ends the token. False for every token while the index is not loaded, so callers check the age of the index
   * too. It costs one comparison, except for the first time after each change.
   */
  isRevoked(token: VerifiedToken): boolean {
    if (token.judgedUnder === this.#generation) return token.wasRevoked;
    token.wasRevoked = this.#judge(token);
    token.judgedUnder = this.#generation;
    return token.wasRevoked;
  }

  /** Whether one of the nodes was revoked after a place of the log, or the place is of another epoch. */
  hasRevoked(nodes: readonly string[], { epoch, seq }: LogPosition): boolean {
    if (this.#position === null) return false;
    if (epoch !== this.#position.epoch) return true;
    if (this.#nodes.size === 0) return false;
    for (const node of nodes) if (this.#isRevokedAfter(node, seq)) return true;
    return false;
  }

  /**
   * By how many places of the log a pass is ahead of this index; 0 for nearly every pass. The maker of such a pass knew changes that
   * this index does not know yet, or claims so to escape revocations that are still to come. Sessions are not checked: their key
   * never leaves latchkey, so their claims are true.
   */
  placesAhead(token: VerifiedToken): number {
    const { v } = token.claims;
    const known = this.#position;
    if (token.type !== 'pass' || v === undefined || known === null || v[0] !== known.epoch) return 0;
    return Math.max(0, v[1] - known.seq);
  }

  /** Whether a gateway with another store made the token, or this one before a restore. This log does not know the nodes of such a token. */
  isForeign({ claims: { v } }: VerifiedToken): boolean {
    return v !== undefined && this.#position !== null && v[0] !== this.#position.epoch;
  }

  #judge(token: VerifiedToken): boolean {
    const { n, v, cred } = token.claims;
    // a pass for a password counts at every server with the common key (US 10,395,024), also at one with another store: a place in
    // that store's log means nothing here, and the pass is judged like a token of others
    const isForeign = cred !== undefined && this.isForeign(token);
    if (v !== undefined && !isForeign) {
      const place = { epoch: v[0], seq: v[1] };
      if (this.hasRevoked(n ?? [], place)) return true;
      // every token of latchkey's hangs on its key and on what its own claims name, even if `n` does not list them
      if (this.#isRevokedAfter(signingKeyNode(token.keyId), v[1])) return true;
      if (tokenKinds[token.type].hangsOnItsClaims && this.hasRevoked(impliedNodes(token.claims), place)) return true;
    } else if (
      cred !== undefined &&
      v === undefined &&
      this.#isSince(this.#nodes.get(userRecordNode(cred.id)), token.iat)
    ) {
      // the pass names no place of the log, so times say which revocations came later
      return true;
    }
    // a holder of the common key can make passes too, with any nodes and any place of the log, so a pass can also be ended by id,
    // subject or key; only control makes sessions, and a session ends with its nodes alone
    if (tokenKinds[token.type].purpose === 'internal' || this.#outside.size === 0) return false;
    // `passwordPasses` is written when an epoch begins, so passes that name a place of this epoch are newer
    const isOlder = cred !== undefined && (isForeign || v === undefined);
    return (isOlder && this.#isRevokedSince(passwordPasses, token.iat)) || this.#isNamed(token);
  }

  /** Whether `latchkey token revoke` ended the token. */
  #isNamed({ claims: { jti, sub }, keyId, iat }: VerifiedToken): boolean {
    return (
      (jti !== undefined && this.#isRevokedSince(`jti:${jti}`, iat)) ||
      (sub !== undefined && this.#isRevokedSince(`sub:${sub}`, iat)) ||
      this.#isRevokedSince(`kid:${keyId}`, iat)
    );
  }

  #isRevokedAfter(node: string, seq: number): boolean {
    const revocation = this.#nodes.get(node);
    return revocation !== undefined && revocation.seq > seq;
  }

  #isRevokedSince(key: string, iat: EpochSeconds): boolean {
    return this.#isSince(this.#outside.get(key), iat);
  }

  /** @param iat  -1 for a token without `iat`, which cannot be shown to be newer */
  #isSince(revocation: Revocation | undefined, iat: EpochSeconds): boolean {
    return revocation !== undefined && (iat < 0 || iat <= revocation.at + this.#skewSeconds);
  }

  /** @returns whether it is a revocation */
  #take({ kind, node, seq, at }: Change): boolean {
    switch (kind) {
      case 'revoke':
        this.#nodes.set(node, { seq, at });
        return true;
      case 'outside':
        // a second revocation never moves the time back, even if the clock of the process that revoked is behind
        this.#outside.set(node, { seq, at: Math.max(at, this.#outside.get(node)?.at ?? at) });
        return true;
      case 'touch':
      case 'keys':
        return false;
      default:
        return kind satisfies never;
    }
  }
}
