// Network addresses from which the right secret for a name came lately: guesses of strangers do not slow down requests from there.
// They are rows of the throttles table that count nothing; `last_at` is the last right secret. The rows of a name are bounded, so
// that a user who changes addresses fills no table.

import { digestOf } from '../../core/model/digest.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import { type ThrottleKey, writeCounts } from './throttles.ts';

/** Most sources of one name; a new source replaces the source that was unused the longest. */
const maxSourcesPerName = 64;

/** The count that these rows have, so that they are evicted last when the table is full. */
const goesLast = 1_000_000;

/** The row's key. @param secret  the kind of secret that was right */
export function knownSourceKey(secret: string, name: string, source: string): ThrottleKey {
  return { kind: `known-${secret}`, keyDigest: `${digestOf(name).slice(0, nameLength)}.${digestOf(source)}` };
}

/** When the right secret last came from a source; null for never. */
async function readKnownSource(sql: Sql, key: ThrottleKey): Promise<EpochSeconds | null> {
  const row = await sql
    .selectFrom('throttles')
    .select('last_at')
    .where('kind', '=', key.kind)
    .where('key_digest', '=', key.keyDigest)
    .executeTakeFirst();
  return row?.last_at ?? null;
}

/** Records that the right secret came from a source now. */
export async function markKnownSource(unit: Unit, key: ThrottleKey): Promise<void> {
  const isNew = (await readKnownSource(unit.sql, key)) === null;
  if (isNew) await forgetBeyond(unit, key, maxSourcesPerName - 1);
  const count = { tries: goesLast, leakedAt: unit.logTime, lastAt: unit.logTime, blockedUntilAt: 0 };
  // without room the source stays unknown, so its requests may be slowed down
  await writeCounts(unit, [{ key, count, isNew }]);
}

const nameLength = 22;

async function forgetBeyond(unit: Unit, { kind, keyDigest }: ThrottleKey, kept: number): Promise<void> {
  const name = keyDigest.slice(0, nameLength);
  const rows = await unit.sql
    .selectFrom('throttles')
    .select('key_digest')
    .where('kind', '=', kind)
    .where('key_digest', '>=', `${name}.`)
    .where('key_digest', '<', `${name}/`)
    .orderBy('last_at', 'desc')
    .orderBy('key_digest')
    .execute();
  const old = rows.slice(kept).map((row) => row.key_digest);
  if (old.length > 0) {
    await unit.sql.deleteFrom('throttles').where('kind', '=', kind).where('key_digest', 'in', old).execute();
  }
}
