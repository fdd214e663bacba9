// What control answered about an account's access: its shape, whether it covers a request, and the pass that is made from it.
// Pure. A pass is never wider or longer than the answer: where a pass could not say exactly that, none is made.
// Rules: tokens.md "Token types" (`lp+jwt`), architecture.md invariants 4 and 10.

import type { LogPosition } from '../../../../gateway/core/model/change.ts';
import { canonicalPathKeepingSlashes, covers } from '../../../../gateway/core/model/path.ts';
import type { EpochSeconds } from '../../../../gateway/core/model/time.ts';
import { readClaims } from '../../../../gateway/core/token/claim-reader.ts';
import { maxTokenNodes, type TokenClaims } from '../../../../gateway/core/token/claims.ts';
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
  /** What a pass made from it hangs on, beside session and device: account, link, member, access key. At most 14. */
  readonly nodes: readonly string[];
  /** Id of the member, the share or the ownership; goes into `grant`. */
  readonly grant: string;
  readonly scope: AccessScope;
  readonly claims: AccessClaims;
}

export interface NoAccess {
  readonly kind: 'none';
  readonly position: LogPosition;
  readonly subjects: readonly string[];
}

/**
 * `position` is the place of the log that the answer was read at, and `subjects` are the nodes whose changes end it: the
 * account's id, `co_<name>` of each collection that covers the path, links' ids. At most `maxListed` of each list.
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

/** Longest list of subjects or nodes in an answer. */
export const maxListed = 64;

/**
 * Reads an answer that came over a socket. What it says goes into headers and tokens, so it is held to the rules of claims.
 *
 * @returns null when it is not in its form, or says something about somebody else's question
 */
export function readAccessAnswer(
  value: unknown,
  asked: { readonly account: string; readonly host: string; readonly path: string },
): AccessAnswer | SessionEnded | null {
  // control is the same program over a private socket; each member is checked before it is used
  const answer = value as Partial<GrantedAccess> | Partial<NoAccess> | SessionEnded | null;
  if (typeof answer !== 'object' || answer === null) return null;
  if (answer.kind === 'ended') return { kind: 'ended' };
  const { position, subjects } = answer;
  if (typeof position?.epoch !== 'string' || !Number.isSafeInteger(position.seq) || !isShortList(subjects)) return null;
  if (answer.kind === 'none') return { kind: 'none', position, subjects };
  if (answer.kind !== 'granted') return null;
  const { nodes, grant, scope, claims } = answer;
  if (!isShortList(nodes) || scope === undefined || claims?.sub !== asked.account) return null;
  const { email, name, groups } = claims;
  const said = { sub: claims.sub, ...defined({ email, name, groups }) };
  if (readClaims(JSON.stringify({ ...said, grant, exp: 0 })).kind === 'problem' || grant === undefined) return null;
  const { host, path, methods, untilAt } = scope;
  if (host !== asked.host || typeof path !== 'string' || canonicalPathKeepingSlashes(path) !== path) return null;
  if (!coversPath(path, asked.path)) return null;
  if (methods !== null && !isShortList(methods)) return null;
  if (untilAt !== null && !Number.isSafeInteger(untilAt)) return null;
  return { kind: 'granted', position, subjects, nodes, grant, scope: { host, path, methods, untilAt }, claims: said };
}

/** Whether a scope's path, a folder or one path, covers a canonical path, whatever way the two are spelled. */
export function coversPath(scopePath: string, path: string): boolean {
  return covers(scopePath, path);
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

function isShortList(list: unknown): list is readonly string[] {
  return (
    Array.isArray(list) && list.length <= maxListed && list.every((item) => typeof item === 'string' && item !== '')
  );
}

function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
