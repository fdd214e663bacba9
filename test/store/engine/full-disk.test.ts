// A disk that is really full, and a disk that may only be read: the words of the failure, that no acknowledged unit is lost, and
// that writing goes on by itself when there is room again. The disk is a small file system of the test's own; without root the
// tests skip.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { openDecisionFiles } from '../../../gateway/control/explain/decision-files.ts';
import { replaceFile } from '../../../gateway/store/disk/atomic-file.ts';
import { openStore } from '../../../gateway/store/engine/open-store.ts';
import { backupStore } from '../../../gateway/store/files/backup.ts';
import { readBackupLines } from '../../../gateway/store/files/backup-file.ts';
import { checkStore } from '../../../gateway/store/files/check-store.ts';
import { type Store, StoreAway } from '../../../gateway/store/port/store.ts';
import { makeMasterKey } from '../../../gateway/store/seal/master-key.ts';
import { LogFile } from '../../../gateway/telemetry/log-file.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { mountSmallDisk, type SmallDisk } from '../../support/store/small-disk.ts';
import { makeClock, makeDatabase, openNode, silent } from '../../support/store/stores.ts';

function smallDisk(context: TestContext, kib = 4096): SmallDisk {
  const disk = mountSmallDisk(kib);
  if (typeof disk === 'string') return context.skip(disk);
  return disk;
}

async function failureOf(work: Promise<unknown>): Promise<StoreAway> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StoreAway)) throw new Error(`it was not refused as the store's failure: ${String(error)}`);
  return error;
}

const revoke = (store: Store, node: string) => store.write((unit) => unit.append({ kind: 'revoke', node }));

test('a full disk is named as the cause, no acknowledged unit is lost, and writing goes on when there is room', async (context) => {
  const disk = smallDisk(context);
  const { logger, said } = memoryLogger();
  const clock = makeClock();
  const store = await openNode({ kind: 'sqlite', file: join(disk.path, 'latchkey.db') }, { clock, logger });
  const kept: string[] = [];
  const before = await store.readPosition();
  let failure: StoreAway | null = null;
  disk.fill();
  for (let at = 0; failure === null && at < 5000; at++) {
    const node = `li_${at}_${'x'.repeat(200)}`;
    await revoke(store, node).then(
      () => kept.push(node),
      (error: unknown) => {
        failure = error instanceof StoreAway ? error : null;
        if (failure === null) throw error;
      },
    );
  }
  const refused = await failureOf(revoke(store, 'li_refused'));
  expect(refused.message).toMatch(/^the store cannot be used: the disk is full/);
  expect(refused.failure).toMatchObject({ cause: 'disk-full', hint: expect.stringContaining('make room') });
  expect([store.health.cause, store.health.failingMs > 0]).toEqual(['disk-full', true]);
  expect(store.health.failures.get('disk-full')).toBeGreaterThanOrEqual(2);
  // reads still work
  const read = await store.readChanges(before);
  expect(read.kind === 'changes' && read.changes.map(({ node }) => node)).toEqual(kept.slice(0, 1000));
  expect(said().match(/the store cannot be written/g)).toHaveLength(1);
  expect(said()).toContain('the disk is full');

  disk.free();
  await revoke(store, 'li_after');
  expect(store.health.cause).toBeNull();
  expect(said()).toContain('the store can be written again');
  expect((await store.readRevocations()).revocations.map(({ node }) => node)).toEqual([...kept, 'li_after']);
  expect(await checkStore(store, null)).toEqual([]);
  await store.close();
});

test('when a unit fills the disk, no other unit of its batch is called done without being durable', async (context) => {
  const disk = smallDisk(context);
  const store = await openNode({ kind: 'sqlite', file: join(disk.path, 'latchkey.db') });
  await revoke(store, 'li_first');
  disk.fill();
  const big = (name: string) =>
    store.write(async (unit) => {
      for (let at = 0; at < 40; at++) {
        await unit.sql
          .insertInto('store_marks')
          .values({ name: `${name}-${at}`, value: 'x'.repeat(100_000) })
          .execute();
      }
    });
  const outcomes = await Promise.allSettled([revoke(store, 'li_a'), big('big'), revoke(store, 'li_b')]);
  disk.free();
  const nodes = (await store.readRevocations()).revocations.map(({ node }) => node);
  for (const [at, node] of [
    [0, 'li_a'],
    [2, 'li_b'],
  ] as const) {
    expect([node, nodes.includes(node)]).toEqual([node, outcomes[at]?.status === 'fulfilled']);
  }
  expect(outcomes[1]?.status).toBe('rejected');
  expect(await store.sql.selectFrom('store_marks').selectAll().execute()).toEqual([]);
  await revoke(store, 'li_c');
  expect(await checkStore(store, null)).toEqual([]);
  await store.close();
});

