// The promises of a unit of work, on both engines: all or nothing, no other unit beside it, in the log's order, durable once it
// resolves.

import { expect, test } from 'vitest';
import { StoreAway, type Unit } from '../../../gateway/store/port/store.ts';
import { describeEngines, openEmpty, openNode } from '../../support/store/stores.ts';

const touch = (node: string) => (unit: Unit) => unit.append({ kind: 'touch', node });

describeEngines('units of work', (engine) => {
  test('rows of a unit are there for every reader, and after the store was opened again', async () => {
    const { store, settings } = await openEmpty(engine);
    const written = await store.write(async (unit) => {
      await unit.sql.insertInto('store_marks').values({ name: 'a', value: 'ä✓ \u{1F511}' }).execute();
      return unit.append({ kind: 'revoke', node: 'ac_1' });
    });
    expect(written).toEqual({ value: 1, changes: 1, position: { epoch: written.position.epoch, seq: 1 } });
    expect(await store.sql.selectFrom('store_marks').selectAll().execute()).toEqual([
      { name: 'a', value: 'ä✓ \u{1F511}' },
    ]);
    await store.close();
    const again = await openNode(settings);
    expect(await again.readPosition()).toEqual(written.position);
    expect(await again.sql.selectFrom('store_marks').select('value').execute()).toEqual([{ value: 'ä✓ \u{1F511}' }]);
  });

  test('a unit that throws is undone with its rows and changes, no other unit is, and its caller gets the error', async () => {
    const { store } = await openEmpty(engine);
    const results = await Promise.allSettled(
      Array.from({ length: 9 }, (_, at) =>
        store.write(async (unit) => {
          await unit.sql
            .insertInto('store_marks')
            .values({ name: `m${at}`, value: '' })
            .execute();
          await unit.append({ kind: 'touch', node: `n${at}` });
          if (at % 3 === 1) throw new Error(`no ${at}`);
          return at;
        }),
      ),
    );
    expect(
      results.map((result) => (result.status === 'fulfilled' ? result.value.value : result.reason.message)),
    ).toEqual([0, 'no 1', 2, 3, 'no 4', 5, 6, 'no 7', 8]);
    const marks = await store.sql.selectFrom('store_marks').select('name').orderBy('name').execute();
    expect(marks.map(({ name }) => name)).toEqual(['m0', 'm2', 'm3', 'm5', 'm6', 'm8']);
    const { epoch } = await store.readPosition();
    const read = await store.readChanges({ epoch, seq: 0 });
    expect(read).toMatchObject({ kind: 'changes', position: { seq: 6 } });
    expect(read.kind === 'changes' && read.changes.map(({ seq, node }) => `${seq} ${node}`)).toEqual([
      '1 n0',
      '2 n2',
      '3 n3',
      '4 n5',
      '5 n6',
      '6 n8',
    ]);
  });

  test('a statement that failed undoes its unit and no other unit', async () => {
    const { store } = await openEmpty(engine);
    const mark = (name: string) =>
      store.write((unit) => unit.sql.insertInto('store_marks').values({ name, value: '' }).execute());
    const results = await Promise.allSettled([mark('a'), mark('a'), mark('b')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const [, second] = results;
    expect(second?.status === 'rejected' && second.reason).not.toBeInstanceOf(StoreAway);
  });

  test('a unit that goes on after one of its statements failed is undone, and no other unit is', async () => {
    const { store } = await openEmpty(engine);
    const mark = (unit: Unit, name: string) => unit.sql.insertInto('store_marks').values({ name, value: '' }).execute();
    const results = await Promise.allSettled([
      store.write((unit) => mark(unit, 'a')),
      store.write(async (unit) => {
        await mark(unit, 'b');
        await mark(unit, 'a').catch(() => {});
        await mark(unit, 'c').catch(() => {});
      }),
      store.write((unit) => mark(unit, 'd')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    const marks = await store.sql.selectFrom('store_marks').select('name').orderBy('name').execute();
    expect(marks.map(({ name }) => name)).toEqual(['a', 'd']);
  });

  test('a unit sees the units before it in the same batch, and readers do not see the batch yet', async () => {
    // one batch, even when the machine pauses between the two units
    const { store } = await openEmpty(engine, { limits: { maxBatchMs: 60_000 } });
    let seenOutside: unknown;
    await Promise.all([
      store.write((unit) => unit.sql.insertInto('store_marks').values({ name: 'a', value: '1' }).execute()),
      store.write(async (unit) => {
        seenOutside = await store.sql.selectFrom('store_marks').selectAll().execute();
        expect(await unit.sql.selectFrom('store_marks').select('value').execute()).toEqual([{ value: '1' }]);
      }),
    ]);
    expect(seenOutside).toEqual([]);
  });

  test('the place that a unit returns is its own, so a later revocation in the same batch lies behind it', async () => {
    const { store } = await openEmpty(engine);
    const written = await Promise.all([store.write(async () => 0), store.write(touch('a')), store.write(touch('b'))]);
    expect(written.map(({ position, changes }) => [position.seq, changes])).toEqual([
      [0, 0],
      [1, 1],
      [2, 1],
    ]);
  });

  test('a unit that hangs is undone at its deadline, and the other units of its batch are kept', async () => {
    const { store } = await openEmpty(engine, { limits: { unitDeadlineMs: 100 } });
    for (let isKept = false; !isKept; ) {
      const [hung, other] = await Promise.allSettled([
        store.write(async (unit) => {
          await unit.append({ kind: 'touch', node: 'hung' });
          await new Promise(() => {});
        }),
        store.write(touch('other')),
      ]);
      expect(hung.status === 'rejected' && hung.reason).toBeInstanceOf(StoreAway);
      // on a machine that pauses, this unit can be late as well
      isKept = other.status === 'fulfilled';
    }
    const { epoch } = await store.readPosition();
    const read = await store.readChanges({ epoch, seq: 0 });
    expect(read.kind === 'changes' && read.changes.map(({ node }) => node)).toEqual(['other']);
  });

  test('a unit cannot be used after its end', async () => {
    const { store } = await openEmpty(engine);
    let kept: Unit | undefined;
    await store.write(async (unit) => {
      kept = unit;
    });
    await expect(kept?.append({ kind: 'touch', node: 'late' })).rejects.toThrow('after its end');
    await expect(kept?.sql.deleteFrom('changes').execute()).rejects.toThrow('after its end');
  });

  test('reads cannot write', async () => {
    const { store } = await openEmpty(engine);
    await expect(store.sql.insertInto('store_marks').values({ name: 'a', value: '' }).execute()).rejects.toThrow();
    expect(await store.sql.selectFrom('store_marks').selectAll().execute()).toEqual([]);
  });

  test('units beyond the length of the queue are refused at once, and the queue goes on', async () => {
    const { store } = await openEmpty(engine, { limits: { maxQueuedUnits: 4 } });
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => store.write(touch(`n${at}`))));
    const refused = results.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBe(6);
    expect((await store.write(touch('later'))).position.seq).toBe(5);
  });

  test('a closed store refuses units with StoreAway', async () => {
    const { store } = await openEmpty(engine);
    await store.write(touch('last'));
    const waiting = expect(store.write(touch('waiting'))).rejects.toBeInstanceOf(StoreAway);
    await store.close();
    await waiting;
    await expect(store.write(touch('more'))).rejects.toBeInstanceOf(StoreAway);
  });

  test('texts sort and compare by their bytes', async () => {
    const { store } = await openEmpty(engine);
    const names = ['b', 'A', 'a', 'B', 'ä', 'Z', '_', 'é', 'z', '~', 'aa', 'a b', 'a-b', '\u{1F511}', '￿'];
    await store.write(async (unit) => {
      for (const name of names) await unit.sql.insertInto('store_marks').values({ name, value: '' }).execute();
    });
    const rows = await store.sql.selectFrom('store_marks').select('name').orderBy('name').execute();
    const byBytes = [...names].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    expect(rows.map(({ name }) => name)).toEqual(byBytes);
    const found = await store.sql.selectFrom('store_marks').select('name').where('name', '=', 'É').execute();
    expect(found).toEqual([]);
  });

  test('whole numbers up to 2^53, counts, sums and truth values come back as numbers', async () => {
    const { store } = await openEmpty(engine);
    await store.write(async (unit) => {
      for (const seq of [1, Number.MAX_SAFE_INTEGER]) {
        await unit.sql.insertInto('changes').values({ epoch: 'e', seq, kind: 'touch', node: 'n', at: 5 }).execute();
      }
    });
    const row = await store.sql
      .selectFrom('changes')
      .select((column) => [
        column.fn.countAll().as('count'),
        column.fn.max('seq').as('max'),
        column.fn.sum('at').as('sum'),
        column.exists(column.selectFrom('changes').select('seq').where('seq', '=', 2)).as('two'),
      ])
      .executeTakeFirst();
    expect(row).toEqual({ count: 2, max: Number.MAX_SAFE_INTEGER, sum: 10, two: 0 });
    const inserting = (at: number | string) =>
      store.write((unit) =>
        unit.sql
          .insertInto('changes')
          .values({ epoch: 'e', seq: 3, kind: 'touch', node: 'n', at: at as number })
          .execute(),
      );
    await expect(inserting(1.5)).rejects.toThrow();
    await expect(inserting('many')).rejects.toThrow();
  });

  test('a text with NUL is refused', async () => {
    const { store } = await openEmpty(engine);
    await expect(
      store.write((unit) => unit.sql.insertInto('store_marks').values({ name: 'a\0b', value: '' }).execute()),
    ).rejects.toThrow();
  });

  test('an update says how many rows it changed', async () => {
    const { store } = await openEmpty(engine);
    const { value } = await store.write(async (unit) => {
      await unit.sql
        .insertInto('store_marks')
        .values([
          { name: 'a', value: '' },
          { name: 'b', value: '' },
        ])
        .execute();
      const two = await unit.sql.updateTable('store_marks').set({ value: '1' }).executeTakeFirst();
      const none = await unit.sql
        .updateTable('store_marks')
        .set({ value: '1' })
        .where('name', '=', 'c')
        .executeTakeFirst();
      const ignored = await unit.sql
        .insertInto('store_marks')
        .values({ name: 'a', value: '' })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      return [two.numUpdatedRows, none.numUpdatedRows, ignored.numInsertedOrUpdatedRows];
    });
    expect(value).toEqual([2n, 0n, 0n]);
  });
});
