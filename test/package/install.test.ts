// gateway/install.mjs on small made-up projects with a real npm: what it installs, when it does nothing, what it says.

import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeMissingNode, findNode } from '../../gateway/runtime.mjs';
import { runCommand } from '../support/run/run-command.ts';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
let base = '';
let template = '';
let project = '';

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'latchkey-install-'));
  for (const name of ['part', 'tool']) {
    const part = join(base, name);
    await mkdir(part);
    const scripts = { postinstall: `node -e "require('fs').writeFileSync('ran', '')"` };
    const manifest = { name, version: '1.2.3', bin: `${name}.js`, scripts };
    await writeFile(join(part, 'package.json'), JSON.stringify(manifest));
    await writeFile(join(part, `${name}.js`), '#!/usr/bin/env node\n');
    await runCommand('npm', ['pack', '--pack-destination', base], { cwd: part });
  }

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
    devDependencies: { tool: 'file:../tool-1.2.3.tgz' },
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

function install(...words: string[]) {
  return runCommand(process.execPath, [join(project, 'gateway', 'install.mjs'), ...words], { cwd: project });
}

async function installed(): Promise<string[]> {
  return (await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.')).sort();
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

test('installs again when what is installed came from other bytes than the lock file names', async () => {
  await install();
  const hidden = join(project, 'node_modules', '.package-lock.json');
  await writeFile(hidden, (await readFile(hidden, 'utf8')).replaceAll(/"sha512-./g, '"sha512-A'));

  expect((await install()).stdout).toContain('was installed from other bytes');
  expect(await install()).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('for running it installs no tools, browsers or databases of the tests', async () => {
  const first = await install('production');
  expect(first.code, first.stderr).toBe(0);
  expect(await installed()).toEqual(['part']);
  expect(await install('production')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('for testing after running it adds what is missing, and moves nothing under the feet of what runs', async () => {
  await install('production');
  const before = await stat(join(project, 'node_modules', 'part', 'part.js'));

  const added = await install();

  expect(added.code, added.stderr).toBe(0);
  expect(added.stdout).toContain('node_modules/tool is missing');
  expect(await installed()).toEqual(['part', 'tool']);
  expect((await stat(join(project, 'node_modules', 'part', 'part.js'))).ino).toBe(before.ino);
  expect(await install()).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('for running after testing it does nothing, and a newer version does not cost the tools', async () => {
  await install();
  expect(await install('production')).toEqual({ code: 0, stdout: '', stderr: '' });

  const hidden = join(project, 'node_modules', '.package-lock.json');
  const text = await readFile(hidden, 'utf8');
  await writeFile(hidden, text.replace(/("node_modules\/part": \{\s*"version": ")1\.2\.3/, '$11.2.2'));
  expect((await install('production')).stdout).toContain('node_modules/part is 1.2.2, not 1.2.3');
  expect(await installed()).toEqual(['part', 'tool']);
});

test('running and testing begun at once each find what they need', async () => {
  const both = await Promise.all([install('production'), install()]);
  expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ]);
  expect(await installed()).toEqual(['part', 'tool']);
});

test.each([['production'], []])('runs no script of a package (%s)', async (...words) => {
  await install(...words);
  expect(await readdir(join(project, 'node_modules', 'part'))).not.toContain('ran');
});

test.each([['production'], []])(
  'refuses a package whose bytes are not those of the lock file (%s)',
  async (...words) => {
    if (words.length === 0) await install('production');
    const lock = join(project, 'package-lock.json');
    const tampered = words.length === 0 ? 'tool' : 'part';
    const text = await readFile(lock, 'utf8');
    await writeFile(lock, text.replace(new RegExp(`(${tampered}-1.2.3.tgz",\\s*"integrity": "sha512-)....`), '$1AAAA'));

    const refused = await install(...words);

    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('EINTEGRITY');
  },
);

test('never changes the lock file', async () => {
  const before = await readFile(join(project, 'package-lock.json'), 'utf8');
  await install('production');
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
