// Rate limits on the wire: who is counted, when, and what is answered. Rates are so slow that a test never sees a refill.
// config/README.md "All settings"; RFC 6585 §4.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
let config: FileInput;

const address = (name: string) => [`X-Forwarded-For: ${name}`];

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const route = { upstream: 'web', accept: ['token' as const] };
  config = {
    upstreams: { web: { servers: [upstream.url] } },
    trusted_proxies: ['127.0.0.1'],
    routes: [
      { ...route, name: 'address', path: '/address/', rate_limit: { by: 'address', rate: '2/h' } },
      {
        ...route,
        name: 'mixed',
        path: '/mixed/',
        accept: ['anyone', 'token'],
        rate_limit: { by: 'subject', rate: '2/h' },
      },
      { ...route, name: 'subject', path: '/subject/', rate_limit: { by: 'subject', rate: '1/h', burst: 2 } },
      { ...route, name: 'token', path: '/token/', rate_limit: { by: 'token', rate: '2/h' } },
      {
        ...route,
        name: 'list',
        path: '/list/',
        rate_limit: [
          { by: 'address', rate: '3/h' },
          { by: 'subject', rate: '2/h' },
        ],
      },
      { ...route, name: 'cors', path: '/cors/', cors: { origins: ['*'] }, rate_limit: { by: 'address', rate: '1/h' } },
      { ...route, name: 'free', path: '/free/' },
    ],
  };
  gateway = await startGateway({ config });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, fields));
}

async function statuses(count: number, target: string, fields: readonly string[]): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push((await ask(target, fields)).status);
  return seen;
}

const bearer = (claims: object = {}) => `Authorization: Bearer ${gateway.mint(claims)}`;

describe('by address', () => {
  test('429 with Retry-After comes before any credential is looked at, and the upstream sees nothing', async () => {
    const fields = [...address('192.0.2.1'), 'Authorization: Bearer wrong'];
    expect(await statuses(3, '/address/bad', fields)).toEqual([401, 401, 429]);
    const limited = await ask('/address/bad', [...address('192.0.2.1'), bearer()]);
    expect([limited.status, limited.header('Content-Type')]).toEqual([429, 'application/problem+json']);
    const seconds = Number(limited.header('Retry-After'));
    expect(seconds).toBeGreaterThan(1700);
    expect(seconds).toBeLessThanOrEqual(1800);
    expect(upstream.requests).toEqual([]);
    const line = (await gateway.readLog('decisions', '/address/bad')).at(-1);
    expect(line).toMatchObject({ decision: 'deny:rate-limited', route: 'address', status: 429 });
    expect(await gateway.scrape()).toMatch(/latchkey_decisions_total\{[^}]*reason="rate-limited"[^}]*\} [1-9]/);
  });

  test('each address has its own, an IPv6 host all of its /64, and one route’s is no other’s', async () => {
    expect(await statuses(3, '/address/a', [...address('192.0.2.2'), bearer()])).toEqual([200, 200, 429]);
    expect((await ask('/address/a', [...address('192.0.2.3'), bearer()])).status).toBe(200);
    expect((await ask('/free/a', [...address('192.0.2.2'), bearer()])).status).toBe(200);
    const hosts = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:9::9', '2001:db8:0:1::1'];
    const seen: number[] = [];
    for (const host of hosts) seen.push((await ask('/address/a', [...address(host), bearer()])).status);
    expect(seen).toEqual([200, 200, 429, 200]);
  });

  test('what a client says of its address without a trusted proxy changes nothing', async () => {
    const own = await startGateway({ config: { ...config, trusted_proxies: [] } });
    const token = own.mint();
    const seen: number[] = [];
    for (let index = 0; index < 3; index++) {
      const fields = [...address(`192.0.2.${index}`), `Authorization: Bearer ${token}`];
      seen.push((await askRaw(own.port, requestText('GET', '/address/a', fields))).status);
    }
    expect(seen).toEqual([200, 200, 429]);
    await own.close();
  });

  test('counts preflights, and scripts can read the refusal', async () => {
    const fields = [...address('192.0.2.4'), 'Origin: https://a.example'];
    const preflight = requestText('OPTIONS', '/cors/a', [...fields, 'Access-Control-Request-Method: GET']);
    expect((await askRaw(gateway.port, preflight)).status).toBe(204);
    const limited = await askRaw(gateway.port, preflight);
    expect([limited.status, limited.header('Access-Control-Allow-Origin')]).toEqual([429, '*']);
  });

  test('a refused request with a body ends its connection, one without does not', async () => {
    const client = await RawClient.connect(gateway.port);
    for (const expected of [200, 200, 429, 429]) {
      client.write(requestText('GET', '/address/k', [...address('192.0.2.5'), bearer()]));
      expect((await client.read()).status).toBe(expected);
    }
    client.write(requestText('POST', '/address/k', [...address('192.0.2.5'), 'Content-Length: 5']));
    expect((await client.read()).header('Connection')).toBe('close');
    client.destroy();
  });
});

