// The digest of texts, against the vectors of FIPS 180-2. Stored digests were made with it, so it never changes.

import { expect, test } from 'vitest';
import { digestOf, sameDigest } from '../../../gateway/core/model/digest.ts';

test('FIPS 180-2 B.1: SHA-256 of a text, in base64url without padding', () => {
  expect(Buffer.from(digestOf('abc'), 'base64url').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
  expect(digestOf('')).toBe('47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU');
});

test('a text beyond ASCII counts by its UTF-8', () => {
  expect(digestOf('ü')).toBe(digestOf(Buffer.from([0xc3, 0xbc]).toString('utf8')));
  expect(digestOf('ü')).not.toBe(digestOf('u'));
});

test('two digests are the same only when their whole texts are', () => {
  expect(sameDigest(digestOf('abc'), digestOf('abc'))).toBe(true);
  expect(sameDigest(digestOf('abc'), digestOf('abd'))).toBe(false);
  expect(sameDigest('', digestOf('abc'))).toBe(false);
});
