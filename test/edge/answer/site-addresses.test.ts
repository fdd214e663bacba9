// A site's own addresses in answers: they become the visitor's, in every field that holds some, and a path token goes onto
// the visitor's origin and nowhere else. gateway/edge/README.md "Addresses of the site"; RFC 9110 §10.2.2, RFC 8288 §3.

import type { LookupFunction } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { askTls } from '../../support/clients/tls-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: RecordingUpstream;
let certificates: CertificateFolder;
let plain: TestGateway;
let secure: TestGateway;
let trusting: TestGateway;
let prefix: string;
let port: string;

/** Every name leads to the one upstream. */
const lookup: LookupFunction = (_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  port = new URL(upstream.url).port;
  const accept = ['token' as const, 'anyone' as const];
  const config: FileInput = {
    upstreams: { media: { servers: [upstream.url, `http://app.internal:${port}`] } },
    routes: [
      { name: 'vod', path: '/vod/', upstream: 'media', accept },
      { name: 'off', path: '/off/', upstream: 'media', accept, rewrite_locations: false },
      { name: 'set', path: '/set/', upstream: 'media', accept, response: { set: { 'Alt-Svc': 'clear' } } },
    ],
  };
  certificates = new CertificateFolder();
  const made = certificates.issue({ names: ['media.example'] });
  const tls = { certificates: [{ cert_file: made.certFile, key_file: made.keyFile }] };
  plain = await startGateway({ config, lookup });
  secure = await startGateway({ config: { ...config, listeners: [{ address: '127.0.0.1:0', tls }] }, lookup });
  trusting = await startGateway({ config: { ...config, trusted_proxies: ['127.0.0.1'] }, lookup });
  prefix = `/.t/${plain.mint()}`;
});
afterAll(async () => {
  await plain.close();
  await secure.close();
  await trusting.close();
  await upstream.close();
  certificates.remove();
});
beforeEach(() => upstream.clear());

interface Asked {
  readonly from: 'plain' | 'secure' | 'trusting';
  /** `PREFIX` is that of a path token. */
  readonly target?: string;
  readonly fields?: readonly string[];
  readonly status?: string;
}

/** What the answer says in the field that the site said. `PORT` is the site's. */
async function said(field: string, asked: Asked): Promise<string[]> {
  const answer = await answerTo([field], asked);
  const name = field.slice(0, field.indexOf(':'));
  return answer.all(name).map((value) => value.replaceAll(prefix, 'PREFIX').replaceAll(port, 'PORT'));
}

async function answerTo(siteSays: readonly string[], asked: Asked): Promise<RawResponse> {
  const lines = siteSays.map((line) => `${line.replaceAll('PREFIX', prefix).replaceAll('PORT', port)}\r\n`).join('');
  upstream.fallback = `HTTP/1.1 ${asked.status ?? '302 Found'}\r\n${lines}Content-Length: 0\r\n\r\n`;
  const text = requestText('GET', (asked.target ?? '/vod/a').replace('PREFIX', prefix), asked.fields);
  if (asked.from === 'secure') return askTls(secure.port, {}, text);
  return askRaw(asked.from === 'plain' ? plain.port : trusting.port, text);
}

const unchanged = null;

