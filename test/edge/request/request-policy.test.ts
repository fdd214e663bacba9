// What a route changes in the heads of requests: headers set with values of the request and of who asks, headers removed,
// and names of other gateways that a trusted proxy may say. gateway/edge/README.md "Headers".

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: RecordingUpstream;
let gateway: TestGateway;
let trusting: TestGateway;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const config = {
    upstreams: { web: { servers: [upstream.url] } },
    routes: [
      {
        name: 'set',
        path: '/set/',
        upstream: 'web',
        accept: ['anyone' as const, 'token' as const],
        request: {
          set: {
            'X-Tenant': 'blue',
            client_id: 'ours',
            'X-Origin': '{scheme}://{host} {route}',
            'X-Peer': '{client_address}',
            'X-Trace': 'id={request_id}',
            'X-WEBAUTH-USER': '{sub}',
            'X-Name': '{name} <{email}>',
            'X-Who': '{sub}@{host}',
            'Accept-Encoding': 'identity',
          },
        },
      },
      {
        name: 'removed',
        path: '/removed/',
        upstream: 'web',
        accept: ['anyone' as const],
        request: { remove: ['X-Debug', 'X_Old.Name', 'Cookie', 'User-Agent', 'Authorization', 'Range'] },
      },
      { name: 'open', path: '/open/', upstream: 'web', accept: ['anyone' as const] },
    ],
  };
  gateway = await startGateway({ config });
  const kept = {
    name: 'kept',
    path: '/kept/',
    upstream: 'web',
    accept: ['anyone' as const],
    request: { keep: ['CF-Connecting-IP', 'X-Real-IP', 'X-Forwarded-Port'] },
  };
  trusting = await startGateway({
    config: { ...config, routes: [...config.routes, kept], trusted_proxies: ['127.0.0.2'] },
  });
});
afterAll(async () => {
  await gateway.close();
  await trusting.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, fields));
}

const forged = [
  'X-Tenant: red',
  'x-origin: http://evil',
  'X-WEBAUTH-USER: root',
  'X-Name: root',
  'X-Who: root',
  'X-Peer: 192.0.2.1',
  'Accept-Encoding: gzip',
];

/** What the upstream was told of the names that the route sets. */
function told(): string[] {
  const names = /^(x-(tenant|origin|peer|trace|webauth-user|name|who)|accept-encoding):/i;
  return seenHead(upstream.last)
    .split('\r\n')
    .filter((line) => names.test(line))
    .sort();
}

describe('headers that a route sets', () => {
  test('say what the request and its token say, in place of the client’s own', async () => {
    const token = gateway.mint({ sub: 'anna', name: 'Anna', email: 'a@example.org' });
    for (let round = 0; round < 2; round++) {
      await ask('/set/a', [...forged, `Authorization: Bearer ${token}`]);
      const id = upstream.last.header('X-Request-Id');
      expect(told()).toEqual([
        'Accept-Encoding: identity',
        'X-Name: Anna <a@example.org>',
        'X-Origin: http://media.example set',
        'X-Peer: 127.0.0.1',
        'X-Tenant: blue',
        `X-Trace: id=${id}`,
        'X-WEBAUTH-USER: anna',
        'X-Who: anna@media.example',
      ]);
    }
  });

  test('may have names with any sign of a token, and replace all names that are one to a site', async () => {
    await ask('/set/a', ['client_id: theirs', 'Client-Id: theirs', 'client.id: theirs', 'client_ids: other']);
    expect(seenHead(upstream.last).match(/^client.*$/gim)).toEqual(['client_ids: other', 'client_id: ours']);
    await ask('/removed/a', ['X_Old.Name: 1', 'x-old-name: 1', 'X_Old: 1']);
    expect(seenHead(upstream.last).match(/^x.old.*$/gim)).toEqual(['X_Old: 1']);
  });

  test('are left out where a claim is absent, and the client’s own is gone all the same', async () => {
    await ask('/set/a', forged);
    const lines = told().join('\n');
    expect(lines).not.toMatch(/root|evil|WEBAUTH|X-Name|X-Who/);
    expect(lines).toContain('X-Tenant: blue');
    await ask('/set/a', [...forged, `Authorization: Bearer ${gateway.mint({ sub: 'anna', name: 'Anna' })}`]);
    expect(upstream.last.all('X-Name')).toEqual([]);
    expect(upstream.last.all('X-Who')).toEqual(['anna@media.example']);
  });

  test('are not taken away by Connection', async () => {
    await ask('/set/a', ['Connection: X-Tenant, X-Origin', 'X-Tenant: red']);
    expect(upstream.last.all('X-Tenant')).toEqual(['blue']);
    expect(upstream.last.all('X-Origin')).toHaveLength(1);
  });

  test('that say who asks can be said by no client on any route; others by every client on other routes', async () => {
    await ask('/open/a', [
      'X-Name: root',
      'X-Who: root',
      'X-WEBAUTH-USER: root',
      'X-Tenant: red',
      'Accept-Encoding: br',
    ]);
    expect(seenHead(upstream.last)).toBe(
      forwardedHead('GET /open/a', { fields: ['X-Tenant: red', 'Accept-Encoding: br'] }),
    );
  });

  test('go along with an upgrade', async () => {
    const client = await RawClient.connect(gateway.port);
    client.write(
      requestText('GET', '/set/ws', [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version: 13',
        'X-Tenant: red',
      ]),
    );
    await upstream.seen(1);
    expect([upstream.last.all('X-Tenant'), upstream.last.header('Upgrade')]).toEqual([['blue'], 'websocket']);
    client.destroy();
  });
});

