// What is sealed opens only where it was sealed, under its key, unchanged; and the master key is made once and never again.

import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../../gateway/store/port/store.ts';
import { insertSigningKey } from '../../../gateway/store/rows/signing-keys.ts';
import { readMasterKey } from '../../../gateway/store/seal/master-key.ts';
import { openSealer } from '../../../gateway/store/seal/open-sealer.ts';
import { makeSealer, SealBroken, type SealedPlace, sealedColumns } from '../../../gateway/store/seal/sealing.ts';
import { openEmpty } from '../../support/store/stores.ts';

const masterKey = new Uint8Array(32).map((_, at) => at);
const place: SealedPlace = { table: 'keys', row: 'k1', column: 'secret_sealed' };

describe('sealing', () => {
  // Made by hand from the format's description, so that a change of the format fails here before it reaches a store.
  test('format s1: HKDF-SHA-256, AES-256-GCM, 12 bytes of nonce, JSON of the place as associated data', () => {
    const key = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), 'latchkey store sealing 1', 32));
    expect(key.toString('hex')).toBe('3e965486dc01474ee13d0e8758746d5863037986ac4794fb78639ad5b2871b5e');
    const nonce = Buffer.alloc(12, 9);
    const cipher = createCipheriv('aes-256-gcm', key, nonce);
    cipher.setAAD(Buffer.from('["s1","keys","k1","secret_sealed"]'));
    const body = Buffer.concat([nonce, cipher.update('top secret'), cipher.final(), cipher.getAuthTag()]);
    const sealed = `s1.${body.toString('base64url')}`;
    expect(sealed).toBe('s1.CQkJCQkJCQkJCQkJ2LrX-mH179DskiBEQulk5zRjHviW1nWMF5c');
    expect(makeSealer(masterKey).openText(place, sealed)).toBe('top secret');
  });

  test('texts and bytes come back, and no two seals of one text are alike', () => {
    const sealer = makeSealer(masterKey);
    for (const text of ['', 'ä\u{1F511}', 'x'.repeat(100_000)]) {
      expect(sealer.openText(place, sealer.seal(place, text))).toBe(text);
    }
    const bytes = new Uint8Array(randomBytes(64));
    expect(sealer.open(place, sealer.seal(place, bytes))).toEqual(bytes);
    expect(sealer.seal(place, 'a')).not.toBe(sealer.seal(place, 'a'));
  });

  test('in another table, row or column, or under another key, it does not open', () => {
    const sealer = makeSealer(masterKey);
    const sealed = sealer.seal(place, 'top secret');
    for (const moved of [
      { ...place, table: 'outbox' as const },
      { ...place, row: 'k2' },
      { ...place, column: 'state' },
      // The places' parts do not run into each other.
      { ...place, row: 'k1","secret_sealed"]' },
    ]) {
      expect(() => sealer.open(moved, sealed)).toThrow(SealBroken);
    }
    expect(() => makeSealer(randomBytes(32)).open(place, sealed)).toThrow(SealBroken);
  });

  test('no bit of it can be changed, and nothing can be cut off or added', () => {
    const sealer = makeSealer(masterKey);
    const bytes = Buffer.from(sealer.seal(place, 'top secret').slice(3), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => sealer.open(place, `s1.${changed.toString('base64url')}`)).toThrow(SealBroken);
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => sealer.open(place, `s1.${bytes.subarray(0, length).toString('base64url')}`)).toThrow(SealBroken);
    }
    const sealed = `s1.${bytes.toString('base64url')}`;
    for (const wrong of [
      `${sealed}A`,
      `${sealed}=`,
      `${sealed}.`,
      sealed.slice(3),
      `s2${sealed.slice(2)}`,
      '',
      's1.',
    ]) {
      expect(() => sealer.open(place, wrong)).toThrow(SealBroken);
    }
  });

  test('errors hold neither content nor key nor what was sealed', () => {
    const sealer = makeSealer(masterKey);
    const sealed = sealer.seal({ ...place, row: 'k2' }, 'top secret');
    let message = '';
    try {
      sealer.open(place, sealed);
    } catch (error) {
      message = `${error} ${error instanceof Error ? error.stack : ''} ${JSON.stringify(error)}`;
    }
    expect(message).toContain('keys.secret_sealed of k1');
    expect(message).not.toContain(sealed.slice(5, 20));
    expect(message).not.toContain('top secret');
  });

  test('every column whose name says so is counted as sealed', async () => {
    const { store } = await openEmpty('sqlite');
    const tables = await store.sql.introspection.getTables();
    const found = tables.flatMap(({ name, columns }) =>
      columns
        .filter((column) => column.name.endsWith('_sealed'))
        .map((column) => ({ table: name, column: column.name })),
    );
    expect(found.length).toBeGreaterThan(0);
    expect(sealedColumns).toEqual(expect.arrayContaining(found));
  });
});

