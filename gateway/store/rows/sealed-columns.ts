// The columns that hold sealed texts, for two tasks that need all of them: checking a store, and deciding whether a master key
// may be made. A new column that ends in `_sealed` is listed here. Opens no sealed text.

import { sql as raw } from 'kysely';
import type { Sql } from '../port/store.ts';

/** Every column that holds sealed texts, with the table that it is in. */
export const sealedColumns = [
  { table: 'keys', column: 'secret_sealed' },
  { table: 'links', column: 'secret_sealed' },
  { table: 'outbox', column: 'body_sealed' },
  { table: 'one_time_codes', column: 'carried_sealed' },
  { table: 'shares', column: 'secret_sealed' },
] as const;

/** The columns that name a row of these tables, and that its sealed texts are bound to. */
const keyColumns = { keys: 'id', links: 'id', outbox: 'id', one_time_codes: 'selector', shares: 'id' } as const;

/** How many sealed texts the store holds, over all columns. */
export async function countSealed(sql: Sql): Promise<number> {
  let count = 0;
  for (const { table, column } of sealedColumns) {
    const row = await sql
      .selectFrom(table)
      .select((builder) => builder.fn.countAll<number>().as('count'))
      .where(column, 'is not', null)
      .executeTakeFirst();
    count += row?.count ?? 0;
  }
  return count;
}

/** A page of one column's sealed texts, in the order of ids. @param after  last id of the page before; empty for the first page */
export async function listSealed(
  sql: Sql,
  { table, column }: (typeof sealedColumns)[number],
  after: string,
  limit: number,
): Promise<readonly { readonly id: string; readonly sealed: string }[]> {
  const key = raw.ref(keyColumns[table]);
  const { rows } = await raw<{ id: string; sealed: string }>`select ${key} as id, ${raw.ref(column)} as sealed
    from ${raw.table(table)} where ${key} > ${after} and ${raw.ref(column)} is not null
    order by ${key} limit ${limit}`.execute(sql);
  return rows;
}
