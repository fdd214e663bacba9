// Which requests may leave HTTP: sound handshakes, by pages of this site, to an upstream that really switches. All else stays HTTP.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { requestText } from '../../support/clients/raw-client.ts';
import {
  handshake,
  handshakeFields,
  sampleAccept,
  sampleKey,
  switching,
  WebSocketClient,
} from '../../support/clients/websocket.ts';
import { startGateway } from '../../support/rigs/gateway.ts';
import { basic, startTunnelRig, type TunnelRig } from '../../support/rigs/tunnel-rig.ts';

let rig: TunnelRig;
beforeAll(async () => {
  rig = await startTunnelRig();
});
afterEach(() => {
  rig.drop();
  rig.upstream.answer = null;
});
afterAll(() => rig?.close());

describe('a handshake that is not sound', () => {
  const key = `Sec-WebSocket-Key: ${sampleKey}`;
  test.each([
    ['POST', `POST /open/a HTTP/1.1\r\nHost: a\r\n${handshakeFields().join('\r\n')}\r\n\r\n`],
    ['HEAD', `HEAD /open/a HTTP/1.1\r\nHost: a\r\n${handshakeFields().join('\r\n')}\r\n\r\n`],
    ['a body', `${handshake('/open/a', ['Content-Length: 3'])}abc`],
    ['a chunked body', `${handshake('/open/a', ['Transfer-Encoding: chunked'])}0\r\n\r\n`],
    ['no Connection', requestText('GET', '/open/a', ['Upgrade: websocket', key, 'Sec-WebSocket-Version: 13'])],
    ['a Connection without the word', handshake('/open/a', ['Connection: keep-alive'])],
    ['two protocols', handshake('/open/a', ['Upgrade: websocket, h2c'])],
    ['two Upgrade fields', handshake('/open/a', ['Upgrade: websocket', 'Upgrade: websocket'])],
    [
      'no key',
      requestText('GET', '/open/a', ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']),
    ],
    ['two keys', handshake('/open/a', [key, key])],
    ['a key of 15 bytes', handshake('/open/a', ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA'])],
    ['a key with stray bits', handshake('/open/a', ['Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB=='])],
    ['no version', requestText('GET', '/open/a', ['Upgrade: websocket', 'Connection: Upgrade', key])],
    ['two versions', handshake('/open/a', ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 13'])],
  ])('is 400 and reaches nobody: %s', async (_what, bytes) => {
    const before = rig.upstream.heads.length;
    const client = await rig.send(bytes + requestText('GET', '/open/smuggled'));
    const answer = await client.read(bytes.startsWith('HEAD') ? 'HEAD' : 'GET');
    expect([answer.status, answer.header('Connection')]).toEqual([400, 'close']);
    expect((await client.ended()).length).toBe(0);
    expect(rig.upstream.heads.length).toBe(before);
  });

  test.each(['8', '14', '13, 8', '013'])(
    'RFC 6455 §4.4: version %s is 426 with the one that is spoken',
    async (version) => {
      const client = await rig.send(handshake('/open/a', [`Sec-WebSocket-Version: ${version}`]));
      const answer = await client.read();
      expect([answer.status, answer.header('Sec-WebSocket-Version')]).toEqual([426, '13']);
      expect([answer.header('Upgrade'), answer.all('Connection')]).toEqual(['websocket', ['Upgrade', 'close']]);
      await client.ended();
    },
  );
});

describe('Origin', () => {
  const cookie = () => `Cookie: latchkey_pass=${rig.gateway.mint({}, 'pass')}`;
  const own = 'Origin: http://media.example';
  test.each([
    ['the request’s own', () => [cookie(), own], '/closed/a', 101],
    ['its own with the usual port', () => [cookie(), 'Origin: http://media.example:80'], '/closed/a', 101],
    ['its own in other letters', () => [cookie(), 'Origin: HTTP://Media.Example'], '/closed/a', 101],
    ['none', () => [cookie()], '/closed/a', 403],
    ['another host', () => [cookie(), 'Origin: http://evil.example'], '/closed/a', 403],
    ['another scheme', () => [cookie(), 'Origin: https://media.example'], '/closed/a', 403],
    ['another port', () => [cookie(), 'Origin: http://media.example:8080'], '/closed/a', 403],
    ['null', () => [cookie(), 'Origin: null'], '/closed/a', 403],
    ['its own as the beginning of another', () => [cookie(), 'Origin: http://media.example.evil'], '/closed/a', 403],
    ['its own as user info', () => [cookie(), 'Origin: http://media.example@evil.example'], '/closed/a', 403],
    ['twice', () => [cookie(), own, own], '/closed/a', 403],
    ['on the list of the route', () => [cookie(), 'Origin: https://app.example'], '/shared/a', 101],
    ['on the list of another route', () => [cookie(), 'Origin: https://app.example'], '/closed/a', 403],
    [
      'foreign, with a token in the header',
      () => [`Authorization: Bearer ${rig.gateway.mint()}`, 'Origin: http://evil.example'],
      '/closed/a',
      101,
    ],
    ['foreign, with a password', () => [basic, 'Origin: http://evil.example'], '/closed/a', 403],
    ['foreign, where anyone may', () => ['Origin: http://evil.example'], '/open/a', 101],
  ])('%s: as it should be', async (_what, fields, target, status) => {
    const before = rig.upstream.heads.length;
    const client = await rig.open(target, fields());
    expect(client.answer.status).toBe(status);
    if (status === 403) {
      expect(client.answer.header('Connection')).toBe('close');
      expect(rig.upstream.heads.length).toBe(before);
    }
  });

  test('a refusal is in the decision log', async () => {
    await rig.open('/closed/foreign-page', [cookie(), 'Origin: http://evil.example']);
    const lines = await rig.gateway.readLog('decisions', '/closed/foreign-page');
    expect(lines.at(-1)).toMatchObject({ decision: 'deny:foreign-origin', status: 403, route: 'closed' });
  });

  test('the scheme of a page is what a trusted proxy says', async () => {
    const behind = await startGateway({ config: { ...rig.configOf(), trusted_proxies: ['127.0.0.1'] }, users: {} });
    const pass = `Cookie: latchkey_pass=${behind.mint({}, 'pass')}`;
    const statusOf = async (origin: string) => {
      const fields = [pass, 'X-Forwarded-Proto: https', `Origin: ${origin}`];
      const client = await WebSocketClient.open(behind.port, '/closed/a', fields);
      client.destroy();
      return client.answer.status;
    };
    expect([await statusOf('https://media.example'), await statusOf('http://media.example')]).toEqual([101, 403]);
    await behind.close();
  });
});

describe('other protocols', () => {
  const forwarded = async (target: string, fields: readonly string[], version = '1.1') => {
    const number = rig.sockets.connections.length + 1;
    const text = requestText('GET', target, fields).replace('HTTP/1.1', `HTTP/${version}`);
    const client = await rig.send(text);
    const connection = await rig.sockets.connection(number);
    await connection.heads(1);
    connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.read()).text).toBe('ok');
    return connection.received;
  };

  test.each([
    ['where it is off', '/off/a', handshakeFields(), '1.1'],
    [
      'h2c',
      '/raw/a',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
      '1.1',
    ],
    ['one that is not on the list', '/raw/a', ['Connection: Upgrade', 'Upgrade: other/1'], '1.1'],
    ['one of the list without Connection', '/raw/a', ['Upgrade: other/2'], '1.1'],
    ['RFC 9110 §7.8: a 1.0 client’s', '/raw/a', handshakeFields(), '1.0'],
  ])('%s: the request goes on as an ordinary one', async (_what, target, fields, version) => {
    expect(await forwarded(target, fields, version)).not.toMatch(/^(?:upgrade|connection|http2-settings):/im);
  });

  test('that a route lists are tunnelled, and only the one that was chosen is asked for', async () => {
    const { client, connection } = await rig.ask(['Upgrade: h2c, OTHER/2']);
    expect(connection.received).toMatch(/\r\nUpgrade: other\/2\r\n/);
    expect(connection.received).not.toContain('h2c');
    connection.write('HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: Other/2\r\n\r\nserver first');
    expect((await client.read()).status).toBe(101);
    client.write('any bytes\r\n');
    await connection.until('any bytes\r\n');
    connection.socket.end('bye');
    expect((await client.ended()).toString()).toBe('server firstbye');
  });
});

describe('what a client sends before the 101', () => {
  test('waits for the 101, and then goes into the tunnel', async () => {
    const { client, connection } = await rig.ask([], 'too early');
    expect(connection.received.endsWith('\r\n\r\n')).toBe(true);
    client.write(' and more');
    connection.write(switching(sampleKey));
    expect((await client.read()).status).toBe(101);
    await connection.until('\r\n\r\ntoo early and more');
  });

  test('is bounded: the socket is not read any further', async () => {
    const accepting = rig.nextAccepted();
    const { client, connection } = await rig.ask();
    const accepted = await accepting;
    client.socket.write(Buffer.alloc(20_000_000));
    await expect.poll(() => accepted.isPaused()).toBe(true);
    await pause(100);
    expect(accepted.bytesRead).toBeLessThan(300_000);
    connection.drop();
    connection.write(switching(sampleKey));
    await expect.poll(() => connection.bytes).toBeGreaterThan(19_999_999);
  });

  test('Pingora CVE-2026-2833: is never a request when the upstream does not switch', async () => {
    for (const answer of [
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno',
      'HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n',
    ]) {
      const { client, connection } = await rig.ask([], requestText('GET', '/raw/smuggled'));
      const before = rig.sockets.connections.length;
      connection.write(answer);
      const got = await client.read();
      expect([got.status === 101, got.header('Connection')]).toEqual([false, 'close']);
      expect((await client.ended()).length).toBe(0);
      expect(rig.sockets.connections.length).toBe(before);
      expect(connection.received).not.toContain('smuggled');
    }
  });

  test('is nothing where another answer comes: the connection goes on with HTTP', async () => {
    const { client, connection } = await rig.ask();
    connection.write('HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno');
    expect((await client.read()).status).toBe(404);
    client.write(requestText('GET', '/raw/next'));
    await connection.until('GET /raw/next ');
    connection.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
    expect((await client.read()).text).toBe('ok');
  });
});

describe('a 101 that does not fit', () => {
  test.each([
    ['a wrong accept', switching('AAAAAAAAAAAAAAAAAAAAAA==')],
    ['no accept', 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    [
      'two accepts',
      switching(sampleKey, [`Sec-WebSocket-Accept: ${sampleAccept}`, `Sec-WebSocket-Accept: ${sampleAccept}`]),
    ],
    ['another protocol', switching(sampleKey, ['Upgrade: other/2'])],
    ['two protocols', switching(sampleKey, ['Upgrade: websocket, other/2'])],
    ['no protocol', `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${sampleAccept}\r\n\r\n`],
    ['no Connection', `HTTP/1.1 101 S\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${sampleAccept}\r\n\r\n`],
    ['the end in Connection', switching(sampleKey, ['Connection: Upgrade, close'])],
    ['version 1.0', switching(sampleKey).replace('HTTP/1.1', 'HTTP/1.0')],
    ['a length', switching(sampleKey, ['Content-Length: 3'])],
  ])('is 502, and both connections end: %s', async (_what, bytes) => {
    const { client, connection } = await rig.ask();
    connection.write(bytes);
    const answer = await client.read();
    expect([answer.status, answer.header('Connection')]).toEqual([502, 'close']);
    expect((await client.ended()).length).toBe(0);
    await connection.gone();
  });

  test('is 502 when nobody asked for it, and the connection is not used again', async () => {
    rig.upstream.answer = switching;
    const client = await rig.send(requestText('GET', '/open/plain', [`Sec-WebSocket-Key: ${sampleKey}`]));
    expect((await client.read()).status).toBe(502);
    await expect.poll(() => rig.upstream.open).toBe(0);
  });
});
