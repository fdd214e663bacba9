// Keeps the table of throttles below a ceiling, since strangers who are not signed in make its rows. Rows that say least are
// evicted first: rows that block nothing, of these the rows with the fewest tries, of these the oldest. So a flood of new names
// evicts its own rows, and no block, no count of many guesses and no known source is lost. Blocked mailboxes may be evicted all
// the same: five requests block a mailbox, and mails have a bound of their own. When no row can be evicted, the caller treats the
// try as blocked.

import { sql as raw } from 'kysely';
import type { Unit } from '../port/store.ts';

/** Most rows of the table; a few more may be written between two counts. */
const maxThrottles = 100_000;
/** The table is counted once for so many new rows, since a count walks an index of all rows. */
const rowsBetweenLooks = 1000;

/** New rows since this process last counted the table. One number serves all stores of the process: it only says when to count. */
let newRows = 0;

/** Makes room for new rows; called before they are written. @returns whether there is room */
export async function makeThrottleRoom(unit: Unit, added: number, ceiling = maxThrottles): Promise<boolean> {
  newRows += added;
  if (newRows < Math.min(rowsBetweenLooks, ceiling / 10)) return true;
  const { rows } = await raw<{ rows: number | string }>`select count(*) as rows from throttles`
    .execute(unit.sql)
    .then((result) => result.rows[0] ?? { rows: 0 });
  const beyond = Number(rows) + added - ceiling;
  if (beyond <= 0) {
    newRows = 0;
    return true;
  }
  // A tenth more than needed is evicted, so that the next write does not have to evict again.
  const evicted = await evictThrottles(unit, beyond + Math.ceil(ceiling / 10));
  if (evicted < beyond) return false;
  newRows = 0;
  return true;
}

/**
 * Kinds whose blocks may be evicted. Otherwise strangers could fill the table with them for an hour, and no sign-in would find
 * room.
 */
const requestKinds = ['mail-recipient', 'request-address'];

/** @returns how many rows were evicted */
async function evictThrottles(unit: Unit, count: number): Promise<number> {
  const result = await unit.sql
    .deleteFrom('throttles')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('kind', 'key_digest'),
        'in',
        selectFrom('throttles')
          .select(['kind', 'key_digest'])
          .where((on) => on.or([on('blocked_until_at', '<=', unit.logTime), on('kind', 'in', requestKinds)]))
          .orderBy('failures')
          .orderBy('last_at')
          .limit(count)
          .$asTuple('kind', 'key_digest'),
      ),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
