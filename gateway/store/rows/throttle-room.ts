// Keeps the table of throttles below a ceiling, whoever fills it and with whatever: its rows are made by people who are not
// signed in. What goes first is what says least: rows that block nothing, those with the fewest tries, then the oldest. So a
// flood of new names takes the place of its own rows, and forgets neither a block nor a count that somebody's guesses earned, nor
// a known place. Mailboxes that got their mails of the hour go as if they blocked nothing: five requests fill one, and the mails
// of all have their own bound. When nothing can go, there is no room: the caller then treats the try as blocked.

import { sql as raw } from 'kysely';
import type { Unit } from '../port/store.ts';

/** Rows of the table at most, beside the few that are written between two looks at it. */
const maxThrottles = 100_000;
/** The table is counted once in so many new rows: a count walks an index of all of them. */
const rowsBetweenLooks = 1000;

/** New rows since this process last counted the table. One number for all stores of a process: it only says when to look. */
let newRows = 0;

/** To be asked before new rows are written. @returns whether there is room for them */
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
  // A tenth more than has to go, so that the next look is not the next write.
  const evicted = await evictThrottles(unit, beyond + Math.ceil(ceiling / 10));
  if (evicted < beyond) return false;
  newRows = 0;
  return true;
}

/** Kinds whose blocks may go. Otherwise strangers could fill the table for an hour, and nobody would find room to sign in. */
const requestKinds = ['mail-recipient', 'request-address'];

/** @returns how many rows went */
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
