// A sealed text opens only unchanged, in the place where it was sealed, and under its key.

import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sealedColumns } from '../../../gateway/store/rows/sealed-columns.ts';
import { makeSealer, SealBroken, type SealedPlace } from '../../../gateway/store/seal/sealing.ts';
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

  test('texts and bytes come back, and sealing one text twice gives two different texts', () => {
    const sealer = makeSealer(masterKey);
    for (const text of ['', 'ä\u{1F511}', 'x'.repeat(100_000)]) {
      expect(sealer.openText(place, sealer.seal(place, text))).toBe(text);
    }
    const bytes = new Uint8Array(randomBytes(64));
    expect(sealer.open(place, sealer.seal(place, bytes))).toEqual(bytes);
    expect(sealer.seal(place, 'a')).not.toBe(sealer.seal(place, 'a'));
  });

  test('a sealed text does not open in another table, row or column, or under another key', () => {
    const sealer = makeSealer(masterKey);
    const sealed = sealer.seal(place, 'top secret');
    for (const moved of [
      { ...place, table: 'outbox' as const },
      { ...place, row: 'k2' },
      { ...place, column: 'state' },
      // the parts of a place are not simply joined
      { ...place, row: 'k1","secret_sealed"]' },
    ]) {
      expect(() => sealer.open(moved, sealed)).toThrow(SealBroken);
    }
    expect(() => makeSealer(randomBytes(32)).open(place, sealed)).toThrow(SealBroken);
  });

  test('a sealed text with a changed bit, cut off or extended does not open', () => {
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

  test('errors hold neither content nor key nor the sealed text', () => {
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

  test('every column whose name ends in _sealed is listed as sealed', async () => {
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
