// What a route changes in the heads of forwarded answers: caching of what a credential opened, fields set and removed,
// security headers. RFC 9111 §3.5 and §5.2.2; gateway/edge/README.md "What answers say".

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
let token: string;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    users: { alice: 'correct horse' },
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      trusted_proxies: ['127.0.0.1'],
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'password'] },
        { name: 'open', path: '/open/', upstream: 'media', accept: ['anyone'] },
        { name: 'mixed', path: '/mixed/', upstream: 'media', accept: ['anyone', 'token'] },
        {
          name: 'shared',
          path: '/shared/',
          upstream: 'media',
          accept: ['anyone', 'token'],
          response: { cache: 'shared' },
        },
        {
          name: 'set',
          path: '/set/',
          upstream: 'media',
          accept: ['anyone', 'token'],
          response: {
            set: {
              'X-Robots-Tag': 'noindex',
              'Cache-Control': 'public, max-age=60',
              'Referrer-Policy': 'origin',
              Location: '/elsewhere',
            },
            remove: ['server', 'X-Powered-By', 'Set-Cookie', 'X-Debug', 'X_Debug', 'x.trace'],
          },
        },
        {
          name: 'basic',
          path: '/basic/',
          upstream: 'media',
          accept: ['anyone', 'token'],
          response: { security_headers: 'basic' },
        },
        {
          name: 'strict',
          path: '/strict/',
          upstream: 'media',
          accept: ['anyone'],
          response: {
            security_headers: 'strict',
            set: { 'X-Frame-Options': 'SAMEORIGIN' },
            remove: ['Permissions-Policy'],
          },
        },
      ],
    },
  });
  token = gateway.mint();
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, fields));
}

function says(...fields: string[]): void {
  upstream.fallback = okAnswer('ok', fields);
}

describe('an answer that a token opened', () => {
  const places: readonly (readonly [string, () => Promise<RawResponse>])[] = [
    ['a header', () => ask('/vod/a', [`Authorization: Bearer ${token}`])],
    ['the query', () => ask(`/vod/a?token=${token}`)],
    ['the path', () => ask(`/.t/${token}/vod/a`)],
    ['a cookie', () => ask('/vod/a', [`Cookie: latchkey_pass=${token}`])],
    ['a header, on a route for anyone too', () => ask('/mixed/a', [`Authorization: Bearer ${token}`])],
  ];

  test.each(places)('from %s is kept from shared caches', async (_place, fetch) => {
    says(
      'Cache-Control: public, s-maxage=600, max-age=60',
      'CDN-Cache-Control: max-age=600',
      'Surrogate-Control: max-age=9',
    );
    const answer = await fetch();
    expect(answer.all('Cache-Control')).toEqual(['private, max-age=60']);
    expect(answer.head).not.toMatch(/cdn-|surrogate|public|s-maxage/i);
  });

  test('without a word on caching gets one, with Expires as well, and as 304 and 404', async () => {
    const fields = [`Authorization: Bearer ${token}`];
    says();
    expect((await ask('/vod/a', fields)).all('Cache-Control')).toEqual(['private']);
    says('Expires: Thu, 01 Dec 2044 16:00:00 GMT');
    const expires = await ask('/vod/a', fields);
    expect([expires.all('Cache-Control'), expires.all('Expires')]).toEqual([
      ['private'],
      ['Thu, 01 Dec 2044 16:00:00 GMT'],
    ]);
    for (const status of ['304 Not Modified', '404 Not Found', '206 Partial Content']) {
      upstream.fallback = `HTTP/1.1 ${status}\r\nCache-Control: public\r\n${status.startsWith('304') ? '' : 'Content-Length: 0\r\n'}\r\n`;
      expect((await ask('/vod/a', fields)).all('Cache-Control')).toEqual(['private']);
    }
  });

  test('that says so itself stays byte for byte, line by line', async () => {
    says('cache-control:  private, max-age=5', 'X-Between: 1', 'Cache-Control: no-store', 'Cache-Control: public');
    const answer = await ask('/vod/a', [`Authorization: Bearer ${token}`]);
    expect(answer.head).toContain(
      '\r\ncache-control:  private, max-age=5\r\nX-Between: 1\r\nCache-Control: no-store\r\n',
    );
    expect(answer.all('Cache-Control')).toEqual(['private, max-age=5', 'no-store', 'private']);
  });

  test('is private where Connection took the Cache-Control away', async () => {
    says('Cache-Control: no-store', 'Connection: Cache-Control');
    const answer = await ask('/vod/a', [`Authorization: Bearer ${token}`]);
    expect(answer.all('Cache-Control')).toEqual(['private']);
  });

  test('and carries a pass is stored by nobody', async () => {
    says('Cache-Control: public', 'CDN-Cache-Control: max-age=600');
    const basic = Buffer.from('alice:correct horse').toString('base64');
    const answer = await ask('/vod/a', [`Authorization: Basic ${basic}`]);
    expect(answer.all('Set-Cookie')).toHaveLength(1);
    expect([answer.all('Cache-Control'), answer.all('CDN-Cache-Control')]).toEqual([['private, no-store'], []]);
  });

  test('is the site’s to share on a route marked shared', async () => {
    says('Cache-Control: public, s-maxage=600', 'CDN-Cache-Control: max-age=600');
    const answer = await ask('/shared/a', [`Authorization: Bearer ${token}`]);
    expect(answer.all('Cache-Control')).toEqual(['public, s-maxage=600']);
    expect([answer.all('CDN-Cache-Control'), answer.all('Vary')]).toEqual([['max-age=600'], []]);
  });
});