describe('by subject and by token', () => {
  test('a subject is counted over all its tokens and addresses, once it is known', async () => {
    const tokens = [bearer({ sub: 's1', jti: 'a' }), bearer({ sub: 's1', jti: 'b' }), bearer({ sub: 's1', jti: 'c' })];
    const seen: number[] = [];
    for (const [at, token] of tokens.entries()) {
      seen.push((await ask('/subject/a', [...address(`192.0.2.${at}`), token])).status);
    }
    expect(seen).toEqual([200, 200, 429]);
    expect((await ask('/subject/a', [bearer({ sub: 's2' })])).status).toBe(200);
    // a refused credential is nobody's request
    expect((await ask('/subject/a', ['Authorization: Bearer wrong'])).status).toBe(401);
    expect(upstream.requests).toHaveLength(3);
  });

  test('without a subject the address is counted', async () => {
    expect(await statuses(3, '/mixed/a', address('192.0.2.6'))).toEqual([200, 200, 429]);
    expect((await ask('/mixed/a', address('192.0.2.7'))).status).toBe(200);
    expect((await ask('/mixed/a', [...address('192.0.2.6'), bearer({ sub: '192.0.2.6' })])).status).toBe(200);
  });

  test('a token is counted wherever it stands, and however it is spelled', async () => {
    const token = gateway.mint({ jti: 'one' });
    const seen = [
      (await ask('/token/a', [`Authorization: Bearer ${token}`])).status,
      (await ask(`/token/a?token=${token}`)).status,
      (await ask('/token/a', [`Cookie: latchkey_pass=${token}`])).status,
      (await ask(`/.t/${token}/token/a`)).status,
      (await ask('/token/a', [bearer({ jti: 'two' })])).status,
    ];
    expect(seen).toEqual([200, 200, 429, 429, 200]);
  });

  test('of a list each limit holds', async () => {
    const fields = (sub: string) => [...address('192.0.2.8'), bearer({ sub })];
    expect(await statuses(3, '/list/a', fields('l1'))).toEqual([200, 200, 429]);
    expect((await ask('/list/a', fields('l2'))).status).toBe(429);
    expect((await ask('/list/a', [...address('192.0.2.9'), bearer({ sub: 'l2' })])).status).toBe(200);
  });
});

test('a reload keeps what limits that stay have counted, and begins changed ones anew', async () => {
  const fields = [...address('192.0.2.20'), bearer({ sub: 'r1' })];
  expect(await statuses(3, '/address/r', fields)).toEqual([200, 200, 429]);
  expect(await statuses(3, '/subject/r', fields)).toEqual([200, 200, 429]);
  const routes = config.routes.map((route) =>
    route.name === 'subject' ? { ...route, rate_limit: { by: 'subject' as const, rate: '5/h' } } : route,
  );
  await gateway.reload({ ...config, routes });
  expect((await ask('/address/r', fields)).status).toBe(429);
  expect((await ask('/subject/r', fields)).status).toBe(200);
  await gateway.reload(config);
});
