// Ranges on their way to an upstream: honest ones untouched, abuse ignored as RFC 9110 §14.2 allows.
// gateway/RULES.md "Path and route": Apache CVE-2011-3192.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [{ name: 'open', path: '/', upstream: 'media', accept: ['anyone'] }],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

async function forwarded(...fields: string[]): Promise<string[]> {
  expect((await askRaw(gateway.port, requestText('GET', '/a.mp4', fields))).status).toBe(200);
  return upstream.last.fields.filter((field) => /^(if-)?range:/i.test(field));
}

test.each([
  'Range: bytes=0-',
  'Range: bytes=0-1023',
  'Range: bytes=-500',
  'range:  bytes=0-0,-1 ',
  'Range: BYTES=0-1',
  'Range: bytes=0-9, 20-29 ,40-49,60-69,80-',
  'Range: bytes=90-99,0-9',
  'Range: items=1-2',
])('%s goes on byte for byte', async (field) => {
  expect(await forwarded(field, 'If-Range: "e"')).toEqual([field, 'If-Range: "e"']);
});

test.each([
  ['six ranges', 'bytes=0-0,2-2,4-4,6-6,8-8,10-10'],
  ['a hundred ranges', `bytes=${Array.from({ length: 100 }, (_, at) => `${at * 2}-${at * 2}`).join(',')}`],
  ['overlapping ranges', 'bytes=0-100,50-150'],
  ['ranges that touch in one byte', 'bytes=0-10,10-20'],
  ['the same range twice', 'bytes=0-,0-'],
  ['an open range over another', 'bytes=5-,100-200'],
  ['two suffixes', 'bytes=-5,-10'],
  ['a suffix inside an open range', 'bytes=5-,-10'],
  ['a suffix that overflows', 'bytes=-9223372036854775808'],
  ['a start that overflows', 'bytes=18446744073709551615-'],
  ['an end before its start', 'bytes=9-5'],
  ['no range', 'bytes='],
  ['an empty range', 'bytes=0-1,,3-4'],
  ['a dash', 'bytes=-'],
  ['words', 'bytes=a-b'],
  ['signs', 'bytes=+1-2'],
])('%s is ignored', async (_what, value) => {
  expect(await forwarded(`Range: ${value}`)).toEqual([]);
});

test('two Range fields are ignored, since an upstream may join them', async () => {
  expect(await forwarded('Range: bytes=0-100', 'Range: bytes=50-150')).toEqual([]);
  expect(await forwarded('Range: bytes=0-1', 'Range: bytes=3-4')).toEqual([]);
});
