// Tables are made once, whichever node starts first, and a store that is newer than the program is left alone.

import { statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { knownMigration } from '../../../gateway/store/engine/migrations.ts';
import { openEngine, openStore } from '../../../gateway/store/engine/open-store.ts';
import { withoutFirstHour, withoutSharedKeys } from '../../support/store/earlier-tables.ts';
import { describeEngines, makeClock, makeDatabase, openEmpty, openNode, silent } from '../../support/store/stores.ts';

const options = { clock: makeClock(), logger: silent };

describeEngines('migrations', (engine) => {
  test('several nodes that start at once make the tables once', async () => {
    const settings = await makeDatabase(engine);
    // SQLite's file belongs to one process, in which migrations cannot wait for each other: there the nodes start one after the
    // other.
    const stores =
      engine === 'postgres'
        ? await Promise.all(Array.from({ length: 4 }, () => openNode(settings)))
        : [await openNode(settings), await openNode(settings)];
    const positions = await Promise.all(stores.map((store) => store.readPosition()));
    expect(new Set(positions.map(({ epoch }) => epoch)).size).toBe(1);
  });

  test('a store that is newer than the program is refused and not changed', async () => {
    const { store, settings } = await openEmpty(engine);
    await store.write((unit) => sql`insert into schema_migrations (number) values (99)`.execute(unit.sql));
    await store.close();
    expect(await openStore({ settings, ...options })).toEqual({
      kind: 'refused',
      problem: `the store has migration 99, and this program knows only ${knownMigration}`,
      hint: expect.stringContaining('newer latchkey'),
      away: false,
    });
  });

  test('a command that only reads refuses to make tables', async () => {
    const settings = await makeDatabase(engine);
    expect(await openStore({ settings, ...options, migrations: 'check' })).toMatchObject({
      kind: 'refused',
      problem: `the store has migration 0, and this program needs ${knownMigration}`,
    });
    await openNode(settings);
    await openNode(settings, { migrations: 'check' });
  });

  test('a store of an earlier version is brought up to date in place, but not by a command that only reads', async () => {
    const { store, settings } = await openEmpty(engine);
    const { epoch } = await store.readPosition();
    // as the first version made the tables
    for (const statement of [
      'delete from schema_migrations where number > 1',
      'drop table log_marks',
      'drop index links_created',
      'drop index links_collection',
      'create index links_collection on links (collection, created_at)',
    ]) {
      await store.write((unit) => sql.raw(statement).execute(unit.sql));
    }
    await store.close();
    const bare = await openEngine(settings, options);
    if ('away' in bare) throw new Error(bare.problem);
    for (const column of ['log_time', 'newest_at', 'hour_ahead', 'ahead', 'marked_at', 'lowest_clock']) {
      await sql.raw(`alter table log_position drop column ${column}`).execute(bare.writer);
    }
    for (const statement of [...withoutSharedKeys, ...withoutFirstHour]) await sql.raw(statement).execute(bare.writer);
    await bare.close();
    expect(await openStore({ settings, ...options, migrations: 'check' })).toMatchObject({
      kind: 'refused',
      problem: `the store has migration 1, and this program needs ${knownMigration}`,
    });
    expect((await (await openNode(settings)).readPosition()).epoch).toBe(epoch);
    await openNode(settings, { migrations: 'check' });
  });

  test('every table that the program names exists', async () => {
    const { store } = await openEmpty(engine);
    const tables = await store.sql.introspection.getTables();
    expect(tables.map(({ name }) => name).filter((name) => !name.startsWith('sqlite_'))).toEqual(
      expect.arrayContaining(['log_position', 'changes', 'store_marks', 'keys', 'accounts', 'sessions', 'devices']),
    );
    for (const { name, columns } of tables) {
      const types = columns.map(({ dataType }) => dataType.toLowerCase());
      expect([name, types.every((type) => ['text', 'integer', 'int8', ''].includes(type))]).toEqual([name, true]);
    }
  });
});

describeEngines('what cannot be a store', (engine) => {
  test('is refused with a hint that does not hold the password', async () => {
    if (engine === 'sqlite') {
      const settings = await makeDatabase('sqlite');
      const file = settings.kind === 'sqlite' ? settings.file : '';
      writeFileSync(
        file,
        'something else, long enough to be looked at as a database file of some other kind'.repeat(20),
      );
      expect(await openStore({ settings, ...options })).toMatchObject({ kind: 'refused', away: false });
      const foreign = `${file}.foreign`;
      new DatabaseSync(foreign).exec('create table theirs (a)');
      expect(await openStore({ settings: { kind: 'sqlite', file: foreign }, ...options })).toMatchObject({
        kind: 'refused',
        problem: expect.stringContaining('another program'),
      });
      const nowhere = await openStore({ settings: { kind: 'sqlite', file: '/nowhere/a.db' }, ...options });
      expect(nowhere).toMatchObject({ kind: 'refused', problem: expect.stringContaining('ENOENT') });
      return;
    }
    const settings = await makeDatabase('postgres');
    const url = settings.kind === 'postgres' ? settings.url : '';
    const wrong = [
      [url.replace('not%20a%20secret', 'hunter2'), false],
      [`${url}x`, false],
      ['postgres://u:hunter2@127.0.0.1:1/d', true],
      ['postgres://u:hunter2@host:99999999/d', false],
    ] as const;
    for (const [wrongUrl, away] of wrong) {
      const refused = await openStore({ settings: { kind: 'postgres', url: wrongUrl }, ...options });
      expect(refused).toMatchObject({ kind: 'refused', hint: expect.any(String) });
      expect(JSON.stringify(refused)).not.toMatch(/hunter2|not%20a/);
      if (wrongUrl !== 'postgres://u:hunter2@host:99999999/d') expect(refused).toMatchObject({ away });
    }
  });
});

test('no other account can read the file or the files that SQLite keeps beside it', async () => {
  const { store, settings } = await openEmpty('sqlite');
  await store.write(async () => {});
  const file = settings.kind === 'sqlite' ? settings.file : '';
  for (const name of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(name).mode & 0o777).toBe(0o600);
});
