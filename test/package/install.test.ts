// gateway/install.mjs on small made-up projects with a real npm: what it installs, when it does nothing, what it says.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeMissingNode, findNode } from '../../gateway/runtime.mjs';
import { runCommand } from '../support/run-command.ts';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
let base = '';
let template = '';
let project = '';

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'latchkey-install-'));
  const part = join(base, 'part');
  await mkdir(part);
  await writeFile(join(part, 'package.json'), JSON.stringify({ name: 'part', version: '1.2.3', bin: 'part.js' }));
  await writeFile(join(part, 'part.js'), '#!/usr/bin/env node\n');
  await runCommand('npm', ['pack', '--pack-destination', base], { cwd: part });

  template = join(base, 'template');
  await mkdir(join(template, 'gateway'), { recursive: true });
  for (const file of ['install.mjs', 'runtime.mjs']) {
    await cp(join(repository, 'gateway', file), join(template, 'gateway', file));
  }
  const manifest = {
    name: 'whole',
    version: '0.0.0',
    type: 'module',
    dependencies: { part: 'file:../part-1.2.3.tgz' },
  };
  await writeFile(join(template, 'package.json'), JSON.stringify(manifest));
  const locked = await runCommand('npm', ['install', '--package-lock-only', '--no-audit', '--no-fund'], {
    cwd: template,
  });
  expect(locked.code, locked.stderr).toBe(0);
});

beforeEach(async () => {
  project = await mkdtemp(join(base, 'project-'));
  await cp(template, project, { recursive: true });
});

afterAll(async () => {
  await rm(base, { recursive: true, force: true });
});

function install() {
  return runCommand(process.execPath, [join(project, 'gateway', 'install.mjs')], { cwd: project });
}

async function installedVersion(): Promise<unknown> {
  return JSON.parse(await readFile(join(project, 'node_modules', 'part', 'package.json'), 'utf8')).version;
}

test('installs what the lock file names, says so with the time it took, and is silent the next time', async () => {
  const first = await install();
  expect(first.code, first.stderr).toBe(0);
  expect(first.stdout).toMatch(/installing dependencies with npm ci \(node_modules is missing\)/);
  expect(first.stdout).toMatch(/installed in \d+\.\d s/);
  expect(await installedVersion()).toBe('1.2.3');

  expect(await install()).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('installs again when an installed package has another version than the lock file', async () => {
  await install();
  const hidden = join(project, 'node_modules', '.package-lock.json');
  await writeFile(hidden, (await readFile(hidden, 'utf8')).replaceAll('1.2.3', '1.2.2'));

  const again = await install();

  expect(again.stdout).toContain('node_modules/part is 1.2.2, not 1.2.3');
  expect(await readFile(hidden, 'utf8')).toContain('1.2.3');
});

test('never changes the lock file', async () => {
  const before = await readFile(join(project, 'package-lock.json'), 'utf8');
  await install();
  expect(await readFile(join(project, 'package-lock.json'), 'utf8')).toBe(before);
});

test('two runs at once install once, and both end well', async () => {
  const both = await Promise.all([install(), install()]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(both.filter(({ stdout }) => stdout.includes('installing dependencies'))).toHaveLength(1);
  expect((await readdir(project)).filter((name) => name.startsWith('.install.lock'))).toEqual([]);
});

test('takes over the lock of a run that died', async () => {
  const dead = await runCommand(process.execPath, ['-p', 'process.pid']);
  await mkdir(join(project, '.install.lock'));
  await writeFile(join(project, '.install.lock', 'pid'), dead.stdout.trim());

  expect((await install()).code).toBe(0);
  expect(await installedVersion()).toBe('1.2.3');
});

test('fails with a hint when npm cannot install, and leaves no lock behind', async () => {
  const manifest = join(project, 'package.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace('part-1.2.3.tgz', 'missing.tgz'));

  const failed = await install();

  expect(failed.code).not.toBe(0);
  expect(failed.stderr).toMatch(/npm ci failed after \d+\.\d s/);
  expect(failed.stderr).toContain('hint:');
  expect(await readdir(project)).not.toContain('.install.lock');
});

test('says which package is missing where no Node.js is new enough', async () => {
  const old = { version: 'v20.1.0', execPath: '/usr/bin/node', platform: 'plan9', arch: 'mips' };

  expect(findNode(import.meta.url, old)).toBeUndefined();
  expect(describeMissingNode(old)).toContain('node-plan9-mips');
  expect(findNode(import.meta.url, { ...old, version: 'v26.0.0' })).toBe('/usr/bin/node');
});