describe('over TLS, Location', () => {
  const cases: readonly (readonly [sent: string, got: string | typeof unchanged])[] = [
    ['http://media.example/vod/b', 'https://media.example/vod/b'],
    ['http://media.example', 'https://media.example'],
    ['http://media.example?x=1#y', 'https://media.example?x=1#y'],
    ['HTTP://MEDIA.Example./vod/b', 'https://media.example/vod/b'],
    ['http://media.example:80/vod/b', 'https://media.example/vod/b'],
    ['http://media.example:/vod/b', 'https://media.example/vod/b'],
    ['http://media.example:PORT/vod/b', 'https://media.example/vod/b'],
    ['https://media.example:8443/vod/b', 'https://media.example/vod/b'],
    ['http://127.0.0.1:PORT/vod/b?x=1', 'https://media.example/vod/b?x=1'],
    ['http://localhost:PORT/vod/b', 'https://media.example/vod/b'],
    ['http://[::1]:PORT/vod/b', 'https://media.example/vod/b'],
    ['http://0.0.0.0:PORT/vod/b', 'https://media.example/vod/b'],
    ['http://127.0.0.1/vod/b', 'https://media.example/vod/b'],
    ['http://app.internal:PORT/vod/b', 'https://media.example/vod/b'],
    ['http://APP.internal./vod/b', 'https://media.example/vod/b'],
    ['https://app.internal/vod/b', 'https://media.example/vod/b'],
    ['//app.internal:PORT/vod/b', '//media.example/vod/b'],
    ['//127.0.0.1:PORT', '//media.example'],
    ['http://127.0.0.1:PORT//evil.example/b', 'https://media.example//evil.example/b'],
    ['https://media.example/vod/b', unchanged],
    ['HTTPS://MEDIA.example:443/vod/b', unchanged],
    ['//media.example/vod/b', unchanged],
    ['/vod/b', unchanged],
    ['b', unchanged],
    ['../b', unchanged],
    ['?x', unchanged],
    ['#x', unchanged],
    ['', unchanged],
  ];
  test.each(cases)('%s is the visitor’s', async (sent, got) => {
    expect(await said(`Location: ${sent}`, { from: 'secure' })).toEqual([got ?? sent]);
  });

  const foreign = [
    'http://cdn.example/vod/b',
    'http://media.example.evil/vod/b',
    'http://xmedia.example/vod/b',
    'http://sub.media.example/b',
    'http://127.0.0.1:1/b',
    'http://127.0.0.2:PORT/b',
    'http://app.internal:1/b',
    'http://media.example@evil.example/b',
    'http://user@media.example/b',
    'http://user:pw@127.0.0.1:PORT/b',
    'http:///media.example/b',
    'http:/media.example/b',
    'http:media.example/b',
    'http:\\\\media.example\\b',
    'http://media.example\\@evil.example/b',
    'http://media.example:99999/b',
    'http://media.example:x/b',
    'http://media..example/b',
    'http://[::1/b',
    'http://[::1]x:PORT/b',
    'http://m%65dia.example/b',
    'http://media.example\t/b',
    'http://127.0.0.1:PORT/\t/evil.example',
    '\\\\media.example/b',
    '/\\media.example/b',
    '///media.example/b',
    'ftp://media.example/b',
    'wss://media.example/b',
    'javascript:alert(1)',
    'intent://media.example/b',
    'http://',
    '//',
    'http://2130706433:PORT/b',
    'http://0x7f.1:PORT/b',
  ];
  test.each(foreign)('%s stays byte for byte, and never gets a token', async (sent) => {
    expect(await said(`Location: ${sent}`, { from: 'secure' })).toEqual([sent]);
    expect(await said(`Location: ${sent}`, { from: 'secure', target: 'PREFIX/vod/a' })).toEqual([sent]);
  });
});

