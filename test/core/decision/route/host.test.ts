// The Host field's canonical form.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHost } from '../../../../gateway/core/decision/route/host.ts';

const accepted: readonly (readonly [string, string])[] = [
  ['example.org', 'example.org'],
  ['Example.ORG', 'example.org'],
  ['example.org:8080', 'example.org'],
  ['example.org.', 'example.org'],
  ['EXAMPLE.org.:443', 'example.org'],
  ['localhost', 'localhost'],
  ['media_1.localhost:1', 'media_1.localhost'],
  ['127.0.0.1:65535', '127.0.0.1'],
  ['[::1]', '[::1]'],
  ['[::1]:8080', '[::1]'],
  ['[2001:DB8:0:0:0:0:0:1]:1', '[2001:db8::1]'],
  [`${'a'.repeat(249)}.org`, `${'a'.repeat(249)}.org`],
];

const malformed = [
  '',
  '.',
  ':80',
  '.:80',
  '.example.org',
  'a..b',
  'a..',
  'example.org:',
  'example.org:0',
  'example.org:65536',
  'example.org:123456',
  'example.org:+80',
  'example.org:8a',
  'example.org:80:80',
  'user@example.org',
  'user:pw@example.org',
  'example.org/x',
  'example.org?x',
  'example.org#x',
  'example.org\\x',
  'exa mple.org',
  ' example.org',
  'example.org\t',
  'a,b',
  '%65xample.org',
  'ex\xe4mple.org',
  'ex\u0161mple.org',
  '*.example.org',
  '::1',
  '[]',
  '[::1',
  '[::1]x',
  '[::1]:',
  '[::1]:0',
  '[::g]',
  '[1:2]',
  '[fe80::1%25eth0]',
  '[v1.a]',
  '[127.0.0.1]',
  'a'.repeat(254),
];

describe('canonicalHost', () => {
  it.each(accepted)('reads %s as %s', (field, host) => {
    expect(canonicalHost(field)).toBe(host);
  });

  it.each(malformed)('refuses %j', (field) => {
    expect(canonicalHost(field)).toBeNull();
  });

  it('is idempotent, and holds nothing but host characters', () => {
    const field = fc.string({ unit: fc.constantFrom(...'aZ09-_.:[]@/ %\xff'), maxLength: 12 });
    fc.assert(
      fc.property(field, (value) => {
        const host = canonicalHost(value);
        if (host === null) return;
        expect(canonicalHost(host)).toBe(host);
        expect(host).toMatch(/^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/);
      }),
      { numRuns: 3000 },
    );
  });
});
