// From where somebody gave the right secret lately: such a place is not slowed by what strangers guess. Rows of the throttles table
// that count nothing: `last_at` is the last time. Bounded by name, so that a roaming user, or one who tries, fills no table.

import { digestOf } from '../../core/model/digest.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import { type ThrottleKey, writeCounts } from './throttles.ts';

/** Places of one name at most; a new one takes the place of the one that was not used the longest. */
const maxSourcesPerName = 64;

/** What such rows say in place of a count, so that they go last when the table is full. */
const goesLast = 1_000_000;

/** @param secret  which kind of secret was right */
export function knownSourceKey(secret: string, name: string, source: string): ThrottleKey {
  return { kind: `known-${secret}`, keyDigest: `${digestOf(name).slice(0, nameLength)}.${digestOf(source)}` };
}

/** When the right secret was last written down; null for never. */
async function readKnownSource(sql: Sql, key: ThrottleKey): Promise<EpochSeconds | null> {
  const row = await sql
    .selectFrom('throttles')
    .select('last_at')
    .where('kind', '=', key.kind)
    .where('key_digest', '=', key.keyDigest)
    .executeTakeFirst();
  return row?.last_at ?? null;
}

/** Writes down that the right secret came from there now. */
export async function markKnownSource(unit: Unit, key: ThrottleKey): Promise<void> {
  const isNew = (await readKnownSource(unit.sql, key)) === null;
  if (isNew) await forgetBeyond(unit, key, maxSourcesPerName - 1);
  const count = { tries: goesLast, leakedAt: unit.logTime, lastAt: unit.logTime, blockedUntilAt: 0 };
  // Without room the place stays a stranger's: slower, and nothing else.
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
