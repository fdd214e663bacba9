// The keys that an account has, own ones and received ones, as it reads them itself; and the credentials behind them. Reads only. Keys that
// were removed or are over are not in it; whether one opens at this moment is asked in share-chains.ts.

import { sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

/** A key of an account: hanging off a credential of its own, or by a share that it accepted. */
export interface KeptKey {
  /** The share, or the key where it is an own one; with `sinceAt` the place in the list. */
  readonly id: string;
  readonly sinceAt: EpochSeconds;
  readonly keyId: string;
  readonly keyName: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  /** JSON list, or null. */
  readonly methods: string | null;
  readonly credentialName: string;
  readonly issuer: string;
  readonly picture: string | null;
  readonly validFromAt: EpochSeconds | null;
  readonly validUntilAt: EpochSeconds | null;
  /** null: an own key. */
  readonly shareId: string | null;
  /** Who gave it: name, else address. Null for an own key; empty once that account was deleted. */
  readonly givenBy: string | null;
  readonly usableFromAt: EpochSeconds | null;
  readonly usableUntilAt: EpochSeconds | null;
  readonly usesAllowed: number | null;
  readonly usesLeft: number | null;
  readonly reshareDepth: number;
  readonly depth: number;
  readonly lastUsedAt: EpochSeconds | null;
}

interface KeptPage {
  /** The last entry of the page before; null for the first page. */
  readonly before: Pick<KeptKey, 'sinceAt' | 'id'> | null;
  readonly limit: number;
  readonly now: EpochSeconds;
  /** Only the ways in which the account has this key. Default: all keys. */
  readonly keyId?: string | undefined;
}

/** Newest first. */
export async function listKeptKeys(
  sql: Sql,
  accountId: string,
  { before, limit, now, keyId }: KeptPage,
): Promise<KeptKey[]> {
  const { rows } = await raw<KeptKey>`select * from (
      select k.id as id, k.created_at as "sinceAt", ${keyColumns}, ${nothingShared}
      from credential_keys k join credentials c on c.id = k.credential_id
      where c.account_id = ${accountId} and ${notOver(now)}
      union all
      select s.id as id, coalesce(s.accepted_at, s.created_at) as "sinceAt", ${keyColumns}, ${shared}
      from shares s join credential_keys k on k.id = s.key_id join credentials c on c.id = k.credential_id
        left join accounts g on g.id = s.giver_id
      where s.account_id = ${accountId} and s.state = 'accepted' and ${notOver(now)}
        and (s.usable_until_at is null or s.usable_until_at > ${now})
    ) kept
    where ${before === null ? raw`1 = 1` : raw`("sinceAt", id) < (${before.sinceAt}, ${before.id})`}
      and ${keyId === undefined ? raw`1 = 1` : raw`"keyId" = ${keyId}`}
    order by "sinceAt" desc, id desc limit ${limit}`.execute(sql);
  return rows;
}

/** A credential that an account has, or that keys hang off which it received. */
export interface KeptCredential {
  /** null where a key of it was received. */
  readonly id: string | null;
  readonly name: string;
  readonly issuer: string;
  readonly picture: string | null;
  readonly validFromAt: EpochSeconds | null;
  readonly validUntilAt: EpochSeconds | null;
  /** As in `KeptKey`. */
  readonly givenBy: string | null;
}

/** Own ones first, then those of received keys, one for each giver; at most `limit` of each. Withdrawn ones are not in it. */
export async function listKeptCredentials(
  sql: Sql,
  accountId: string,
  { limit, now }: Pick<KeptPage, 'limit' | 'now'>,
): Promise<readonly KeptCredential[]> {
  const own = await raw<KeptCredential>`
    select c.id as id, c.name as name, c.issuer as issuer, c.picture as picture, c.valid_from_at as "validFromAt",
      c.valid_until_at as "validUntilAt", cast(null as text) as "givenBy"
    from credentials c where c.account_id = ${accountId} and c.withdrawn_at is null
    order by c.created_at desc, c.id limit ${limit}`.execute(sql);
  const received = await raw<KeptCredential>`
    select cast(null as text) as id, c.name as name, c.issuer as issuer, c.picture as picture,
      c.valid_from_at as "validFromAt", c.valid_until_at as "validUntilAt", ${giverName} as "givenBy"
    from (select k.credential_id as credential_id, s.giver_id as giver_id, max(s.accepted_at) as since
        from shares s join credential_keys k on k.id = s.key_id join credentials c on c.id = k.credential_id
        where s.account_id = ${accountId} and s.state = 'accepted' and ${notOver(now)}
          and (s.usable_until_at is null or s.usable_until_at > ${now})
        group by k.credential_id, s.giver_id) got
      join credentials c on c.id = got.credential_id left join accounts g on g.id = got.giver_id
    order by got.since desc, c.id, got.giver_id limit ${limit}`.execute(sql);
  return [...own.rows, ...received.rows];
}

const keyColumns = raw`k.id as "keyId", k.name as "keyName", k.collection as collection, k.host as host, k.path as path,
  k.methods as methods, c.name as "credentialName", c.issuer as issuer, c.picture as picture,
  c.valid_from_at as "validFromAt", c.valid_until_at as "validUntilAt"`;

const giverName = raw`coalesce(nullif(g.display_name, ''), g.email, '')`;

const nothingShared = raw`cast(null as text) as "shareId", cast(null as text) as "givenBy",
  cast(null as bigint) as "usableFromAt", cast(null as bigint) as "usableUntilAt", cast(null as bigint) as "usesAllowed",
  cast(null as bigint) as "usesLeft", 0 as "reshareDepth", -1 as depth, cast(null as bigint) as "lastUsedAt"`;

const shared = raw`s.id as "shareId", ${giverName} as "givenBy", s.usable_from_at as "usableFromAt",
  s.usable_until_at as "usableUntilAt", s.uses_allowed as "usesAllowed", s.uses_left as "usesLeft",
  s.reshare_depth as "reshareDepth", s.depth as depth, s.last_used_at as "lastUsedAt"`;

/** About a key `k` and its credential `c`: neither has ended for good. */
function notOver(now: EpochSeconds) {
  return raw<boolean>`k.removed_at is null and c.withdrawn_at is null
    and (c.valid_until_at is null or c.valid_until_at > ${now})`;
}
