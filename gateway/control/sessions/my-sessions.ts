// Lists an account's own sessions and devices, and changes them: names a device, ends a session, a device, all
// other sessions, or the present session. The id of another account's session is answered like an id that does not exist.

import { normaliseDeviceName } from '../../core/model/device-name.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Unit } from '../../store/port/store.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import {
  listLiveDevices,
  markDeviceEnded,
  readDevice,
  readFirstLinks,
  writeDeviceName,
} from '../../store/rows/devices.ts';
import { listLiveSessions, markDeviceSessionsEnded, markSessionEnded, readSession } from '../../store/rows/sessions.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { sessionIdleSeconds } from '../proof/account-limits.ts';

type AccountActor = Extract<Actor, { kind: 'account' }>;

export interface SessionView {
  readonly id: string;
  readonly deviceId: string;
  readonly createdAt: EpochSeconds;
  /** The last use, exact to a minute or two, since edges report in batches. */
  readonly lastSeenAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  /** The session that asks. */
  readonly isCurrent: boolean;
}

export interface DeviceView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: EpochSeconds;
  readonly lastSeenAt: EpochSeconds;
  readonly isCurrent: boolean;
  /** How many live sessions the device has. */
  readonly sessions: number;
  /** The /24 or /48 of its last sign-in; null when it is not known. */
  readonly network: string | null;
  /** Label of the link that it opened first; null for none. */
  readonly firstLink: string | null;
}

type EndOutcome = { readonly kind: 'ended' } | { readonly kind: 'unknown' };

/** The live sessions of the account, the last used first. */
export async function listSessions(context: ControlContext, actor: AccountActor): Promise<SessionView[]> {
  const now = context.clock.epochSeconds();
  const rows = await listLiveSessions(context.store.sql, actor.accountId, now, now - sessionIdleSeconds);
  return rows.map((row) => ({
    id: row.id,
    deviceId: row.device_id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.expires_at,
    isCurrent: row.id === actor.sessionId,
  }));
}

/** The devices of the account, the last used first; also devices that are signed out but still known. */
export async function listDevices(context: ControlContext, actor: AccountActor): Promise<DeviceView[]> {
  const sessions = await listSessions(context, actor);
  const rows = await listLiveDevices(context.store.sql, actor.accountId);
  const links = await readFirstLinks(context.store.sql, actor.accountId);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    isCurrent: row.id === actor.deviceId,
    sessions: sessions.filter((session) => session.deviceId === row.id).length,
    network: row.last_network,
    firstLink: links.get(row.id) ?? null,
  }));
}

export async function renameDevice(
  context: ControlContext,
  actor: AccountActor,
  input: { readonly deviceId: string; readonly name: string; readonly requestId?: string | null | undefined },
): Promise<{ readonly kind: 'renamed' } | { readonly kind: 'bad-name' } | { readonly kind: 'unknown' }> {
  const name = normaliseDeviceName(input.name);
  if (name === null) return { kind: 'bad-name' };
  const written = await context.write(async (unit) => {
    if (!(await writeDeviceName(unit.sql, actor.accountId, input.deviceId, name))) return false;
    await audit(unit, actor, 'device.renamed', input.deviceId, input.requestId);
    return true;
  });
  return written.value ? { kind: 'renamed' } : { kind: 'unknown' };
}

/** Ends the session that asks, on every host. */
export async function signOut(
  context: ControlContext,
  actor: AccountActor,
  requestId: string | null = null,
): Promise<EndOutcome> {
  return await endSession(context, actor, { sessionId: actor.sessionId, requestId });
}

export async function endSession(
  context: ControlContext,
  actor: AccountActor,
  input: { readonly sessionId: string; readonly requestId?: string | null | undefined },
): Promise<EndOutcome> {
  const written = await context.write(async (unit) => {
    const session = await readSession(unit.sql, input.sessionId);
    if (session?.account_id !== actor.accountId) return false;
    // one's own that has ended before, by another tab perhaps: what was asked for holds
    if (!(await markSessionEnded(unit.sql, session.id, unit.now))) return true;
    await unit.append({ kind: 'revoke', node: session.id });
    await audit(unit, actor, 'session.ended', session.id, input.requestId);
    return true;
  });
  return { kind: written.value ? 'ended' : 'unknown' };
}

/** Ends a device with all its sessions; the browser is unknown afterwards. */
export async function endDevice(
  context: ControlContext,
  actor: AccountActor,
  input: { readonly deviceId: string; readonly requestId?: string | null | undefined },
): Promise<EndOutcome> {
  const written = await context.write(async (unit) => {
    const device = await readDevice(unit.sql, input.deviceId);
    if (device?.account_id !== actor.accountId) return false;
    if (!(await markDeviceEnded(unit.sql, device.id, unit.now))) return true;
    await markDeviceSessionsEnded(unit.sql, device.id, unit.now);
    await unit.append({ kind: 'revoke', node: device.id });
    await audit(unit, actor, 'device.ended', device.id, input.requestId);
    return true;
  });
  return { kind: written.value ? 'ended' : 'unknown' };
}

/** Sessions in one unit: no unit may hold the log for long, however many there are. */
const sessionsPerUnit = 100;

/** Ends all sessions but the one that asks. @returns how many */
export async function endOtherSessions(
  context: ControlContext,
  actor: AccountActor,
  requestId: string | null = null,
): Promise<number> {
  for (let ended = 0; ; ) {
    const { value } = await context.write(async (unit) => {
      const now = unit.now;
      const some = await listLiveSessions(unit.sql, actor.accountId, now, 0, sessionsPerUnit);
      const others = some.filter(({ id }) => id !== actor.sessionId);
      for (const { id } of others) {
        await markSessionEnded(unit.sql, id, now);
        await unit.append({ kind: 'revoke', node: id });
      }
      if (ended === 0) await audit(unit, actor, 'session.all-ended', actor.accountId, requestId);
      return { ended: others.length, isLast: some.length < sessionsPerUnit };
    });
    ended += value.ended;
    if (value.isLast) return ended;
  }
}

async function audit(
  unit: Unit,
  actor: AccountActor,
  action: 'device.renamed' | 'device.ended' | 'session.ended' | 'session.all-ended',
  subject: string,
  requestId: string | null | undefined,
): Promise<void> {
  await appendAudit(unit, { actor: actor.accountId, action, subject, requestId: requestId ?? null });
}
