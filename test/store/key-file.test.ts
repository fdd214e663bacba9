// keys.json: made once, for its owner alone, and never over anything.

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadKeyFile } from '../../gateway/store/key-file.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'latchkey-keys-')), 'data');
});

afterEach(() => {
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
});

function ring(options: Parameters<typeof loadKeyFile>[1] = {}) {
  return loadKeyFile(dataDir, options);
}

test('the first run makes one signing key, for its owner alone, and later runs read it', () => {
  const first = ring();
  if (first.kind !== 'loaded') throw new Error(first.problem);
  expect(first.generated).toBe(true);
  expect(first.keys).toHaveLength(1);
  expect(first.keys[0]).toMatchObject({
    algorithm: 'HS256',
    purpose: 'content',
    state: 'signing',
    id: expect.stringMatching(/^k_[a-z2-7]{8}$/),
  });
  expect(first.keys[0]?.secret).toHaveLength(32);
  expect(statSync(join(dataDir, 'keys.json')).mode & 0o777).toBe(0o600);
  expect(readdirSync(dataDir)).toEqual(['keys.json']);
  expect(ring()).toEqual({ ...first, generated: false });
});

test('a command that only reads makes nothing', () => {
  expect(ring({ missing: 'refuse' })).toMatchObject({
    kind: 'refused',
    problem: expect.stringContaining('does not exist'),
  });
});

test('a keys.json that others can read is refused with the command that closes it', () => {
  ring();
  chmodSync(join(dataDir, 'keys.json'), 0o640);
  expect(ring()).toMatchObject({ kind: 'refused', hint: expect.stringContaining('chmod 600 ') });
});

describe('a damaged keys.json', () => {
  const secret = Buffer.alloc(32, 7).toString('base64url');
  const key = { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret };
  test.each([
    ['empty', ''],
    ['cut off', '{"version":1,"keys":[{"id":"k'],
    ['of another version', JSON.stringify({ version: 2, keys: [key] })],
    ['without keys', JSON.stringify({ version: 1, keys: [] })],
    ['with a short secret', JSON.stringify({ version: 1, keys: [{ ...key, secret: 'AAAA' }] })],
    [
      'with bits left over in a secret',
      JSON.stringify({ version: 1, keys: [{ ...key, secret: `${secret.slice(0, -1)}d` }] }),
    ],
    ['with another algorithm', JSON.stringify({ version: 1, keys: [{ ...key, algorithm: 'none' }] })],
    ['with two keys of one id', JSON.stringify({ version: 1, keys: [key, { ...key, state: 'verifying' }] })],
    ['with no signing key', JSON.stringify({ version: 1, keys: [{ ...key, state: 'retired' }] })],
  ])('%s is refused and stays as it is', (_title, text) => {
    mkdirSync(dataDir);
    const file = join(dataDir, 'keys.json');
    writeFileSync(file, text, { mode: 0o600 });
    expect(ring()).toMatchObject({ kind: 'refused', problem: expect.stringContaining('is damaged') });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
