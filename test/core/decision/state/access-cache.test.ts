// The cache of access answers: what it finds, what ends an entry, and that it never gives an answer that a change overtook.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessAnswer } from '../../../../gateway/core/decision/state/access.ts';
import { AccessCache } from '../../../../gateway/core/decision/state/access-cache.ts';
import type { Change } from '../../../../gateway/core/model/change.ts';

const now = 1000;
const large = { entries: 1000, bytes: 1_000_000 };
const at = (seq: number, epoch = 'e') => ({ epoch, seq });
const touch = (seq: number, node: string, kind: Change['kind'] = 'touch'): Change => ({ kind, node, seq, at: now });

function granted(seq: number, path = '/vod/', changes: { untilAt?: number; epoch?: string } = {}): AccessAnswer {
  return {
    kind: 'granted',
    position: at(seq, changes.epoch),
    subjects: ['ac_1', 'co_1'],
    nodes: ['me_1'],
    grant: 'me_1',
    scope: { host: 'h', path, methods: null, untilAt: changes.untilAt ?? null },
    claims: { sub: 'ac_1' },
  };
}
const none = (seq: number): AccessAnswer => ({ kind: 'none', position: at(seq), subjects: ['ac_1', 'co_1'] });

function started(limits = large): AccessCache {
  const cache = new AccessCache(limits);
  cache.changed(at(0), null);
  return cache;
}

function put(cache: AccessCache, path: string, answer: AccessAnswer, account = 'ac_1', host = 'h'): boolean {
  return cache.finish(cache.begin(), { account, host, path }, answer, now);
}

describe('what is found', () => {
  it('a grant serves every path in its scope, for its account on its host', () => {
    const cache = started();
    expect(put(cache, '/vod/a', granted(0))).toBe(true);
    for (const path of ['/vod/', '/vod/a', '/vod/b/c'])
      expect(cache.find('ac_1', 'h', path, now)?.kind).toBe('granted');
    for (const path of ['/vod', '/vo', '/', '/vodka']) expect(cache.find('ac_1', 'h', path, now)).toBeNull();
    expect(cache.find('ac_2', 'h', '/vod/a', now)).toBeNull();
    expect(cache.find('ac_1', 'h2', '/vod/a', now)).toBeNull();
  });

  it('the grant of one path is for that path, and the narrower of two decides', () => {
    const cache = started();
    put(cache, '/vod/a', granted(0, '/vod/a'));
    expect(cache.find('ac_1', 'h', '/vod/ab', now)).toBeNull();
    put(cache, '/vod/b', granted(0, '/vod/'));
    expect(cache.find('ac_1', 'h', '/vod/a', now)).toMatchObject({ scope: { path: '/vod/a' } });
  });

  it('a refusal that counts until a window begins is asked again then', () => {
    const cache = started();
    const refusal: AccessAnswer = { kind: 'none', position: at(0), subjects: ['ac_1'], untilAt: now + 60 };
    put(cache, '/vod/a', refusal);
    expect(cache.find('ac_1', 'h', '/vod/a', now + 59)?.kind).toBe('none');
    expect(cache.find('ac_1', 'h', '/vod/a', now + 60)).toBeNull();
  });

  it('a refusal serves its own path alone', () => {
    const cache = started();
    put(cache, '/vod/', none(0));
    expect(cache.find('ac_1', 'h', '/vod/', now)?.kind).toBe('none');
    expect(cache.find('ac_1', 'h', '/vod/a', now)).toBeNull();
  });

  it('no two questions share an entry, wherever a separator stands', () => {
    const cache = started();
    put(cache, '/b/', none(0), 'a', 'h/x');
    expect(cache.find('a/h', 'x', '/b/', now)).toBeNull();
    expect(cache.find('a', 'h', '/x/b/', now)).toBeNull();
  });

  it('no answer is found after the end of the access', () => {
    const cache = started();
    put(cache, '/vod/a', granted(0, '/vod/', { untilAt: now + 10 }));
    expect(cache.find('ac_1', 'h', '/vod/a', now + 9)?.kind).toBe('granted');
    expect(cache.find('ac_1', 'h', '/vod/a', now + 10)).toBeNull();
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });
});

describe('what ends an entry', () => {
  it.each([
    ['a touch of a subject', touch(1, 'co_1')],
    ['a revocation of a subject', touch(1, 'ac_1', 'revoke')],
    ['a revocation of a node', touch(1, 'me_1', 'revoke')],
  ])('%s', (_what, change) => {
    const cache = started();
    put(cache, '/vod/a', granted(0));
    cache.changed(at(1), [change]);
    expect(cache.find('ac_1', 'h', '/vod/a', now)).toBeNull();
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });

  it('a change of another subject, or from before the answer was read, does not', () => {
    const cache = started();
    put(cache, '/vod/a', granted(2));
    cache.changed(at(3), [touch(1, 'co_1'), touch(2, 'ac_1'), touch(3, 'ac_2')]);
    expect(cache.find('ac_1', 'h', '/vod/a', now)?.kind).toBe('granted');
  });

  it('another epoch, a reloaded index, another configuration', () => {
    for (const end of [
      (cache: AccessCache) => cache.changed(at(0, 'other'), []),
      (cache: AccessCache) => cache.changed(at(0), null),
      (cache: AccessCache) => cache.clear(),
    ]) {
      const cache = started();
      put(cache, '/vod/a', granted(0));
      end(cache);
      expect(cache.find('ac_1', 'h', '/vod/a', now)).toBeNull();
    }
  });
});

