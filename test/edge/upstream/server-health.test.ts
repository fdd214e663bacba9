// Active health checks against real servers: what is asked, what counts, which server is picked, and what a reload keeps.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { SocketUpstream } from '../../support/peers/socket-upstream.ts';
import { TestAuthority } from '../../support/rigs/certificates.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

type Upstream = FileInput['upstreams'][string];
type HealthCheck = NonNullable<Upstream['health_check']>;

const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A server whose health the test sets; 0: no answer at all. */
class PatientServer {
  status = 200;
  readonly checks: IncomingMessage[] = [];
  requests = 0;
  readonly #text: string;
  #url = '';

  constructor(text: string) {
    this.#text = text;
  }

  get url(): string {
    return this.#url;
  }

  readonly serve = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url !== '/health?deep') {
      this.requests++;
      response.end(this.#text);
      return;
    }
    this.checks.push(request);
    if (this.status !== 0) response.writeHead(this.status, { location: '/elsewhere' }).end('x');
  };

  async listen(): Promise<this> {
    const server = createServer(this.serve).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    this.#url = `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
    ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return this;
  }
}

const fast: HealthCheck = {
  path: '/health?deep',
  interval: '100ms',
  // long enough for a busy machine; who must not answer has a shorter one
  timeout: '3s',
  healthy_after: 2,
  unhealthy_after: 2,
};

function configOf(upstream: Upstream): FileInput {
  return { upstreams: { web: upstream }, routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }] };
}

async function start(upstream: Upstream): Promise<TestGateway> {
  const gateway = await startGateway({ config: configOf(upstream) });
  ends.push(() => gateway.close());
  return gateway;
}

const get = async (gateway: TestGateway) => (await askRaw(gateway.port, requestText('GET', '/'))).text;

async function metric(gateway: TestGateway, name: string): Promise<number> {
  const line = (await gateway.scrape()).split('\n').find((text) => text.startsWith(`${name}{upstream="web"}`));
  return Number(line?.split(' ')[1]);
}

const healthy = (gateway: TestGateway) => expect.poll(() => metric(gateway, 'latchkey_upstream_healthy_servers'));

test('a server whose checks fail is not picked, and is picked again once they hold', async () => {
  const [one, two] = [await new PatientServer('one').listen(), await new PatientServer('two').listen()];
  one.status = 503;
  const gateway = await start({ servers: [one.url, two.url], health_check: fast });
  await healthy(gateway).toBe(1);
  for (let round = 0; round < 4; round++) expect(await get(gateway)).toBe('two');
  expect(await metric(gateway, 'latchkey_upstream_health_check_failures_total')).toBeGreaterThanOrEqual(2);
  expect(gateway.said()).toMatch(
    /2 checks in a row failed, the last one with: status 503.+upstream server is unhealthy/,
  );
  one.status = 302;
  await healthy(gateway).toBe(2);
  expect(new Set([await get(gateway), await get(gateway)])).toEqual(new Set(['one', 'two']));
  const [check] = one.checks;
  expect([check?.method, check?.headers.host, check?.headers.connection]).toEqual([
    'GET',
    one.url.slice('http://'.length),
    'close',
  ]);
});

test('a server that does not answer its checks in time, or refuses them, is unhealthy', async () => {
  const gone = await SocketUpstream.start();
  const { url } = gone;
  await gone.close();
  const [mute, well] = [await new PatientServer('mute').listen(), await new PatientServer('well').listen()];
  mute.status = 0;
  const gateway = await start({
    servers: [mute.url, url, well.url],
    health_check: { ...fast, timeout: '500ms' },
    ejection: 'off',
  });
  await healthy(gateway).toBe(1);
  for (let round = 0; round < 3; round++) expect(await get(gateway)).toBe('well');
  expect(gateway.said()).toContain('no answer in time');
  expect(gateway.said()).toContain('ECONNREFUSED');
});

test('when all servers are unhealthy all are used: one that may answer is better than none', async () => {
  const server = await new PatientServer('still here').listen();
  server.status = 500;
  const gateway = await start({ servers: [server.url], health_check: fast });
  await healthy(gateway).toBe(0);
  expect(await get(gateway)).toBe('still here');
});

test('what is expected can be named, and so can the host', async () => {
  const server = await new PatientServer('a').listen();
  server.status = 204;
  const check = { ...fast, expect: ['200-203', 301], host: 'App.internal:81' };
  const gateway = await start({ servers: [server.url], health_check: check });
  await healthy(gateway).toBe(0);
  server.status = 301;
  await healthy(gateway).toBe(1);
  expect(server.checks[0]?.headers.host).toBe('app.internal:81');
});

test('checks go over TLS and over Unix sockets as requests do', async () => {
  const authority = new TestAuthority();
  const certificate = authority.issue({ names: ['127.0.0.1'] });
  const [tls, unix] = [new PatientServer('tls'), new PatientServer('unix')];
  const secure = createTlsServer(certificate, tls.serve).listen(0, '127.0.0.1');
  await once(secure, 'listening');
  ends.push(() => {
    secure.closeAllConnections();
    secure.close();
  });
  const bound = secure.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const other = new TestAuthority('somebody else');
  const own = await startGateway({
    files: { 'ca.pem': authority.cert, 'other.pem': other.cert },
    config: {
      upstreams: {
        web: {
          servers: [`https://127.0.0.1:${port}`, 'unix:app.sock'],
          tls: { ca_file: 'ca.pem' },
          health_check: fast,
        },
        lost: { servers: [`https://127.0.0.1:${port}`], tls: { ca_file: 'other.pem' }, health_check: fast },
      },
      routes: ['web', 'lost'].map((name) => ({ name, path: `/${name}/`, upstream: name, accept: ['anyone'] })),
    },
  });
  ends.push(() => own.close());
  const local = createServer(unix.serve).listen(join(own.folder, 'app.sock'));
  await once(local, 'listening');
  ends.push(() => {
    local.closeAllConnections();
    local.close();
  });
  await expect.poll(() => tls.checks.length).toBeGreaterThan(1);
  await expect.poll(() => unix.checks.length).toBeGreaterThan(1);
  await healthy(own).toBe(2);
  // a certificate that is not believed is a failed check
  await expect.poll(() => own.said()).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  expect(unix.checks[0]?.headers.host).toBe('localhost');
});

test('a reload keeps the health of servers that stay, and ends the checks of those that go', async () => {
  const [sick, well] = [await new PatientServer('sick').listen(), await new PatientServer('well').listen()];
  const [gone, fresh] = [await new PatientServer('gone').listen(), await new PatientServer('fresh').listen()];
  sick.status = 500;
  // so slow that a check after the reload cannot have said anything yet
  const slow = { ...fast, interval: '1h' };
  const gateway = await start({
    servers: [sick.url, well.url, gone.url],
    health_check: { ...slow, unhealthy_after: 1 },
  });
  await healthy(gateway).toBe(2);
  await gateway.reload(
    configOf({ servers: [fresh.url, sick.url, well.url], health_check: { ...slow, unhealthy_after: 1 } }),
  );
  expect(await metric(gateway, 'latchkey_upstream_healthy_servers')).toBe(2);
  const texts = new Set();
  for (let round = 0; round < 4; round++) texts.add(await get(gateway));
  expect(texts).toEqual(new Set(['fresh', 'well']));
  expect([sick.checks.length, gone.requests]).toEqual([1, 0]);
});
