// Finds the actor by the session token of the portal's cookie: the token proves which session it is, the rows tell whether the session is alive.
// A token from before a restore names another epoch and proves nothing.

import { readPersonName } from '../../store/rows/accounts.ts';
import { wasRevokedAfter } from '../../store/rows/change-log.ts';
import { readSessionStanding } from '../../store/rows/sessions.ts';
import { isLive } from '../access/live-session.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';

/** A signed-in account, and the time zone it chose; null for none. */
export type SignedIn = Extract<Actor, { readonly kind: 'account' }> & { readonly timeZone: string | null };

/**
 * @param sessionToken  the cookie's value, as sent
 * @param host          the host that was asked: a token for another host proves nothing here
 * @returns null when the token proves no live session
 */
export async function actorOf(context: ControlContext, sessionToken: string, host: string): Promise<SignedIn | null> {
  const claims = context.tokens.verifySession(sessionToken, host);
  if (claims?.sid === undefined || claims.v === undefined || claims.n === undefined || claims.n.length === 0)
    return null;
  const { n: nodes } = claims;
  const [epoch, seq] = claims.v;
  const { sql } = context.store;
  const [position, standing, isRevoked] = await Promise.all([
    context.store.readPosition(),
    readSessionStanding(sql, claims.sid),
    wasRevokedAfter(sql, { epoch, seq }, nodes),
  ]);
  if (standing === null || isRevoked || position.epoch !== epoch) return null;
  const { session, account } = standing;
  if (account.id !== claims.sub || session.device_id !== claims.did) return null;
  if (!isLive(standing, context.clock.epochSeconds())) return null;
  return {
    kind: 'account',
    accountId: account.id,
    sessionId: session.id,
    deviceId: session.device_id,
    role: account.role,
    email: account.email,
    timeZone: account.timeZone,
  };
}

/** The name by which a page addresses the signed-in person; empty when the account has no name. */
export async function nameOfActor(
  { store }: Pick<ControlContext, 'store'>,
  { accountId, email }: Extract<Actor, { kind: 'account' }>,
): Promise<string> {
  const name = await readPersonName(store.sql, accountId);
  return name === null || name === email ? '' : name;
}
