// Fields that name a second resource, as the site gets them: the visitor's origin is the site's there, as in answers the other way.
// What they may not name is in test/attacks/rows/second-targets.ts.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const route = (name: string, rest: object = {}) => ({
    name,
    path: `/${name}/`,
    upstream: 'web',
    accept: ['anyone' as const],
    ...rest,
  });
  gateway = await startGateway({
    config: {
      trusted_proxies: ['127.0.0.0/8'],
      upstreams: { web: { servers: [upstream.url] } },
      routes: [route('d'), route('asis', { rewrite_locations: false })],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

/** Through a proxy that ends TLS for `dav.example` and speaks to the gateway by another name. */
const proxied = ['Host: inner.example:8080', 'X-Forwarded-Host: dav.example', 'X-Forwarded-Proto: https'];

async function statusOf(method: string, target: string, fields: readonly string[]): Promise<number> {
  return (await askRaw(gateway.port, requestText(method, target, fields))).status;
}

test('behind TLS the destination becomes the site’s own origin, as the site is asked by it', async () => {
  const fields = [...proxied, 'Destination: https://dav.example/d/b%20c'];
  expect(await statusOf('MOVE', '/d/a', fields)).toBe(200);
  expect(upstream.last.header('Destination')).toBe('http://inner.example:8080/d/b%20c');
  expect(upstream.last.header('Host')).toBe('inner.example:8080');
});

test('so do the resources that a condition names', async () => {
  const fields = [
    ...proxied,
    'If: <https://dav.example/d/a> (<urn:uuid:1>) </d/b> (<urn:uuid:2>)',
    'Content-Length: 0',
  ];
  expect(await statusOf('PUT', '/d/a', fields)).toBe(200);
  expect(upstream.last.header('If')).toBe('<http://inner.example:8080/d/a> (<urn:uuid:1>) </d/b> (<urn:uuid:2>)');
});

test('with rewrite_locations: false the origin stays the visitor’s, and the path is canonical all the same', async () => {
  expect(await statusOf('COPY', '/asis/a', [...proxied, 'Destination: HTTPS://dav.example/asis/%62'])).toBe(200);
  expect(upstream.last.header('Destination')).toBe('https://dav.example/asis/b');
});

test('the usual port may be said or left out, and another one is another server', async () => {
  const direct = ['Host: dav.example'];
  for (const [origin, status] of [
    ['http://dav.example:80', 200],
    ['http://dav.example', 200],
    // TLS may end in front of us without our knowledge
    ['https://dav.example', 200],
    ['http://dav.example:8080', 403],
    ['https://dav.example:8443', 403],
    ['http://inner.example', 403],
  ] as const) {
    expect([origin, await statusOf('MOVE', '/d/a', [...direct, `Destination: ${origin}/d/b`])]).toEqual([
      origin,
      status,
    ]);
  }
});

test('a destination on another route is 403, and the log says why', async () => {
  expect(await statusOf('MOVE', '/d/why', ['Host: dav.example', 'Destination: /asis/b'])).toBe(403);
  const lines = await gateway.readLog('decisions', '/d/why');
  expect(lines.at(-1)).toMatchObject({ decision: 'deny:second-target' });
  expect(JSON.stringify(lines.at(-1))).toContain('another route');
  expect(upstream.requests).toEqual([]);
});
