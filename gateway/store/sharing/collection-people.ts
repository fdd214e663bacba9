// Everybody who has something by which a collection, or a part of it, opens: members of links, accounts with keys, holders of shares; newest
// first. Reads only. Whether a share holds with all that is above it is asked in share-chains.ts.

import { type RawBuilder, sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

/** One way of one account. */
export interface PersonOfCollection {
  /** Id of the member, of the key, or of the share. */
  readonly id: string;
  readonly kind: 'link' | 'own-key' | 'share';
  readonly accountId: string;
  readonly email: string;
  /** Empty for none. */
  readonly name: string;
  /** Label of the link, or name of the key. */
  readonly label: string;
  readonly collection: string;
  readonly path: string;
  /** When the link was claimed, the key was made, or the share was offered: the list's order. */
  readonly listedAt: EpochSeconds;
  /** When the access began. */
  readonly sinceAt: EpochSeconds;
  /** Of the link, the credential or the share itself; null for none. */
  readonly untilAt: EpochSeconds | null;
  /** Number of uses; null for no limit. */
  readonly usesLeft: number | null;
}

interface PeoplePage {
  readonly host: string;
  /** The collection, and its path. */
  readonly collection: string;
  readonly path: string;
  /** Collections around it and inside it, and every scope that covers its path: what opens such a scope opens all of it. */
  readonly others: readonly string[];
  readonly scopes: readonly string[];
  /** The last way of the page before; null for the first page. */
  readonly before: Pick<PersonOfCollection, 'listedAt' | 'id'> | null;
  readonly limit: number;
  readonly now: EpochSeconds;
}

/** Only accounts that are active and verified; rows that are over or ended are not in it. */
export async function listPeopleOfCollection(sql: Sql, page: PeoplePage): Promise<PersonOfCollection[]> {
  const { limit, now } = page;
  const few = await raw<PersonOfCollection>`select * from (
      select m.id as id, 'link' as kind, ${person}, l.label as label, m.collection as collection, m.path as path,
        m.claimed_at as "listedAt", m.claimed_at as "sinceAt", l.access_until_at as "untilAt", cast(null as bigint) as "usesLeft"
      from members m join links l on l.id = m.link_id join accounts a on a.id = m.account_id
      where ${isUsable} and ${opens(page, raw`m`)} and m.revoked_at is null and l.revoked_at is null
        and (l.access_until_at is null or l.access_until_at > ${now})
      union all
      select k.id, 'own-key', ${person}, k.name, k.collection, k.path,
        k.created_at, k.created_at, c.valid_until_at, cast(null as bigint)
      from credential_keys k join credentials c on c.id = k.credential_id join accounts a on a.id = c.account_id
      where ${isUsable} and ${opens(page, raw`k`)} and ${inForce(now)}
    ) people
    where ${isBehind(page, raw`"listedAt"`, raw`id`)} order by "listedAt" desc, id desc limit ${limit}`.execute(sql);
  const shares = await listHolders(sql, page);
  return [...few.rows, ...shares]
    .sort((one, other) => other.listedAt - one.listedAt || (one.id < other.id ? 1 : -1))
    .slice(0, limit);
}

/** Up to so many shares of the keys of a collection are sorted; more are found on a walk through all shares, the newest first. */
const sortedShares = 5000;

/**
 * Holders of accepted shares. `cross join` is the order of the walk for SQLite, whose planner knows no numbers: sorting a million shares for
 * one page took seconds, and a walk through a million for the three of a collection as well. PostgreSQL knows its numbers.
 */
async function listHolders(sql: Sql, page: PeoplePage): Promise<readonly PersonOfCollection[]> {
  const { limit, now } = page;
  const keys = raw`select k.id from credential_keys k where ${opens(page, raw`k`)}`;
  const counted = await raw<{ readonly count: number | string }>`select count(*) as count from (
    select 1 from shares where key_id in (${keys}) limit ${raw.lit(sortedShares + 1)}) counted`.execute(sql);
  const isDense = Number(counted.rows[0]?.count ?? 0) > sortedShares;
  const tables = isDense ? raw`shares s cross join credential_keys k` : raw`credential_keys k cross join shares s`;
  const { rows } = await raw<PersonOfCollection>`
    select s.id as id, 'share' as kind, ${person}, k.name as label, k.collection as collection, k.path as path,
      s.created_at as "listedAt", coalesce(s.accepted_at, s.created_at) as "sinceAt", s.usable_until_at as "untilAt",
      s.uses_left as "usesLeft"
    from ${tables} cross join credentials c cross join accounts a
    where k.id = s.key_id and c.id = k.credential_id and a.id = s.account_id and ${isUsable} and ${opens(page, raw`k`)}
      and ${inForce(now)} and s.state = 'accepted' and (s.usable_until_at is null or s.usable_until_at > ${now})
      and ${isBehind(page, raw`s.created_at`, raw`s.id`)}
    order by s.created_at desc, s.id desc limit ${limit}`.execute(sql);
  return rows;
}

const person = raw`a.id as "accountId", a.email as email, a.display_name as name`;
const isUsable = raw`a.state = 'active' and a.email_verified_at is not null`;

function isBehind({ before }: PeoplePage, at: RawBuilder<unknown>, id: RawBuilder<unknown>): RawBuilder<boolean> {
  return before === null ? raw<boolean>`1 = 1` : raw<boolean>`(${at}, ${id}) < (${before.listedAt}, ${before.id})`;
}

/** About a row with a place: it opens the collection, or a part of it. */
function opens({ host, collection, path, others, scopes }: PeoplePage, row: RawBuilder<unknown>): RawBuilder<boolean> {
  const [theirs, covering] = [raw.join([...others, '']), raw.join([...scopes, ''])];
  return raw<boolean>`${row}.host = ${host} and (${row}.collection = ${collection}
    or (${row}.collection in (${theirs}) and (${row}.path in (${covering}) or substr(${row}.path, 1, ${raw.lit(path.length)}) = ${path})))`;
}

function inForce(now: EpochSeconds): RawBuilder<boolean> {
  return raw<boolean>`k.removed_at is null and c.withdrawn_at is null
    and (c.valid_from_at is null or c.valid_from_at <= ${now}) and (c.valid_until_at is null or c.valid_until_at > ${now})`;
}
