// The questions that only control can answer, and its answers: data between `decide`, which asks, and the edge, which carries.

import type { LogPosition } from '../../model/change.ts';
import type { AccessAnswer, SessionEnded, SessionHolder } from './access.ts';
import type { RoutePolicy } from './snapshot.ts';

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