describe('headers that a route removes', () => {
  test('are gone there, whatever else they mean, and nowhere else', async () => {
    const fields = ['X-DEBUG: 1', 'Cookie: a=1', 'User-Agent: x', 'Authorization: Digest x', 'Range: bytes=0-1'];
    await ask('/removed/a', fields);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /removed/a'));
    await ask('/open/a', fields);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/a', { fields }));
  });
});

describe('other spellings of a name in a rule', () => {
  test('are the same name to many a site, and go where it goes', async () => {
    await ask('/set/a', ['X_Tenant: red', 'X.Tenant: red', 'x_webauth_user: root', 'Accept_Encoding: gzip']);
    expect(upstream.last.raw.toString('latin1')).not.toMatch(/red|root|gzip/);
    await ask('/removed/a', ['X_Debug: 1', 'X~Debug: 1', 'User_Agent: x', 'Other_Name: kept']);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /removed/a', { fields: ['Other_Name: kept'] }));
    const fields = ['X_Tenant: red', 'X_Debug: 1', 'User_Agent: x'];
    await ask('/open/a', fields);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/a', { fields }));
  });
});

describe('headers of other gateways that a route keeps', () => {
  const fields = ['CF-Connecting-IP: 192.0.2.1', 'X-Real-IP: 192.0.2.1', 'X-Forwarded-Port: 8443', 'True-Client-IP: 1'];

  async function askFrom(localAddress: string, target: string): Promise<void> {
    const { connect } = await import('node:net');
    const client = RawClient.on(connect({ port: trusting.port, host: '127.0.0.1', localAddress }));
    client.write(requestText('GET', target, fields));
    await client.read();
    client.destroy();
  }

  test('pass when a trusted proxy says them, there alone', async () => {
    await askFrom('127.0.0.2', '/kept/a');
    const seen = seenHead(upstream.last);
    for (const field of fields.slice(0, 3)) expect(seen).toContain(`\r\n${field}\r\n`);
    expect(seen).not.toContain('True-Client-IP');
    await askFrom('127.0.0.2', '/open/a');
    expect(seenHead(upstream.last)).not.toMatch(/192\.0\.2\.1|8443/);
  });

  test('pass from nobody else', async () => {
    await askFrom('127.0.0.3', '/kept/a');
    expect(seenHead(upstream.last)).not.toMatch(/192\.0\.2\.1|8443/);
  });
});

test('a rule holds for the requests of its time over a reload', async () => {
  const config = (tenant: string) => ({
    upstreams: { web: { servers: [upstream.url] } },
    routes: [
      { name: 'a', path: '/', upstream: 'web', accept: ['anyone' as const], request: { set: { [tenant]: '1' } } },
    ],
  });
  const own = await startGateway({ config: config('X-One') });
  await askRaw(own.port, requestText('GET', '/a', ['X-One: 0', 'X-Two: 0']));
  expect([upstream.last.all('X-One'), upstream.last.all('X-Two')]).toEqual([['1'], ['0']]);
  await own.reload(config('X-Two'));
  await askRaw(own.port, requestText('GET', '/a', ['X-One: 0', 'X-Two: 0']));
  expect([upstream.last.all('X-One'), upstream.last.all('X-Two')]).toEqual([['0'], ['1']]);
  await own.close();
});
