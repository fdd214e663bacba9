// Which addresses are a site's own, by the servers of its upstream.

import { describe, expect, it } from 'vitest';
import { compileSite } from '../../../../gateway/core/decision/route/site.ts';
import { parseWebAddress } from '../../../../gateway/core/decision/route/web-address.ts';

describe('a site', () => {
  it('is its servers’ addresses, with their port and without', () => {
    const site = compileSite([
      { host: 'App.internal', port: 9000, isTls: true },
      { host: 'fd00::7', port: 9001, isTls: true },
    ]);
    expect([...site.hosts]).toEqual(['app.internal', '[fd00::7]']);
    expect(site.scheme).toBe('https');
    for (const own of ['app.internal:9000', 'app.internal:80', 'app.internal:443', '[fd00::7]:9001']) {
      expect(site.origins.has(own), own).toBe(true);
    }
    for (const other of ['app.internal:9001', '[fd00::7]:9000', '127.0.0.1:9000']) {
      expect(site.origins.has(other), other).toBe(false);
    }
  });

  it('on loopback goes by every name of loopback, on its own port', () => {
    const site = compileSite([{ host: '::1', port: 3000, isTls: false }]);
    for (const name of ['localhost', '127.0.0.1', '[::1]', '0.0.0.0', '[::]'])
      expect(site.origins.has(`${name}:3000`), name).toBe(true);
    expect([site.origins.has('localhost:3001'), site.scheme]).toEqual([false, 'http']);
  });

  it('on a Unix socket has no address', () => {
    expect(compileSite([])).toEqual({ scheme: 'http', origins: new Set(), hosts: new Set() });
  });
});

describe('an absolute address', () => {
  it('is taken apart as spelled', () => {
    expect(parseWebAddress('HTTPS://A.example.:08443/b?c#d')).toEqual({
      scheme: 'https',
      host: 'a.example',
      port: 8443,
      origin: 'HTTPS://A.example.:08443',
      rest: '/b?c#d',
    });
    expect(parseWebAddress('//[FD00::0:7]')).toMatchObject({ scheme: '', host: '[fd00::7]', port: null, rest: '' });
  });

  it.each(['', '/a', 'a', '//', 'http:/a', 'http://a@b/', 'http://a\\b/', 'http://a:0/', 'http://a b/', '//a/\n'])(
    '%j is none',
    (text) => expect(parseWebAddress(text)).toBeNull(),
  );
});
