// Routes for paths that servers read in more than one way.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseRoute } from '../../../gateway/core/decision/choose-route.ts';
import { canonicalPath } from '../../../gateway/core/decision/path.ts';
import { buildRouteTable } from '../../../gateway/core/decision/route-table.ts';

const open = { name: 'open', host: null, path: '/' };
const admin = { name: 'admin', host: null, path: '/admin/' };
const mail = { name: 'mail', host: null, path: '/a@b/' };
const table = buildRouteTable([open, admin, mail]);

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

test('parameters and escaped reserved characters never change which route a path gets', () => {
  const piece = fc.constantFrom('admin', 'a@b', 'a%40b', ';x', '%3B', 'x', '/', '/', '@', '%40', ';');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = canonicalPath(`/${pieces.join('')}`);
      if (path === null) return;
      const chosen = chooseRoute(table, 'h', path);
      const readings = [path, path.replaceAll('%40', '@').replaceAll('%3B', ';')];
      for (const reading of [...readings, ...readings.map((text) => text.replace(/;[^/]*/g, ''))]) {
        if (chosen !== 'ambiguous') expect(table.find('h', reading)).toBe(chosen);
      }
    }),
  );
});
