// Other programs at the SQLite file while it is in use. While a program holds the file's lock, writes wait for it and nothing else
// does. When the file was moved away, no unit is called done that would be gone after the next start.

import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { makeDatabase, openNode } from '../../support/store/stores.ts';

async function openFile() {
  const settings = await makeDatabase('sqlite');
  if (settings.kind !== 'sqlite') throw new Error('not a file');
  const store = await openNode(settings);
  await store.write((unit) => unit.append({ kind: 'revoke', node: 'li_before' }));
  return { store, settings };
}

async function openLocked(begin: string) {
  const { store, settings } = await openFile();
  const other = new DatabaseSync(settings.file);
  onTestFinished(() => other.close());
  other.exec(begin);
  return { store, other };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('while another program holds the write lock, reads and the rest of the process go on, and writes wait', async () => {
  const { store, other } = await openLocked('begin immediate');
  let isWritten = false;
  const written = store
    .write((unit) => unit.append({ kind: 'revoke', node: 'li_after' }))
    .then((result) => {
      isWritten = true;
      return result;
    });
  for (let at = 0; at < 20; at++) await turn();
  expect((await store.readRevocations()).revocations.map(({ node }) => node)).toEqual(['li_before']);
  expect(isWritten).toBe(false);
  other.exec('rollback');
  expect((await written).changes).toBe(1);
  expect(store.health.cause).toBeNull();
});

test('a lock that is held for too long is named as the cause, and writes succeed once it is released', async () => {
  const { store, other } = await openLocked('begin immediate');
  const refused = await store.write(async () => undefined).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StoreAway);
  expect(refused).toMatchObject({ failure: { cause: 'locked' } });
  expect(store.health.cause).toBe('locked');
  other.exec('rollback');
  await store.write((unit) => unit.append({ kind: 'revoke', node: 'li_after' }));
  expect(store.health.cause).toBeNull();
});

test.each([
  ['nothing', (_file: string) => undefined],
  ['another file', (file: string) => copyFileSync(`${file}.away`, file)],
])('units are refused while the file is moved away and %s is in its place', async (_, leave) => {
  const { store, settings } = await openFile();
  const { file } = settings;
  renameSync(file, `${file}.away`);
  leave(file);
  const refused = await store
    .write((unit) => unit.append({ kind: 'revoke', node: 'li_lost' }))
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(StoreAway);
  expect(refused).toMatchObject({ failure: { cause: 'missing', hint: expect.stringContaining('data_dir') } });
  expect(store.health.cause).toBe('missing');
  rmSync(file, { force: true });
  renameSync(`${file}.away`, file);
  await store.write((unit) => unit.append({ kind: 'revoke', node: 'li_after' }));
  expect(store.health.cause).toBeNull();
  expect((await store.readRevocations()).revocations.map(({ node }) => node)).toEqual(['li_before', 'li_after']);
});
