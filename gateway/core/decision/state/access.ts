// What control answered about an account's access: the shape of an answer, and whose question it was. Pure data.
// What is made of an answer is verdict/account-pass.ts, how long it is kept is access-cache.ts; wire/questions.ts reads it.
// Rules: gateway/RULES.md "Passes" and "Freshness".

import type { LogPosition } from '../../model/change.ts';
import type { EpochSeconds } from '../../model/time.ts';

/** What an access answer opens. @testing */
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

/** Whether a method is among those of a scope. */
export function coversMethod(methods: readonly string[] | null, method: string): boolean {
  return methods === null || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}
