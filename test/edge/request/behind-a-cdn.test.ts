// The set-up of config/behind-a-cdn.yaml on the wire: whom the gateway takes for the client, and what caches are told.
// config/README.md "Behind a CDN"; gateway/RULES.md "Identity headers to the upstream".

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: RecordingUpstream;
let behind: TestGateway;
let direct: TestGateway;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const config = {
    upstreams: { web: { servers: [upstream.url] } },
    client_address_header: 'CF-Connecting-IP',
    routes: [
      { name: 'vod', path: '/vod/', upstream: 'web', accept: ['token' as const] },
      {
        name: 'open',
        path: '/open/',
        upstream: 'web',
        accept: ['anyone' as const],
        rate_limit: { by: 'address' as const, rate: '1/h' },
      },
    ],
  };
  behind = await startGateway({ config: { ...config, trusted_proxies: ['127.0.0.0/8', '198.51.100.0/24'] } });
  direct = await startGateway({ config: { ...config, trusted_proxies: ['198.51.100.0/24'] } });
});
afterAll(async () => {
  await behind.close();
  await direct.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(gateway: TestGateway, target: string, fields: readonly string[]): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, fields));
}

describe('the client behind a trusted proxy', () => {
  test.each([
    ['its own header', ['CF-Connecting-IP: 203.0.113.7'], '203.0.113.7', '203.0.113.7, 127.0.0.1'],
    [
      'its own header before the chain',
      ['CF-Connecting-IP: 203.0.113.7', 'X-Forwarded-For: 203.0.113.66'],
      '203.0.113.7',
      '203.0.113.7, 127.0.0.1',
    ],
    [
      'both alike',
      ['CF-Connecting-IP: 203.0.113.7', 'X-Forwarded-For: 10.9.9.9, 203.0.113.7, 198.51.100.3'],
      '203.0.113.7',
      '203.0.113.7, 198.51.100.3, 127.0.0.1',
    ],
    [
      'the chain from the right',
      ['X-Forwarded-For: 10.9.9.9, 203.0.113.8, 198.51.100.3'],
      '203.0.113.8',
      '203.0.113.8, 198.51.100.3, 127.0.0.1',
    ],
    ['IPv6 in one spelling', ['cf-connecting-ip: 2001:DB8:0:0::7'], '2001:db8::7', '2001:db8::7, 127.0.0.1'],
    ['mapped IPv6 as IPv4', ['CF-Connecting-IP: ::ffff:203.0.113.7'], '203.0.113.7', '203.0.113.7, 127.0.0.1'],
    ['no word', [], '127.0.0.1', '127.0.0.1'],
    [
      'two headers, which say nothing',
      ['CF-Connecting-IP: 203.0.113.7', 'CF-Connecting-IP: 203.0.113.8'],
      '127.0.0.1',
      '127.0.0.1',
    ],
    ['a list, which says nothing', ['CF-Connecting-IP: 203.0.113.7, 203.0.113.8'], '127.0.0.1', '127.0.0.1'],
    ['an address with a port, which says nothing', ['CF-Connecting-IP: 203.0.113.7:1234'], '127.0.0.1', '127.0.0.1'],
    ['octal, which says nothing', ['CF-Connecting-IP: 0313.0.113.7'], '127.0.0.1', '127.0.0.1'],
  ])('is found by %s', async (name, fields, client, chain) => {
    const token = behind.mint({ ips: [client] });
    const path = `/vod/${name.replaceAll(/[^a-z]/g, '')}`;
    expect((await ask(behind, path, [...fields, `Authorization: Bearer ${token}`])).status).toBe(200);
    expect(upstream.last.header('X-Forwarded-For')).toBe(chain);
    const other = behind.mint({ ips: ['192.0.2.99'] });
    expect((await ask(behind, path, [...fields, `Authorization: Bearer ${other}`])).status).toBe(403);
    const lines = await behind.readLog('access', path);
    expect(lines.find((line) => line.path === path)?.client).toBe(client);
  });

  test('is who a rate limit counts', async () => {
    expect((await ask(behind, '/open/a', ['CF-Connecting-IP: 203.0.113.20'])).status).toBe(200);
    expect((await ask(behind, '/open/a', ['CF-Connecting-IP: 203.0.113.21'])).status).toBe(200);
    expect((await ask(behind, '/open/a', ['CF-Connecting-IP: 203.0.113.20'])).status).toBe(429);
  });

  test('is told to the upstream in the proxy’s own header too', async () => {
    await ask(behind, '/open/b', ['CF-Connecting-IP: 203.0.113.30']);
    expect(upstream.last.header('CF-Connecting-IP')).toBe('203.0.113.30');
  });
});

test('from anybody else the header is removed, and believed by nobody', async () => {
  const fields = ['CF-Connecting-IP: 203.0.113.7', 'X-Forwarded-For: 203.0.113.7'];
  const token = direct.mint({ ips: ['203.0.113.7'] });
  expect((await ask(direct, '/vod/a', [...fields, `Authorization: Bearer ${token}`])).status).toBe(403);
  const own = direct.mint({ ips: ['127.0.0.1'] });
  expect((await ask(direct, '/vod/a', [...fields, `Authorization: Bearer ${own}`])).status).toBe(200);
  expect(upstream.last.all('CF-Connecting-IP')).toEqual([]);
  expect(upstream.last.header('X-Forwarded-For')).toBe('127.0.0.1');
});

test('the sample keeps what a token opened out of the CDN, and lets it keep what is for anyone', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../../config/behind-a-cdn.yaml'), 'utf8');
  // loading it finds every mistake: here it is only text
  const { listeners: _, ...sample } = parse(text) as FileInput;
  const own = await startGateway({ config: { ...sample, upstreams: { web: { servers: [upstream.url] } } } });
  upstream.fallback = okAnswer('ok', [
    'Cache-Control: public, s-maxage=600',
    'CDN-Cache-Control: max-age=600',
    'Server: x',
  ]);
  const client = 'CF-Connecting-IP: 203.0.113.40';
  const origin = 'Origin: https://player.example.org';
  const token = own.mint({ ips: ['203.0.113.40'] });
  const member = await ask(own, '/film', [client, origin, `Authorization: Bearer ${token}`]);
  expect([member.status, member.all('Cache-Control'), member.all('CDN-Cache-Control')]).toEqual([200, ['private'], []]);
  expect([member.all('Server'), member.header('Access-Control-Allow-Origin')]).toEqual([
    [],
    'https://player.example.org',
  ]);
  const preflight = requestText('OPTIONS', '/film', [client, origin, 'Access-Control-Request-Method: GET']);
  expect((await askRaw(own.port, preflight)).status).toBe(204);
  const open = await ask(own, '/assets/a.css', [client]);
  expect([open.status, open.all('Cache-Control')]).toEqual([200, ['public, s-maxage=600']]);
  await own.close();
});