test('a store cannot be made on a full disk or a read-only one, and the refusal says which it is', async (context) => {
  const disk = smallDisk(context);
  const open = (file: string) => openStore({ settings: { kind: 'sqlite', file }, clock: makeClock(), logger: silent });
  disk.fill();
  const full = await open(join(disk.path, 'latchkey.db'));
  expect(full).toMatchObject({ kind: 'refused', problem: expect.stringContaining('the disk is full') });
  disk.free();
  disk.protect();
  const protectedDisk = await open(join(disk.path, 'other.db'));
  expect(protectedDisk).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('it can only be read (EROFS)'),
  });
});

test('a backup without room leaves no partial file, and the former backup stays whole', async (context) => {
  const disk = smallDisk(context, 1024);
  const store = await openNode(await makeDatabase('sqlite'));
  const file = join(disk.path, 'backup.jsonl');
  expect((await backupStore({ store, file, clock: makeClock() })).kind).toBe('written');
  for (let at = 0; at < 400; at++) await revoke(store, `li_${at}_${'x'.repeat(280)}`);
  disk.fill();
  expect(await backupStore({ store, file, clock: makeClock() })).toMatchObject({
    kind: 'refused',
    problem: `${file} cannot be written: the disk is full (ENOSPC)`,
  });
  expect(readdirSync(disk.path).filter((name) => name.includes('backup'))).toEqual(['backup.jsonl']);
  let last = '';
  // throws when the file is not whole
  for await (const { kind } of readBackupLines(file)) last = kind;
  expect(last).toBe('end');
});

test('replacing a file without room keeps its old content', (context) => {
  const disk = smallDisk(context, 256);
  const file = join(disk.path, 'users');
  replaceFile(file, 'old');
  disk.fill();
  expect(() => replaceFile(file, 'x'.repeat(100_000))).toThrow('ENOSPC');
  expect(readFileSync(file, 'utf8')).toBe('old');
  expect(readdirSync(disk.path).filter((name) => name.includes('.tmp'))).toEqual([]);
  expect(makeMasterKey(join(disk.path, 'master.key'))).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('the disk is full'),
  });
  expect(readdirSync(disk.path)).not.toContain('master.key');
});

test('records of decisions survive a full disk, and go on in whole lines when there is room', async (context) => {
  const disk = smallDisk(context, 512);
  const folder = join(disk.path, 'decisions');
  const { logger, said } = memoryLogger();
  const ledger = openDecisionFiles({ folder, clock: makeClock(), logger, maxFiles: 4 });
  const record = (id: string) => `${JSON.stringify({ id, at: 1, outcome: 'allow', presented: ['x'.repeat(3000)] })}\n`;
  const lines = () =>
    readdirSync(folder).flatMap((name) =>
      name.endsWith('.jsonl') ? readFileSync(join(folder, name), 'utf8').split('\n') : [],
    );
  ledger.appendLines(record('before'));
  await ledger.find('none');
  disk.fill();
  for (let at = 0; at < 20; at++) {
    ledger.appendLines(record(`full-${at}`));
    await ledger.find('none');
  }
  expect(ledger.droppedBytes()).toBeGreaterThan(0);
  expect(said()).toContain('the disk is full');
  expect(lines().some((line) => line.includes('"before"'))).toBe(true);
  disk.free();
  ledger.appendLines(record('after'));
  await ledger.find('none');
  expect(lines().some((line) => line.includes('"after"'))).toBe(true);
  for (const line of lines()) if (line !== '') expect(() => JSON.parse(line)).not.toThrow();
  await ledger.close();
});

test('a log file on a full disk drops lines and says so, and goes on when there is room', async (context) => {
  const disk = smallDisk(context, 256);
  mkdirSync(join(disk.path, 'logs'));
  const path = join(disk.path, 'logs', 'access.log');
  const { logger, said } = memoryLogger();
  const log = new LogFile({ name: 'access', target: { kind: 'file', path }, logger, maxBytes: 64 * 1024 });
  log.write('before\n');
  await log.flush();
  disk.fill();
  for (let at = 0; at < 4000; at++) log.write(`${'x'.repeat(99)}\n`);
  await expect.poll(() => said()).toContain('cannot write the log');
  expect(said()).toContain('ENOSPC');
  disk.free();
  await expect
    .poll(async () => {
      log.write('after\n');
      await log.flush();
      return readFileSync(path, 'utf8');
    })
    .toContain('after\n');
  expect(readFileSync(path, 'utf8')).toContain('before\n');
  log.close();
});
