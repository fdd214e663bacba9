// Which route a request meets, and that nothing on the wire makes it another one.
// conventions.md "Reserved paths", attacks.md "Path and route".

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { askRaw, requestText } from '../support/raw-client.ts';
import { RecordingUpstream } from '../support/recording-upstream.ts';

let gateway: TestGateway;
let media: RecordingUpstream;
let web: RecordingUpstream;

beforeAll(async () => {
  media = await RecordingUpstream.start();
  web = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { media: { servers: [media.url] }, web: { servers: [web.url] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] },
        { name: 'public', path: '/assets/', upstream: 'web', accept: ['anyone'] },
        { name: 'wild', host: '*.example.org', path: '/vod/', upstream: 'web', accept: ['anyone'] },
        { name: 'exact', host: 'a.example.org', path: '/only', upstream: 'web', accept: ['anyone'] },
      ],
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await media.close();
  await web.close();
});
beforeEach(() => {
  media.clear();
  web.clear();
});

test('a request on a route that takes anyone reaches its upstream', async () => {
  const answer = await askRaw(gateway.port, requestText('GET', '/assets/a.css?v=1'));
  expect([answer.status, answer.text]).toEqual([200, 'content']);
  expect(web.last.line).toBe('GET /assets/a.css?v=1 HTTP/1.1');
  expect(media.requests).toEqual([]);
});
