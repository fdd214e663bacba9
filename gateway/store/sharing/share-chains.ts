// Whether a key is held: the one rule, asked by look-ups, by acceptance, and by whoever shares on. A share holds while it and every share
// above it up to the key is accepted and inside its window, the giver of each is active, and key and credential are in force.
// Each question is one statement, so no change slips in between. A chain has at most seven shares.

import { type RawBuilder, sql as raw } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import { fixedStatement, type Places } from '../port/fixed-statement.ts';
import type { Sql } from '../port/store.ts';

/** How an account holds a key: by a chain of shares, or by its own credential. */
export interface HeldKey {
  readonly keyId: string;
  readonly credentialId: string;
  readonly keyName: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  /** JSON list, or null. */
  readonly methods: string | null;
  /** The share by which it is held; null for an own credential. */
  readonly shareId: string | null;
  /** All shares from this one up to the key, this one first. */
  readonly chain: readonly string[];
  /** The earliest end of anything in the chain; null for none. */
  readonly untilAt: EpochSeconds | null;
  /** Of the share itself; null: no limit. */
  readonly usesAllowed: number | null;
  readonly reshareDepth: number;
  readonly depth: number;
}

interface PlaceQuestion {
  readonly accountId: string;
  readonly host: string;
  readonly scopes: readonly string[];
  readonly collections: readonly string[];
  readonly now: EpochSeconds;
}

/**
 * The keys that open a place to an account at this moment: own ones, and those of shares whose whole chain holds. A share with a number of
 * uses opens by representations alone, so it is not among them.
 *
 * @param question  scopes: every scope that covers the place; collections: names of those that cover it
 */
export async function findOpeningKeys(sql: Sql, question: PlaceQuestion): Promise<readonly HeldKey[]> {
  if (question.scopes.length === 0 || question.collections.length === 0) return [];
  const own = await findOwn(sql, question);
  const shared = await findShared(sql, question);
  return [...own.rows.map(ownKey), ...joinChains(shared.rows)];
}

/**
 * The next moment at which a window begins that could open a place to an account: of a share that it accepted, of a share above one, or of a
 * credential. Null for none. A refusal counts until then, since no change of the log tells that a window began.
 */
export async function findNextStart(sql: Sql, question: PlaceQuestion): Promise<EpochSeconds | null> {
  if (question.scopes.length === 0 || question.collections.length === 0) return null;
  const [row] = (await findStarts(sql, question)).rows;
  return row?.start == null ? null : Number(row.start);
}

/** How an account holds one key now, whether its uses are limited or not: the own credential first, then the shares that last longest. */
export async function findHeldKeys(sql: Sql, accountId: string, keyId: string, now: EpochSeconds): Promise<HeldKey[]> {
  const own = await sql
    .selectFrom('credential_keys as k')
    .innerJoin('credentials as c', 'c.id', 'k.credential_id')
    .innerJoin('accounts as owner', 'owner.id', 'c.account_id')
    .select(keyColumns)
    .select(['c.valid_until_at as validUntilAt'])
    .where('k.id', '=', keyId)
    .where('c.account_id', '=', accountId)
    .where('owner.state', '=', 'active')
    .where(keyInForce(raw`${now}`))
    .execute();
  const shared = await chainsOf(
    sql,
    raw`shares.account_id = ${accountId} and shares.key_id = ${keyId} and shares.state = 'accepted'`,
    raw`${now}`,
  ).execute();
  return [...own.map(ownKey), ...joinChains(shared)];
}

/** One share by its id, if it is accepted and its whole chain holds now. */
export async function findHeldShare(sql: Sql, shareId: string, now: EpochSeconds): Promise<HeldKey | null> {
  const rows = await chainsOf(sql, raw`shares.id = ${shareId} and shares.state = 'accepted'`, raw`${now}`).execute();
  return joinChains(rows)[0] ?? null;
}

/** Which of some shares hold now, each with its chain. @param ids  at most some hundreds */
export async function findHeldShares(sql: Sql, ids: readonly string[], now: EpochSeconds): Promise<readonly HeldKey[]> {
  if (ids.length === 0) return [];
  const leaves = raw`shares.id in (${raw.join([...ids])}) and shares.state = 'accepted'`;
  return joinChains(await chainsOf(sql, leaves, raw`${now}`).execute());
}

/**
 * Whether a pending share could hold if it were accepted now, as a part of the statement that accepts it: its giver is active, everything
 * above holds, and key and credential are in force.
 *
 * @param shareId  column or value
 */
