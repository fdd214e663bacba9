// Listeners that do something before HTTP: redirect to https, and take the client's address from a PROXY header.

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, requestText } from '../../support/clients/raw-client.ts';
import { connectTls } from '../../support/clients/tls-client.ts';
import { proxyV2, withChecksum } from '../../support/peers/proxy-header.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let folder: CertificateFolder;
let upstream: RecordingUpstream;
let gateway: TestGateway;
const port = (listener: number) => gateway.edge.listening[listener]?.port ?? 0;

beforeAll(async () => {
  folder = new CertificateFolder();
  upstream = await RecordingUpstream.start();
  const from = ['127.0.0.0/8'];
  const made = folder.issue({ names: ['media.example'] });
  const tls = { certificates: [{ cert_file: made.certFile, key_file: made.keyFile }] };
  gateway = await startGateway({
    config: {
      listeners: [
        { address: '127.0.0.1:0', redirect_to_https: true },
        { address: '127.0.0.1:0', redirect_to_https: 8443 },
        { address: '127.0.0.1:0', proxy_protocol: { from } },
        { address: '127.0.0.1:0', proxy_protocol: { from: ['192.0.2.1'] } },
        { address: '127.0.0.1:0', proxy_protocol: { from }, tls },
      ],
      limits: { head_timeout: '1s' },
      trusted_proxies: ['198.51.100.7'],
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'site', host: 'media.example', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'closed', host: 'media.example', path: '/closed/', upstream: 'web', accept: ['token'] },
        { name: 'wild', host: '*.wild.example', path: '/', upstream: 'web', accept: ['anyone'] },
      ],
    },
  });
});

afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
  folder?.remove();
});

beforeEach(() => upstream.clear());