describe('an answer for anyone', () => {
  test('is the site’s to share, untouched', async () => {
    says('Cache-Control: public, s-maxage=600', 'CDN-Cache-Control: max-age=600', 'Access-Control-Allow-Origin: *');
    const answer = await ask('/open/a', [`Cookie: latchkey_pass=${token}`]);
    expect(answer.all('Cache-Control')).toEqual(['public, s-maxage=600']);
    expect(answer.all('CDN-Cache-Control')).toEqual(['max-age=600']);
    expect([answer.all('Vary'), answer.all('Access-Control-Allow-Origin')]).toEqual([[], ['*']]);
  });

  test('on a route that takes tokens too tells caches what it depends on', async () => {
    says('Cache-Control: public', 'Vary: Accept');
    const answer = await ask('/mixed/a');
    expect(answer.all('Cache-Control')).toEqual(['public']);
    expect(answer.all('Vary')).toEqual(['Accept', 'Authorization, Cookie']);
  });
});

describe('fields set and removed', () => {
  test('replace the site’s own in any spelling, and leave the rest alone', async () => {
    says(
      'x-robots-TAG: all',
      'Server: x',
      'X-POWERED-BY: y',
      'Set-Cookie: a=1',
      'X-Kept: 1',
      'Location: /a',
      'Cache-Control: no-cache',
    );
    const answer = await ask('/set/a');
    expect(answer.all('X-Robots-Tag')).toEqual(['noindex']);
    expect(answer.all('Cache-Control')).toEqual(['public, max-age=60']);
    expect(answer.all('Referrer-Policy')).toEqual(['origin']);
    expect(answer.all('Location')).toEqual(['/elsewhere']);
    expect(answer.all('X-Kept')).toEqual(['1']);
    for (const gone of ['Server', 'X-Powered-By', 'Set-Cookie']) expect([gone, answer.all(gone)]).toEqual([gone, []]);
  });

  test('go by the very name where it has signs like _ and .', async () => {
    says('X_Debug: 1', 'X-Debug: 2', 'x.Trace: 3', 'x_trace: 4', 'x-trace: 5');
    const { fields } = await ask('/set/a');
    expect(fields.filter(([name]) => /^x.(debug|trace)$/i.test(name)).map(([, value]) => value)).toEqual(['4', '5']);
  });

  test('cannot undo what keeps a token’s answer to itself', async () => {
    says('Cache-Control: public', 'Location: /set/b');
    const answer = await ask(`/.t/${token}/set/a`);
    expect(answer.all('Cache-Control')).toEqual(['private, max-age=60']);
    expect(answer.all('Referrer-Policy')).toEqual(['no-referrer']);
    expect(answer.all('Location')).toEqual(['/elsewhere']);
  });

  test('stay with the requests of their time over a reload', async () => {
    const own = await startGateway({
      config: {
        upstreams: { media: { servers: [upstream.url] } },
        routes: [{ name: 'a', path: '/', upstream: 'media', accept: ['anyone'], response: { remove: ['X-A'] } }],
      },
    });
    let answerIt = () => undefined as unknown;
    upstream.script((_request, socket) => {
      answerIt = () => socket.write(okAnswer('ok', ['X-A: 1', 'X-B: 1']), 'latin1');
    });
    const before = askRaw(own.port, requestText('GET', '/before'));
    await upstream.seen(1);
    await own.reload({
      upstreams: { media: { servers: [upstream.url] } },
      routes: [{ name: 'a', path: '/', upstream: 'media', accept: ['anyone'], response: { remove: ['X-B'] } }],
    });
    answerIt();
    const old = await before;
    expect([old.all('X-A'), old.all('X-B')]).toEqual([[], ['1']]);
    says('X-A: 1', 'X-B: 1');
    const fresh = await askRaw(own.port, requestText('GET', '/after'));
    expect([fresh.all('X-A'), fresh.all('X-B')]).toEqual([['1'], []]);
    await own.close();
  });
});