describe('master key', () => {
  const makeFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-master-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };
  const addSigningKey = (store: Store, sealer: ReturnType<typeof makeSealer>) =>
    store.write((unit) =>
      insertSigningKey(unit, sealer, {
        ...{ id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing' },
        secret: new Uint8Array(32),
      }),
    );

  test('is made on the first run, mode 0600, and read from then on', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const first = await openSealer({ store, dataDir });
    const file = join(dataDir, 'master.key');
    expect(first).toMatchObject({ kind: 'opened', made: file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    if (first.kind === 'opened') await addSigningKey(store, first.sealer);
    expect(await openSealer({ store, dataDir })).toMatchObject({ kind: 'opened', made: null });
  });

  test('is never made anew once a store was sealed with one', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const first = await openSealer({ store, dataDir });
    rmSync(join(dataDir, 'master.key'));
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('does not exist'),
    });
    if (first.kind === 'opened') await addSigningKey(store, first.sealer);
    // Even when the mark of the key is gone.
    await store.write((unit) => unit.sql.deleteFrom('store_marks').execute());
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('1 sealed rows'),
    });
    expect(() => statSync(join(dataDir, 'master.key'))).toThrow();
  });

  test('a wrong one is told at the start, whether from the file or given, and without showing it', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    await openSealer({ store, dataDir });
    const key = new Uint8Array(randomBytes(32));
    const wrong = await openSealer({ store, dataDir, given: { key, name: 'LATCHKEY_MASTER_KEY' } });
    expect(wrong).toMatchObject({ kind: 'refused', problem: expect.stringContaining('LATCHKEY_MASTER_KEY') });
    expect(JSON.stringify(wrong)).not.toContain(Buffer.from(key).toString('base64url'));
    writeFileSync(join(dataDir, 'master.key'), Buffer.from(key).toString('base64url'));
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('is not the one'),
    });
  });

  test('a given one goes before the file, and no file is made', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const given = { key: masterKey, name: 'secrets.yaml' };
    expect(await openSealer({ store, dataDir, given })).toMatchObject({ kind: 'opened', made: null });
    expect(() => statSync(join(dataDir, 'master.key'))).toThrow();
  });

  test('a file that others can read, or that holds something else, is refused and left alone', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const file = join(dataDir, 'master.key');
    writeFileSync(file, `${Buffer.from(masterKey).toString('base64url')}\n`, { mode: 0o644 });
    chmodSync(file, 0o644);
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      hint: expect.stringContaining('chmod'),
    });
    writeFileSync(file, 'short\n');
    chmodSync(file, 0o600);
    expect(await openSealer({ store, dataDir })).toMatchObject({ kind: 'refused' });
    expect(readFileSync(file, 'utf8')).toBe('short\n');
  });

  test('is read as hex, base64 and base64url, and as nothing else', () => {
    const key = new Uint8Array(32).fill(0xfb);
    const file = join(makeFolder(), 'master.key');
    const read = (text: string) => {
      writeFileSync(file, text, { mode: 0o600 });
      return readMasterKey(file);
    };
    const bytes = Buffer.from(key);
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), `${bytes.toString('base64url')}\n`]) {
      expect(read(text)).toEqual({ kind: 'read', key });
    }
    const base64url = bytes.toString('base64url');
    for (const text of ['', bytes.toString('hex').slice(1), `${base64url.slice(0, -1)}9`, 'x'.repeat(32)]) {
      expect(read(text).kind).toBe('refused');
    }
  });
});
