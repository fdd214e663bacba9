// What was revoked, as one process knows it: which tokens die by it, and up to which place of the change log that is true.
// Pure. It knows no time of its own: how old the knowledge is, is asked of the live index (snapshot.ts).
// Rules: gateway/RULES.md "One graph of revocation". Clocks play no part but for outside tokens, which name no place of the log.

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

/** What the log keeps at least, in seconds. */
const logLifeSeconds = 35 * 24 * 3600;

/**
 * How long revocations of outside tokens count: as long as the log keeps them, and never shorter than a token may live. A token
 * without `iat` that was refused for living too long is taken at its very end, so the longest life alone would bring it back.
 *
 * @param longestSeconds  longest life that a route takes, with what clocks may differ
 */
export function outsideLifeSeconds(longestSeconds: number): number {
  return Math.max(logLifeSeconds, longestSeconds);
}

/** What came of a batch: `gap` when it does not follow what is known, so the whole index has to be read anew. */
type BatchOutcome = 'nothing-revoked' | 'revoked' | 'gap';

/** Single writer. A reader asks within one turn of the event loop, so it sees a batch whole or not at all. */
export class RevocationIndex {
  #position: LogPosition | null = null;
  readonly #nodes = new Map<string, Revocation>();
  /** By `jti:…`, `sub:…`, `kid:…`, and `passwordPasses`: what ends outside tokens, and passes as well. */
  readonly #outside = new Map<string, Revocation>();
  #skewSeconds = 0;
  /** Another object whenever a verdict on a token may be another one; a token remembers under which it was judged last. */
  #generation: object = {};

  /** The place of the log up to which everything is known; null before the index was loaded. */
  get position(): LogPosition | null {
    return this.#position;
  }

  /** Revocations that are remembered. */
  get size(): number {
    return this.#nodes.size + this.#outside.size;
  }

  /** @param skewSeconds  how far the clock of the maker of outside tokens may differ. Default 0 */
  setSkew(skewSeconds: number): void {
    if (skewSeconds === this.#skewSeconds) return;
    this.#skewSeconds = skewSeconds;
    this.#generation = {};
  }

  /** Takes the whole index in place of what was known. */
  replace(position: LogPosition, revocations: readonly Change[]): void {
    this.#nodes.clear();
    this.#outside.clear();
    for (const change of revocations) this.#take(change);
    this.#position = position;
    this.#generation = {};
  }

  /**
   * Takes what happened since, in the order of the log. A batch that was seen before changes nothing.
   *
   * @param position  where the log stood after the batch
   */
  apply(position: LogPosition, changes: readonly Change[]): BatchOutcome {
    const known = this.#position;
    if (known === null || known.epoch !== position.epoch) return 'gap';
    const fresh = changes.filter((change) => change.seq > known.seq);
    // the log has no gaps, so a number that is missing is a change that was not heard of
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
   * Forgets what ends nothing any more, by places of the log and never by what a clock said.
   *
   * @param nodesSeq    revocations of nodes up to this place go: no token of ours from then still lives
   * @param outsideSeq  the same for outside tokens; see `outsideLifeSeconds`
   */
  forgetUpTo(nodesSeq: number, outsideSeq: number): void {
    for (const [node, { seq }] of this.#nodes) if (seq <= nodesSeq) this.#nodes.delete(node);
    for (const [node, { seq }] of this.#outside) if (seq <= outsideSeq) this.#outside.delete(node);
  }

  /**
   * Whether a revocation ends the token. False for every token while the index is not loaded: a caller has to ask for
   * the age of the index too. One comparison, but for the first time after each change.
   */
  isRevoked(token: VerifiedToken): boolean {
    if (token.judgedUnder === this.#generation) return token.wasRevoked;
    token.wasRevoked = this.#judge(token);
    token.judgedUnder = this.#generation;
    return token.wasRevoked;
  }

  /** Whether something that was known at a place of the log hangs on a node that was revoked later, or on another epoch. */
  hasRevoked(nodes: readonly string[], { epoch, seq }: LogPosition): boolean {
    if (this.#position === null) return false;
    if (epoch !== this.#position.epoch) return true;
    if (this.#nodes.size === 0) return false;
    for (const node of nodes) if (this.#isRevokedAfter(node, seq)) return true;
    return false;
  }

  /**
   * By how many places of the log a pass is ahead of what is known here; 0 for nearly every one. Its maker knew of changes that
   * this index has not heard of, or says so to outlive revocations that are still to come. A session is not asked: its key never
   * leaves latchkey, so what it says is so.
   */
  placesAhead(token: VerifiedToken): number {
    const { v } = token.claims;
    const known = this.#position;
    if (token.type !== 'pass' || v === undefined || known === null || v[0] !== known.epoch) return 0;
    return Math.max(0, v[1] - known.seq);
  }

  /** Whether another store's gateway made it, or this one's before a restore: the log here says nothing of what it hangs on. */
  isForeign({ claims: { v } }: VerifiedToken): boolean {
    return v !== undefined && this.#position !== null && v[0] !== this.#position.epoch;
  }

  #judge(token: VerifiedToken): boolean {
    const { n, v, cred } = token.claims;
    // a pass for a password holds at every server with the common key (US 10,395,024), also at one with another store: that
    // store's place says nothing here, and the pass is judged like what others made
    const isForeign = cred !== undefined && this.isForeign(token);
    if (v !== undefined && !isForeign) {
      const place = { epoch: v[0], seq: v[1] };
      if (this.hasRevoked(n ?? [], place)) return true;
      // every token of ours hangs on its key, and on what it names itself; it needs not say so
      if (this.#isRevokedAfter(signingKeyNode(token.keyId), v[1])) return true;
      if (tokenKinds[token.type].hangsOnItsClaims && this.hasRevoked(impliedNodes(token.claims), place)) return true;
    } else if (
      cred !== undefined &&
      v === undefined &&
      this.#isSince(this.#nodes.get(userRecordNode(cred.id)), token.iat)
    ) {
      // it names no place of the log, so the clock says what came later
      return true;
    }
    // A holder of the common key makes passes too, with whatever nodes and place of the log, so these save none from being ended
    // by id, subject or key. A session is made by nobody else, and hangs on its rows alone.
    if (tokenKinds[token.type].purpose === 'internal' || this.#outside.size === 0) return false;
    // the mark is of one epoch: what was made in this one came after it
    const isOlder = cred !== undefined && (isForeign || v === undefined);
    return (isOlder && this.#isRevokedSince(passwordPasses, token.iat)) || this.#isNamed(token);
  }

  /** Whether it was ended by `latchkey token revoke`. */
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

  /** @param iat  -1 when the token has none: nobody can say that it was made later */
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
        // revoking again takes back nothing, whatever the clock of the process that revoked says
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
