// What somebody who lost their access may learn: how it ended, the label, by whom and when. Nobody else is told, and nothing more is: not how
// many others there are, and not who else may manage the link.

import type { Config } from '../../config/compiled/config.ts';
import type { LostAccess } from '../../core/decision/state/access.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { type EndedMembership, findEndedMemberships } from '../../store/rows/memberships.ts';
import { type EndedKey, findEndedKeys } from '../../store/sharing/ended-keys.ts';

/** An end that was by somebody else than the owner of the link, or the giver of the key, is told under the name of the place. */
const unknownPlace = 'latchkey';

/**
 * What the account had last at a place where nothing lets it in any more; null when it never had anything there.
 *
 * @param place  as `findAccessReason` has it: scopes that cover the path, names of collections that cover it now
 */
export async function findLostAccess(
  sql: Sql,
  config: Config,
  place: {
    readonly accountId: string;
    readonly host: string;
    readonly scopes: readonly string[];
    readonly collections: readonly string[];
    readonly now: EpochSeconds;
  },
): Promise<LostAccess | null> {
  const rows = await findEndedMemberships(sql, place);
  const keys = await findEndedKeys(sql, place);
  const losses = [...rows.map((row) => lossOf(config, row)), ...keys.map((key) => lossOfKey(config, key, place.now))];
  const lost = losses.filter((each) => each !== null);
  return lost.sort((left, right) => right.at - left.at)[0] ?? null;
}

/** How a membership ended; null for one that never did, whose access runs out at most. */
export function lossOf(config: Config, row: EndedMembership): LostAccess | null {
  const { label } = row;
  const [removed, stopped, over] = [row.revokedAt, row.linkRevokedAt, row.accessUntilAt].map(
    (at) => at ?? Number.POSITIVE_INFINITY,
  ) as [number, number, number];
  const place = config.portal?.name ?? unknownPlace;
  const owner = row.ownerName ?? place;
  const first = Math.min(removed, stopped, over);
  if (first === Number.POSITIVE_INFINITY) return null;
  if (first === over) return { how: 'over', label, by: owner, at: first };
  if (first === removed) return { how: 'removed', label, by: row.revokedBy === row.ownerId ? owner : place, at: first };
  return { how: 'stopped', label, by: row.linkRevokedBy === row.ownerId ? owner : place, at: first };
}

/**
 * How a key that was held came to an end; null where it did not, or nobody knows when: an account that was blocked is nobody's business. What
 * ended above the giver is told as stopped, under the name of the place: who stands there is no business of the holder's.
 */
function lossOfKey(config: Config, key: EndedKey, now: EpochSeconds): LostAccess | null {
  const { label, giverId, endedBy } = key;
  const [ended, stopped, over] = [key.endedAt, key.stoppedAt, key.untilAt].map(
    (at) => at ?? Number.POSITIVE_INFINITY,
  ) as [number, number, number];
  const place = config.portal?.name ?? unknownPlace;
  const giver = key.giverName ?? place;
  const first = Math.min(ended, stopped, over);
  if (first > now) return null;
  if (first === over) return { how: 'over', label, by: giver, at: first };
  if (first === ended) return { how: 'removed', label, by: endedBy === giverId ? giver : place, at: first };
  return { how: 'stopped', label, by: place, at: first };
}
