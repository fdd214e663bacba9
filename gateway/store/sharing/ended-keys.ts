// How keys that an account held at a place came to an end: by its giver, by something above, or by time. Reads only.

import { sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

/** A share that was accepted, and when what ended it happened; null for what did not. The account itself did not give it back. */
export interface EndedKey {
  /** Name of the key. */
  readonly label: string;
  readonly giverId: string;
  /** Name or address; null once that account was deleted. */
  readonly giverName: string | null;
  /** When the share was ended or stopped, and by which actor. */
  readonly endedAt: EpochSeconds | null;
  readonly endedBy: string | null;
  /** When a share above it was, the key was removed, or the credential was withdrawn: the first of them. */
  readonly stoppedAt: EpochSeconds | null;
  /** The first end of a window of it, of a share above it, or of the credential; it may be still to come. */
  readonly untilAt: EpochSeconds | null;
}

/** Shares that are looked at for one place. */
const maxRowsLookedAt = 16;

export async function findEndedKeys(
  sql: Sql,
  place: {
    readonly accountId: string;
    readonly host: string;
    readonly scopes: readonly string[];
    readonly collections: readonly string[];
  },
): Promise<readonly EndedKey[]> {
  const { accountId, host, scopes, collections } = place;
  if (scopes.length === 0 || collections.length === 0) return [];
  const { rows } = await raw<EndedKey & { readonly removedAt: number | null; readonly withdrawnAt: number | null }>`
    with recursive leaves(id) as (
      select s.id from shares s join credential_keys k on k.id = s.key_id
        where s.account_id = ${accountId} and s.accepted_at is not null and s.state in ('accepted', 'disabled', 'revoked')
          and k.host = ${host} and k.path in (${raw.join([...scopes])}) and k.collection in (${raw.join([...collections])})
        order by s.accepted_at desc limit ${raw.lit(maxRowsLookedAt)}),
    up(leaf, parent_id, ended_at, until_at) as (
      select s.id, s.parent_id, cast(null as bigint), s.usable_until_at from shares s join leaves on leaves.id = s.id
      union all
      select up.leaf, s.parent_id, case when s.state <> 'accepted' then s.ended_at end, s.usable_until_at
        from shares s join up on s.id = up.parent_id),
    chains(leaf, ended_at, until_at) as (select leaf, min(ended_at), min(until_at) from up group by leaf)
    select k.name as label, s.giver_id as "giverId", coalesce(nullif(g.display_name, ''), g.email) as "giverName",
      case when s.state <> 'accepted' then s.ended_at end as "endedAt", s.ended_by as "endedBy",
      chains.ended_at as "stoppedAt", k.removed_at as "removedAt", c.withdrawn_at as "withdrawnAt",
      case when c.valid_until_at < coalesce(chains.until_at, c.valid_until_at + 1) then c.valid_until_at
        else chains.until_at end as "untilAt"
    from chains join shares s on s.id = chains.leaf join credential_keys k on k.id = s.key_id
      join credentials c on c.id = k.credential_id left join accounts g on g.id = s.giver_id and g.state <> 'deleted'`.execute(
    sql,
  );
  return rows.map(({ removedAt, withdrawnAt, ...row }) => {
    const stops = [row.stoppedAt, removedAt, withdrawnAt].filter((at) => at !== null);
    return { ...row, stoppedAt: stops.length === 0 ? null : Math.min(...stops) };
  });
}
