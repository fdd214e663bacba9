// What the comparisons rest on: token files of any length, tokens in rotation, and the processes that are told apart.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readEdges } from '../../bench/comparisons/edges.ts';
import { makeWorkload } from '../../bench/workload/requests.ts';
import { writeTokens } from '../../bench/workload/token-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'lk-bench-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a token file holds that many tokens, all distinct, also beyond one batch', () => {
  const file = join(folder, 'tokens');
  writeTokens(file, makeWorkload('secret-of-at-least-thirty-two-bytes!', 2_000_000_000, 1), 10_500);
  const lines = readFileSync(file, 'latin1').trimEnd().split('\n');
  expect(lines).toHaveLength(10_500);
  expect(new Set(lines).size).toBe(10_500);
});

test('a process tree without two edges has no imbalance', () => {
  expect(readEdges(process.pid)).toBeNull();
});
