// How many accounts, sessions, links and shares there are, for metrics. Each reads a whole table or a whole index, so the caller asks now
// and then, not per scrape.

import { sql as raw } from 'kysely';
import type { LinkState } from '../../core/model/link.ts';
import { type ShareState, shareStates } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

/** `unverified`: nobody confirmed the address yet. */
export type CountedAccountState = 'active' | 'unverified' | 'disabled' | 'deleted';

export interface Population {
  readonly accounts: ReadonlyMap<CountedAccountState, number>;
  /** Sign-ins that hold. */
  readonly sessions: number;
  readonly links: ReadonlyMap<LinkState, number>;
  /** By the state that is stored; `requested` and `expired` are readings of times. */
  readonly shares: ReadonlyMap<ShareState, number>;
}

/** @param idleSeconds  a session that was not used for so long is over */
export async function countPopulation(sql: Sql, now: EpochSeconds, idleSeconds: number): Promise<Population> {
  const [accounts, sessions, links] = await Promise.all([
    sql
      .selectFrom((from) =>
        from
          .selectFrom('accounts')
          .select(
            raw<CountedAccountState>`case when state = 'active' and email_verified_at is null then 'unverified' else state end`.as(
              'standing',
            ),
          )
          .as('counted'),
      )
      .select((row) => ['standing', row.fn.countAll<number | string>().as('count')])
      .groupBy('standing')
      .execute(),
    sql
      .selectFrom('sessions')
      .select((row) => row.fn.countAll<number | string>().as('count'))
      .where('ended_at', 'is', null)
      .where('expires_at', '>', now)
      .where('last_seen_at', '>', now - idleSeconds)
      .executeTakeFirst(),
    sql
      .selectFrom((from) => from.selectFrom('links').select(linkStateAt(now).as('standing')).as('counted'))
      .select((row) => ['standing', row.fn.countAll<number | string>().as('count')])
      .groupBy('standing')
      .execute(),
  ]);
  return {
    accounts: toMap(accounts),
    sessions: Number(sessions?.count ?? 0),
    links: toMap(links),
    shares: await countShares(sql),
  };
}

/** One statement a state, by the index that is for nothing else: at a million shares each takes a few milliseconds, and others run in between. */
async function countShares(sql: Sql): Promise<ReadonlyMap<ShareState, number>> {
  const counts = new Map<ShareState, number>();
  for (const state of shareStates) {
    const row = await sql
      .selectFrom('shares')
      .select(({ fn }) => fn.countAll<number | string>().as('count'))
      .where(raw<boolean>`state || '' = ${state}`)
      .executeTakeFirst();
    counts.set(state, Number(row?.count ?? 0));
  }
  return counts;
}

/** As `linkState` in core/model/link.ts judges one link; a test holds both side by side. */
function linkStateAt(now: EpochSeconds) {
  return raw<LinkState>`case
    when revoked_at is not null then 'revoked'
    when access_until_at <= ${now} then 'access-over'
    when claim_until_at <= ${now} then 'past-window'
    when claims_used >= claims_allowed then 'full'
    when claim_from_at > ${now} then 'early'
    else 'open' end`;
}

function toMap<S extends string>(rows: readonly { standing: S; count: number | string }[]): Map<S, number> {
  return new Map(rows.map(({ standing, count }) => [standing, Number(count)]));
}
