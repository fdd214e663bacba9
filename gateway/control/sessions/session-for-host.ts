// Mints a session token for one host, at each renewal and at the end of a hand-over. All rows are read again: the session, its
// account, its device. The place in the log is read before the rows, so a revocation that comes between ends the token as well.

import { markDevicesSeen } from '../../store/rows/devices.ts';
import { markSessionsSeen, readSessionStanding } from '../../store/rows/sessions.ts';
import { isLive } from '../access/live-session.ts';
import type { ControlContext } from '../context/control-context.ts';
import { seenResolutionSeconds, sessionIdleSeconds } from '../proof/account-limits.ts';
import { takesSignIns } from './session-hosts.ts';
import { cookieSeconds, mintSessionToken } from './start-session.ts';

type SessionForHost =
  /** `maxAgeSeconds`: how long the browser keeps the cookie. */
  { readonly kind: 'minted'; readonly token: string; readonly maxAgeSeconds: number } | { readonly kind: 'ended' };

/** Makes the token. This counts as a use of the session: its idle time begins anew. */
export async function sessionForHost(
  context: ControlContext,
  input: { readonly sessionId: string; readonly host: string },
): Promise<SessionForHost> {
  const position = await context.store.readPosition();
  const standing = await readSessionStanding(context.store.sql, input.sessionId);
  const now = context.clock.epochSeconds();
  if (!takesSignIns(context.config(), input.host)) return { kind: 'ended' };
  if (standing === null || !isLive(standing, now)) return { kind: 'ended' };
  const { session, account } = standing;
  if (session.last_seen_at + seenResolutionSeconds <= now) {
    await context.write(async (unit) => {
      await markSessionsSeen(unit.sql, [session.id], now, now - sessionIdleSeconds);
      await markDevicesSeen(unit.sql, [session.device_id], now);
    });
  }
  const token = mintSessionToken(context, account, session, input.host, position);
  return { kind: 'minted', token, maxAgeSeconds: cookieSeconds(session, now) };
}
