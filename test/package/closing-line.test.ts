// test/run.mjs on small made-up test files: the closing line is always there, and never better than the run was.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandResult, runCommand } from '../support/run/run-command.ts';

const runner = join(dirname(fileURLToPath(import.meta.url)), '..', 'run.mjs');
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-closing-line-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function runTests(sources: Readonly<Record<string, string>>, ...more: string[]): Promise<CommandResult> {
  for (const [name, source] of Object.entries(sources)) await writeFile(join(folder, name), source);
  return runCommand(process.execPath, [runner, '--root', folder, '--globals', ...more]);
}

function lastLine({ stdout }: CommandResult): string | undefined {
  return stdout.trimEnd().split('\n').at(-1);
}

test('counts passed, failed and skipped tests, and names the skipped ones with their reasons', async () => {
  const run = await runTests({
    'a.test.js': `test('good', () => {}); test('bad', () => { throw new Error('no'); });`,
    'b.test.js': `describe('peer', () => { test('absent', (context) => context.skip('haproxy is not installed')); });`,
  });
  expect(lastLine(run)).toBe('1 passed, 1 failed, 1 skipped');
  expect(run.stdout).toContain('b.test.js > peer > absent (haproxy is not installed)');
  expect(run.code).toBe(1);
});

test('a run in which everything passed ends with exit code 0', async () => {
  const run = await runTests({ 'a.test.js': `test('good', () => {});` });
  expect(lastLine(run)).toBe('1 passed, 0 failed, 0 skipped');
  expect(run.code).toBe(0);
});

test('a file that cannot be loaded counts as a failure', async () => {
  const run = await runTests({ 'a.test.js': `import './nowhere.js';`, 'b.test.js': `test('good', () => {});` });
  expect(lastLine(run)).toBe('1 passed, 1 failed, 0 skipped');
  expect(run.code).toBe(1);
});

test('an error that nobody caught counts as a failure', async () => {
  const late = `test('good', async () => { Promise.reject(new Error('late')); await new Promise(setImmediate); });`;
  const run = await runTests({ 'a.test.js': late });
  expect(lastLine(run)).toBe('1 passed, 1 failed, 0 skipped');
  expect(run.code).toBe(1);
});

test('vitest that ends before it ran anything counts as one failure', async () => {
  const run = await runTests({ 'vitest.config.js': 'this is not javascript' });
  expect(lastLine(run)).toBe('0 passed, 1 failed, 0 skipped');
  expect(run.code).toBe(1);
});

test('a filter that matches no file is a failure, not an empty success', async () => {
  const run = await runTests({ 'a.test.js': `test('good', () => {});` }, 'nothing-like-this');
  expect(lastLine(run)).toBe('0 passed, 1 failed, 0 skipped');
  expect(run.code).toBe(1);
});
