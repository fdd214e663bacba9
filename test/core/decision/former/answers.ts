// The questions that only control can answer, and its answers: data between `decide`, which asks, and the edge, which carries.
// Also what an answer about a password makes of itself: the claims of a pass.

import type { LogPosition } from '../../../../gateway/core/model/change.ts';
import { userRecordNode } from '../../../../gateway/core/model/node-id.ts';
import type { EpochSeconds } from '../../../../gateway/core/model/time.ts';
import type { TokenClaims } from '../../../../gateway/core/token/claims.ts';
import type { AccessAnswer, SessionEnded, SessionHolder } from './access.ts';
import type { RoutePolicy, Snapshot } from './snapshot.ts';

/** A question that only control can answer. */
export type Lookup =
  | {
      readonly kind: 'lookup';
      readonly question: 'password';
      readonly route: RoutePolicy;
      readonly user: string;
      readonly password: string;
    }
  | {
      readonly kind: 'lookup';
      /** May the holder of this session open the path? */
      readonly question: 'access';
      readonly route: RoutePolicy;
      readonly holder: SessionHolder;
      readonly path: string;
    }
  | {
      readonly kind: 'lookup';
      /** The session's token has run out: does the session go on? */
      readonly question: 'session';
      readonly route: RoutePolicy;
      readonly holder: SessionHolder;
    };

/** There was no answer in time. */
export interface NoAnswer {
  readonly kind: 'away';
}

export interface VerifiedPassword {
  readonly kind: 'verified';
  readonly sub: string;
  readonly userRecordId: string;
  readonly userRecordVersion: number;
  /** The place of the log that was known when control was asked: what ended later ends what is made of this. */
  readonly position: LogPosition | null;
}

/** A session with a new token, for its cookie. */
export interface RenewedSession {
  readonly kind: 'renewed';
  readonly token: string;
  readonly maxAgeSeconds: number;
}

export type PasswordLookupAnswer =
  | VerifiedPassword
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  | NoAnswer;

/** What was answered for one request so far; null where nothing was asked. */
export interface Answers {
  readonly password: PasswordLookupAnswer | null;
  readonly session: RenewedSession | SessionEnded | NoAnswer | null;
  readonly access: AccessAnswer | SessionEnded | NoAnswer | null;
}

export const noAnswers: Answers = { password: null, session: null, access: null };

/**
 * Claims of the pass that a password turns into. A route may serve many hosts: the pass is for the one that was asked, as the browser
 * that asked it will send its password to that one only.
 */
export function passwordClaims(
  answer: VerifiedPassword,
  host: string,
  route: RoutePolicy,
  snapshot: Snapshot,
  now: EpochSeconds,
): TokenClaims {
  const ttl = Math.min(snapshot.passTtlSeconds, route.maxTokenTtlSeconds);
  const audience = route.audience[0];
  return {
    iss: snapshot.issuer,
    sub: answer.sub,
    // the record's id and version: enough to revoke by, and nothing that a guess could be tested against
    cred: { id: answer.userRecordId, v: answer.userRecordVersion },
    ...hangingOn(answer.userRecordId, answer.position),
    paths: route.passPaths,
    hosts: [host],
    iat: now,
    exp: now + ttl,
    ...(audience === undefined ? {} : { aud: [audience] }),
  };
}

/** `n` and `v` of what hangs on a record of the users file; none before the log is known, when nothing of it can be said. */
export function hangingOn(userRecordId: string, position: LogPosition | null): Pick<TokenClaims, 'n' | 'v'> {
  return position === null ? {} : { n: [userRecordNode(userRecordId)], v: [position.epoch, position.seq] };
}