describe('security headers', () => {
  test('of the preset basic', async () => {
    says();
    const answer = await ask('/basic/a');
    expect(answer.all('X-Content-Type-Options')).toEqual(['nosniff']);
    expect(answer.all('Referrer-Policy')).toEqual(['strict-origin-when-cross-origin']);
    expect(answer.all('X-Frame-Options')).toEqual(['SAMEORIGIN']);
    expect(answer.all('Content-Security-Policy')).toEqual([]);
  });

  test('give way to the site’s own, but for nosniff', async () => {
    says(
      'x-frame-options: DENY',
      'Referrer-Policy: origin',
      'X-Content-Type-Options: sniff',
      "Content-Security-Policy: default-src 'none'",
    );
    for (const path of ['/basic/a', '/strict/a']) {
      const answer = await ask(path);
      expect(answer.all('X-Content-Type-Options')).toEqual(['nosniff']);
      expect(answer.all('Referrer-Policy')).toEqual(['origin']);
      expect(answer.all('Content-Security-Policy')).toEqual(["default-src 'none'"]);
    }
    expect((await ask('/basic/a')).all('X-Frame-Options')).toEqual(['DENY']);
  });

  test('of the preset strict, where the route’s own set and remove win, and HSTS is for TLS alone', async () => {
    says();
    const plain = await ask('/strict/a');
    expect(plain.all('X-Frame-Options')).toEqual(['SAMEORIGIN']);
    expect(plain.all('Permissions-Policy')).toEqual([]);
    expect(plain.all('Cross-Origin-Opener-Policy')).toEqual(['same-origin']);
    expect(plain.all('Cross-Origin-Resource-Policy')).toEqual(['same-origin']);
    expect(plain.header('Content-Security-Policy')).toContain("default-src 'self'");
    expect(plain.all('Strict-Transport-Security')).toEqual([]);
    const secure = await ask('/strict/a', ['X-Forwarded-Proto: https']);
    expect(secure.all('Strict-Transport-Security')).toEqual(['max-age=31536000']);
  });

  test('never soften what the path form says of its address', async () => {
    says();
    expect((await ask(`/.t/${token}/basic/a`)).all('Referrer-Policy')).toEqual(['no-referrer']);
  });
});
