// Hosts that nobody configured, and messages that are none: refused, and on record.
// tokens.md "Hosts": an unknown Host under the reserved prefix is 421 (RFC 9110 §15.5.20).

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { askRaw, requestText } from '../support/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../support/recording-upstream.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  upstream.fallback = okAnswer('site');
  gateway = await startGateway({
    config: {
      upstreams: { site: { servers: [upstream.url] } },
      routes: [{ name: 'site', host: 'site.example', path: '/', upstream: 'site', accept: ['anyone'] }],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const ask = (host: string, target: string) => askRaw(gateway.port, requestText('GET', target, [`Host: ${host}`]));

test('latchkey’s own pages answer on configured hosts only', async () => {
  expect((await ask('site.example', '/.latchkey/jwks.json')).status).toBe(200);
  expect((await ask('other.example', '/.latchkey/jwks.json')).status).toBe(421);
});

test('a host without routes is 404 and reaches no upstream', async () => {
  upstream.clear();
  expect((await ask('other.example', '/')).status).toBe(404);
  expect(upstream.requests).toHaveLength(0);
});

test('a message that is none has its line in the access log, without a piece of it', async () => {
  expect(
    (await askRaw(gateway.port, 'GET /secret HTTP/1.1\r\nHost: site.example\r\nBad Name: sesame\r\n\r\n')).status,
  ).toBe(400);
  const lines = await gateway.readLog('access', '');
  const line = lines.find((entry) => String(entry.hint).includes('bad-field-name'));
  expect(line).toMatchObject({ status: 400, client: '127.0.0.1' });
  expect(JSON.stringify(line)).not.toMatch(/secret|sesame/);
});
