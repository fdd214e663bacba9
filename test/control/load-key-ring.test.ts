// Where content keys come from: YAML when it declares any, else keys.json.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKeyRing } from '../../gateway/control/load-key-ring.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'latchkey-ring-')), 'data');
});

afterEach(() => {
  rmSync(join(dataDir, '..'), { recursive: true, force: true });
});

test('keys that YAML declares are used, and no keys.json is made', () => {
  mkdirSync(dataDir);
  const secretFile = join(dataDir, 'k1.secret');
  writeFileSync(secretFile, `${'a'.repeat(40)}\r\n`, { mode: 0o600 });
  const loaded = loadKeyRing({ commonKeys: [{ id: 'k1', secretFile, state: 'verifying' }], dataDir });
  expect(loaded).toEqual({
    kind: 'loaded',
    keys: [
      { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'verifying', secret: new Uint8Array(40).fill(0x61) },
    ],
    generated: false,
    file: null,
  });
  expect(readdirSync(dataDir)).toEqual(['k1.secret']);
});

test('a declared key whose file went away after loading is refused', () => {
  const loaded = loadKeyRing({
    commonKeys: [{ id: 'k1', secretFile: join(dataDir, 'none'), state: 'signing' }],
    dataDir,
  });
  expect(loaded).toMatchObject({ kind: 'refused', problem: expect.stringContaining('common key k1: ') });
});

test('without declared keys those of the data folder are used, made on the first run', () => {
  const first = loadKeyRing({ commonKeys: [], dataDir });
  expect(first).toMatchObject({ kind: 'loaded', generated: true, file: join(dataDir, 'keys.json') });
  expect(loadKeyRing({ commonKeys: [], dataDir })).toEqual({ ...first, generated: false });
});
