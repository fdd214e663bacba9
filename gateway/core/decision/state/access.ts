// Access answers: what control says about an account's access, and the session that asked. Pure data.
// verdict/account-pass.ts makes claims of an answer, access-cache.ts keeps it, wire/questions.ts reads it off the wire.
// Rules: gateway/RULES.md "Passes" and "Freshness".

import type { LogPosition } from '../../model/change.ts';
import type { EpochSeconds } from '../../model/time.ts';

/** What a granted access answer opens. @testing */
export interface AccessScope {
  readonly host: string;
  /** Canonical path of the collection or resource that covers the requested path; a folder when it ends in `/`. */
  readonly path: string;
  /** Upper-case methods; null for all. GET includes HEAD. */
  readonly methods: readonly string[] | null;
  /** End of the access; null for none. */
  readonly untilAt: EpochSeconds | null;
}

/** The claims that upstreams get about the account. `sub` is the account of the question. */
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
  /** The nodes that a pass from this answer hangs on, beside session and device: account, link, member, link key. At most 14. */
  readonly nodes: readonly string[];
  /** Id of the member, the share or the ownership; the value of the claim `grant`. */
  readonly grant: string;
  readonly scope: AccessScope;
  readonly claims: AccessClaims;
}

interface NoAccess {
  readonly kind: 'none';
  readonly position: LogPosition;
  readonly subjects: readonly string[];
  /** What the account had here last; left out when it never had anything. */
  readonly lost?: LostAccess;
  /** When a window begins that may open the place: the answer counts until then. Left out where none is known. */
  readonly untilAt?: EpochSeconds;
}

/**
 * What somebody who lost their access to a place may learn of it. `removed`: their access alone was ended; `stopped`: the link was, for
 * everybody; `over`: its time ran out.
 */
export interface LostAccess {
  readonly how: 'removed' | 'stopped' | 'over';
  readonly label: string;
  /** Name of the link's owner; of the place, where somebody else ended the access. */
  readonly by: string;
  readonly at: EpochSeconds;
}

/**
 * `position` is the place of the log at which control read the answer. `subjects` are the nodes whose changes end it: the account's
 * id, `co_<name>` of each collection that covers the path, ids of links. Each list has at most 64 (wire/questions.ts).
 */
export type AccessAnswer = GrantedAccess | NoAccess;

/** The session that asks is not live any more. Other sessions of the same account may be. */
export interface SessionEnded {
  readonly kind: 'ended';
}

/** An account on one host, from the claims of its verified session. */
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
