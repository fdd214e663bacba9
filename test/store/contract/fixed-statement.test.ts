// Statements whose text is written once: other values give other answers, a list of another length gets a text of its own, and a
// unit that has ended refuses these statements like any other.

import { expect, test } from 'vitest';
import { fixedStatement, type Places } from '../../../gateway/store/port/fixed-statement.ts';
import type { Unit } from '../../../gateway/store/port/store.ts';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

interface Question {
  readonly names: readonly string[];
  readonly values: readonly string[];
  readonly least: string;
}

let written = 0;
const findMarks = fixedStatement((sql, at: Places<Question>) => {
  written += 1;
  return sql
    .selectFrom('store_marks')
    .select('name')
    .where('name', 'in', at.list('names'))
    .where('value', 'in', at.list('values'))
    .where('name', '>=', at.value('least'))
    .where('name', '<>', 'never')
    .orderBy('name');
});

const insertMark = fixedStatement((sql, at: Places<{ readonly name: string; readonly value: string }>) =>
  sql.insertInto('store_marks').values({ name: at.value('name'), value: at.value('value') }),
);

describeEngines('a statement that is written once', (engine) => {
  test('runs with other values, and is written again for lists of other lengths', async () => {
    const { store } = await openEmpty(engine);
    const quoted = `'); drop table store_marks; --`;
    await store.write(async ({ sql }) => {
      for (const [name, value] of [
        ['a', 'one'],
        ['b', 'two'],
        [quoted, 'one'],
        ['never', 'one'],
      ] as const) {
        expect((await insertMark(sql, { name, value })).numAffectedRows).toBe(1n);
      }
    });
    const ask = async (names: readonly string[], values: readonly string[], least = ''): Promise<string[]> =>
      (await findMarks(store.sql, { names, values, least })).rows.map(({ name }) => name);
    written = 0;
    expect(await ask(['a', 'b'], ['one'])).toEqual(['a']);
    expect(await ask(['a', 'b'], ['two'])).toEqual(['b']);
    expect(await ask(['a', 'never'], ['one'])).toEqual(['a']);
    expect(await ask(['a', 'b'], ['one'], 'b')).toEqual([]);
    expect(written).toBe(1);
    // three marks in all, as before, but in other lists
    expect(await ask(['b'], ['one', 'two'])).toEqual(['b']);
    expect(await ask([quoted], ['one'])).toEqual([quoted]);
    expect(written).toBe(3);
  });

  test('is refused by a unit that has ended, and does nothing', async () => {
    const { store } = await openEmpty(engine);
    let ended: Unit['sql'] | null = null;
    await store.write(async ({ sql }) => {
      ended = sql;
    });
    const late = store.write(async () => {
      if (ended !== null) await insertMark(ended, { name: 'late', value: '' });
    });
    await expect(late).rejects.toThrow('used after its end');
    expect(await store.sql.selectFrom('store_marks').selectAll().where('name', '=', 'late').execute()).toEqual([]);
  });
});
