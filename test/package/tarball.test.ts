// The package as its users get it: packed, installed from the tarball into an empty folder, and run from there.
// The dependencies come from npm, so this test needs the registry or a filled npm cache.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { copyPackage } from '../support/run/package-copy.ts';
import { type CommandResult, runCommand } from '../support/run/run-command.ts';

let base = '';
let site = '';

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'latchkey-tarball-'));
  const source = join(base, 'source');
  await copyPackage(source);
  const packed = await runCommand('npm', ['pack', '--pack-destination', base], { cwd: source });
  expect(packed.code, packed.stderr + packed.stdout).toBe(0);
  const tarball = (await readdir(base)).find((name) => name.endsWith('.tgz'));
  expect(tarball).toBeDefined();

  site = await mkdtemp(join(base, 'site-'));
  await writeFile(join(site, 'package.json'), JSON.stringify({ name: 'site', private: true, type: 'module' }));
  // the packages that carry a Node.js are for those whose own is too old; launcher.test.ts is about them
  const options = ['--omit=optional', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const installed = await runCommand('npm', ['install', ...options, join(base, tarball ?? '')], { cwd: site });
  expect(installed.code, installed.stderr).toBe(0);
}, 240_000);

afterAll(async () => {
  await rm(base, { recursive: true, force: true });
});

function latchkey(...args: string[]): Promise<CommandResult> {
  return runCommand(join(site, 'node_modules', '.bin', 'latchkey'), args, { cwd: site });
}

async function readManifest(): Promise<{ version: string; exports: Record<string, unknown> }> {
  return JSON.parse(await readFile(join(site, 'node_modules', 'latchkey', 'package.json'), 'utf8'));
}

test('the bin tells its version and its commands', async () => {
  const { version } = await readManifest();
  const told = await latchkey('--version');
  expect(told, told.stderr).toMatchObject({ code: 0, stdout: `${version}\n` });

  const help = await latchkey('--help');
  expect(help.code, help.stderr).toBe(0);
  for (const command of ['serve', 'check', 'demo', 'token', 'url', 'common-key', 'user']) {
    expect(help.stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  }
});

test('the bin does its work: it makes a common key, another one each time', async () => {
  const keys = await Promise.all([latchkey('common-key', 'generate'), latchkey('common-key', 'generate')]);
  for (const { code, stdout, stderr } of keys) {
    expect(code, stderr).toBe(0);
    expect(stdout.trim().length).toBeGreaterThanOrEqual(32);
  }
  expect(keys[0]?.stdout).not.toBe(keys[1]?.stdout);
});

test('every exported module can be imported, with its types beside it', async () => {
  const { exports } = await readManifest();
  const names = Object.keys(exports);
  expect(names).toContain('./token');
  for (const name of names) {
    const isJson = name.endsWith('.json');
    const specifier = `latchkey/${name.slice(2)}`;
    const code = `const all = await import('${specifier}'${isJson ? `, { with: { type: 'json' } }` : ''});
      console.log(JSON.stringify(Object.keys(all)));`;
    const run = await runCommand(process.execPath, ['--input-type=module', '-e', code], { cwd: site });
    expect(run.code, run.stderr).toBe(0);
    const exported: string[] = JSON.parse(run.stdout);
    expect(exported.length).toBeGreaterThan(0);
    if (name === './token') expect(exported).toEqual(expect.arrayContaining(['mintToken', 'verifyToken']));
  }
  const types = join(site, 'node_modules', 'latchkey', 'dist', 'gateway', 'core', 'token', 'common-key-token.d.ts');
  expect(await readFile(types, 'utf8')).toContain('export declare function verifyToken');
});

test('every link of the README leads to a file of the tarball', async () => {
  const installed = join(site, 'node_modules', 'latchkey');
  const files = await readdir(installed, { recursive: true });
  const text = await readFile(join(installed, 'README.md'), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#)([^)\s#]+)/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(10);
  expect(links.filter((link) => !files.includes(link))).toEqual([]);
});

test('the tarball holds no TypeScript source, no test and no build tool', async () => {
  const files = await readdir(join(site, 'node_modules', 'latchkey'), { recursive: true });
  expect(files).toContain(join('config', 'demo', 'clip', 'master.m3u8'));
  expect(files).toContain('LICENSE');
  expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([]);
  expect(files.filter((name) => /(^test|tsconfig|install\.mjs|build\.mjs)/.test(name))).toEqual([]);
});
