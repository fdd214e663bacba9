// Routes for paths that servers read in more than one way.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseRoute } from '../../../../gateway/core/decision/route/choose-route.ts';
import { canonicalPath } from '../../../../gateway/core/decision/route/path.ts';
import { buildRouteTable } from '../../../../gateway/core/decision/route/route-table.ts';

const open = { name: 'open', host: null, path: '/', keepsEncodedSlash: false, takesPaths: 0 };
const admin = { name: 'admin', host: null, path: '/admin/', keepsEncodedSlash: false, takesPaths: 0 };
const mail = { name: 'mail', host: null, path: '/a@b/', keepsEncodedSlash: false, takesPaths: 0 };
const files = { name: 'files', host: null, path: '/files/', keepsEncodedSlash: true, takesPaths: 0 };
const inner = { name: 'inner', host: null, path: '/files/inner/', keepsEncodedSlash: true, takesPaths: 0 };
const table = buildRouteTable([open, admin, mail, files, inner]);

describe('a path with one reading', () => {
  test.each([
    ['/admin/x', admin],
    ['/x;jsessionid=1/y', open],
    ['/admin/x;v=1', admin],
    ['/admin/100%25', admin],
    ['/a@b/c', mail],
    ['/caf%C3%A9/', open],
  ])('%s has its route', (path, route) => {
    expect(chooseRoute(table, 'example.org', path)).toBe(route);
  });
});

describe('a path that slips past a route in another reading', () => {
  test.each(['/admin;x/secret', '/admin;/secret', '/a%40b/c', '/a%40b;x/c', '/admin%3Bx/secret', '/;/admin/x'])(
    '%s is refused',
    (path) => {
      expect(chooseRoute(table, 'example.org', path)).toBe('ambiguous');
    },
  );
});

describe('a path with an encoded slash', () => {
  test.each([
    ['/files/a%2Fb', files],
    ['/files/inner/a%2Fb', inner],
    ['/files/a%2F', files],
    ['/open/a%2Fb', 'encoded-slash'],
    ['/admin/a%2Fb', 'encoded-slash'],
    ['/files%2Fa', 'encoded-slash'],
    ['/files/inner%2Fa', 'ambiguous'],
    ['/files/inner;x%2Fa', 'ambiguous'],
    ['/files/%2Finner/a', 'ambiguous'],
  ])('%s has its route only where it is kept, and no other when it is decoded', (path, chosen) => {
    expect(chooseRoute(table, 'h', path)).toBe(chosen);
  });
});

test('parameters and escaped reserved characters never change which route a path gets', () => {
  const piece = fc.constantFrom('admin', 'a@b', 'a%40b', ';x', '%3B', 'x', '/', '/', '@', '%40', ';');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = canonicalPath(`/${pieces.join('')}`);
      if (path === null) return;
      const chosen = chooseRoute(table, 'h', path);
      const readings = [path, path.replaceAll('%40', '@').replaceAll('%3B', ';')];
      for (const reading of [...readings, ...readings.map((text) => text.replace(/;[^/]*/g, ''))]) {
        if (chosen !== 'ambiguous' && chosen !== 'encoded-slash') expect(table.find('h', reading)).toBe(chosen);
      }
    }),
  );
});

describe('what some servers drop from the end of a name', () => {
  test.each(['/admin./x', '/admin.../x', '/admin%20/x', '/admin.%20./x', '/files/inner./a'])(
    '%s is refused',
    (path) => {
      expect(chooseRoute(table, 'h', path)).toBe('ambiguous');
    },
  );

  test.each([
    ['/x./y', open],
    ['/a/b.', open],
    ['/...', open],
    ['/admin/x./y.', admin],
    ['/admin/x%20', admin],
  ])('%s has its route, which no other reading changes', (path, route) => {
    expect(chooseRoute(table, 'h', path)).toBe(route);
  });
});
