// The account behind a session, as its rows say it at this moment: no pass and no claim rests on what a token says.
// One query; whether the session is alive is the one rule of control/access/live-session.ts.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { readSessionStanding } from '../../store/rows/sessions.ts';
import { isLive, sessionHolds } from './live-session.ts';

/** Ids as a verified session token names them. */
interface SessionReference {
  readonly account: string;
  readonly session: string;
  readonly device: string;
}

/** Active, with a verified address. */
export interface LiveAccount {
  readonly id: string;
  readonly email: string;
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly role: 'user' | 'admin';
}

/** @returns null when the session or device was ended, or the account was disabled, deleted or never verified */
export async function readLiveAccount(
  sql: Sql,
  reference: SessionReference,
  now: EpochSeconds,
): Promise<LiveAccount | null> {
  const read = await readSessionAccount(sql, reference, now);
  return read.kind === 'live' ? read.account : null;
}

type SessionAccount =
  | { readonly kind: 'live'; readonly account: LiveAccount }
  /** The session is alive; its account may do nothing now. */
  | { readonly kind: 'not-usable' }
  | { readonly kind: 'ended' };

/** Like `readLiveAccount`; where there is no live account, it tells whether the session is over or only the account is not usable. */
export async function readSessionAccount(
  sql: Sql,
  { account, session, device }: SessionReference,
  now: EpochSeconds,
): Promise<SessionAccount> {
  const standing = await readSessionStanding(sql, session);
  if (standing === null || standing.account.id !== account || standing.session.device_id !== device) {
    return { kind: 'ended' };
  }
  if (!sessionHolds(standing, now)) return { kind: 'ended' };
  if (!isLive(standing, now)) return { kind: 'not-usable' };
  const { id, email, displayName, groups, role } = standing.account;
  return { kind: 'live', account: { id, email, displayName, groups, role } };
}