describe('a path token', () => {
  const cases: readonly (readonly [
    sent: string,
    overTls: string | typeof unchanged,
    inClear: string | typeof unchanged,
  ])[] = [
    ['/vod/b?x=1', 'PREFIX/vod/b?x=1', 'PREFIX/vod/b?x=1'],
    ['PREFIX/vod/b', unchanged, unchanged],
    ['b.m3u8', unchanged, unchanged],
    ['http://media.example/vod/b', 'https://media.examplePREFIX/vod/b', 'http://media.examplePREFIX/vod/b'],
    ['http://media.example', 'https://media.examplePREFIX/', 'http://media.examplePREFIX/'],
    ['http://media.example?x', 'https://media.examplePREFIX/?x', 'http://media.examplePREFIX/?x'],
    ['https://media.example/vod/b', 'https://media.examplePREFIX/vod/b', 'http://media.examplePREFIX/vod/b'],
    ['http://media.example:8080/vod/b', 'https://media.examplePREFIX/vod/b', 'http://media.examplePREFIX/vod/b'],
    ['http://127.0.0.1:PORT/vod/b', 'https://media.examplePREFIX/vod/b', 'http://media.examplePREFIX/vod/b'],
    ['http://127.0.0.1:PORTPREFIX/vod/b', 'https://media.examplePREFIX/vod/b', 'http://media.examplePREFIX/vod/b'],
    ['//app.internal:PORT/vod/b', '//media.examplePREFIX/vod/b', '//media.examplePREFIX/vod/b'],
    ['//media.example/vod/b', '//media.examplePREFIX/vod/b', '//media.examplePREFIX/vod/b'],
  ];
  test.each(cases)('on the way to %s goes onto the visitor’s origin', async (sent, overTls, inClear) => {
    const target = 'PREFIX/vod/a';
    expect(await said(`Location: ${sent}`, { from: 'secure', target })).toEqual([overTls ?? sent]);
    expect(await said(`Location: ${sent}`, { from: 'plain', target })).toEqual([inClear ?? sent]);
  });

  test('is in Refresh, Content-Location and Link as well', async () => {
    const asked: Asked = { from: 'secure', target: 'PREFIX/vod/a' };
    expect(await said('Refresh: 0; url=/vod/b', asked)).toEqual(['0; url=PREFIX/vod/b']);
    expect(await said('Content-Location: /vod/b', asked)).toEqual(['PREFIX/vod/b']);
    expect(await said('Link: </vod/b>; rel=next, <http://cdn.example/c>; rel=preload', asked)).toEqual([
      '<PREFIX/vod/b>; rel=next, <http://cdn.example/c>; rel=preload',
    ]);
  });
});

