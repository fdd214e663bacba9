// What control answered about an account's access: its shape, whether it covers a request, and the pass that is made from it.
// Pure. A pass is never wider or longer than the answer: where a pass could not say exactly that, none is made.
// Rules: gateway/RULES.md "Passes" and "Freshness".

import type { LogPosition } from '../../model/change.ts';
import { pathCovers } from '../../model/path.ts';
import type { EpochSeconds } from '../../model/time.ts';
import { maxTokenNodes, type TokenClaims } from '../../token/claims.ts';
import type { RoutePolicy, Snapshot } from './snapshot.ts';

/** What an access answer opens. */
export interface AccessScope {
  readonly host: string;
  /** Canonical path of the collection or the resource that covers the path asked for; a folder when it ends in `/`. */
  readonly path: string;
  /** Upper case; null for all. GET includes HEAD. */
  readonly methods: readonly string[] | null;
  /** End of the access; null for none. */
  readonly untilAt: EpochSeconds | null;
}

/** Who the account is to upstreams. `sub` is the account asked for. */
export interface AccessClaims {
  readonly sub: string;
  readonly email?: string;
  readonly name?: string;
  readonly groups?: readonly string[];
}

export interface GrantedAccess {
  readonly kind: 'granted';
  readonly position: LogPosition;
  readonly subjects: readonly string[];
  /** What a pass made from it hangs on, beside session and device: account, link, member, link key. At most 14. */
  readonly nodes: readonly string[];
  /** Id of the member, the share or the ownership; goes into `grant`. */
  readonly grant: string;
  readonly scope: AccessScope;
  readonly claims: AccessClaims;
}

interface NoAccess {
  readonly kind: 'none';
  readonly position: LogPosition;
  readonly subjects: readonly string[];
}

/**
 * `position` is the place of the log that the answer was read at, and `subjects` are the nodes whose changes end it: the
 * account's id, `co_<name>` of each collection that covers the path, links' ids. At most 64 of each list (wire/questions.ts).
 */
export type AccessAnswer = GrantedAccess | NoAccess;

/** The session that asks is not live any more. Says nothing about the account, whose other sessions may be. */
export interface SessionEnded {
  readonly kind: 'ended';
}

/** An account on one host, as its verified session says it. */
export interface SessionHolder {
  readonly account: string;
  readonly session: string;
  readonly device: string;
  readonly host: string;
}

/** Whether a scope's path, a folder or one path, covers a canonical path, whatever way the two are spelled. */
export function coversPath(scopePath: string, path: string): boolean {
  return pathCovers(scopePath, path);
}

/** Whether a method is among those of a scope. */
export function coversMethod(methods: readonly string[] | null, method: string): boolean {
  return methods === null || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}

/**
 * Claims of whom a granted answer lets in, in the form of the pass that can be made of it.
 *
 * @param known  the place of the log at which the session was found good; the answer may be of a later one, and be another session's
 * @returns `issuable`: whether a pass with these claims says no more than the answer does
 */
export function memberClaims(
  answer: GrantedAccess,
  holder: SessionHolder,
  route: RoutePolicy,
  snapshot: Snapshot,
  now: EpochSeconds,
  known: LogPosition | null,
): { readonly claims: TokenClaims; readonly issuable: boolean } {
  const { scope, position } = answer;
  const nodes = [...new Set([...answer.nodes, holder.session, holder.device])];
  const audience = route.audience[0];
  // verifiers take a token until `exp` and the skew: the answer's own end is kept to the second
  const untilAt = scope.untilAt === null ? Number.POSITIVE_INFINITY : scope.untilAt - snapshot.clockSkewSeconds;
  const exp = Math.min(now + snapshot.passTtlSeconds, now + route.maxTokenTtlSeconds, untilAt);
  const claims: TokenClaims = {
    iss: snapshot.issuer,
    ...answer.claims,
    grant: answer.grant,
    sid: holder.session,
    did: holder.device,
    n: nodes,
    v: [position.epoch, known?.epoch === position.epoch ? Math.min(known.seq, position.seq) : position.seq],
    hosts: [scope.host],
    paths: [scope.path.endsWith('/') ? `${scope.path}*` : scope.path],
    ...(scope.methods === null ? {} : { methods: scope.methods }),
    ...(audience === undefined ? {} : { aud: [audience] }),
    iat: now,
    exp,
  };
  // a star is a character of a path, and a pattern in a token
  const issuable = exp > now && nodes.length <= maxTokenNodes && !scope.path.includes('*');
  return { claims, issuable };
}
