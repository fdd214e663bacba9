// What a restore does with shared keys. An accepted share is a grant, like a membership, and stays. Offers that nobody accepted end, and so do
// uses that may have been spent since the backup. A backup does not know what was ended after it was made: where the store that it replaces
// is there, that store does, and the restore says which ends were lost.

import type { Transaction } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Tables } from '../port/tables.ts';

/** Ids of what had ended or was stopped in a store; for everything that holds again, its end is lost. */
export interface EndedKeys {
  readonly credentials: readonly string[];
  readonly keys: readonly string[];
  readonly shares: readonly string[];
}

/** What had ended in the store that is about to be replaced. Only shares that were accepted once: others grant nothing. */
export async function readEndedKeys(transaction: Transaction<Tables>): Promise<EndedKeys> {
  const credentials = await transaction
    .selectFrom('credentials')
    .select('id')
    .where('withdrawn_at', 'is not', null)
    .execute();
  const keys = await transaction
    .selectFrom('credential_keys')
    .select('id')
    .where('removed_at', 'is not', null)
    .execute();
  const shares = await transaction
    .selectFrom('shares')
    .select('id')
    .where('accepted_at', 'is not', null)
    .where('state', '<>', 'accepted')
    .execute();
  return { credentials: idsOf(credentials), keys: idsOf(keys), shares: idsOf(shares) };
}

/** Which of them are in force in the restored rows. */
export async function findBackInForce(transaction: Transaction<Tables>, ended: EndedKeys): Promise<EndedKeys> {
  return {
    credentials: await among(ended.credentials, async (ids) =>
      idsOf(
        await transaction
          .selectFrom('credentials')
          .select('id')
          .where('id', 'in', [...ids])
          .where('withdrawn_at', 'is', null)
          .execute(),
      ),
    ),
    keys: await among(ended.keys, async (ids) =>
      idsOf(
        await transaction
          .selectFrom('credential_keys')
          .select('id')
          .where('id', 'in', [...ids])
          .where('removed_at', 'is', null)
          .execute(),
      ),
    ),
    shares: await among(ended.shares, async (ids) =>
      idsOf(
        await transaction
          .selectFrom('shares')
          .select('id')
          .where('id', 'in', [...ids])
          .where('state', '=', 'accepted')
          .execute(),
      ),
    ),
  };
}

/** What became of the shares of a backup. */
export interface SharesRestored {
  /** Pending ones that were withdrawn. */
  readonly shares: number;
  /** Shares with a number of uses that have none left, since uses may have been spent after the backup. */
  readonly narrowed_shares: number;
}

/** Withdraws pending shares, and leaves no uses. */
export async function endOffers(transaction: Transaction<Tables>, now: EpochSeconds): Promise<SharesRestored> {
  const pending = await transaction
    .updateTable('shares')
    .set({ state: 'withdrawn', ended_at: now, ended_by: 'system', secret_sealed: null })
    .where('state', '=', 'pending')
    .executeTakeFirst();
  const narrowed = await transaction
    .updateTable('shares')
    .set({ uses_left: 0 })
    .where('state', 'in', ['accepted', 'disabled'])
    .where('uses_left', '>', 0)
    .executeTakeFirst();
  return { shares: Number(pending.numUpdatedRows), narrowed_shares: Number(narrowed.numUpdatedRows) };
}

/** How many accepted shares there are. */
export async function countAccepted(transaction: Transaction<Tables>): Promise<number> {
  const row = await transaction
    .selectFrom('shares')
    .select(({ fn }) => fn.countAll<number | string>().as('shares'))
    .where('state', '=', 'accepted')
    .executeTakeFirst();
  return Number(row?.shares ?? 0);
}

const idsOf = (rows: readonly { readonly id: string }[]): string[] => rows.map(({ id }) => id);

const pageIds = 500;

async function among(
  ids: readonly string[],
  find: (page: readonly string[]) => Promise<readonly string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (let from = 0; from < ids.length; from += pageIds) found.push(...(await find(ids.slice(from, from + pageIds))));
  return found;
}