describe('the other fields with addresses', () => {
  test.each([
    ['Content-Location: http://127.0.0.1:PORT/vod/b', 'https://media.example/vod/b'],
    ['content-location: HTTP://media.example/vod/b', 'https://media.example/vod/b'],
    ['Refresh: 5; url=http://127.0.0.1:PORT/vod/b', '5; url=https://media.example/vod/b'],
    ['Refresh: 0;URL="http://media.example/vod/b"', '0;URL="https://media.example/vod/b"'],
    ["Refresh: 0, Url = 'http://media.example/vod/b' x", "0, Url = 'https://media.example/vod/b' x"],
    ['Refresh: 0;url="http://media.example/vod/b', '0;url="https://media.example/vod/b'],
    ['Refresh: 1.5 http://media.example/vod/b', '1.5 https://media.example/vod/b'],
    ['Refresh: 5', '5'],
    ['Refresh: 5;', '5;'],
    ['Refresh: 5; url=http://cdn.example/b', '5; url=http://cdn.example/b'],
    ['Link: <http://127.0.0.1:PORT/a?b>; rel="next"', '<https://media.example/a?b>; rel="next"'],
    [
      'Link: <//app.internal:PORT/a>;rel=x , <http://media.example/b>; title="<http://media.example/c>, \\"<"; rel=y, <d>',
      '<//media.example/a>;rel=x , <https://media.example/b>; title="<http://media.example/c>, \\"<"; rel=y, <d>',
    ],
    ['Link: <http://127.0.0.1:PORT/a', '<http://127.0.0.1:PORT/a'],
    ['Link: "<http://127.0.0.1:PORT/a>', '"<http://127.0.0.1:PORT/a>'],
    ['Set-Cookie: a=1; Domain=app.internal; Path=/', 'a=1; Path=/'],
    ['Set-Cookie: a=1; path=/; domain = .APP.internal ;Secure', 'a=1; path=/;Secure'],
    ['Set-Cookie: a=1;Domain=127.0.0.1', 'a=1'],
    ['Set-Cookie: a=1; Domain=media.example', 'a=1; Domain=media.example'],
    ['Set-Cookie: a=1; Domain=example', 'a=1; Domain=example'],
    ['Set-Cookie: a=1; Domain=other.internal', 'a=1; Domain=other.internal'],
    ['Set-Cookie: a=domain=app.internal', 'a=domain=app.internal'],
  ])('%s', async (field, got) => {
    expect(await said(field, { from: 'secure', status: '200 OK' })).toEqual([got]);
  });

  test('each Link of several, and that of early hints', async () => {
    const answer = await answerTo(['Link: <http://media.example/a>', 'Link: <http://127.0.0.1:PORT/b>'], {
      from: 'secure',
      status: '200 OK',
    });
    expect(answer.all('Link')).toEqual(['<https://media.example/a>', '<https://media.example/b>']);
    upstream.fallback = `HTTP/1.1 103 Early Hints\r\nLink: <${upstream.url}/a.css>; rel=preload\r\n\r\n${okAnswer('ok')}`;
    const client = await RawClient.connect(plain.port);
    client.write(requestText('GET', '/vod/a'));
    expect((await client.read()).header('Link')).toBe('<http://media.example/a.css>; rel=preload');
    client.destroy();
  });

  test('Alt-Svc would lead past the gateway and goes; what the route itself says stays', async () => {
    expect(await said('Alt-Svc: h3=":443"; ma=86400', { from: 'secure' })).toEqual([]);
    expect(await said('Alt-Svc: h2="app.internal:8443"', { from: 'plain', target: '/set/a' })).toEqual(['clear']);
    expect(await said('Alt-Svc: h3=":443"', { from: 'plain', target: '/off/a' })).toEqual(['h3=":443"']);
  });

  test('the body of a redirect stays as the site wrote it', async () => {
    const body = `<a href="${upstream.url}/vod/b">moved</a>`;
    upstream.fallback = `HTTP/1.1 302 Found\r\nLocation: ${upstream.url}/vod/b\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = await askRaw(plain.port, requestText('GET', '/vod/a'));
    expect([answer.header('Location'), answer.text]).toEqual(['http://media.example/vod/b', body]);
  });
});

describe('the visitor’s origin', () => {
  test('has the port that the visitor used', async () => {
    for (const host of ['media.example:8080', '127.0.0.1:8080', '[::1]:8080']) {
      const fields = [`Host: ${host}`];
      expect(await said('Location: http://127.0.0.1:PORT/vod/b', { from: 'plain', fields })).toEqual([
        `http://${host}/vod/b`,
      ]);
    }
  });

  test.each([
    ['the scheme', ['X-Forwarded-Proto: https'], 'https://media.example/vod/b'],
    ['the host', ['X-Forwarded-Host: www.example:444'], 'http://www.example:444/vod/b'],
    [
      'both',
      ['X-Forwarded-Proto: https', 'X-Forwarded-Host: www.example', 'Host: inner:8080'],
      'https://www.example/vod/b',
    ],
    ['a port', ['X-Forwarded-Proto: https', 'X-Forwarded-Port: 8443'], 'https://media.example:8443/vod/b'],
    ['the port behind TLS', ['X-Forwarded-Proto: https', 'X-Forwarded-Port: 80'], 'https://media.example/vod/b'],
    ['a host that is none', ['X-Forwarded-Host: a.example, b.example'], 'http://media.example/vod/b'],
    ['a host with user information', ['X-Forwarded-Host: x@evil.example'], 'http://media.example/vod/b'],
  ])('is what a trusted proxy says: %s', async (_what, fields, got) => {
    expect(await said('Location: http://127.0.0.1:PORT/vod/b', { from: 'trusting', fields })).toEqual([got]);
  });

  test('is not what a client that is no trusted proxy says', async () => {
    const fields = ['X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Port: 1'];
    expect(await said('Location: http://127.0.0.1:PORT/vod/b', { from: 'plain', fields })).toEqual([
      'http://media.example/vod/b',
    ]);
  });

  test('is what both names of the request become behind a proxy that changes Host', async () => {
    const fields = ['Host: inner.example', 'X-Forwarded-Host: www.example', 'X-Forwarded-Proto: https'];
    for (const name of ['inner.example', 'www.example:81', '127.0.0.1:PORT']) {
      expect(await said(`Location: http://${name}/vod/b`, { from: 'trusting', fields })).toEqual([
        'https://www.example/vod/b',
      ]);
    }
  });

  test('is left out where the request has no Host', async () => {
    upstream.fallback = `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${port}/vod/b\r\nContent-Length: 0\r\n\r\n`;
    expect((await askRaw(plain.port, 'GET /vod/a HTTP/1.0\r\n\r\n')).header('Location')).toBe('/vod/b');
    upstream.fallback = `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${port}//evil.example/\r\nContent-Length: 0\r\n\r\n`;
    expect((await askRaw(plain.port, 'GET /vod/a HTTP/1.0\r\n\r\n')).header('Location')).not.toMatch(/^\/\//);
  });

  test('is not put into a redirect to the same page over TLS: that would go round for ever', async () => {
    const asked: Asked = { from: 'plain', target: '/vod/a?x=1' };
    expect(await said('Location: https://media.example/vod/a?x=1', asked)).toEqual(['https://media.example/vod/a?x=1']);
    const inPath: Asked = { from: 'plain', target: 'PREFIX/vod/a' };
    expect(await said('Location: https://media.example/vod/a', inPath)).toEqual(['https://media.example/vod/a']);
    expect(await said('Location: https://media.example/vod/b', asked)).toEqual(['http://media.example/vod/b']);
  });
});

