// Links: their tokens as written and read, their states, and which scope covers which path.

import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  digestLinkSecret,
  formatLinkToken,
  isLinkSecret,
  type LinkTerms,
  linkState,
  parseLinkToken,
  scopesCovering,
} from '../../../gateway/core/model/link.ts';
import { makeId } from '../../../gateway/core/model/node-id.ts';
import { covers } from '../../../gateway/core/model/path.ts';

const linkId = makeId('link', Buffer.alloc(16, 1));

describe('authorization token', () => {
  test('is read as it was written', () => {
    const text = formatLinkToken(linkId, Buffer.alloc(32, 7));
    expect(parseLinkToken(text)).toEqual({ linkId, secret: Buffer.alloc(32, 7).toString('base64url') });
  });

  it.each([
    '',
    '.',
    linkId,
    `${linkId}.`,
    `${linkId}.short`,
    `${linkId.replace('li_', 'me_')}.${'a'.repeat(43)}`,
    `${linkId}.${'a'.repeat(42)}=`,
    `${linkId}.${'a'.repeat(44)}`,
    `${linkId}:${'a'.repeat(43)}`,
    ` ${linkId}.${'a'.repeat(42)}`,
  ])('refuses %j', (text) => {
    expect(parseLinkToken(text)).toBeNull();
  });

  test('no text makes the parser throw', () => {
    fc.assert(fc.property(fc.string({ maxLength: 90 }), (text) => parseLinkToken(text) === null));
  });

  test('only the secret that was digested fits', () => {
    const secret = randomBytes(32).toString('base64url');
    const digest = digestLinkSecret(secret);
    expect(digest).not.toContain(secret);
    expect(isLinkSecret(digest, secret)).toBe(true);
    expect(isLinkSecret(digest, randomBytes(32).toString('base64url'))).toBe(false);
    expect(isLinkSecret('', secret)).toBe(false);
    expect(isLinkSecret(digest, '')).toBe(false);
  });
});

describe('state', () => {
  const open: LinkTerms = {
    claimsAllowed: 2,
    claimsUsed: 1,
    claimFromAt: 100,
    claimUntilAt: 200,
    accessUntilAt: 300,
    revokedAt: null,
  };

  it.each([
    [{}, 100, 'open'],
    [{}, 199, 'open'],
    [{}, 99, 'early'],
    [{}, 200, 'past-window'],
    [{}, 300, 'access-over'],
    [{ claimsUsed: 2 }, 150, 'full'],
    [{ claimsUsed: 2 }, 250, 'past-window'],
    [{ revokedAt: 120, claimsUsed: 2 }, 400, 'revoked'],
    [{ claimFromAt: null, claimUntilAt: null, accessUntilAt: null }, 9e9, 'open'],
  ])('%j at %i is %s', (change, now, state) => {
    expect(linkState({ ...open, ...change }, now)).toBe(state);
  });
});

describe('scope', () => {
  it.each([
    ['/vod/summer/', '/vod/summer/a/b.ts', true],
    ['/vod/summer/', '/vod/summer/', true],
    ['/vod/summer/', '/vod/summer', false],
    ['/vod/summer/', '/vod/summertime/a', false],
    ['/vod/a.mp4', '/vod/a.mp4', true],
    ['/vod/a.mp4', '/vod/a.mp4/x', false],
    ['/', '/anything', true],
  ])('%s covers %s: %s', (scope, path, is) => {
    expect(covers(scope, path)).toBe(is);
  });

  test('lists the path itself and the folders above it, the most specific first', () => {
    expect(scopesCovering('/vod/summer/a.ts')).toEqual(['/vod/summer/a.ts', '/vod/summer/', '/vod/', '/']);
    expect(scopesCovering('/vod/summer/')).toEqual(['/vod/summer/', '/vod/', '/']);
    expect(scopesCovering('/')).toEqual(['/']);
    expect(scopesCovering(`/${'a/'.repeat(200)}`)).toHaveLength(64);
    expect(scopesCovering(`/${'a/'.repeat(200)}`).at(-1)).toBe('/');
  });

  test('every listed scope covers the path, and every scope that covers it is listed', () => {
    const segment = fc.constantFrom('a', 'b', 'ab');
    const path = fc
      .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([segments, isFolder]) => `/${segments.join('/')}${isFolder ? '/' : ''}`);
    fc.assert(
      fc.property(path, path, (scope, at) => {
        expect(scopesCovering(at).includes(scope)).toBe(covers(scope, at));
      }),
    );
  });
});
