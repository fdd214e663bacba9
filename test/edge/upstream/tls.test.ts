// TLS to upstreams with real handshakes: which certificates are trusted, what goes over the wire before, and what the log says.
// Rules: RFC 9110 §4.3.4, RFC 9525; a failed verification is 502, and not one byte of the request leaves.

import { once } from 'node:events';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { Pattern } from '../../support/pattern.ts';
import { TestAuthority } from '../../support/rigs/certificates.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const authority = new TestAuthority();
const stranger = new TestAuthority('somebody else');
const good = authority.issue({ names: ['app.test', '127.0.0.1'] });
const client = authority.issue({ subject: 'gateway' });
const ends: (() => Promise<void> | void)[] = [];

interface TlsUpstream {
  readonly port: number;
  /** Everything that came in clear text, all connections together. */
  received(): string;
  readonly sockets: TLSSocket[];
  /** Whether a connection resumed a session, in order. */
  readonly resumed: boolean[];
}

async function listen(
  options: TlsOptions,
  answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
): Promise<TlsUpstream> {
  let received = '';
  const sockets: TLSSocket[] = [];
  const resumed: boolean[] = [];
  const server = createServer({ ...good, ...options }, (socket) => {
    sockets.push(socket);
    resumed.push(socket.isSessionReused());
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n', end + 1)) {
        if (end === received.length - 4) socket.write(answer, 'latin1');
      }
    });
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    received: () => received,
    sockets,
    resumed,
  };
}

let upstream: TlsUpstream;
let gateway: TestGateway;

/** One upstream for each case, on a route of its own. */
type Cases = Record<string, { server: string; tls?: NonNullable<FileInput['upstreams'][string]['tls']> }>;

const files = {
  'ca.pem': authority.cert,
  'other.pem': stranger.cert,
  'client.pem': client.cert,
  'client.key': client.key,
};

async function start(cases: Cases): Promise<TestGateway> {
  const started = await startGateway({
    files,
    config: {
      upstreams: Object.fromEntries(
        Object.entries(cases).map(([name, { server, tls }]) => [
          name,
          { servers: [server], ...(tls === undefined ? {} : { tls }) },
        ]),
      ),
      routes: Object.keys(cases).map((name) => ({ name, path: `/${name}/`, upstream: name, accept: ['anyone'] })),
    },
  });
  ends.push(() => started.close());
  return started;
}

const ask = (name: string): Promise<RawResponse> =>
  askRaw(gateway.port, requestText('GET', `/${name}/secret`, ['Cookie: theirs=1']));

beforeAll(async () => {
  upstream = await listen({});
  const mutual = await listen({ requestCert: true, rejectUnauthorized: true, ca: authority.cert });
  const old = await listen({ maxVersion: 'TLSv1.2' });
  const expired = await listen(authority.issue({ names: ['127.0.0.1'], notAfter: new Date(Date.now() - 3600_000) }));
  const other = await listen(authority.issue({ names: ['other.test'], subject: '127.0.0.1' }));
  const plain = await listen({});
  const ca = { ca_file: 'ca.pem' };
  gateway = await start({
    good: { server: `https://127.0.0.1:${upstream.port}`, tls: ca },
    named: { server: `https://127.0.0.1:${upstream.port}`, tls: { ...ca, server_name: 'APP.test' } },
    misnamed: { server: `https://127.0.0.1:${upstream.port}`, tls: { ...ca, server_name: 'app2.test' } },
    system: { server: `https://127.0.0.1:${upstream.port}` },
    stranger: { server: `https://127.0.0.1:${upstream.port}`, tls: { ca_file: 'other.pem' } },
    unverified: { server: `https://127.0.0.1:${upstream.port}`, tls: { ca_file: 'other.pem', verify: false } },
    expired: { server: `https://127.0.0.1:${expired.port}`, tls: ca },
    'other-name': { server: `https://127.0.0.1:${other.port}`, tls: ca },
    'old-other-name': { server: `https://127.0.0.1:${old.port}`, tls: { ...ca, server_name: 'other.test' } },
    mutual: {
      server: `https://127.0.0.1:${mutual.port}`,
      tls: { ...ca, client_certificate_file: 'client.pem', client_key_file: 'client.key' },
    },
    'no-client': { server: `https://127.0.0.1:${mutual.port}`, tls: ca },
    old: { server: `https://127.0.0.1:${old.port}`, tls: ca },
    newer: { server: `https://127.0.0.1:${old.port}`, tls: { ...ca, min_version: 'TLSv1.3' } },
    'no-tls': { server: `http://127.0.0.1:${plain.port}` },
  });
});
afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

test.each(['good', 'named', 'unverified', 'mutual', 'old'])('the upstream "%s" is reached over TLS', async (name) => {
  const answer = await ask(name);
  expect([answer.status, answer.text]).toEqual([200, 'ok']);
});

