// Keeps the number of unverified accounts below its ceiling: open registration makes an account for each address that somebody types.
// The first accounts to be removed are those that cannot be verified any more, because the code of their mail expired. Accounts that an administrator
// gave a name, groups or a role stay. Accounts that a key is offered to do not count: sharing.per_sender bounds them.

import type { AccountLimits } from '../../config/compiled/control-config.ts';
import type { Unit } from '../../store/port/store.ts';
import { countUnoffered, countUnverified, listExpiredRegistrations } from '../../store/rows/account-lists.ts';
import { removeUnverified } from './take-over-address.ts';

/** Removing an account takes a handful of statements; the bound keeps a unit small. */
const removedAtOnce = 5;

/** @returns whether one more account may be made; old accounts are removed to make room for it */
export async function hasRoomForUnverified(unit: Unit, { unverifiedAccounts }: AccountLimits): Promise<boolean> {
  if ((await countUnverified(unit.sql)) < unverifiedAccounts) return true;
  // what keys were offered to has a bound of its own, so no member who shares keeps strangers from registering
  if ((await countUnoffered(unit.sql, unit.now)) < unverifiedAccounts) return true;
  const old = await listExpiredRegistrations(unit.sql, removedAtOnce, unit.now);
  for (const id of old) await removeUnverified(unit, id);
  return old.length > 0;
}