describe('an answer on its way', () => {
  it.each<[string, (cache: AccessCache) => void, AccessAnswer]>([
    ['while a subject changed', (cache) => cache.changed(at(1), [touch(1, 'co_1')]), granted(0)],
    ['while a node was revoked', (cache) => cache.changed(at(1), [touch(1, 'me_1', 'revoke')]), granted(0)],
    ['while the configuration changed', (cache) => cache.clear(), granted(0)],
    ['while the index came anew', (cache) => cache.changed(at(0), null), granted(0)],
    ['from another epoch', () => undefined, granted(0, '/vod/', { epoch: 'other' })],
    ['while more changed than is remembered', (cache) => many(cache, 5000), granted(4000)],
  ])('%s is neither used nor kept', (_what, meanwhile, answer) => {
    const cache = started();
    const flight = cache.begin();
    meanwhile(cache);
    expect(cache.finish(flight, { account: 'ac_1', host: 'h', path: '/vod/a' }, answer, now)).toBe(false);
    expect(cache.find('ac_1', 'h', '/vod/a', now)).toBeNull();
  });

  it('that was read at a place before the one known when the question began is not used', () => {
    const cache = started();
    cache.changed(at(1), [touch(1, 'co_1')]);
    expect(put(cache, '/vod/a', granted(0))).toBe(false);
  });

  it('before the index was loaded is not used', () => {
    expect(put(new AccessCache(large), '/vod/a', granted(0))).toBe(false);
  });

  it('while something else changed, or read after the change, is used and kept', () => {
    const cache = started();
    const flight = cache.begin();
    cache.changed(at(2), [touch(1, 'co_1'), touch(2, 'co_2')]);
    expect(cache.finish(flight, { account: 'ac_1', host: 'h', path: '/vod/a' }, granted(1), now)).toBe(true);
    expect(cache.find('ac_1', 'h', '/vod/a', now)?.kind).toBe('granted');
  });

  it('does not replace a newer answer', () => {
    const cache = started();
    const [early, late] = [cache.begin(), cache.begin()];
    cache.finish(late, { account: 'ac_1', host: 'h', path: '/vod/a' }, granted(5), now);
    cache.finish(early, { account: 'ac_1', host: 'h', path: '/vod/a' }, granted(3), now);
    expect(cache.find('ac_1', 'h', '/vod/a', now)?.position.seq).toBe(5);
  });
});

function many(cache: AccessCache, changes: number): void {
  const batch = Array.from({ length: changes }, (_, index) => touch(index + 1, `x_${index}`));
  cache.changed(at(changes), batch);
}

describe('its bounds', () => {
  it('entries: the least recently used one goes', () => {
    const cache = started({ entries: 2, bytes: 1_000_000 });
    put(cache, '/1', none(0));
    put(cache, '/2', none(0));
    cache.find('ac_1', 'h', '/1', now);
    put(cache, '/3', none(0));
    expect(['/1', '/2', '/3'].map((path) => cache.find('ac_1', 'h', path, now)?.kind)).toEqual([
      'none',
      undefined,
      'none',
    ]);
  });

  it('bytes: never more than the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.boolean(), fc.nat(400)), { maxLength: 60 }), (steps) => {
        const cache = started({ entries: 100, bytes: 8000 });
        for (const [number, grants, padding] of steps) {
          const path = `/${'p'.repeat(padding)}${number}`;
          put(cache, path, grants ? granted(0, path) : none(0));
          expect(cache.bytes).toBeLessThanOrEqual(8000);
        }
        cache.changed(at(1), [touch(1, 'ac_1')]);
        expect([cache.size, cache.bytes]).toEqual([0, 0]);
      }),
    );
  });

  it('scopes of one account on one host: sixty-four', () => {
    const cache = started();
    for (let number = 0; number < 100; number++) put(cache, `/${number}`, granted(0, `/${number}`));
    expect(cache.size).toBe(64);
    expect(cache.find('ac_1', 'h', '/99', now)?.kind).toBe('granted');
  });

  it('a limit of no entries keeps nothing', () => {
    const cache = started({ entries: 0, bytes: 1_000_000 });
    expect(put(cache, '/vod/a', granted(0))).toBe(true);
    expect(cache.size).toBe(0);
  });
});
