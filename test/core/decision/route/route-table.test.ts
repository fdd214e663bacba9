// Routing, by examples and against a model that looks at every route.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RouteAddress } from '../../../../gateway/core/decision/route/route-table.ts';
import { buildRouteTable, OtherEnd } from '../../../../gateway/core/decision/route/route-table.ts';

/** The rule of the configuration page, read out literally. */
function bruteForce(routes: readonly RouteAddress[], host: string, path: string): RouteAddress | null {
  let group = routes.filter((route) => route.host === host);
  if (group.length === 0) {
    const wildcards = routes
      .map((route) => route.host)
      .filter((name) => name?.startsWith('*.') === true && host.endsWith(name.slice(1)) && host.length >= name.length)
      .sort((a, b) => (b?.length ?? 0) - (a?.length ?? 0));
    group = routes.filter((route) => route.host === (wildcards[0] ?? null));
  }
  return (
    group
      .filter((route) => (route.path.endsWith('/') ? path.startsWith(route.path) : path === route.path))
      .sort((a, b) => b.path.length - a.path.length)[0] ?? null
  );
}

const table = buildRouteTable([
  { host: null, path: '/' },
  { host: null, path: '/vod/' },
  { host: 'app.example.org', path: '/app/' },
  { host: '*.example.org', path: '/' },
  { host: '*.deep.example.org', path: '/x' },
]);

describe('RouteTable', () => {
  it.each([
    ['other', '/vod/a.ts', '/vod/'],
    ['other', '/vod/', '/vod/'],
    ['other', '/vod', '/'],
    ['other', '/vodka/a', '/'],
    ['other', '/', '/'],
  ])('finds the longest path for %s%s', (host, path, expected) => {
    expect(table.find(host, path)).toEqual({ host: null, path: expected });
  });

  it('does not fall back from an exact host to a wildcard or to routes without a host', () => {
    expect(table.find('app.example.org', '/vod/a.ts')).toBeNull();
    expect(table.find('app.example.org', '/app/x')?.host).toBe('app.example.org');
  });

  it('takes the longest wildcard, and does not fall back from it', () => {
    expect(table.find('a.deep.example.org', '/x')?.host).toBe('*.deep.example.org');
    expect(table.find('a.b.deep.example.org', '/y')).toBeNull();
    expect(table.find('deep.example.org', '/x')?.host).toBe('*.example.org');
  });

  it('does not match a wildcard with its own parent or with a name that only ends alike', () => {
    expect(table.find('example.org', '/vod/a')?.host).toBeNull();
    expect(table.find('badexample.org', '/vod/a')?.host).toBeNull();
    expect(table.find('.example.org', '/vod/a')?.host).toBeNull();
  });

  it('keeps an exact path apart from the folder of the same name', () => {
    const routes = buildRouteTable([
      { host: null, path: '/vod' },
      { host: null, path: '/live/' },
    ]);
    expect(routes.find('h', '/vod')?.path).toBe('/vod');
    expect(routes.find('h', '/vod/')).toBeNull();
    expect(routes.find('h', '/live')).toBeNull();
    expect(routes.find('h', '/live/a/b/c')?.path).toBe('/live/');
  });

  it('is not misled by names of object members', () => {
    expect(table.find('constructor', '/__proto__/a')?.path).toBe('/');
    expect(buildRouteTable([{ host: 'a', path: '/toString/' }]).find('a', '/constructor/')).toBeNull();
  });

  it('knows the hosts it could serve', () => {
    expect(table.knowsHost('anything')).toBe(true);
    const named = buildRouteTable([
      { host: 'a.b', path: '/' },
      { host: '*.c.d', path: '/' },
    ]);
    expect(named.knowsHost('a.b')).toBe(true);
    expect(named.knowsHost('x.c.d')).toBe(true);
    expect(named.knowsHost('c.d')).toBe(false);
    expect(named.knowsHost('b')).toBe(false);
    expect(named.hosts()).toEqual({ exact: ['a.b'], wildcards: ['*.c.d'], hostless: false });
  });

  it('knows hosts of its own, and takes none of them from a site', () => {
    const named = buildRouteTable([{ host: 'a.b', path: '/' }], ['portal.b', 'a.b']);
    expect(named.knowsHost('portal.b')).toBe(true);
    expect(named.find('portal.b', '/')).toBeNull();
    expect(named.find('a.b', '/')?.host).toBe('a.b');
    expect(buildRouteTable([{ host: null, path: '/' }], ['portal.b']).find('portal.b', '/')?.path).toBe('/');
  });

  it('refuses two routes with one address, and a path that is not absolute', () => {
    const twice = { host: 'a', path: '/x/' };
    expect(() => buildRouteTable([twice, { ...twice }])).toThrow('two routes for host a and path "/x/"');
    expect(() => buildRouteTable([{ host: null, path: 'x/' }])).toThrow('does not begin with "/"');
  });

  it('agrees with the model', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('.'));
    const host = fc.oneof(
      fc.constant(null),
      name,
      name.map((below) => `*.${below}`),
    );
    const path = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { maxLength: 4 }), fc.boolean())
      .map(([segments, folder]) => (segments.length === 0 ? '/' : `/${segments.join('/')}${folder ? '/' : ''}`));
    const routes = fc.uniqueArray(fc.record({ host, path }), { selector: (r) => `${r.host} ${r.path}`, maxLength: 30 });
    fc.assert(
      fc.property(routes, name, path, (all, asked, at) => {
        expect(buildRouteTable(all).find(asked, at)).toBe(bruteForce(all, asked, at));
      }),
      { numRuns: 3000 },
    );
  });

  it('does the same work with ten thousand routes, and stops at the depth of the routes', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ host: null, path: `/r${index}/v/` }));
    const big = buildRouteTable(many);
    expect(big.find('h', '/r9999/v/a')?.path).toBe('/r9999/v/');
    // A path of a million segments is answered from its first two: slicing them all would take far longer than the limit.
    const deep = `/r1/v${'/x'.repeat(1_000_000)}`;
    const started = process.cpuUsage();
    for (let round = 0; round < 1000; round++) big.find('h', deep);
    expect(process.cpuUsage(started).user).toBeLessThan(500_000);
  });
});