describe('Destination, the other way', () => {
  const cases: readonly (readonly [sent: string, got: string])[] = [
    ['https://media.example/vod/b', 'http://media.example/vod/b'],
    ['HTTPS://MEDIA.example:443/vod/b', 'http://media.example/vod/b'],
    ['http://media.example/vod/b', 'http://media.example/vod/b'],
    ['/vod/b', '/vod/b'],
  ];
  test.each(cases)('%s reaches the site as %s', async (sent, got) => {
    await askTls(secure.port, {}, requestText('MOVE', '/vod/a', [`Destination: ${sent}`]));
    expect(upstream.last.all('Destination')).toEqual([got]);
  });

  test('has the Host that the site gets, whatever a trusted proxy calls the visitor’s', async () => {
    const fields = [
      'Host: inner.example',
      'X-Forwarded-Host: www.example',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Port: 8443',
      'Destination: https://www.example:8443/vod/b',
      'If: <https://www.example:8443/vod/b> (<urn:uuid:1>)',
    ];
    await askRaw(trusting.port, requestText('MOVE', '/vod/a', fields));
    expect(upstream.last.all('Destination')).toEqual(['http://inner.example/vod/b']);
    expect(upstream.last.all('If')).toEqual(['<http://inner.example/vod/b> (<urn:uuid:1>)']);
  });

  test('stays as the visitor said it with rewrite_locations: false, and on another host goes nowhere', async () => {
    const sent = 'Destination: https://media.example/off/b';
    await askTls(secure.port, {}, requestText('MOVE', '/off/a', [sent]));
    expect(upstream.last.all('Destination')).toEqual(['https://media.example/off/b']);
    upstream.clear();
    const other = ['Destination: http://other.example/vod/b'];
    expect((await askTls(secure.port, {}, requestText('MOVE', '/vod/a', other))).status).toBe(403);
    expect(upstream.requests).toEqual([]);
  });
});

describe('a route with rewrite_locations: false', () => {
  test.each([
    'Location: http://127.0.0.1:PORT/off/b',
    'Location: http://media.example/off/b',
    'Refresh: 0; url=http://127.0.0.1:PORT/',
    'Link: <http://127.0.0.1:PORT/off/b>',
    'Set-Cookie: a=1; Domain=app.internal',
  ])('leaves %s as it is', async (field) => {
    const value = field.slice(field.indexOf(':') + 2);
    expect(await said(field, { from: 'secure', target: '/off/a' })).toEqual([value]);
    expect(await said(field, { from: 'secure', target: 'PREFIX/off/a' })).toEqual([value]);
  });

  test('gives a path token back to the visitor’s own origin, and to no other', async () => {
    const asked: Asked = { from: 'secure', target: 'PREFIX/off/a' };
    expect(await said('Location: /off/b', asked)).toEqual(['PREFIX/off/b']);
    expect(await said('Location: https://media.example/off/b', asked)).toEqual(['https://media.examplePREFIX/off/b']);
  });
});
