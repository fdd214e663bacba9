// The questions that only control can answer, and control's answers. `decide` returns a question, and the edge sends it to control.

import type { LogPosition } from '../../model/change.ts';
import type { AccessAnswer, SessionEnded, SessionHolder } from './access.ts';
import type { RoutePolicy } from './snapshot.ts';

/**
 * The questions that only control can answer, one row each: what is asked, and what may be answered.
 *
 * `password`  is this the password of this user?
 * `session`   the session's token has run out: does the session go on?
 * `access`    may the holder of this session open the path?
 */
interface Questions {
  readonly password: {
    readonly asked: { readonly user: string; readonly password: string };
    readonly answer: PasswordLookupAnswer;
  };
  readonly session: {
    readonly asked: { readonly holder: SessionHolder };
    readonly answer: RenewedSession | SessionEnded | NoAnswer;
  };
  readonly access: {
    readonly asked: { readonly holder: SessionHolder; readonly path: string };
    readonly answer: AccessAnswer | SessionEnded | NoAnswer;
  };
}

/** A question about one request; `question` names its row. edge/live/lookups.ts sends it to control. */
export type Lookup = {
  readonly [Q in keyof Questions]: {
    readonly kind: 'lookup';
    readonly question: Q;
    readonly route: RoutePolicy;
  } & Questions[Q]['asked'];
}[keyof Questions];

/** Control's answers for one request so far, by question; null for a question that was not asked. */
export type Answers = { readonly [Q in keyof Questions]: Questions[Q]['answer'] | null };

export const noAnswers: Answers = { password: null, session: null, access: null };

/** Control did not answer in time. */
export interface NoAnswer {
  readonly kind: 'away';
}

export interface VerifiedPassword {
  readonly kind: 'verified';
  readonly sub: string;
  readonly userRecordId: string;
  readonly userRecordVersion: number;
  /** The place of the log that was known when control was asked: a revocation at a later place ends the pass from this answer. */
  readonly position: LogPosition | null;
}

/** A session that goes on, with the new token for its cookie. */
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