describe('the two ends of a name', () => {
  // the lower the number in a path's last piece, the stricter its route
  const strictness = (route: RouteAddress) => Number(/\d/.exec(route.path)?.[0] ?? 5);
  const isNoLooser = (route: RouteAddress, other: RouteAddress) => strictness(route) <= strictness(other);
  const place = (paths: readonly string[], path: string) => {
    const routes = paths.map((each) => ({ host: null, path: each }));
    const found = buildRouteTable(routes, [], isNoLooser).place('host', path);
    return found instanceof OtherEnd ? (found.isFolder ? 'to the folder' : 'refused') : found?.path;
  };

  it.each([
    // a folder with rules of its own is as it was written, whether they are looser or stricter than those around it
    [['/', '/public9/'], '/public9/', '/public9/'],
    [['/', '/panel1/'], '/panel1/', '/panel1/'],
    [['/vod3/', '/vod3/summer7/'], '/vod3/summer7/', '/vod3/summer7/'],
    [['/vod3/', '/vod3/summer7/'], '/vod3/summer7/film', '/vod3/summer7/'],
    // its bare name is led to it
    [['/', '/public9/'], '/public9', 'to the folder'],
    [['/', '/panel1/'], '/panel1', 'to the folder'],
    // one exact name says nothing of the folder, which would fall to a looser route
    [['/', '/admin1'], '/admin1', '/admin1'],
    [['/', '/admin1'], '/admin1/', 'refused'],
    // and an open page on a closed site is open, with no folder behind it
    [['/', '/page9'], '/page9/', '/'],
    [['/', '/page9'], '/page9', '/page9'],
    [['/', '/vod3/', '/vod3/page9'], '/vod3/page9', '/vod3/page9'],
    // a name that was written both ways: the looser page is led to the folder, and the looser folder is refused
    [['/', '/both9', '/both9/'], '/both9', '/both9'],
    [['/', '/both9', '/both9/'], '/both9/', '/both9/'],
  ])('among %j %s is: %s', (paths, path, expected) => {
    expect(place(paths, path)).toBe(expected);
  });

  // "busy" lets in whom "stricter" lets in, and asks less of them
  it('a bare name stays with the route around it where that one lets in the same people for no more', () => {
    const order = ['open', 'busy', 'stricter'];
    const compare = (left: NamedRoute, right: NamedRoute, who?: 'who') =>
      who === 'who' && left.name !== 'open' && right.name !== 'open'
        ? true
        : order.indexOf(left.name) >= order.indexOf(right.name);
    const said = [
      ['stricter', 'busy'],
      ['busy', 'stricter'],
      ['stricter', 'open'],
      ['open', 'busy'],
    ].map(([around = '', folder = '']) => {
      const routes = [
        { host: null, path: '/', name: around },
        { host: null, path: '/a/', name: folder },
      ];
      const found = buildRouteTable(routes, [], compare).place('host', '/a');
      return found instanceof OtherEnd ? 'to the folder' : found?.path;
    });
    expect(said).toEqual(['/', 'to the folder', 'to the folder', 'to the folder']);
  });

  it.each([
    ['looser', 'stricter', 'to the folder', '/a/'],
    ['stricter', 'looser', '/a', 'refused'],
    // neither is stricter: the visitor who is led to the folder finds it
    ['other', 'looser', 'to the folder', '/a/'],
    // how often and with which methods is each one's own affair
    ['stricter', 'strictest', '/a', '/a/'],
  ])('a name whose page is %s and whose folder is %s: %s, %s', (exact, folder, bare, slashed) => {
    const levels = ['looser', 'stricter', 'strictest'];
    const compare = (left: NamedRoute, right: NamedRoute, who?: 'who') => {
      if (left.name === 'other' || right.name === 'other') return left.name === right.name;
      const [one, two] = [levels.indexOf(left.name), levels.indexOf(right.name)];
      return who === 'who' ? Math.min(one, 1) >= Math.min(two, 1) : one >= two;
    };
    const routes = [
      { host: null, path: '/', name: 'looser' },
      { host: null, path: '/a', name: exact },
      { host: null, path: '/a/', name: folder },
    ];
    const table = buildRouteTable(routes, [], compare);
    const said = ['/a', '/a/'].map((path) => {
      const found = table.place('host', path);
      return found instanceof OtherEnd ? (found.isFolder ? 'to the folder' : 'refused') : found?.path;
    });
    expect(said).toEqual([bare, slashed]);
  });
});

type NamedRoute = RouteAddress & { readonly name: string };
