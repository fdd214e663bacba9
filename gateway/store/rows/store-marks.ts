// Single facts about the store itself, each a name and a text: the proof of the master key (files/open-sealer.ts), the collections
// that the configuration named last (control/links/note-collections.ts). Those files know the meaning of their texts.

import type { Sql } from '../port/store.ts';

/** The text of a mark; null when it was never written. */
export async function readMark(sql: Sql, name: string): Promise<string | null> {
  const row = await sql.selectFrom('store_marks').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value ?? null;
}

/** Writes a mark; an earlier text of it is replaced. */
export async function writeMark(sql: Sql, name: string, value: string): Promise<void> {
  await sql
    .insertInto('store_marks')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Writes a mark unless it has a text already. @returns the text that it has now */
export async function writeMarkOnce(sql: Sql, name: string, value: string): Promise<string> {
  await sql
    .insertInto('store_marks')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await sql.selectFrom('store_marks').select('value').where('name', '=', name).executeTakeFirstOrThrow();
  return row.value;
}
