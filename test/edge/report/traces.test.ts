// Trace context as an upstream sees it, and spans as a collector gets them by OTLP.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly status: { readonly code: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

const received: {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly spans: readonly Span[];
  service: unknown;
}[] = [];
let collectorStatus = 200;
let collector: Server;
let upstream: RecordingUpstream;
let gateway: TestGateway;
let config: FileInput;

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body);
      for (const { resource, scopeSpans } of resourceSpans) {
        const service = resource.attributes.find((attribute: { key: string }) => attribute.key === 'service.name');
        received.push({ headers: request.headers, spans: scopeSpans[0].spans, service: service.value.stringValue });
      }
      response.writeHead(collectorStatus, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo;
  upstream = await RecordingUpstream.start();
  config = {
    upstreams: { web: { servers: [upstream.url] } },
    routes: [
      { name: 'open', path: '/', upstream: 'web', accept: ['anyone'] },
      { name: 'closed', path: '/closed/', upstream: 'web', accept: ['token'] },
      {
        ...{ name: 'untold', path: '/untold/', upstream: 'web', accept: ['anyone'] },
        request: { remove: ['traceparent'] },
      },
    ],
    telemetry: {
      otlp: { endpoint: `http://127.0.0.1:${port}/v1/traces`, headers: { 'X-Key': 'k-1' }, service_name: 'front' },
    },
  };
  gateway = await startGateway({ config });
});

afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
  collector?.close();
});

async function get(target: string, fields: readonly string[] = []): Promise<number> {
  const client = await RawClient.connect(gateway.port);
  client.write(requestText('GET', target, fields));
  const { status } = await client.read();
  client.destroy();
  return status;
}

const sent = { trace: '0af7651916cd43dd8448eb211c80319c', parent: 'b7ad6b7169203331' };
const fresh = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-03$/;

test('a sound traceparent goes on with another parent, and tracestate with it', async () => {
  await get('/a', [`traceparent: 00-${sent.trace}-${sent.parent}-00`, 'tracestate: a=1', 'tracestate: b=2']);
  const passed = upstream.last.header('traceparent') ?? '';
  expect(passed).toMatch(new RegExp(`^00-${sent.trace}-[0-9a-f]{16}-01$`));
  expect(passed).not.toContain(sent.parent);
  expect(upstream.last.header('tracestate')).toBe('a=1,b=2');
});

test.each([
  ['none', []],
  ['zeros for a trace', [`traceparent: 00-${'0'.repeat(32)}-${sent.parent}-01`]],
  ['zeros for a parent', [`traceparent: 00-${sent.trace}-${'0'.repeat(16)}-01`]],
  ['capitals', [`traceparent: 00-${sent.trace.toUpperCase()}-${sent.parent}-01`]],
  ['version ff', [`traceparent: ff-${sent.trace}-${sent.parent}-01`]],
  ['more behind version 00', [`traceparent: 00-${sent.trace}-${sent.parent}-01-more`]],
  [
    'two fields',
    [`traceparent: 00-${sent.trace}-${sent.parent}-01`, `Traceparent: 00-${sent.trace}-${sent.parent}-01`],
  ],
  ['a look-alike', [`trace_parent: x`, `traceparent: x`]],
])('W3C Trace Context: %s begins a new trace, and no tracestate goes on', async (_name, fields) => {
  await get('/b', [...fields, 'tracestate: a=1']);
  expect(upstream.last.header('traceparent')).toMatch(fresh);
  expect(upstream.last.header('traceparent')).not.toContain(sent.trace);
  expect(upstream.last.header('tracestate')).toBeNull();
});

test('a site that is not to know of traces gets neither the client’s context nor one of latchkey’s', async () => {
  await get('/untold/a', [`traceparent: 00-${sent.trace}-${sent.parent}-01`, 'tracestate: a=1']);
  expect([upstream.last.header('traceparent'), upstream.last.header('tracestate')]).toEqual([null, null]);
});

test('a later version is read as far as it is known', async () => {
  await get('/c', [`traceparent: 01-${sent.trace}-${sent.parent}-ff-more`]);
  expect(upstream.last.header('traceparent')).toMatch(new RegExp(`^00-${sent.trace}-[0-9a-f]{16}-03$`));
});

test('a collector gets a span of each request: forwarded, refused, and in the trace of its client', async () => {
  await get('/d?token=secret', [`traceparent: 00-${sent.trace}-${sent.parent}-01`, 'Host: site.example']);
  const passed = upstream.last.header('traceparent')?.split('-') ?? [];
  const token = `${gateway.mint()}x`;
  await get('/closed/e', [`Authorization: Bearer ${token}`]);
  const named = (name: string, path: string) =>
    received.flatMap(({ spans }) => spans).find((span) => span.name === name && valuesOf(span)['url.path'] === path);
  await expect.poll(() => named('GET closed', '/closed/e'), { timeout: 10_000 }).toBeDefined();
  const [opened, refused] = [named('GET open', '/d'), named('GET closed', '/closed/e')];
  expect(opened).toMatchObject({ traceId: sent.trace, parentSpanId: sent.parent, spanId: passed[2], kind: 2 });
  expect(BigInt(opened?.endTimeUnixNano ?? 0)).toBeGreaterThan(BigInt(opened?.startTimeUnixNano ?? 0));
  expect(valuesOf(opened)).toMatchObject({
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.scheme': 'http',
    'latchkey.route': 'open',
    'latchkey.decision': 'allow:anyone',
    'latchkey.upstream': 'web',
    'latchkey.upstream_ms': expect.any(Number),
  });
  expect(refused?.parentSpanId).toBeUndefined();
  expect(valuesOf(refused)).toMatchObject({ 'http.response.status_code': 401, 'latchkey.route': 'closed' });
  expect(valuesOf(refused)['latchkey.decision']).toMatch(/^deny:/);
  expect(received[0]).toMatchObject({ service: 'front', headers: { 'x-key': 'k-1' } });
  const everything = JSON.stringify(received);
  expect(everything).not.toContain('secret');
  expect(everything).not.toContain(token);
  const [line] = (await gateway.readLog('access', '/d')).filter(({ path }) => path === '/d');
  expect(line?.traceparent).toBe(passed.join('-'));
});

function valuesOf(span: Span | undefined): Record<string, unknown> {
  return Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
}

test('a collector that takes nothing costs no request anything: spans are dropped, counted, and told of once', async () => {
  collectorStatus = 400;
  const before = gateway.metrics.spans.dropped;
  expect(await get('/f')).toBe(200);
  await expect.poll(() => gateway.metrics.spans.dropped, { timeout: 10_000 }).toBeGreaterThan(before);
  expect(gateway.said().match(/spans cannot be exported/g)).toHaveLength(1);
  expect(gateway.said()).not.toContain('k-1');
  expect(await gateway.scrape()).toMatch(/latchkey_spans_total\{outcome="dropped"\} [1-9]/);
  collectorStatus = 200;
});

test('without the setting a client’s trace context goes on byte for byte, and none is made', async () => {
  const { telemetry, ...plain } = config;
  expect(telemetry).toBeDefined();
  await gateway.reload(plain);
  await get('/g', ['traceparent: anything', 'tracestate: a=1']);
  expect([upstream.last.header('traceparent'), upstream.last.header('tracestate')]).toEqual(['anything', 'a=1']);
  await get('/h');
  expect(upstream.last.header('traceparent')).toBeNull();
});
