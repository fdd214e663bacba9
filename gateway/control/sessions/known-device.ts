// Recognises a browser by its device cookie `<selector>.<secret>`: finds the devices that the browser is already, and makes new devices.
// The cookie is one per browser; each account that signs in there has a device row of its own under it.
// A cookie that no row knows is not taken over: an attacker who planted it could otherwise pass for the browser later.

import { deviceNameOf, maxUserAgentLength } from '../../core/model/device-name.ts';
import { sameDigest } from '../../core/model/digest.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import type { Sql, Unit } from '../../store/port/store.ts';
import {
  type DeviceRow,
  findBrowserDevices,
  insertDevice,
  markDevicesSeen,
  noteDeviceNetwork,
} from '../../store/rows/devices.ts';
import type { ControlContext } from '../context/control-context.ts';
import { makeSplitSecret, parseSplitSecret, type SplitSecret } from '../proof/one-time-code.ts';

/** The account's live device that this cookie proves. @returns null for none */
export async function findKnownDevice(
  sql: Sql,
  accountId: string,
  deviceCookie: string | null,
): Promise<DeviceRow | null> {
  const { rows } = await readBrowser(sql, deviceCookie);
  return rows.find((row) => row.account_id === accountId && row.ended_at === null) ?? null;
}

interface EnteredDevice {
  readonly device: DeviceRow;
  readonly isNew: boolean;
  /** New value of the device cookie; null when the one that was sent stays. */
  readonly deviceCookie: string | null;
}

/** The device of this browser for this account: the existing device, or a new one. */
export async function enterDevice(
  unit: Unit,
  context: ControlContext,
  input: {
    readonly accountId: string;
    readonly deviceCookie: string | null;
    readonly userAgent: string;
    readonly clientAddress: string;
  },
): Promise<EnteredDevice> {
  const { secret, rows } = await readBrowser(unit.sql, input.deviceCookie);
  const { network } = clientNetworks(input.clientAddress);
  const own = rows.find((row) => row.account_id === input.accountId);
  if (own !== undefined && own.ended_at === null) {
    await markDevicesSeen(unit.sql, [own.id], unit.now);
    await noteDeviceNetwork(unit.sql, own.id, network);
    return { device: own, isNew: false, deviceCookie: null };
  }
  // A device that was ended stays ended: the browser gets a new cookie and is a new device.
  const made = own === undefined && secret !== null && rows.length > 0 ? null : makeSplitSecret(context);
  const { selector, digest } = made ?? secret ?? makeSplitSecret(context);
  const device: DeviceRow = {
    id: makeId('device', context.random(idRandomBytes)),
    account_id: input.accountId,
    browser_selector: selector,
    browser_digest: digest,
    name: deviceNameOf(input.userAgent),
    user_agent: cleanUserAgent(input.userAgent),
    last_network: network,
    created_at: unit.now,
    last_seen_at: unit.now,
    ended_at: null,
  };
  await insertDevice(unit.sql, device);
  return { device, isNew: true, deviceCookie: made?.text ?? null };
}

/** Rows of the browser that the cookie proves; none when the secret half is wrong. */
async function readBrowser(
  sql: Sql,
  deviceCookie: string | null,
): Promise<{ readonly secret: SplitSecret | null; readonly rows: readonly DeviceRow[] }> {
  const secret = deviceCookie === null ? null : parseSplitSecret(deviceCookie);
  if (secret === null) return { secret: null, rows: [] };
  const rows = await findBrowserDevices(sql, secret.selector);
  const proven = rows.every((row) => sameDigest(row.browser_digest, secret.digest));
  return proven ? { secret, rows } : { secret: null, rows: [] };
}

/** Makes a device name printable and bounded, since the name is shown to its owner and stands in exports. */
function cleanUserAgent(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, maxUserAgentLength);
}
