// Cross-origin rules on the wire: preflights answered here before any credential, answers and refusals that scripts can read.
// Fetch §3.2 (CORS protocol), gateway/edge/README.md "What answers say".

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
const app = 'Origin: https://app.example.org';
const evil = 'Origin: https://evil.example';
const asks = 'Access-Control-Request-Method: PUT';

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] }, away: { servers: ['http://127.0.0.1:9'] } },
      routes: [
        { name: 'plain', path: '/', upstream: 'web', accept: ['token'] },
        {
          name: 'api',
          path: '/api/',
          upstream: 'web',
          accept: ['token'],
          cors: {
            origins: ['https://app.example.org'],
            methods: ['GET', 'PUT'],
            headers: ['Authorization'],
            expose: ['ETag'],
            credentials: true,
          },
        },
        { name: 'away', path: '/away/', upstream: 'away', accept: ['anyone'], cors: { origins: ['*'] } },
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(method: string, target: string, fields: readonly string[]): Promise<RawResponse> {
  return askRaw(gateway.port, requestText(method, target, fields));
}

describe('a preflight', () => {
  test('of an allowed origin is answered without a credential, and the upstream hears nothing', async () => {
    const client = await RawClient.connect(gateway.port);
    for (const round of [1, 2]) {
      client.write(
        requestText('OPTIONS', `/api/preflight-${round}`, [app, asks, 'Access-Control-Request-Headers: authorization']),
      );
      const answer = await client.read();
      expect(answer.status).toBe(204);
      expect(answer.all('Access-Control-Allow-Origin')).toEqual(['https://app.example.org']);
      expect(answer.all('Access-Control-Allow-Credentials')).toEqual(['true']);
      expect(answer.all('Access-Control-Allow-Methods')).toEqual(['GET, PUT']);
      expect(answer.all('Access-Control-Allow-Headers')).toEqual(['Authorization']);
      expect(answer.all('Access-Control-Max-Age')).toEqual(['600']);
      expect(answer.all('Vary')).toEqual(['Origin']);
      expect(answer.all('Content-Length')).toEqual([]);
    }
    client.destroy();
    expect(upstream.requests).toEqual([]);
    const [line] = (await gateway.readLog('access', '/api/preflight-2')).filter(
      ({ path }) => path === '/api/preflight-2',
    );
    expect(line).toMatchObject({ status: 204, route: 'api', method: 'OPTIONS', decision: 'allow:anyone' });
  });

  test('of another origin, of null and of two is 403, and says nothing to scripts', async () => {
    for (const fields of [[evil], ['Origin: null'], [app, evil], ['Origin: https://app.example.org.evil.example']]) {
      const answer = await ask('OPTIONS', '/api/a', [...fields, asks]);
      expect([fields, answer.status === 403 || answer.status === 401]).toEqual([fields, true]);
      expect(answer.head).not.toMatch(/access-control/i);
    }
    expect((await ask('OPTIONS', '/api/a', [evil, asks])).status).toBe(403);
    expect(upstream.requests).toEqual([]);
    expect((await gateway.readLog('decisions', '/api/a'))[0]).toMatchObject({ decision: 'deny:cors-origin' });
  });

  test('with a body is answered, and its connection ends', async () => {
    const answer = await askRaw(
      gateway.port,
      `OPTIONS /api/a HTTP/1.1\r\nHost: h\r\n${app}\r\n${asks}\r\nContent-Length: 24\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n`,
    );
    expect([answer.status, answer.header('Connection')]).toEqual([204, 'close']);
    expect(upstream.requests).toEqual([]);
  });

  test('through a path token is answered as well', async () => {
    expect((await ask('OPTIONS', '/.t/whatever/api/a', [app, asks])).status).toBe(204);
  });

  test.each([
    ['a route without rules', '/plain', [app, asks]],
    ['OPTIONS without Access-Control-Request-Method', '/api/a', [app]],
    ['OPTIONS without an origin', '/api/a', [asks]],
  ])('is none, and needs a credential: %s', async (_what, target, fields) => {
    expect((await ask('OPTIONS', target, fields)).status).toBe(401);
    const token = gateway.mint();
    expect((await ask('OPTIONS', target, [...fields, `Authorization: Bearer ${token}`])).status).toBe(200);
    expect(upstream.last.line).toBe(`OPTIONS ${target} HTTP/1.1`);
  });
});

describe('an answer', () => {
  test('says who may read it, and nothing that the upstream says of that', async () => {
    upstream.fallback = okAnswer('ok', [
      'access-control-allow-origin: *',
      'Access-Control-Allow-Private-Network: true',
      'Vary: Accept',
    ]);
    const fields = [`Authorization: Bearer ${gateway.mint()}`];
    const mine = await ask('GET', '/api/a', [...fields, app]);
    expect(mine.all('Access-Control-Allow-Origin')).toEqual(['https://app.example.org']);
    expect(mine.all('Access-Control-Expose-Headers')).toEqual(['ETag']);
    expect(mine.all('Vary')).toEqual(['Accept', 'Origin']);
    expect(mine.head).not.toContain('Private-Network');
    expect(upstream.last.header('Origin')).toBe('https://app.example.org');
    const other = await ask('GET', '/api/a', [...fields, evil]);
    expect(other.head).not.toMatch(/access-control/i);
    expect(other.all('Vary')).toEqual(['Accept', 'Origin']);
    const none = await ask('GET', '/api/a', fields);
    expect(none.all('Vary')).toEqual(['Accept', 'Origin']);
  });

  test('of a route without rules is the upstream’s', async () => {
    upstream.fallback = okAnswer('ok', ['Access-Control-Allow-Origin: *']);
    const answer = await ask('GET', '/a', [`Authorization: Bearer ${gateway.mint()}`, app]);
    expect([answer.all('Access-Control-Allow-Origin'), answer.all('Vary')]).toEqual([['*'], []]);
  });

  test('of our own can be read by scripts too: 401, 403 and 502', async () => {
    const refused = await ask('GET', '/api/a', [app]);
    expect([refused.status, refused.header('Access-Control-Allow-Origin')]).toEqual([401, 'https://app.example.org']);
    const outside = await ask('GET', '/api/a', [app, `Authorization: Bearer ${gateway.mint({ paths: ['/b'] })}`]);
    expect([outside.status, outside.header('Access-Control-Allow-Origin')]).toEqual([403, 'https://app.example.org']);
    expect((await ask('GET', '/api/a', [evil])).head).not.toMatch(/access-control/i);
    const broken = await ask('GET', '/away/a', [app]);
    expect([broken.status, broken.header('Access-Control-Allow-Origin')]).toEqual([502, '*']);
  });
});
