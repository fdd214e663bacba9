// Starts a session with a new id, on the device that the browser is. Every way to sign in ends here.
// The caller has checked the proof. This file makes sure that the account may have a session at this moment.
// The token for the portal's host is minted after the unit is durable, at the unit's own place in the log.

import { accountStanding } from '../../core/model/account.ts';
import type { LogPosition } from '../../core/model/change.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { tokenKinds } from '../../core/token/token-kinds.ts';
import type { Unit } from '../../store/port/store.ts';
import { type AccountRecord, readAccount } from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { insertSession, type SessionRow } from '../../store/rows/sessions.ts';
import { mailNewDevice } from '../accounts/account-mails.ts';
import type { ControlContext } from '../context/control-context.ts';
import { sessionAbsoluteSeconds, sessionIdleSeconds } from '../proof/account-limits.ts';
import { boundSignIns } from './bound-sign-ins.ts';
import { enterDevice } from './known-device.ts';

/** The browser that signs in, by its cookie, fields and address. */
export interface Browser {
  /** Value of the device cookie, or null when there is none. */
  readonly deviceCookie: string | null;
  /** The User-Agent field, empty when there was none. */
  readonly userAgent: string;
  /** Address the request came from. */
  readonly clientAddress: string;
  /** For the audit list. */
  readonly requestId?: string | null;
}

/** A session that was just started, with the values that the portal sets as cookies. */
export interface NewSession {
  readonly sessionId: string;
  readonly deviceId: string;
  readonly accountId: string;
  /** For the portal's host. */
  readonly sessionToken: string;
  /** How long the cookie is kept: as long as the session lives unused. The token in it is renewed meanwhile. */
  readonly maxAgeSeconds: number;
  /** New value of the device cookie; null when the one that was sent stays. */
  readonly deviceCookie: string | null;
}

/** The result of a unit that started a session, for `finishSession`. */
interface StartedSession {
  readonly account: AccountRecord;
  readonly session: SessionRow;
  readonly deviceCookie: string | null;
}

/** How an account came to be signed in, for the audit list. */
type SignInMethod =
  | 'password'
  | 'mail-code'
  | 'sign-in-link'
  | 'invitation'
  | 'verified-address'
  | 'changed-password'
  | 'accepted-share';

/** @returns null when the account is unverified, disabled or deleted by now */
export async function startSession(
  unit: Unit,
  context: ControlContext,
  accountId: string,
  browser: Browser,
  method: SignInMethod,
): Promise<StartedSession | null> {
  const account = await readAccount(unit.sql, accountId);
  if (account === null || accountStanding(account) !== 'usable') return null;
  const { device, isNew, deviceCookie } = await enterDevice(unit, context, { accountId, ...browser });
  const session: SessionRow = {
    id: makeId('session', context.random(idRandomBytes)),
    account_id: accountId,
    device_id: device.id,
    created_at: unit.now,
    last_seen_at: unit.now,
    expires_at: unit.now + sessionAbsoluteSeconds,
    ended_at: null,
  };
  await insertSession(unit.sql, session);
  await boundSignIns(unit, session);
  const requestId = browser.requestId ?? null;
  if (isNew) {
    await appendAudit(unit, { actor: accountId, action: 'device.added', subject: device.id, requestId });
    // The first sign-in of an account is on a new device by nature.
    if (method === 'password') await mailNewDevice(unit, context, { to: account.email, accountId }, device.name);
  }
  const details = { device: device.id, method };
  await appendAudit(unit, { actor: accountId, action: 'session.started', subject: session.id, details, requestId });
  return { account, session, deviceCookie };
}

/** Mints the portal's token. @param position  where the log stood when the unit was committed */
export function finishSession(context: ControlContext, started: StartedSession, position: LogPosition): NewSession {
  const { account, session, deviceCookie } = started;
  const portal = context.config().portal;
  return {
    sessionId: session.id,
    deviceId: session.device_id,
    accountId: account.id,
    sessionToken: portal === null ? '' : mintSessionToken(context, account, session, portal.host, position),
    maxAgeSeconds: cookieSeconds(session, session.created_at),
    deviceCookie,
  };
}

/** How long a browser keeps the cookie of a session that was used now. */
export function cookieSeconds(session: SessionRow, now: EpochSeconds): number {
  return Math.min(sessionIdleSeconds, session.expires_at - now);
}

/** A session token for one host; it never outlives its session. */
export function mintSessionToken(
  context: ControlContext,
  account: Pick<AccountRecord, 'id' | 'email' | 'displayName' | 'groups'>,
  session: SessionRow,
  host: string,
  position: LogPosition,
): string {
  const left = session.expires_at - context.clock.epochSeconds();
  const claims = {
    sub: account.id,
    host,
    sid: session.id,
    did: session.device_id,
    email: account.email,
    name: account.displayName,
    groups: account.groups,
    nodes: [account.id, session.id, session.device_id],
    position,
  };
  return context.tokens.mintSession(claims, Math.min(tokenKinds.session.longestSeconds, left));
}