export function chainAboveHolds(shareId: RawBuilder<unknown>, now: EpochSeconds): RawBuilder<boolean> {
  return raw<boolean>`exists (
    select 1 from shares leaf
    join credential_keys k on k.id = leaf.key_id
    join credentials c on c.id = k.credential_id
    join accounts giver on giver.id = leaf.giver_id and giver.state = 'active'
    where leaf.id = ${shareId} and ${keyInForce(raw`${now}`)}
      and (leaf.parent_id is null or not exists (
        with recursive up(id, parent_id, state, giver_id, usable_from_at, usable_until_at) as (
          select id, parent_id, state, giver_id, usable_from_at, usable_until_at from shares
            where id = (select parent_id from shares where id = ${shareId})
          union all
          select s.id, s.parent_id, s.state, s.giver_id, s.usable_from_at, s.usable_until_at
            from shares s join up on s.id = up.parent_id)
        select 1 from up left join accounts g on g.id = up.giver_id where ${linkIsBroken(raw`${now}`)})))`;
}

/** Whether a share could hold if it were accepted now: `chainAboveHolds`, asked by itself. */
export async function couldHold(sql: Sql, shareId: string, now: EpochSeconds): Promise<boolean> {
  const row = await sql
    .selectFrom('shares')
    .select('shares.id')
    .where('shares.id', '=', shareId)
    .where(chainAboveHolds(raw`${shareId}`, now))
    .executeTakeFirst();
  return row !== undefined;
}

/** One share of a chain, as control and pages tell of it. */
export interface ChainLink {
  readonly id: string;
  readonly giverId: string;
  readonly accountId: string;
  readonly email: string;
  readonly state: string;
}

/** A share and all shares above it, the share first; empty for an unknown one. Whatever their states. */
export async function readChain(sql: Sql, shareId: string): Promise<readonly ChainLink[]> {
  const { rows } = await raw<ChainLink>`
    with recursive up(id, parent_id, giver_id, account_id, email, state, rise) as (
      select id, parent_id, giver_id, account_id, email, state, 0 from shares where id = ${shareId}
      union all
      select s.id, s.parent_id, s.giver_id, s.account_id, s.email, s.state, up.rise + 1
        from shares s join up on s.id = up.parent_id)
    select id, giver_id as "giverId", account_id as "accountId", email, state from up order by rise`.execute(sql);
  return rows;
}

const keyColumns = [
  'k.id as keyId',
  'k.credential_id as credentialId',
  'k.name as keyName',
  'k.collection as collection',
  'k.host as host',
  'k.path as path',
  'k.methods as methods',
] as const;

type OwnRow = Pick<HeldKey, 'keyId' | 'credentialId' | 'keyName' | 'collection' | 'host' | 'path' | 'methods'> & {
  readonly validUntilAt: EpochSeconds | null;
};

/** One row for each share of a chain; the columns of key, credential and leaf are the same in all rows of a chain. */
type ChainRow = OwnRow & {
  readonly leaf: string;
  readonly id: string;
  readonly rise: number;
  readonly usableUntilAt: EpochSeconds | null;
  readonly usesAllowed: number | null;
  readonly reshareDepth: number;
  readonly depth: number;
};

function keyInForce(now: RawBuilder<unknown>): RawBuilder<boolean> {
  return raw<boolean>`k.removed_at is null and c.withdrawn_at is null
    and (c.valid_from_at is null or c.valid_from_at <= ${now}) and (c.valid_until_at is null or c.valid_until_at > ${now})`;
}

/** About a row of `up` and its giver's account `g`. */
function linkIsBroken(now: RawBuilder<unknown>): RawBuilder<boolean> {
  return raw<boolean>`(up.state <> 'accepted' or g.state is null or g.state <> 'active'
    or (up.usable_from_at is not null and up.usable_from_at > ${now})
    or (up.usable_until_at is not null and up.usable_until_at <= ${now}))`;
}

const findOwn = fixedStatement((sql, at: Places<PlaceQuestion>) =>
  sql
    .selectFrom('credential_keys as k')
    .innerJoin('credentials as c', 'c.id', 'k.credential_id')
    .select(keyColumns)
    .select(['c.valid_until_at as validUntilAt'])
    .where('c.account_id', '=', at.value('accountId'))
    .where('k.host', '=', at.value('host'))
    .where('k.path', 'in', at.list('scopes'))
    .where('k.collection', 'in', at.list('collections'))
    .where(keyInForce(at.value('now'))),
);

const findShared = fixedStatement((sql, at: Places<PlaceQuestion>) =>
  chainsOf(
    sql,
    raw`shares.account_id = ${at.value('accountId')} and shares.state = 'accepted' and shares.uses_allowed is null
      and shares.key_id in (select id from credential_keys where host = ${at.value('host')}
        and path in (${raw.join(at.list('scopes'))}) and collection in (${raw.join(at.list('collections'))}))`,
    at.value('now'),
  ),
);

