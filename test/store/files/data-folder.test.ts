// The data folder belongs to one latchkey at a time, and is free once that process has ended, however it ended.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from '../../../gateway/store/files/data-folder.ts';

const source = new URL('../../../gateway/store/files/data-folder.ts', import.meta.url).href;
let parent: string;
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'latchkey-data-'));
  folder = join(parent, 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  rmSync(parent, { recursive: true, force: true });
});

/** Opens the folder in another process, which then waits; resolves with what it said. */
async function openElsewhere(): Promise<{ child: ChildProcess; said: string }> {
  const script = `
    const { openDataFolder } = await import(${JSON.stringify(source)});
    const opened = openDataFolder(${JSON.stringify(folder)});
    console.log(opened.kind);
    if (opened.kind === 'opened') setInterval(() => opened.path, 60_000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [chunk] = await once(child.stdout, 'data');
  return { child, said: String(chunk).trim() };
}

function mode(path: string): number {
  return statSync(path).mode & 0o777;
}

test('the folder is made for its owner alone, with a run folder for the sockets', () => {
  const opened = openDataFolder(folder);
  if (opened.kind !== 'opened') throw new Error(opened.problem);
  expect(mode(folder)).toBe(0o700);
  expect(mode(opened.runFolder)).toBe(0o700);
  expect(mode(join(folder, 'latchkey.lock'))).toBe(0o600);
  for (const name of readdirSync(folder)) expect([name, mode(join(folder, name)) & 0o077]).toEqual([name, 0]);
  expect(opened.edgeSocket).toBe(join(folder, 'run/edge.sock'));
  expect(opened.publicSocket).toBe(join(folder, 'run/public.sock'));
  opened.close();
  opened.close();
});

test('a run folder that others could enter is closed to them', () => {
  mkdirSync(join(folder, 'run'), { recursive: true });
  chmodSync(join(folder, 'run'), 0o777);
  const opened = openDataFolder(folder);
  expect(mode(join(folder, 'run'))).toBe(0o700);
  if (opened.kind === 'opened') opened.close();
});

test('a second process is refused while the first holds the folder, and may open it afterwards', async () => {
  const opened = openDataFolder(folder);
  expect(await openElsewhere()).toMatchObject({ said: 'refused' });
  if (opened.kind === 'opened') opened.close();
  expect(await openElsewhere()).toMatchObject({ said: 'opened' });
  const again = openDataFolder(folder);
  expect(again).toMatchObject({ kind: 'refused', problem: expect.stringContaining('is held by another latchkey') });
});

test('a second opening in the same process is refused as well', () => {
  const opened = openDataFolder(folder);
  expect(openDataFolder(folder).kind).toBe('refused');
  if (opened.kind === 'opened') opened.close();
});

test('after kill -9 of the holder the folder is free and its dead sockets are gone', async () => {
  const { child, said } = await openElsewhere();
  expect(said).toBe('opened');
  writeFileSync(join(folder, 'run/edge.sock'), '');
  expect(openDataFolder(folder).kind).toBe('refused');
  expect(existsSync(join(folder, 'run/edge.sock'))).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const opened = openDataFolder(folder);
  expect(opened.kind).toBe('opened');
  expect(existsSync(join(folder, 'run/edge.sock'))).toBe(false);
  if (opened.kind === 'opened') opened.close();
});

test('a folder whose socket paths would be too long is refused before anything is made', () => {
  const long = join(parent, 'x'.repeat(90));
  expect(openDataFolder(long)).toMatchObject({ kind: 'refused', problem: expect.stringContaining('more than 100') });
  expect(existsSync(long)).toBe(false);
});

test('a file in the place of the folder, and a lock file of another program, are refused', () => {
  writeFileSync(folder, 'a file');
  expect(openDataFolder(folder)).toMatchObject({ kind: 'refused', problem: expect.stringContaining('cannot be made') });
  rmSync(folder);
  mkdirSync(folder);
  writeFileSync(join(folder, 'latchkey.lock'), 'this is no database '.repeat(100));
  expect(openDataFolder(folder)).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('is not a lock of latchkey'),
  });
});
