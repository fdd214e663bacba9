// Files that change under a running gateway: rewritten, renamed, swapped by a symlink, removed.

import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileWatch, watchedFiles } from '../../../gateway/control/node/watch-files.ts';
import { testConfig } from '../../support/rigs/control.ts';

const intervalMs = 30;
let folder: string;
let file: string;
let changes: number;
let watch: FileWatch;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lk-'));
  file = join(folder, 'latchkey.yaml');
  writeFileSync(file, 'one');
  changes = 0;
  watch = new FileWatch({ intervalMs, onChange: () => changes++ });
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true, force: true });
});

const wait = { interval: 10 };

/** Long enough for every change to have been seen. */
async function looked(): Promise<void> {
  await pause(intervalMs * 8);
}

test('a file that is written again is one change', async () => {
  watch.take([file]);
  writeFileSync(file, 'another');
  await expect.poll(() => changes, wait).toBe(1);
  await looked();
  expect(changes).toBe(1);
});

test('a file that replaces another is a change, even with the same size and time', async () => {
  watch.take([file]);
  writeFileSync(`${file}.new`, 'two');
  renameSync(`${file}.new`, file);
  await expect.poll(() => changes, wait).toBe(1);
});

test('a watch that continues an earlier watch sees the changes in between, and nothing else', async () => {
  watch.take([file]);
  const { known } = watch;
  watch.close();
  watch = new FileWatch({ intervalMs, onChange: () => changes++ });
  watch.take([file], known);
  await looked();
  expect(changes).toBe(0);
  watch.close();
  writeFileSync(file, 'meanwhile');
  watch = new FileWatch({ intervalMs, onChange: () => changes++ });
  watch.take([file], known);
  await expect.poll(() => changes, wait).toBe(1);
});

test('a swapped symlink two folders above is a change, as with mounted secrets', async () => {
  for (const name of ['..v1', '..v2']) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'key'), name);
  }
  symlinkSync('..v1', join(folder, '..data'));
  symlinkSync('..data/key', join(folder, 'key'));
  watch.take([file, join(folder, 'key')]);
  await looked();
  expect(changes).toBe(0);
  symlinkSync('..v2', join(folder, '..data.new'));
  renameSync(join(folder, '..data.new'), join(folder, '..data'));
  await expect.poll(() => changes, wait).toBe(1);
});

test('a file that is removed and made again counts by its final state', async () => {
  watch.take([file]);
  unlinkSync(file);
  await expect.poll(() => changes, wait).toBe(1);
  writeFileSync(file, 'three');
  await expect.poll(() => changes, wait).toBe(2);
});

test('a file that is still being written does not count yet', async () => {
  watch.take([file]);
  for (let piece = 0; piece < 20; piece++) {
    writeFileSync(file, `piece ${piece}`.repeat(piece + 1));
    await pause(intervalMs / 3);
  }
  expect(changes).toBeLessThanOrEqual(1);
  await expect.poll(() => changes, wait).toBeGreaterThanOrEqual(1);
});

test('a state that was taken as known is no change', async () => {
  watch.take([file]);
  writeFileSync(file, 'read by SIGHUP');
  watch.take([file]);
  await looked();
  expect(changes).toBe(0);
});

test('the watched files are the configuration and the keys that it names, and no log or users file', () => {
  const config = testConfig({
    commonKeys: [{ id: 'k1', secretFile: '/keys/k1', state: 'signing' }],
    usersFile: '/users',
    logs: {
      level: 'info',
      access: { kind: 'file', path: '/access.log' },
      decisions: { kind: 'off' },
      format: 'json',
      refusals: 'once',
    },
  });
  expect(watchedFiles('/latchkey.yaml', config)).toEqual(['/latchkey.yaml', '/keys/k1']);
});