const findStarts = fixedStatement((sql, at: Places<PlaceQuestion>) => {
  const placed = raw`select k.id from credential_keys k where k.host = ${at.value('host')}
    and k.path in (${raw.join(at.list('scopes'))}) and k.collection in (${raw.join(at.list('collections'))})`;
  return sql
    .withRecursive('up', (of) =>
      of
        .selectFrom('shares')
        .select(['shares.parent_id as parent_id', 'shares.key_id as key_id', 'shares.usable_from_at as starts'])
        .where('shares.account_id', '=', at.value('accountId'))
        .where(raw<boolean>`shares.state = 'accepted' and shares.uses_allowed is null and shares.key_id in (${placed})`)
        .unionAll(
          of
            .selectFrom('shares as above')
            .innerJoin('up', 'up.parent_id', 'above.id')
            .select(['above.parent_id as parent_id', 'above.key_id as key_id', 'above.usable_from_at as starts']),
        ),
    )
    .with('credential_starts', (of) =>
      of
        .selectFrom('credential_keys as k')
        .innerJoin('credentials as c', 'c.id', 'k.credential_id')
        .select('c.valid_from_at as starts')
        .where((is) =>
          is.or([
            is('k.id', 'in', is.selectFrom('up').select('up.key_id')),
            is.and([is('c.account_id', '=', at.value('accountId')), raw<boolean>`k.id in (${placed})`]),
          ]),
        ),
    )
    .selectFrom((of) =>
      of
        .selectFrom('up')
        .select('up.starts as starts')
        .unionAll(of.selectFrom('credential_starts').select('credential_starts.starts as starts'))
        .as('windows'),
    )
    .select(({ fn }) => fn.min<number | string | null>('windows.starts').as('start'))
    .where('windows.starts', '>', at.value('now'));
});

/** The rows of all chains that hold, for the leaves that a condition on `shares` names. */
function chainsOf(sql: Sql, leaves: RawBuilder<unknown>, now: RawBuilder<unknown>) {
  return (
    sql
      .withRecursive('up', (of) =>
        of
          .selectFrom('shares')
          .select([
            'shares.id as leaf',
            'shares.id as id',
            'shares.parent_id as parent_id',
            'shares.state as state',
            'shares.giver_id as giver_id',
            'shares.usable_from_at as usable_from_at',
            'shares.usable_until_at as usable_until_at',
            raw<number>`0`.as('rise'),
            'shares.key_id as key_id',
            'shares.uses_allowed as uses_allowed',
            'shares.reshare_depth as reshare_depth',
            'shares.depth as depth',
          ])
          .where(raw<boolean>`${leaves}`)
          .unionAll(
            of
              .selectFrom('shares as above')
              .innerJoin('up', 'up.parent_id', 'above.id')
              .select([
                'up.leaf as leaf',
                'above.id as id',
                'above.parent_id as parent_id',
                'above.state as state',
                'above.giver_id as giver_id',
                'above.usable_from_at as usable_from_at',
                'above.usable_until_at as usable_until_at',
                raw<number>`up.rise + 1`.as('rise'),
                'up.key_id as key_id',
                'up.uses_allowed as uses_allowed',
                'up.reshare_depth as reshare_depth',
                'up.depth as depth',
              ]),
          ),
      )
      .with('broken', (of) =>
        of
          .selectFrom('up')
          .leftJoin('accounts as g', 'g.id', 'up.giver_id')
          .select('up.leaf as leaf')
          .where(linkIsBroken(now)),
      )
      .selectFrom('up')
      // a cross join is made in this order: with statistics SQLite would begin at the credentials, and go through all of them
      .crossJoin('credential_keys as k')
      .crossJoin('credentials as c')
      .select(keyColumns)
      .select([
        'c.valid_until_at as validUntilAt',
        'up.leaf as leaf',
        'up.id as id',
        'up.rise as rise',
        'up.usable_until_at as usableUntilAt',
        'up.uses_allowed as usesAllowed',
        'up.reshare_depth as reshareDepth',
        'up.depth as depth',
      ])
      .whereRef('k.id', '=', 'up.key_id')
      .whereRef('c.id', '=', 'k.credential_id')
      .where(keyInForce(now))
      .where('up.leaf', 'not in', (of) => of.selectFrom('broken').select('leaf'))
      .orderBy('up.leaf')
      .orderBy('up.rise')
  );
}

function ownKey({ validUntilAt, ...key }: OwnRow): HeldKey {
  return { ...key, shareId: null, chain: [], untilAt: validUntilAt, usesAllowed: null, reshareDepth: 0, depth: -1 };
}

/** @param rows  in the order of leaf and rise. @returns those without an end first, then those that last longest */
function joinChains(rows: readonly ChainRow[]): HeldKey[] {
  const held = new Map<string, HeldKey>();
  for (const { leaf, id, rise, usableUntilAt, validUntilAt, ...key } of rows) {
    const before = held.get(leaf);
    const chain = [...(before?.chain ?? []), id];
    const untilAt = earlier(before === undefined ? validUntilAt : before.untilAt, usableUntilAt);
    held.set(leaf, { ...key, shareId: leaf, chain, untilAt });
  }
  return [...held.values()].sort(
    (one, other) =>
      (other.untilAt ?? Number.POSITIVE_INFINITY) - (one.untilAt ?? Number.POSITIVE_INFINITY) ||
      one.depth - other.depth,
  );
}

function earlier(one: EpochSeconds | null, other: EpochSeconds | null): EpochSeconds | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
