// A request is counted once and leaves one line, however it ends.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startEdge } from '../../../gateway/edge/edge.ts';
import { ControlClient } from '../../../gateway/edge/live/control-client.ts';
import { EdgeMetrics } from '../../../gateway/telemetry/edge-metrics.ts';
import { onAccepted } from '../../support/clients/accepted-sockets.ts';
import { ControlLine } from '../../support/clients/control-line.ts';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: SocketUpstream;
let controlLine: ControlLine;
const clients: RawClient[] = [];

beforeEach(async () => {
  upstream = await SocketUpstream.start();
  controlLine = new ControlLine();
  gateway = await startGateway({
    controlLine,
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'open', path: '/', upstream: 'web', accept: ['anyone'], timeouts: { request_body_idle: '250ms' } },
        { name: 'closed', path: '/closed/', upstream: 'web', accept: ['password'] },
      ],
    },
    users: { ann: 'secret' },
  });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await gateway.close();
  await upstream.close();
});

async function send(text: string): Promise<RawClient> {
  const client = await RawClient.connect(gateway.port);
  clients.push(client);
  client.write(text);
  return client;
}

/** The samples of `latchkey_requests_total`, as `route code decision` to number. */
async function requestCounts(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of (await gateway.scrape()).split('\n')) {
    const found = /^latchkey_requests_total\{route="(.*?)",code="(\d+)",decision="(\w+)"\} (\d+)$/.exec(line);
    if (found !== null) counts[`${found[1]} ${found[2]} ${found[3]}`] = Number(found[4]);
  }
  return counts;
}

test('a body that stops is one 408 of its route, and one line', async () => {
  const client = await send(`${requestText('POST', '/stops', ['Content-Length: 10'])}12345`);
  const answer = await client.read();
  expect(answer.status).toBe(408);
  await client.ended();
  expect(await requestCounts()).toEqual({ 'open 408 allow': 1 });
  const lines = await gateway.readLog('access', '/stops');
  expect(lines).toMatchObject([{ path: '/stops', status: 408, bytes_in: 5, hint: 'refused message: body-timeout' }]);
  expect(lines[0]?.bytes_out).toBe(answer.body.length);
});

test('a body with broken chunks is one 400 of its route, one line, and one refusal by the grammar', async () => {
  const client = await send(`${requestText('POST', '/broken', ['Transfer-Encoding: chunked'])}nonsense`);
  expect((await client.read()).status).toBe(400);
  expect(await requestCounts()).toEqual({ 'open 400 allow': 1 });
  const lines = await gateway.readLog('access', '/broken');
  expect(lines).toMatchObject([{ path: '/broken', status: 400, hint: 'refused message: bad-chunk' }]);
  expect(gateway.metrics.parseRefusals).toBe(1);
});

test.each([
  ['wrong', 'guess', { decision: 'deny:password-wrong' }, 'closed 000 deny'],
  ['right', 'secret', { decision: 'allow:password', user: 'ann' }, 'closed 000 allow'],
])(
  'a client that leaves while its %s password is checked leaves a line, and nothing is opened',
  async (_name, password, verdict, count) => {
    const basic = `Authorization: Basic ${Buffer.from(`ann:${password}`).toString('base64')}`;
    let stopListening = () => {};
    const left = new Promise<void>((resolve) => {
      stopListening = onAccepted(gateway.port, (socket) => socket.once('close', () => resolve()));
    });
    // the verdict is held on its way, so that the client is gone first however fast the check is
    const asked = controlLine.hold('POST /password ');
    const client = await send(requestText('GET', '/closed/left', [basic]));
    await asked;
    stopListening();
    client.socket.resetAndDestroy();
    await left;
    controlLine.release();
    const [line, ...more] = await gateway.readLog('access', '/closed/left');
    expect(line).toMatchObject({ path: '/closed/left', status: 0, route: 'closed', ...verdict });
    expect(more).toEqual([]);
    expect(await requestCounts()).toEqual({ [count]: 1 });
    expect(upstream.connections).toEqual([]);
  },
);

test('a refusal is one line with its reason where both logs are one stream, and two where they were asked for', async () => {
  const { config } = gateway.snapshot;
  const path = `${gateway.folder}/one.log`;
  const one = { kind: 'file', path } as const;
  const { logger } = memoryLogger();
  for (const refusals of ['once', 'twice'] as const) {
    const snapshot = {
      ...gateway.snapshot,
      config: { ...config, logs: { ...config.logs, access: one, decisions: one, refusals } },
    };
    rmSync(path, { force: true });
    const client = new ControlClient({ socketPath: join(gateway.folder, 'e.sock'), edgeId: 'e1', logger });
    await client.connect();
    const metrics = new EdgeMetrics(['open', 'closed'], ['web']);
    const edge = await startEdge({ edgeId: 'e1', client, snapshot, metrics, logger });
    const visitor = await RawClient.connect(edge.listening[0]?.port ?? 0);
    visitor.write(requestText('GET', '/closed/a', ['User-Agent: player']));
    const answer = await visitor.read();
    visitor.destroy();
    await edge.drain(0);
    await client.close();
    metrics.close();
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const verdict = { status: 401, decision: 'deny:no-credential' };
    const access = {
      kind: 'access',
      ...verdict,
      user_agent: 'player',
      protocol: 'HTTP/1.1',
      bytes_out: answer.body.length,
    };
    const detail = expect.stringMatching(/./);
    if (refusals === 'once') expect(lines).toMatchObject([{ ...access, detail }]);
    else
      expect(lines.toSorted((left, right) => left.kind.localeCompare(right.kind))).toMatchObject([
        access,
        { kind: 'decision', ...verdict, detail },
      ]);
  }
});

test('of a Referer the access line has scheme, host and path, and nothing that may be a secret', async () => {
  const referers = [
    ['https://site.example/vod/a?token=secret#secret', 'https://site.example/vod/a'],
    ['http://user:secret@site.example:8080/', 'http://site.example:8080/'],
    ['https://site.example/.t/secret/vod/a', 'https://site.example/.t/...'],
    ['https://site.example/%2Et/secret/vod/a', 'https://site.example/.t/...'],
    ['https://site.example/open/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.secret/b', 'https://site.example/open/.../b'],
    ['javascript:secret', undefined],
    ['secret', undefined],
  ] as const;
  for (const [at, [referer]] of referers.entries()) {
    const client = await send(requestText('GET', `/closed/${at}`, [`Referer: ${referer}`]));
    await client.read();
  }
  const lines = await gateway.readLog('access', `/closed/${referers.length - 1}`);
  expect(lines.map((line) => line.referer)).toEqual(referers.map(([, shown]) => shown));
  expect(JSON.stringify(lines)).not.toContain('secret');
});
