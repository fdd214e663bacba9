// Rows of devices: each is one browser of one account. A cookie identifies the browser; the row has the cookie's digest.
// A device gives no access; it only spares its account the delays that guesses of strangers cause. Holds no rule of its own.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { DevicesTable } from '../port/tables.ts';
import { endOfPage, type WalkedPage, type WalkFrom } from '../port/walk.ts';
import { usedForDays } from './used-for-days.ts';

export type DeviceRow = Selectable<DevicesTable>;

export async function insertDevice(sql: Sql, device: DeviceRow): Promise<void> {
  await sql.insertInto('devices').values(device).execute();
}

export async function readDevice(sql: Sql, id: string): Promise<DeviceRow | null> {
  return (await sql.selectFrom('devices').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** Devices of all accounts on one browser. Their digests are equal, since the browser has one cookie. */
export async function findBrowserDevices(sql: Sql, browserSelector: string): Promise<DeviceRow[]> {
  return await sql.selectFrom('devices').selectAll().where('browser_selector', '=', browserSelector).execute();
}

/** Devices of an account that were not ended, the last used first; at most 200. */
export async function listLiveDevices(sql: Sql, accountId: string): Promise<DeviceRow[]> {
  return await sql
    .selectFrom('devices')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id')
    .limit(200)
    .execute();
}

/** Devices of some accounts that are not ended, last used first. @returns at most `perAccount` of each */
export async function readDevicesOf(
  sql: Sql,
  accountIds: readonly string[],
  perAccount = 10,
): Promise<ReadonlyMap<string, { readonly name: string; readonly lastSeenAt: EpochSeconds }[]>> {
  const devices = new Map<string, { name: string; lastSeenAt: EpochSeconds }[]>();
  if (accountIds.length === 0) return devices;
  const rows = await sql
    .selectFrom('devices')
    .select(['account_id', 'name', 'last_seen_at'])
    .where('account_id', 'in', [...accountIds])
    .where('ended_at', 'is', null)
    .orderBy('last_seen_at', 'desc')
    .limit(accountIds.length * perAccount * 2)
    .execute();
  for (const row of rows) {
    const list = devices.get(row.account_id) ?? [];
    if (list.length < perAccount) list.push({ name: row.name, lastSeenAt: row.last_seen_at });
    devices.set(row.account_id, list);
  }
  return devices;
}

/** Marks a device as ended. @returns whether it was in use until now */
export async function markDeviceEnded(sql: Sql, id: string, now: EpochSeconds): Promise<boolean> {
  const result = await sql
    .updateTable('devices')
    .set({ ended_at: now })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Renames a device that is not ended. @returns whether the account has such a device */
export async function writeDeviceName(sql: Sql, accountId: string, id: string, name: string): Promise<boolean> {
  const result = await sql
    .updateTable('devices')
    .set({ name })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** Moves the last use of devices forward, never back. */
export async function markDevicesSeen(sql: Sql, ids: readonly string[], at: EpochSeconds): Promise<void> {
  if (ids.length === 0) return;
  await sql
    .updateTable('devices')
    .set({ last_seen_at: at })
    .where('id', 'in', [...ids])
    .where('ended_at', 'is', null)
    .where('last_seen_at', '<', at)
    .execute();
}

/** Notes where a device signed in from. @param network  a /24 or /48, never a whole address */
export async function noteDeviceNetwork(sql: Sql, id: string, network: string): Promise<void> {
  await sql.updateTable('devices').set({ last_network: network }).where('id', '=', id).execute();
}

/** The label of the link that each of an account's devices opened first; devices that opened none are left out. */
export async function readFirstLinks(sql: Sql, accountId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await sql
    .selectFrom('members')
    .innerJoin('links', 'links.id', 'members.link_id')
    .select(['members.device_id as device', 'links.label as label'])
    .where('members.account_id', '=', accountId)
    .orderBy('members.claimed_at', 'desc')
    .orderBy('members.id', 'desc')
    .limit(1000)
    .execute();
  // the oldest comes last, and stays
  return new Map(rows.map(({ device, label }) => [device ?? '', label]));
}

/** Removes devices that were not used since a moment, or ended before it, and that no session names. Reads one page of the walk. */
export async function removeOldDevices(sql: Sql, before: EpochSeconds, from: WalkFrom): Promise<WalkedPage> {
  const page = sql.selectFrom('devices').where('id', '>', from.after).orderBy('id').limit(from.rows);
  const last = endOfPage(await page.select('id').execute(), from);
  const result = await sql
    .deleteFrom('devices')
    .where('devices.id', '>', from.after)
    .$if(last !== null, (query) => query.where('devices.id', '<=', last ?? ''))
    .where((query) => query.or([query('devices.last_seen_at', '<', before), query('devices.ended_at', '<', before)]))
    .where((query) =>
      query.not(
        query.exists(
          query.selectFrom('sessions').select('sessions.id').whereRef('sessions.device_id', '=', 'devices.id'),
        ),
      ),
    )
    .executeTakeFirst();
  return { removed: Number(result.numDeletedRows), last };
}

/** Ids of an account's live devices beyond the first `kept` in the order of `usedForDays`; at most 20. */
export async function listDevicesBeyond(sql: Sql, accountId: string, kept: number): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('devices')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .orderBy(usedForDays)
    .orderBy('last_seen_at', 'desc')
    .orderBy('id')
    .limit(20)
    .offset(kept)
    .execute();
  return rows.map(({ id }) => id);
}

/** Removes ended devices of an account that no session names, beyond the `kept` newest; at most 50. */
export async function removeEndedDevicesBeyond(sql: Sql, accountId: string, kept: number): Promise<void> {
  const rows = await sql
    .selectFrom('devices')
    .select('id')
    .where('account_id', '=', accountId)
    .where('ended_at', 'is not', null)
    .where((query) =>
      query.not(
        query.exists(
          query.selectFrom('sessions').select('sessions.id').whereRef('sessions.device_id', '=', 'devices.id'),
        ),
      ),
    )
    .orderBy('ended_at', 'desc')
    .orderBy('id')
    .limit(50)
    .offset(kept)
    .execute();
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await sql.deleteFrom('devices').where('id', 'in', ids).execute();
}

/** Removes all devices of an account. */
export async function removeAccountDevices(sql: Sql, accountId: string): Promise<void> {
  await sql.deleteFrom('devices').where('account_id', '=', accountId).execute();
}
