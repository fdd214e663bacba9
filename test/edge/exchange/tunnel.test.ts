// WebSockets through the gateway: what passes, and everything that ends them.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import {
  handshake,
  opcode,
  sampleAccept,
  sampleKey,
  switching,
  WebSocketClient,
  WebSocketUpstream,
} from '../../support/clients/websocket.ts';
import { TestAuthority } from '../../support/rigs/certificates.ts';
import { type FileInput, startGateway } from '../../support/rigs/gateway.ts';
import { StoppableClock } from '../../support/rigs/stoppable-clock.ts';
import { basic, startTunnelRig, type TunnelRig } from '../../support/rigs/tunnel-rig.ts';

const clock = new StoppableClock();
let rig: TunnelRig;
beforeAll(async () => {
  rig = await startTunnelRig();
});
afterEach(() => {
  rig.drop();
  rig.upstream.answer = null;
});
afterAll(() => rig?.close());

describe('a WebSocket', () => {
  test('passes messages both ways, and its 101 is the upstream’s own', async () => {
    const client = await rig.open('/open/chat?room=1', ['Sec-WebSocket-Protocol: chat', 'X-Own: 1']);
    expect(client.answer.status).toBe(101);
    expect(client.answer.header('Sec-WebSocket-Accept')).toBe(sampleAccept);
    expect([client.answer.all('Upgrade'), client.answer.all('Connection')]).toEqual([['websocket'], ['Upgrade']]);
    expect(await client.echo('hello')).toBe('hello');
    const seen = rig.upstream.heads.at(-1) ?? '';
    expect(seen).toMatch(/^GET \/open\/chat\?room=1 HTTP\/1\.1\r\n/);
    expect(seen.match(/^(?:upgrade|connection):.*$/gim)).toEqual(['Connection: Upgrade', 'Upgrade: websocket']);
    expect(seen).toContain(`\r\nSec-WebSocket-Key: ${sampleKey}\r\n`);
    expect(seen).toContain('\r\nX-Forwarded-For: 127.0.0.1\r\n');
  });

  test('of a real client works, with a token in the query', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${rig.gateway.port}/closed/live?token=${rig.gateway.mint()}`);
    await once(socket, 'open');
    const answered = once(socket, 'message');
    socket.send('from a real client');
    expect((await answered)[0]).toMatchObject({ data: 'from a real client' });
    expect(rig.upstream.heads.at(-1)).toMatch(/^GET \/closed\/live HTTP\/1\.1\r\n/);
    const closed = once(socket, 'close');
    socket.close(4000, 'enough');
    expect((await closed)[0]).toMatchObject({ code: 4000, wasClean: true });
  });

  test('without a credential is refused, and its connection ends', async () => {
    const before = rig.upstream.heads.length;
    const client = await rig.send(handshake('/closed/a') + requestText('GET', '/open/smuggled'));
    const answer = await client.read();
    expect([answer.status, answer.header('Connection')]).toEqual([401, 'close']);
    expect((await client.ended()).length).toBe(0);
    expect(rig.upstream.heads.length).toBe(before);
  });

  test('with a name and a password gets through and carries no pass', async () => {
    const client = await rig.open('/closed/a', [basic]);
    expect([client.answer.status, client.answer.all('Set-Cookie')]).toEqual([101, []]);
    expect(await client.echo('x')).toBe('x');
  });

  test('carries large messages whole, in both directions at once', async () => {
    const client = await rig.open('/open/large');
    const payload = Buffer.alloc(1_000_000, 'pattern of thirty-one characters');
    for (let round = 0; round < 3; round++) client.send(payload, opcode.binary);
    for (let round = 0; round < 3; round++) {
      expect((await client.receive()).payload.equals(payload)).toBe(true);
    }
    expect(await client.echo('small again')).toBe('small again');
  });
});

describe('a slow side', () => {
  test('stops the other one: a client that reads nothing', async () => {
    const accepting = rig.nextAccepted();
    const { client, connection } = await rig.openRaw();
    const accepted = await accepting;
    client.socket.pause();
    connection.socket.write(Buffer.alloc(20_000_000, 'x'));
    await expect.poll(() => accepted.writableLength).toBeGreaterThan(0);
    await pause(100);
    // one read at most
    expect(accepted.writableLength).toBeLessThanOrEqual(256 * 1024);
    expect(connection.socket.writableLength).toBeGreaterThan(5_000_000);
    client.socket.resume();
    client.socket.on('data', () => client.takeRest());
    await expect.poll(() => client.socket.bytesRead).toBeGreaterThan(20_000_000);
  });

  test('stops the other one: an upstream that reads nothing', async () => {
    const accepting = rig.nextAccepted();
    const { client, connection } = await rig.openRaw();
    const accepted = await accepting;
    connection.socket.pause();
    client.socket.write(Buffer.alloc(20_000_000, 'x'));
    await expect.poll(() => accepted.isPaused()).toBe(true);
    await pause(100);
    // what the kernel of this machine takes on loopback, and not the whole
    expect(accepted.bytesRead).toBeLessThan(15_000_000);
    connection.drop();
    connection.socket.resume();
    await expect.poll(() => connection.bytes).toBeGreaterThan(19_999_999);
  });

  test('that takes nothing for too long is reset, and the other with it', async () => {
    await rig.gateway.reload({ ...rig.configOf(), timeouts: { client_write_idle: '300ms', upstream_idle: '300ms' } });
    const first = await rig.openRaw();
    first.client.socket.pause();
    const atUpstream = once(first.connection.socket, 'error');
    first.connection.socket.write(Buffer.alloc(20_000_000, 'x'));
    expect(await atUpstream).toMatchObject([{ code: 'ECONNRESET' }]);
    const second = await rig.openRaw();
    second.connection.socket.pause();
    const atClient = once(second.client.socket, 'error');
    second.client.socket.write(Buffer.alloc(20_000_000, 'x'));
    expect(await atClient).toMatchObject([{ code: expect.stringMatching(/ECONNRESET|EPIPE/) }]);
    await rig.gateway.reload(rig.configOf());
  });
});

describe('a tunnel ends', () => {
  test('half by half: what the other side still sends arrives', async () => {
    const { client, connection } = await rig.openRaw();
    client.socket.end('last words');
    await connection.until('last words');
    await connection.gone();
    connection.socket.end('and the answer to them');
    expect((await client.ended()).toString()).toBe('and the answer to them');
    const other = await rig.openRaw();
    other.connection.socket.end('server is done');
    expect((await other.client.ended()).toString()).toBe('server is done');
    other.client.socket.end('client is not');
    await other.connection.until('client is not');
    await other.connection.gone();
  });

  test('with a reset where the other side was reset', async () => {
    const first = await rig.openRaw();
    const atUpstream = once(first.connection.socket, 'error');
    first.client.socket.resetAndDestroy();
    expect(await atUpstream).toMatchObject([{ code: 'ECONNRESET' }]);
    const second = await rig.openRaw();
    const atClient = once(second.client.socket, 'error');
    second.connection.socket.resetAndDestroy();
    expect(await atClient).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  test('with a reset that comes behind everything that was said before it', async () => {
    const { client, connection } = await rig.openRaw();
    const reset = once(client.socket, 'error');
    let got = 0;
    client.socket.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    connection.socket.write(Buffer.alloc(500_000, 0x61));
    // the gateway has to have it all: a reset throws away what the sender's own kernel still holds
    await expect.poll(() => got).toBe(500_000);
    connection.socket.write(Buffer.alloc(200_000, 0x61), () =>
      setTimeout(() => connection.socket.resetAndDestroy(), 200),
    );
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(got).toBe(700_000);
  });

  test('when nothing passes for its route’s time, and not while something does', async () => {
    const client = await rig.open('/short/a');
    // twice the idle time, in pieces of a third
    for (let round = 0; round < 6; round++) {
      await pause(100);
      expect(await client.echo(`${round}`)).toBe(`${round}`);
    }
    expect((await client.raw.ended()).length).toBe(0);
    await expect.poll(() => rig.upstream.open).toBe(0);
  });

  test('at the end of its token', async () => {
    clock.stop();
    const open = (life: number) =>
      rig.open(`/closed/expiring?token=${rig.gateway.mint({ exp: epochSeconds() + life })}`);
    const [earlier, client] = [await open(10), await open(100)];
    // the clocks' allowance is five seconds
    clock.pass(14_000);
    expect(await earlier.echo('still')).toBe('still');
    clock.pass(2000);
    expect((await earlier.raw.ended()).length).toBe(0);
    expect(await client.echo('still')).toBe('still');
    clock.pass(90_000);
    expect((await client.raw.ended()).length).toBe(0);
    const line = (await rig.gateway.readLog('access', '/closed/expiring')).at(-1);
    expect(line).toMatchObject({ status: 101, decision: 'allow:token', hint: 'tunnel ended: expired' });
  });

  test('and is then counted and logged, with its bytes and its duration', async () => {
    const openBefore = Number(/^latchkey_tunnels_open (\d+)/m.exec(await rig.gateway.scrape())?.[1]);
    const client = await rig.open('/open/logged');
    await client.echo('12345');
    expect(await rig.gateway.scrape()).toMatch(new RegExp(`^latchkey_tunnels_open ${openBefore + 1}$`, 'm'));
    client.send(Buffer.alloc(0), opcode.close);
    expect((await client.receive()).opcode).toBe(opcode.close);
    client.raw.socket.end();
    const line = (await rig.gateway.readLog('access', '/open/logged')).at(-1);
    expect(line).toMatchObject({ status: 101, bytes_in: 17, bytes_out: 9, hint: 'tunnel ended: closed' });
    expect(await rig.gateway.scrape()).toMatch(/^latchkey_tunnels_ended_total\{reason="closed"\} [1-9]/m);
    expect(await rig.gateway.scrape()).toMatch(/^latchkey_tunnels_total\{route="open"\} [1-9]/m);
  });
});

describe('a reload', () => {
  test('ends tunnels whose route is gone, does not allow them any more, or has another key, and no others', async () => {
    const token = rig.gateway.mint();
    const extra: FileInput['routes'] = [
      { name: 'going', path: '/going/', upstream: 'echo', accept: ['anyone'] },
      { name: 'closing', path: '/closing/', upstream: 'echo', accept: ['anyone'] },
      { name: 'turning', path: '/turning/', upstream: 'echo', accept: ['anyone'] },
    ];
    await rig.gateway.reload(rig.configOf(extra));
    const staying = [
      await rig.open('/open/a'),
      await rig.open(`/closed/a?token=${token}`),
      await rig.open('/closed/b', [basic]),
    ];
    const ending = [await rig.open('/going/a'), await rig.open('/closing/a'), await rig.open('/turning/a')];
    for (const client of [...staying, ...ending]) expect(await client.echo('before')).toBe('before');
    await rig.gateway.reload(
      rig.configOf([
        { name: 'closing', path: '/closing/', upstream: 'echo', accept: ['token'] },
        { name: 'turning', path: '/turning/', upstream: 'echo', accept: ['anyone'], upgrade: 'off' },
      ]),
    );
    for (const client of ending) expect((await client.raw.ended()).length).toBe(0);
    for (const client of staying) expect(await client.echo('after')).toBe('after');
    await rig.gateway.reload({
      ...rig.configOf(),
      common_keys: [
        { id: 'k1', secret_file: './k1.secret', state: 'retired' },
        { id: 'k2', secret_file: './k2.secret', state: 'signing' },
      ],
    });
    await staying[1]?.raw.ended();
    expect(await staying[0]?.echo('for anyone')).toBe('for anyone');
    expect(await staying[2]?.echo('by password')).toBe('by password');
    await rig.gateway.reload(rig.configOf());
  });
});

test('a WebSocket to an https upstream: large messages, both ends, and a reset', async () => {
  const certificate = new TestAuthority().issue({ names: ['127.0.0.1'] });
  const secure = await WebSocketUpstream.start(certificate);
  const gateway = await startGateway({
    config: {
      upstreams: { secure: { servers: [secure.url], tls: { verify: false } } },
      routes: [{ name: 'all', path: '/', upstream: 'secure', accept: ['anyone'] }],
    },
  });
  const payload = Buffer.alloc(500_000, 'pattern of thirty-one characters');
  const [first, second] = [
    await WebSocketClient.open(gateway.port, '/a'),
    await WebSocketClient.open(gateway.port, '/b'),
  ];
  first.send(payload, opcode.binary);
  expect((await first.receive()).payload.equals(payload)).toBe(true);
  first.send('bye', opcode.close);
  expect((await first.receive()).opcode).toBe(opcode.close);
  first.raw.socket.end();
  expect((await first.raw.ended()).length).toBe(0);
  expect(await second.echo('x')).toBe('x');
  second.raw.socket.resetAndDestroy();
  await expect.poll(() => secure.open).toBe(0);
  expect(await gateway.scrape()).toMatch(/^latchkey_tunnels_open 0$/m);
  first.destroy();
  await gateway.close();
  await secure.close();
});

describe('a drain', () => {
  let own: TunnelRig;
  afterEach(() => own.close());

  test('ends tunnels last: when everything else is done, and not at its limit', async () => {
    own = await startTunnelRig();
    const tunnel = await WebSocketClient.open(own.gateway.port, '/open/a');
    const late = await own.ask();
    const number = own.sockets.connections.length + 1;
    const running = await RawClient.connect(own.gateway.port);
    running.write(requestText('GET', '/raw/running'));
    const connection = await own.sockets.connection(number);
    await connection.heads(1);
    const drained = own.gateway.edge.drain(60_000);
    expect(await tunnel.echo('still here')).toBe('still here');
    late.connection.write(switching(sampleKey));
    expect((await late.client.read()).status).toBe(101);
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await running.read()).text).toBe('ok');
    running.destroy();
    expect((await tunnel.raw.ended()).length).toBe(0);
    expect((await late.client.ended()).length).toBe(0);
    tunnel.destroy();
    late.client.destroy();
    await drained;
    await expect.poll(() => own.upstream.open + own.sockets.open).toBe(0);
  });

  test('ends them at its limit when something else does not end', async () => {
    own = await startTunnelRig();
    const tunnel = await WebSocketClient.open(own.gateway.port, '/open/a');
    const stuck = await own.ask();
    const reset = once(tunnel.raw.socket, 'error');
    await own.gateway.edge.drain(200);
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    await stuck.client.ended();
    stuck.client.destroy();
    await expect.poll(() => own.upstream.open + own.sockets.open).toBe(0);
  });
});
