// The key ring: which keys it finds, and which records it refuses.

import { describe, expect, it } from 'vitest';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';

function record(id: string, changes: Partial<SigningKey> = {}): SigningKey {
  return {
    id,
    algorithm: 'HS256',
    purpose: 'content',
    state: 'signing',
    secret: new Uint8Array(32).fill(7),
    ...changes,
  };
}

describe('KeyRing', () => {
  it('finds keys by id, whatever their state', () => {
    const ring = buildKeyRing([record('a'), record('b', { state: 'retired' })]);
    expect(ring.find('b')?.record.state).toBe('retired');
    expect(ring.find('a')?.keyObject.symmetricKeySize).toBe(32);
    expect(ring.find('c')).toBeUndefined();
    expect(ring.find('__proto__')).toBeUndefined();
    expect(ring.keys().map((key) => key.record.id)).toEqual(['a', 'b']);
  });

  it('signs with the first signing key of the purpose', () => {
    const ring = buildKeyRing([
      record('old', { state: 'verifying' }),
      record('inner', { purpose: 'internal' }),
      record('new'),
      record('newer'),
    ]);
    expect(ring.signer('content')?.record.id).toBe('new');
    expect(ring.signer('internal')?.record.id).toBe('inner');
    expect(buildKeyRing([record('x', { state: 'verifying' })]).signer('content')).toBeNull();
  });

  it('refuses two keys of one id', () => {
    expect(() => buildKeyRing([record('a'), record('a')])).toThrow('two keys have the id "a"');
  });

  it('refuses a secret below 32 bytes, and the error names its length but not its bytes', () => {
    const short = record('a', { secret: new TextEncoder().encode('hush-hush') });
    expect(() => buildKeyRing([short])).toThrow('key "a" has 9 bytes, at least 32 are needed');
  });

  it.each(['', 'a"b', 'a\\b', 'a\n', '\xe9', 'x'.repeat(129)])('refuses the id %j', (id) => {
    expect(() => buildKeyRing([record(id)])).toThrow('printable ASCII');
  });

  it.each([
    ['a key of it', '{"alg":"HS256","kid":"a"}', true],
    ['a retired one', '{"kid":"b"}', true],
    ['one of another purpose', '{"kid":"inner","typ":"x"}', true],
    ['one in escapes', '{"kid":"\\u0061"}', true],
    ['one behind another', '{"kid":"z","kid":"a"}', true],
    ['one in front of another', '{"kid":"a","kid":"z"}', true],
    ['one in what is no JSON', '{"kid" : "a"', true],
    ['another', '{"alg":"HS256","kid":"c"}', false],
    ['what every object has', '{"kid":"constructor"}', false],
    ['a number', '{"kid":1}', false],
    ['none', '{"alg":"HS256"}', false],
    ['nothing', '', false],
  ])('knows whether a token is meant for latchkey: its header names %s', (_what, header, isOurs) => {
    const ring = buildKeyRing([
      record('a'),
      record('b', { state: 'retired' }),
      record('inner', { purpose: 'internal' }),
    ]);
    const text = Buffer.from(header).toString('base64url');
    for (const token of [text, `${text}.`, `${text}.e30.AAAA`, `${text}.a.b.c`])
      expect(ring.isNamedBy(token)).toBe(isOurs);
  });

  it('does not search a header for a key id beyond the longest length', () => {
    const text = Buffer.from(`{"x":"${'x'.repeat(100_000)}","kid":"a"}`).toString('base64url');
    expect(buildKeyRing([record('a')]).isNamedBy(text)).toBe(false);
  });

  it('remembers at most 256 headers', () => {
    const ring = buildKeyRing([record('a')]);
    const key = ring.find('a');
    if (key === undefined) throw new Error('no key');
    for (let index = 0; index < 300; index++) ring.rememberHeader(`h${index}`, { kind: 'accepted', key, type: 'pass' });
    expect(ring.acceptedHeader('h255')?.type).toBe('pass');
    expect(ring.acceptedHeader('h256')).toBeUndefined();
  });
});