test.each([
  ['system', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['stranger', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ['expired', 'CERT_HAS_EXPIRED'],
  ['misnamed', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['other-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['old-other-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['newer', 'ERR_SSL'],
])('the upstream "%s" is not believed: 502, and the log says %s', async (name, code) => {
  // more than once: a session of a refused server must not be resumed, where Node no longer looks at names
  for (let round = 0; round < 3; round++) expect((await ask(name)).status).toBe(502);
  const line = gateway
    .said()
    .split('\n')
    .findLast((text) => text.includes(`"upstream":"${name}"`));
  expect(JSON.parse(line ?? '{}')).toMatchObject({
    msg: 'upstream failed',
    failure: 'tls-failed',
    cause: expect.stringContaining(code),
  });
});

test('an upstream that wants a client certificate and gets none answers nobody', async () => {
  expect((await ask('no-client')).status).toBe(502);
});

test('a listener with TLS that is spoken to in plain text is no upstream, and nothing goes the other way', async () => {
  expect((await ask('no-tls')).status).toBe(502);
});

test('not one byte of a request leaves before the certificate was verified, nor of its body', async () => {
  const trap = await listen({});
  const own = await start({ trap: { server: `https://127.0.0.1:${trap.port}`, tls: { ca_file: 'other.pem' } } });
  const posting = requestText('POST', '/trap/secret', ['Content-Length: 11']);
  expect((await askRaw(own.port, `${posting}secret-body`)).status).toBe(502);
  expect((await askRaw(own.port, requestText('GET', '/trap/secret'))).status).toBe(502);
  expect(trap.received()).toBe('');
});

test('the name goes out as SNI, and an address never does', async () => {
  const names: (string | false | null)[] = [];
  const seen = await listen({});
  const own = await start({
    name: { server: `https://127.0.0.1:${seen.port}`, tls: { ca_file: 'ca.pem', server_name: 'app.test' } },
    address: { server: `https://127.0.0.1:${seen.port}`, tls: { ca_file: 'ca.pem' } },
  });
  for (const path of ['/name/', '/address/']) {
    expect((await askRaw(own.port, requestText('GET', path))).status).toBe(200);
    names.push(seen.sockets.at(-1)?.servername ?? null);
  }
  expect(names).toEqual(['app.test', false]);
});

test('a kept connection is used again, and a new one resumes the session', async () => {
  const kept = await listen({});
  const own = await start({ kept: { server: `https://127.0.0.1:${kept.port}`, tls: { ca_file: 'ca.pem' } } });
  const get = async () => (await askRaw(own.port, requestText('GET', '/kept/'))).status;
  expect([await get(), await get(), kept.sockets.length]).toEqual([200, 200, 1]);
  kept.sockets[0]?.destroy();
  await expect.poll(() => kept.sockets[0]?.closed).toBe(true);
  expect(await get()).toBe(200);
  expect(kept.resumed).toEqual([false, true]);
});

test('large bodies come through whole, by length and by chunks, to several clients at once', async () => {
  const size = 1024 * 1024;
  const body = Pattern.seeded(7).at(0, size);
  const text = body.toString('latin1');
  const large = await listen({}, `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${text}`);
  const pieces = `${(size / 2).toString(16)}\r\n${text.slice(0, size / 2)}\r\n${(size / 2).toString(16)}\r\n${text.slice(size / 2)}\r\n`;
  const chunked = await listen({}, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${pieces}0\r\n\r\n`);
  const own = await start({
    large: { server: `https://127.0.0.1:${large.port}`, tls: { ca_file: 'ca.pem' } },
    chunked: { server: `https://127.0.0.1:${chunked.port}`, tls: { ca_file: 'ca.pem' } },
  });
  const answers = await Promise.all(
    ['/large/', '/chunked/'].map(async (path) => {
      const reader = await RawClient.connect(own.port);
      ends.push(() => reader.destroy());
      reader.write(requestText('GET', path));
      return reader.read();
    }),
  );
  for (const answer of answers) expect(Buffer.compare(answer.body, body)).toBe(0);
});

test('many clients at once get each their own bytes, read slowly or quickly, over few connections', async () => {
  const server = createServer(good, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      const seed = Number(/^GET \/many\/(\d+) /.exec(chunk.toString('latin1'))?.[1]);
      const body = Pattern.seeded(seed).at(0, 200_000 + seed);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    server.close();
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const own = await start({ many: { server: `https://127.0.0.1:${port}`, tls: { ca_file: 'ca.pem' } } });
  const wrong: number[] = [];
  const run = async (first: number): Promise<void> => {
    const reader = await RawClient.connect(own.port);
    ends.push(() => reader.destroy());
    for (let seed = first; seed < 48; seed += 12) {
      reader.write(requestText('GET', `/many/${seed}`));
      // every third lets the bytes pile up first
      if (seed % 3 === 0) {
        reader.socket.pause();
        setImmediate(() => reader.socket.resume());
      }
      const { body } = await reader.read();
      if (body.length !== 200_000 + seed || !Pattern.seeded(seed).matches(0, body)) wrong.push(seed);
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, first) => run(first)));
  expect(wrong).toEqual([]);
});

test('after a reload another authority in the same file is trusted, and the old one is not', async () => {
  const moved = await listen(stranger.issue({ names: ['127.0.0.1'] }));
  const config = (file: string): FileInput => ({
    upstreams: { app: { servers: [`https://127.0.0.1:${moved.port}`], tls: { ca_file: file } } },
    routes: [{ name: 'app', path: '/', upstream: 'app', accept: ['anyone'] }],
  });
  const changing: Record<string, string> = { 'trust.pem': authority.cert };
  const own = await startGateway({ files: changing, config: config('trust.pem') });
  ends.push(() => own.close());
  expect((await askRaw(own.port, requestText('GET', '/'))).status).toBe(502);
  changing['trust.pem'] = stranger.cert;
  await own.reload(config('trust.pem'));
  expect((await askRaw(own.port, requestText('GET', '/'))).status).toBe(200);
  // a key never gets into a log
  expect(gateway.said()).not.toContain('PRIVATE KEY');
});