describe('redirect to https', () => {
  test.each([
    [0, 'GET', '/a%7Eb?c=%7e&d', 'Host: media.example', 'https://media.example/a~b?c=%7e&d'],
    [0, 'POST', '/', 'Host: MEDIA.example:80', 'https://media.example/'],
    [1, 'GET', '/', 'Host: x.wild.example:8080', 'https://x.wild.example:8443/'],
    [0, 'GET', 'http://media.example/abs', 'Host: media.example', 'https://media.example/abs'],
    [0, 'GET', '/.latchkey/jwks.json', 'Host: media.example', 'https://media.example/.latchkey/jwks.json'],
  ])('listener %i: %s %s with %s goes to %5$s', async (listener, method, target, host, location) => {
    const answer = await askRaw(port(listener), requestText(method, target, [host]));
    expect([answer.status, answer.header('Location')]).toEqual([308, location]);
    expect(answer.header('Cache-Control')).toBe('no-store');
    expect(upstream.requests).toEqual([]);
  });

  test('a host that no route is for is misdirected, not redirected', async () => {
    const answer = await askRaw(port(0), requestText('GET', '/', ['Host: evil.example']));
    expect([answer.status, answer.header('Location')]).toEqual([421, null]);
    expect((await askRaw(port(0), 'GET / HTTP/1.0\r\n\r\n')).status).toBe(421);
  });

  test.each([
    ['a token in the path', '/.t/abc/closed/x', []],
    ['a token in the query', '/closed/x?token=abc', []],
    ['a bearer token', '/closed/x', ['Authorization: Bearer abc']],
    ['a password', '/closed/x', ['Authorization: Basic YTpi']],
  ])('%s is refused: it was seen on the way', async (_, target, fields) => {
    const answer = await askRaw(port(0), requestText('GET', target, fields));
    expect([answer.status, answer.header('Location')]).toEqual([403, null]);
    expect(answer.text).not.toContain('abc');
  });

  test.each(['/a/../b', '//evil.example/', '/%0d%0aSet-Cookie:x', '/a\\b', '/?a\x7fb'])(
    'the same strict parser: %s is 400',
    async (target) => {
      expect((await askRaw(port(0), requestText('GET', target))).status).toBe(400);
    },
  );

  test('the connection stays, and ends behind a body that nobody read', async () => {
    const client = await RawClient.connect(port(0));
    client.write(requestText('GET', '/1') + requestText('GET', '/2'));
    expect((await client.read()).header('Location')).toBe('https://media.example/1');
    expect((await client.read()).header('Location')).toBe('https://media.example/2');
    client.write(`${requestText('POST', '/3', ['Content-Length: 40'])}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect((await client.read()).header('Connection')).toBe('close');
    expect(await client.ended()).toHaveLength(0);
    client.destroy();
  });

  test('the access log has a line for it', async () => {
    await askRaw(port(0), requestText('GET', '/logged?secret=1'));
    const line = (await gateway.readLog('access', '/logged')).find(({ path }) => path === '/logged');
    expect(line).toMatchObject({ status: 308, host: 'media.example' });
    expect(JSON.stringify(line)).not.toContain('secret');
  });
});

describe('PROXY protocol', () => {
  const line = 'PROXY TCP4 203.0.113.9 198.51.100.1 56324 80\r\n';
  const request = requestText('GET', '/');
  const ask = async (bytes: readonly (string | Uint8Array)[], listener = 2) => {
    const client = await RawClient.connect(port(listener));
    for (const piece of bytes) client.write(piece);
    const answer = await client.read();
    client.destroy();
    return answer;
  };

  test.each([
    ['version 1', Buffer.from(line), '203.0.113.9'],
    ['version 2', withChecksum({ source: '2001:db8::9', destination: '::1' }), '2001:db8::9'],
    ['LOCAL', proxyV2({ source: '203.0.113.9', destination: '198.51.100.1', command: 0x20 }), '127.0.0.1'],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
  ])('%s: the client is whom the header names', async (_, header, client) => {
    expect((await ask([Buffer.concat([header, Buffer.from(request)])])).status).toBe(200);
    expect(upstream.last.header('X-Forwarded-For')).toBe(client);
  });

  test('the address counts everywhere: scope of tokens, access log, trusted proxies', async () => {
    const inside = gateway.mint({ ips: ['203.0.113.9'] });
    const outside = gateway.mint({ ips: ['203.0.113.10'] });
    const closed = (token: string) => requestText('GET', '/closed/scope', [`Authorization: Bearer ${token}`]);
    expect((await ask([line + closed(inside)])).status).toBe(200);
    expect((await ask([line + closed(outside)])).status).toBe(403);
    const lines = await gateway.readLog('access', '/closed/scope');
    expect(new Set(lines.filter(({ path }) => path === '/closed/scope').map(({ client }) => client))).toEqual(
      new Set(['203.0.113.9']),
    );
    const forwarded = requestText('GET', '/', ['X-Forwarded-For: 192.0.2.77']);
    await ask([line + forwarded]);
    expect(upstream.last.header('X-Forwarded-For')).toBe('203.0.113.9');
    await ask([`PROXY TCP4 198.51.100.7 198.51.100.1 1 2\r\n${forwarded}`]);
    expect(upstream.last.header('X-Forwarded-For')).toBe('192.0.2.77, 198.51.100.7');
  });

  test('header and request may arrive byte by byte', async () => {
    const client = await RawClient.connect(port(2));
    for (const byte of line + request) {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.read()).status).toBe(200);
    expect(upstream.last.header('X-Forwarded-For')).toBe('203.0.113.9');
    // the connection has one header; another one is no request
    client.write(line + request);
    expect((await client.read()).status).toBe(400);
    client.destroy();
  });

  test.each([
    ['none at all', request],
    ['a broken one', `PROXY TCP4 203.0.113.9 198.51.100.1 56324\r\n${request}`],
    ['a TLS handshake', Buffer.from([22, 3, 1, 0, 5])],
  ])('%s ends the connection without an answer', async (_, bytes) => {
    const refused = gateway.metrics.proxyHeadersRefused;
    const client = await RawClient.connect(port(2));
    client.write(bytes);
    expect(await client.ended()).toHaveLength(0);
    expect(gateway.metrics.proxyHeadersRefused).toBe(refused + 1);
    expect(upstream.requests).toEqual([]);
    client.destroy();
  });

  test('half a header, and no more of it, ends with the time for a head', async () => {
    const client = await RawClient.connect(port(2));
    client.write('PROXY TCP4 203');
    expect(await client.ended()).toHaveLength(0);
    client.destroy();
  });

  test('a connection from an address that is not listed is refused', async () => {
    const client = await RawClient.connect(port(3));
    client.write(line + request);
    expect(await client.ended()).toHaveLength(0);
    expect(upstream.requests).toEqual([]);
    client.destroy();
  });

  test('it stands before the TLS handshake, in a piece of its own or together with it', async () => {
    for (const isJoined of [false, true]) {
      const socket = connect(port(4), '127.0.0.1');
      // corked, the header goes out with the first bytes of the handshake
      if (isJoined) socket.cork();
      socket.write(line);
      if (isJoined) setImmediate(() => socket.uncork());
      else await once(socket, 'connect');
      const { client } = await connectTls(port(4), { socket });
      client.write(request);
      expect((await client.read()).status).toBe(200);
      expect(upstream.last.header('X-Forwarded-For')).toBe('203.0.113.9');
      expect(upstream.last.header('X-Forwarded-Proto')).toBe('https');
      client.destroy();
    }
  });
});
