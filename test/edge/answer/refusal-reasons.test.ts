// What the log says of a message that was refused, and of a site that gave no sound answer: the reason, the field, the place, and
// never a secret.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: RecordingUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] }, gone: { servers: ['http://127.0.0.1:1'] } },
      routes: [
        { name: 'gone', path: '/gone/', upstream: 'gone', accept: ['anyone'] },
        { name: 'all', path: '/', upstream: 'web', accept: ['anyone'] },
      ],
    },
  });
});
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});
beforeEach(() => upstream.clear());

let count = 0;

async function send(bytes: string): Promise<number> {
  const client = await RawClient.connect(gateway.port);
  client.write(bytes);
  const { status } = await client.read();
  client.destroy();
  return status;
}

/** The access line of a request with a path of its own. */
async function lineOf(path: string): Promise<Record<string, unknown>> {
  const found = (await gateway.readLog('access', path)).find((line) => line.path === path);
  if (found === undefined) throw new Error(`no line for ${path}`);
  return found;
}

const secret = 'c2VjcmV0LXZhbHVl';

describe('a refused message', () => {
  const host = 'Host: media.example';
  test.each([
    ['//b', 'in the path: an empty segment ("//")'],
    ['/../b', 'in the path: a dot segment ("." or ".."), plain, encoded or with parameters'],
    ['/%zz', 'in the path: "%" without two hexadecimal digits behind it'],
    ['/%FC', 'in the path: encoded bytes that are not UTF-8'],
    ['/%5Cb', 'in the path: an encoded slash or backslash (%2F, %5C)'],
  ])('with %s in its path says what is wrong with it', async (end, words) => {
    const path = `/target-${++count}${end}`;
    expect(await send(`GET ${path}?${secret} HTTP/1.1\r\n${host}\r\n\r\n`)).toBe(400);
    const line = await lineOf(path);
    expect(line.hint).toBe(`refused message: bad-target: ${words}`);
    expect(JSON.stringify(line)).not.toContain(secret);
  });

  test.each<[what: string, lines: readonly string[], host: string, hint: string]>([
    [
      'a blank before the colon',
      [host, `Authorization : Bearer ${secret}`],
      'media.example',
      'bad-field-name: a field name that is none, or a blank before the colon (line 3, "Authorization")',
    ],
    ['no colon', [host, 'Cookie'], 'media.example', 'bad-field-line: a field line without a colon (line 3, "Cookie")'],
    [
      'no colon, since it is the rest of a value',
      [host, 'Cookie: a=', secret],
      'media.example',
      'bad-field-line: a field line without a colon (line 4)',
    ],
    [
      'a token in the place of a name',
      [host, `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret} : a`],
      'media.example',
      'bad-field-name: a field name that is none, or a blank before the colon (line 3, "...")',
    ],
    [
      'two lengths',
      [host, 'Content-Length: 1', 'content-length: 1'],
      'media.example',
      'content-length-repeated: two content-length fields (line 4, "content-length")',
    ],
    [
      'a bad length',
      [`Content-Length: ${secret}`],
      '',
      'bad-content-length: a content-length that is no plain number, or not for this status (line 2, "Content-Length")',
    ],
    [
      'another coding',
      [host, 'Transfer-Encoding: gzip'],
      'media.example',
      'bad-transfer-encoding: a transfer-encoding that is not chunked, or not for this status (line 3, "Transfer-Encoding")',
    ],
    [
      'both framings',
      [host, 'Content-Length: 1', 'Transfer-Encoding: chunked'],
      'media.example',
      'both-framings: both content-length and transfer-encoding',
    ],
    ['two hosts', [host, host], 'media.example', 'host-repeated: two host fields'],
    ['no host', ['A: 1'], '', 'host-missing: no host field'],
    [
      'a folded cookie',
      [host, `Cookie: a=${secret}`, ` b=${secret}:1`],
      'media.example',
      'bad-field-name: a field name that is none, or a blank before the colon (line 4)',
    ],
    ['a NUL in a cookie', [host, `Cookie: a=${secret}\0`], '', 'bad-byte: byte 0x00 in the value of "Cookie" (line 3)'],
    ['a bare LF', [host, `Cookie: a=${secret}\nB: c`], '', 'bad-byte: a bare LF in the value of "Cookie" (line 3)'],
    ['a bare CR in a name', [host, 'X\rY: c'], '', 'bad-byte: a bare CR in a field name (line 3)'],
    [
      'too many fields',
      [host, ...Array.from({ length: 101 }, () => 'A: 1')],
      '',
      'too-many-fields: more than 100 fields',
    ],
    [
      'two credentials',
      [host, `Authorization: Bearer ${secret}`, `Authorization: Bearer ${secret}`],
      'media.example',
      'authorization-repeated: two authorization fields',
    ],
    [
      'a name of 5,000 characters',
      [host, `${'n'.repeat(5000)} : 1`],
      'media.example',
      `bad-field-name: a field name that is none, or a blank before the colon (line 3, "${'n'.repeat(64)}...")`,
    ],
  ])('with %s: method, host, path and field, and no secret', async (_what, lines, seenHost, hint) => {
    const path = `/refused/${++count}`;
    const status = await send(`PUT ${path}?token=${secret} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    expect(status).toBeGreaterThanOrEqual(400);
    const line = await lineOf(path);
    expect(line).toMatchObject({ method: 'PUT', host: seenHost, path, status, hint: `refused message: ${hint}` });
    expect(JSON.stringify(line)).not.toContain(secret);
  });

  test.each([
    ['a token in the path', `/.t/${secret}.${secret}.${secret}/x`, '/.t/.../x'],
    ['a token behind an escape', `/%2et/${secret}.${secret}.${secret}/x`, '/.t/.../x'],
    ['two tokens in the path', `/.t/${secret}.a.b/.t/${secret}.${secret}.${secret}/y`, '/.t/.../.t/.../y'],
    ['a long segment', `/${'s'.repeat(100)}/z`, '/.../z'],
    ['user and password', `http://user:${secret}@media.example/absolute`, '/absolute'],
    ['a quote and a backslash', '/a"b\\c', '/a"b\\c'],
  ])('with %s: what may be a secret is not shown', async (_what, target, path) => {
    await send(`GET ${target} HTTP/1.1\r\nHost: media.example\r\nHost: other\r\n\r\n`);
    const line = await lineOf(path);
    expect(line.path).toBe(path);
    expect(JSON.stringify(line)).not.toContain(secret);
  });

  test('shows nothing of a first line that is no request line', async () => {
    expect(await send(`password=${secret}\r\nHost: a\r\n\r\n`)).toBe(400);
    expect(await send(`\x16\x03\x01${secret}\r\n\r\n`)).toBe(400);
    await expect.poll(async () => (await gateway.readLog('access', '')).length).toBeGreaterThan(1);
    expect(JSON.stringify(await gateway.readLog('access', ''))).not.toContain(secret);
  });

  test('says nothing of the request before it on another connection', async () => {
    await send(requestText('DELETE', '/before', ['Host: before.example']));
    await send('GET /after HTTP/1.1\r\nBad Name: 1\r\n\r\n');
    expect(await lineOf('/after')).toMatchObject({ method: 'GET', host: '', status: 400 });
  });
});

describe('a site without a sound answer', () => {
  const ok = 'HTTP/1.1 200 OK\r\n';
  test.each<[what: string, answer: string, hint: string]>([
    [
      'two lengths',
      `${ok}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`,
      'upstream answer refused: two content-length fields (line 3, "Content-Length")',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'upstream answer refused: status line or request line: the version'],
    ['a bad status', 'HTTP/1.1 2000 OK\r\n\r\n', 'upstream answer refused: status line: the status'],
    [
      'a control character',
      `${ok}A: 1\r\nX-Foo: ${secret}\x07\r\n\r\n`,
      'upstream answer refused: byte 0x07 in the value of "X-Foo" (line 3)',
    ],
    [
      'a bad name',
      `${ok}X Y: ${secret}\r\n\r\n`,
      'upstream answer refused: a field name that is none, or a blank before the colon (line 2, "X")',
    ],
    [
      'both framings',
      `${ok}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'upstream answer refused: both content-length and transfer-encoding',
    ],
    ['too many fields', `${ok}${'A: 1\r\n'.repeat(101)}\r\n`, 'upstream answer refused: more than 100 fields'],
    [
      'a head that is too long',
      `${ok}A: ${'a'.repeat(40_000)}\r\n\r\n`,
      'upstream answer refused: a head of more than 32768 bytes',
    ],
    [
      'a 101 that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      'upstream answer refused: a 101 that nobody asked for',
    ],
    ['an empty line', '\r\n\r\n', 'upstream answer refused: an empty line in place of a status line'],
    ['half a head', `${ok}Content-L`, 'upstream answer broke off: ended within the head'],
    ['nothing', '', 'upstream ended the connection before an answer'],
  ])('but %s: 502, and the log says what was wrong and with which server', async (_what, answer, hint) => {
    upstream.script((_request, socket) => socket.end(answer, 'latin1'));
    const path = `/broken/${++count}`;
    // one that is not sent twice
    expect(await send(requestText('POST', path, ['Content-Length: 0']))).toBe(502);
    const line = await lineOf(path);
    expect(line.hint).toBe(`${hint} (${new URL(upstream.url).host})`);
    expect(line.upstream).toBe('web');
    expect(JSON.stringify(line)).not.toContain(secret);
  });

  test.each<[what: string, answer: string, hint: string]>([
    [
      'a length',
      `${ok}Content-Length: 1000000\r\n\r\n${'a'.repeat(500_000)}`,
      'upstream answer broke off: ended after 500000 of 1000000 bytes',
    ],
    [
      'chunks',
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
      'upstream answer broke off: ended after 10 bytes, before the last chunk',
    ],
    [
      'broken chunks',
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n`,
      'upstream answer refused: broken chunk framing after 0 bytes',
    ],
  ])('in the middle of %s: the log says how far it came', async (_what, answer, hint) => {
    upstream.script((_request, socket) => socket.end(answer, 'latin1'));
    const path = `/cut/${++count}`;
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('GET', path));
    await client.ended();
    client.destroy();
    const line = await lineOf(path);
    expect(line.hint).toBe(`${hint} (${new URL(upstream.url).host})`);
  });

  test('that is not there is 502, and the log says what the system said', async () => {
    expect(await send(requestText('GET', '/gone/a'))).toBe(502);
    expect((await lineOf('/gone/a')).hint).toMatch(/^upstream not reached: .*ECONNREFUSED.* \(127\.0\.0\.1:1\)$/);
  });
});
