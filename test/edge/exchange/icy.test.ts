// Old stream servers begin their answers with `ICY`: taken where the upstream's `status_line` says so, refused elsewhere.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: RecordingUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: {
        radio: { servers: [upstream.url], status_line: 'icy' },
        web: { servers: [upstream.url] },
      },
      routes: [
        { name: 'radio', path: '/radio', upstream: 'radio', accept: ['anyone'] },
        { name: 'all', path: '/', upstream: 'web', accept: ['anyone'] },
      ],
    },
  });
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

const answer = 'ICY 200 OK\r\nicy-name: Radio\r\nicy-br: 128\r\nContent-Type: audio/mpeg\r\n\r\nmusic until the end';

test('an upstream that speaks ICY is heard, and its client hears HTTP/1.1', async () => {
  upstream.script((_request, socket) => socket.end(answer));
  const got = await askRaw(gateway.port, requestText('GET', '/radio'));
  expect(got.head).toMatch(/^HTTP\/1\.1 200 OK\r\nicy-name: Radio\r\nicy-br: 128\r\nContent-Type: audio\/mpeg\r\n/);
  expect([got.text, got.header('Transfer-Encoding')]).toEqual(['music until the end', 'chunked']);
});

test('an upstream that may speak ICY may speak HTTP as well', async () => {
  upstream.script('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  expect((await askRaw(gateway.port, requestText('GET', '/radio'))).text).toBe('ok');
});

test('from any other upstream ICY is no answer, and the log says what was wrong', async () => {
  upstream.script((_request, socket) => socket.end(answer));
  expect((await askRaw(gateway.port, requestText('GET', '/elsewhere'))).status).toBe(502);
  const entry = (await gateway.readLog('access', '/elsewhere')).find(({ path }) => path === '/elsewhere');
  expect(entry?.hint).toMatch(
    /^upstream answer refused: status line or request line: the version \(127\.0\.0\.1:\d+\)$/,
  );
});

test.each(['ICY  200 OK', 'ICY/1.0 200 OK', 'icy 200 OK', 'ICY 99 OK', 'ICY 200OK', 'ICY'])(
  'what only resembles it is none: %s',
  async (line) => {
    upstream.script((_request, socket) => socket.end(`${line}\r\n\r\nevil`));
    expect((await askRaw(gateway.port, requestText('GET', '/radio'))).status).toBe(502);
  },
);
