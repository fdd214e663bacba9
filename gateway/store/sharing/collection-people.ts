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
  readonly before: Pick<PersonOfCollection, 'sinceAt' | 'id'> | null;
  readonly limit: number;
  readonly now: EpochSeconds;
}

/** Only accounts that are active and verified; rows that are over or ended are not in it. */
export async function listPeopleOfCollection(sql: Sql, page: PeoplePage): Promise<PersonOfCollection[]> {
  const { before, limit, now } = page;
  const person = raw`a.id as "accountId", a.email as email, a.display_name as name`;
  const isUsable = raw`a.state = 'active' and a.email_verified_at is not null`;
  const { rows } = await raw<PersonOfCollection>`select * from (
      select m.id as id, 'link' as kind, ${person}, l.label as label, m.collection as collection, m.path as path,
        m.claimed_at as "sinceAt", l.access_until_at as "untilAt", cast(null as bigint) as "usesLeft"
      from members m join links l on l.id = m.link_id join accounts a on a.id = m.account_id
      where ${isUsable} and ${opens(page, raw`m`)} and m.revoked_at is null and l.revoked_at is null
        and (l.access_until_at is null or l.access_until_at > ${now})
      union all
      select k.id, 'own-key', ${person}, k.name, k.collection, k.path,
        k.created_at, c.valid_until_at, cast(null as bigint)
      from credential_keys k join credentials c on c.id = k.credential_id join accounts a on a.id = c.account_id
      where ${isUsable} and ${opens(page, raw`k`)} and ${inForce(now)}
      union all
      select s.id, 'share', ${person}, k.name, k.collection, k.path,
        coalesce(s.accepted_at, s.created_at), s.usable_until_at, s.uses_left
      from credential_keys k join credentials c on c.id = k.credential_id join shares s on s.key_id = k.id
        join accounts a on a.id = s.account_id
      where ${isUsable} and ${opens(page, raw`k`)} and ${inForce(now)} and s.state = 'accepted'
        and (s.usable_until_at is null or s.usable_until_at > ${now})
    ) people
    where ${before === null ? raw`1 = 1` : raw`("sinceAt", id) < (${before.sinceAt}, ${before.id})`}
    order by "sinceAt" desc, id desc limit ${limit}`.execute(sql);
  return rows;
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
