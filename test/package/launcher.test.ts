// gateway/latchkey.mjs, the bin: which main file it runs, on which Node.js, and that nobody notices it in between.
// The package around it is made up; the launcher, the signals and the Node.js versions are real.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isNewEnough, nodePackage } from '../../gateway/runtime.mjs';
import { runCommand } from '../support/run/run-command.ts';

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const program = `
  const [what, ...rest] = process.argv.slice(2);
  if (what === 'describe') console.log(JSON.stringify({ file: import.meta.filename, version: process.version, flags: process.execArgv, rest }));
  if (what === 'fail') process.exit(7);
  if (what === 'wait') {
    process.on('SIGHUP', () => console.log('reloaded'));
    process.on('SIGTERM', () => { console.log('ended'); process.exit(3); });
    setInterval(() => {}, 1000);
    console.log('waiting');
  }
`;

let base = '';
let repositoryBin = '';
let installedBin = '';
let oldNode: string | undefined;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'latchkey-launcher-'));
  const checkout = join(base, 'checkout');
  const installed = join(base, 'site', 'node_modules', 'latchkey');
  for (const folder of [checkout, installed]) {
    await mkdir(join(folder, 'gateway'), { recursive: true });
    await mkdir(join(folder, 'dist', 'gateway'), { recursive: true });
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'latchkey', type: 'module' }));
    await writeFile(join(folder, 'dist', 'gateway', 'main.js'), program);
    for (const file of ['latchkey.mjs', 'runtime.mjs']) {
      await cp(join(repository, 'gateway', file), join(folder, 'gateway', file));
    }
  }
  await writeFile(join(checkout, 'gateway', 'main.ts'), `const none: string = '';\n${program}`);
  // Hoisted beside latchkey in one, inside the package's own node_modules in the other.
  const platformPackage = join(repository, 'node_modules', nodePackage());
  await mkdir(join(checkout, 'node_modules'));
  for (const modules of [join(checkout, 'node_modules'), join(base, 'site', 'node_modules')]) {
    await symlink(platformPackage, join(modules, nodePackage()));
  }
  repositoryBin = join(checkout, 'gateway', 'latchkey.mjs');
  installedBin = join(installed, 'gateway', 'latchkey.mjs');
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = await runCommand(join(folder, 'node'), ['-p', 'process.version']).catch(() => undefined);
    if (found?.code === 0 && !isNewEnough(found.stdout.trim())) oldNode ??= join(folder, 'node');
  }
});

afterAll(async () => {
  await rm(base, { recursive: true, force: true });
});

interface LauncherRun {
  readonly file: string;
  readonly version: string;
  readonly flags: readonly string[];
  readonly rest: readonly string[];
}

async function describeRun(node: string, bin: string): Promise<LauncherRun> {
  const { stdout, stderr } = await runCommand(node, [bin, 'describe', '--a', 'b c']);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('runs the sources in the repository and dist in an installed package', async () => {
  const checkout = await describeRun(process.execPath, repositoryBin);
  expect(checkout.file).toMatch(/checkout\/gateway\/main\.ts$/);
  expect(checkout.rest).toEqual(['--a', 'b c']);
  const installed = await describeRun(process.execPath, installedBin);
  expect(installed.file).toMatch(/latchkey\/dist\/gateway\/main\.js$/);
});

test('started by an older Node.js, it runs on the one from npm, hoisted or not', async (context) => {
  if (oldNode === undefined) return context.skip('no Node.js older than 26 in PATH');
  for (const bin of [repositoryBin, installedBin]) {
    const run = await describeRun(oldNode, bin);
    expect(isNewEnough(run.version)).toBe(true);
    expect(run.rest).toEqual(['--a', 'b c']);
    // a signal for a log rotation that comes early opens no debugger to everybody on the machine
    expect(run.flags).toEqual(['--disable-sigusr1']);
  }
});

test('started by an older Node.js, it passes signals and the exit code through', async (context) => {
  if (oldNode === undefined) return context.skip('no Node.js older than 26 in PATH');
  expect((await runCommand(oldNode, [repositoryBin, 'fail'])).code).toBe(7);

  const child = spawn(oldNode, [repositoryBin, 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8');
  expect(await once(child.stdout, 'data')).toEqual(['waiting\n']);
  child.kill('SIGHUP');
  expect(await once(child.stdout, 'data')).toEqual(['reloaded\n']);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([3, null]);
});
