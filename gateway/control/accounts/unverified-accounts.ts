// Keeps the number of unverified accounts below its ceiling: open registration makes one for each address that somebody types.
// What goes first are those that cannot be verified any more, since the code of their mail ran out. Accounts that an administrator
// made something of (a name, groups, a role) stay.

import type { AccountLimits } from '../../config/compiled/control-config.ts';
import type { Unit } from '../../store/port/store.ts';
import { countUnverified, listExpiredRegistrations } from '../../store/rows/account-lists.ts';
import { removeUnverified } from './take-over-address.ts';

/** Each takes a handful of statements, and a unit stays small. */
const removedAtOnce = 5;

/** @returns whether one more may be made; old ones made room for it */
export async function hasRoomForUnverified(unit: Unit, { unverifiedAccounts }: AccountLimits): Promise<boolean> {
  if ((await countUnverified(unit.sql)) < unverifiedAccounts) return true;
  const old = await listExpiredRegistrations(unit.sql, removedAtOnce);
  for (const id of old) await removeUnverified(unit, id);
  return old.length > 0;
}
