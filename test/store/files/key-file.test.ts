// keys.json of an earlier version is read or refused, and never made or changed.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readKeyFile } from '../../../gateway/store/files/key-file.ts';

const secret = Buffer.alloc(32, 7).toString('base64url');
const key = { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret };

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-keys-'));
  file = join(folder, 'keys.json');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('the keys of keys.json are read as they are, and a missing file is reported as missing', () => {
  expect(readKeyFile(file)).toEqual({ kind: 'missing' });
  writeFileSync(file, JSON.stringify({ version: 1, keys: [key] }), { mode: 0o600 });
  expect(readKeyFile(file)).toEqual({ kind: 'read', keys: [{ ...key, secret: new Uint8Array(32).fill(7) }] });
});

test('a keys.json that others can read is refused with the chmod command that fixes it', () => {
  writeFileSync(file, JSON.stringify({ version: 1, keys: [key] }), { mode: 0o600 });
  chmodSync(file, 0o640);
  expect(readKeyFile(file)).toMatchObject({ kind: 'refused', hint: expect.stringContaining('chmod 600 ') });
});

describe('a damaged keys.json', () => {
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
    writeFileSync(file, text, { mode: 0o600 });
    expect(readKeyFile(file)).toMatchObject({ kind: 'refused', problem: expect.stringContaining('is damaged') });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });
});
