// The one rule of when a session is alive. Renewals, pages, hand-overs, access questions, claims and links all ask this rule, so that no
// part of latchkey goes on with a session that another part calls ended. A session ends 7 days
// after its last use, and 30 days after it began at the latest.

import { accountStanding } from '../../core/model/account.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { SessionStanding } from '../../store/rows/sessions.ts';
import { sessionIdleSeconds } from '../proof/account-limits.ts';

/** Whether a session is alive at a moment, whatever became of its account: not ended, not expired, not idle for too long, and its device is there. */
export function sessionHolds(
  { session, deviceEndedAt }: Pick<SessionStanding, 'session' | 'deviceEndedAt'>,
  now: EpochSeconds,
): boolean {
  return (
    session.ended_at === null &&
    deviceEndedAt === null &&
    session.expires_at > now &&
    session.last_seen_at + sessionIdleSeconds > now
  );
}

/** Whether a session is alive and its account may be signed in. */
export function isLive(standing: SessionStanding, now: EpochSeconds): boolean {
  return sessionHolds(standing, now) && accountStanding(standing.account) === 'usable';
}
