// Keeps what sign-ins leave of one account below a ceiling: live sessions and devices, and ended ones that are kept for its lists.
// Sessions that were used on one day alone are ended first, the oldest before the newer: a person who signs in again and again ends their own sign-ins,
// and neither a device that was used for weeks nor the session on that device.

import type { Unit } from '../../store/port/store.ts';
import { listDevicesBeyond, markDeviceEnded, removeEndedDevicesBeyond } from '../../store/rows/devices.ts';
import {
  listSessionsBeyond,
  markDeviceSessionsEnded,
  markSessionEnded,
  removeEndedSessionsBeyond,
  type SessionRow,
} from '../../store/rows/sessions.ts';
import { endedKept, liveDevicesKept, liveSessionsKept } from '../proof/account-limits.ts';

/** To be called in the unit that started a session. @param current  the new session, which stays with its device */
export async function boundSignIns(unit: Unit, current: SessionRow): Promise<void> {
  const { account_id: account, id, device_id: device } = current;
  for (const old of await listSessionsBeyond(unit.sql, account, liveSessionsKept)) {
    if (old === id) continue;
    await markSessionEnded(unit.sql, old, unit.now);
    await unit.append({ kind: 'revoke', node: old });
  }
  for (const old of await listDevicesBeyond(unit.sql, account, liveDevicesKept)) {
    if (old === device) continue;
    await markDeviceEnded(unit.sql, old, unit.now);
    await markDeviceSessionsEnded(unit.sql, old, unit.now);
    await unit.append({ kind: 'revoke', node: old });
  }
  await removeEndedSessionsBeyond(unit.sql, account, endedKept);
  await removeEndedDevicesBeyond(unit.sql, account, endedKept);
}
