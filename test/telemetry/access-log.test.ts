// The access and decision logs on real files: one JSON line each, never a token, and no disk trouble that stops a process.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProgram } from '../../bench/measure/programs.ts';
import {
  type AccessEntry,
  type AccessLog,
  isOneStream,
  openAccessLog,
  openDecisionLog,
  TokenDigest,
} from '../../gateway/telemetry/access-log.ts';
import { LogFile } from '../../gateway/telemetry/log-file.ts';
import { createLogger } from '../../gateway/telemetry/logger.ts';
import { runCommand } from '../support/run/run-command.ts';

let folder = '';
let path = '';
const said: string[] = [];
const logger = createLogger({
  role: 'edge',
  level: 'debug',
  destination: new Writable({
    write(chunk, _encoding, done) {
      said.push(String(chunk));
      done();
    },
  }),
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-log-'));
  path = join(folder, 'access.log');
  said.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const entry: AccessEntry = {
  requestId: 'r-1',
  client: '192.0.2.7',
  method: 'GET',
  host: 'media.example',
  path: '/vod/a.m3u8',
  route: 'vod',
  status: 200,
  allowed: 'token',
  denied: null,
  user: 'user-1',
  token: 'header.payload.signature',
  upstream: 'media',
  bytesIn: 10,
  bytesOut: 2000,
  durationMs: 1.23456,
  protocol: 'HTTP/1.1',
  tls: 'TLSv1.3',
  userAgent: 'player/1.0',
  referer: 'https://media.example/vod/',
  traceparent: null,
  detail: null,
  hint: null,
};

function openLog(): AccessLog {
  const log = openAccessLog({ target: { kind: 'file', path }, logger });
  if (log === null) throw new Error('the log should be on');
  return log;
}

function readLines(file = path): Record<string, unknown>[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('writes one JSON line with a digest in place of the token', () => {
  const log = openLog();
  log.write(entry);
  log.close();
  const [line, ...rest] = readLines();
  expect(rest).toEqual([]);
  expect(line).toEqual({
    kind: 'access',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    request_id: 'r-1',
    client: '192.0.2.7',
    method: 'GET',
    host: 'media.example',
    path: '/vod/a.m3u8',
    route: 'vod',
    status: 200,
    decision: 'allow:token',
    user: 'user-1',
    token: expect.stringMatching(/^[\w-]{8}$/),
    upstream: 'media',
    bytes_in: 10,
    bytes_out: 2000,
    duration_ms: 1.235,
    protocol: 'HTTP/1.1',
    tls: 'TLSv1.3',
    user_agent: 'player/1.0',
    referer: 'https://media.example/vod/',
  });
  expect(readFileSync(path, 'utf8')).not.toContain('header.payload');
});

test('text from a client cannot break out of its field or start a line of its own', () => {
  const log = openLog();
  const nasty = 'a"},\n{"b":"\\u0000\u0000\u2028\u007fé';
  const everywhere = { path: nasty, host: nasty, user: nasty, client: nasty, method: nasty };
  log.write({ ...entry, ...everywhere, userAgent: nasty, referer: nasty });
  log.close();
  expect(readLines()).toMatchObject([{ ...everywhere, user_agent: nasty, referer: nasty }]);
});

const combinedPattern =
  /^(\S+) - (\S+) \[(\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000)\] "([^"]*)" (\d+) (\d+) "([^"]*)" "([^"]*)"$/;

test('in the combined format a line has what Apache and nginx write, with dashes for what is not known', () => {
  const log = openAccessLog({ target: { kind: 'file', path }, logger, format: 'combined' });
  log?.write(entry);
  log?.write({ ...entry, method: '', user: null, userAgent: null, referer: null, status: 400, bytesOut: 120 });
  log?.close();
  const fields = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => combinedPattern.exec(line)?.slice(1));
  const moment = expect.stringMatching(/\d/);
  const referer = 'https://media.example/vod/';
  expect(fields).toEqual([
    ['192.0.2.7', 'user-1', moment, 'GET /vod/a.m3u8 HTTP/1.1', '200', '2000', referer, 'player/1.0'],
    ['192.0.2.7', '-', moment, '-', '400', '120', '-', '-'],
  ]);
});

test('log injection: in the combined format no text ends its field or its line', () => {
  const log = openAccessLog({ target: { kind: 'file', path }, logger, format: 'combined' });
  const nasty = 'a" 200 0 "-"\n192.0.2.9 - root [x] "\\\u0000\u001b[2J\u007f\u2028é';
  log?.write({ ...entry, path: nasty, user: nasty, method: nasty, userAgent: nasty, referer: nasty });
  log?.close();
  const text = readFileSync(path, 'utf8');
  const escaped = String.raw`a\" 200 0 \"-\"\x0a192.0.2.9 - root [x] \"\\\x00\x1b[2J\x7f\xe2\x80\xa8\xc3\xa9`;
  expect(text.split('\n')).toHaveLength(2);
  expect(text.split(escaped)).toHaveLength(5);
  expect(text).toContain(` - ${escaped.replaceAll(' ', String.raw`\x20`)} [`);
  expect(text).toMatch(/^[ -~]+\n$/);
});

const goaccess = findProgram('goaccess');

test.skipIf(goaccess === null)('goaccess reads every combined line', async () => {
  const log = openAccessLog({ target: { kind: 'file', path }, logger, format: 'combined' });
  const texts = ['plain', 'with "quotes" and \\', 'with a blank', 'ü\u2028\n', `/${'x'.repeat(2000)}`];
  for (const text of texts) log?.write({ ...entry, user: text, userAgent: text, referer: text });
  for (const status of [101, 302, 401, 502]) log?.write({ ...entry, status, user: null });
  log?.close();
  const report = join(folder, 'report.json');
  const ran = await runCommand(goaccess ?? '', [path, '--log-format=COMBINED', '-o', report, '--no-global-config']);
  expect(ran.code).toBe(0);
  const { general } = JSON.parse(readFileSync(report, 'utf8'));
  expect([general.total_requests, general.valid_requests, general.failed_requests]).toEqual([9, 9, 0]);
});

test('both logs are one stream when both are standard output or one file, and never when one is off', () => {
  const [stdout, off] = [{ kind: 'stdout' }, { kind: 'off' }] as const;
  const [a, b] = [{ kind: 'file', path: '/a' } as const, { kind: 'file', path: '/b' } as const];
  expect([isOneStream(stdout, stdout), isOneStream(a, { ...a })]).toEqual([true, true]);
  expect([isOneStream(off, off), isOneStream(a, b), isOneStream(a, stdout), isOneStream(stdout, off)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('long text is cut so that a line stays below one page', () => {
  const log = openLog();
  log.write({ ...entry, path: `/${'x'.repeat(16_000)}` });
  log.close();
  expect(readFileSync(path, 'utf8').length).toBeLessThan(4096);
  expect(readLines()[0]?.path).toMatch(/x\.\.\.$/);
});

test('the same token has the same digest in one process and another digest after a restart', () => {
  const digest = new TokenDigest();
  expect(digest.of('token-a')).toBe(digest.of('token-a'));
  expect(digest.of('token-a')).not.toBe(digest.of('token-b'));
  expect(new TokenDigest().of('token-a')).not.toBe(digest.of('token-a'));
});

test('a refusal goes to the decision log with its private detail', () => {
  const log = openDecisionLog({ target: { kind: 'file', path }, logger });
  log?.write({ ...entry, status: 401, denied: 'token-expired', detail: 'expired 12 s ago' });
  log?.close();
  expect(readLines()).toMatchObject([
    { kind: 'decision', status: 401, decision: 'deny:token-expired', detail: 'expired 12 s ago' },
  ]);
});

test('a log that is turned off is null', () => {
  expect(openAccessLog({ target: { kind: 'off' }, logger })).toBeNull();
  expect(openDecisionLog({ target: { kind: 'off' }, logger })).toBeNull();
});

test('after a rotation new lines go to a new file under the old name, and none is lost', async () => {
  const log = openLog();
  log.write({ ...entry, requestId: 'before' });
  await log.flush();
  log.write({ ...entry, requestId: 'waiting' });
  renameSync(path, `${path}.1`);
  log.reopen();
  log.write({ ...entry, requestId: 'after' });
  log.close();
  await expect.poll(() => readLines(`${path}.1`).map((line) => line.request_id)).toEqual(['before', 'waiting']);
  expect(readLines().map((line) => line.request_id)).toEqual(['after']);
});

test('when the folder vanishes the old file stays in use, which is reported once', async () => {
  const log = openLog();
  rmSync(folder, { recursive: true });
  log.reopen();
  log.reopen();
  log.write(entry);
  await log.flush();
  log.close();
  expect(existsSync(path)).toBe(false);
  expect(said.filter((line) => line.includes('ENOENT'))).toHaveLength(1);
});

test('a file that cannot be opened at the start: its lines are dropped and counted, and later ones are written once it can', () => {
  rmSync(folder, { recursive: true });
  const log = openLog();
  log.write(entry);
  expect(log.dropped).toBe(1);
  mkdirSync(folder);
  log.reopen();
  log.write(entry);
  log.close();
  expect(readLines()).toHaveLength(1);
});

test.runIf(existsSync('/dev/full'))(
  'a full disk is survived: lines wait up to the limit, the rest is dropped',
  async () => {
    const log = new LogFile({ name: 'access', target: { kind: 'file', path: '/dev/full' }, logger, maxBytes: 40_000 });
    for (let index = 0; index < 100; index += 1) log.write(`${'x'.repeat(999)}\n`);
    await expect.poll(() => said.join('')).toContain('ENOSPC');
    expect(log.dropped).toBeGreaterThan(50);
    log.close();
  },
);

test('fields that may hold secrets never print in the program log', () => {
  logger.info({
    password: 'p-1',
    headers: { authorization: 'a-1', cookie: 'c-1' },
    a: { b: { token: 't-1' } },
    otp: 'o-1',
  });
  expect(said.join('')).not.toMatch(/[pacto]-1/);
  expect(said.join('')).toContain('[redacted]');
  expect(JSON.parse(said.join(''))).toMatchObject({ kind: 'event', role: 'edge' });
});

test('the digest of a token does not depend on the tokens between, and short, long and empty tokens have one too', () => {
  const key = Buffer.alloc(32, 'k');
  const digest = new TokenDigest(key);
  const tokens = Array.from({ length: 20_000 }, (_, at) => `head.claims.${at.toString(36).padStart(43, '-')}`);
  const first = tokens.map((token) => digest.of(token));
  expect(new Set(first).size).toBe(20_000);
  for (const at of [0, 1, 4096, 12_345, 19_999]) {
    expect(digest.of(tokens[at] ?? '')).toBe(first[at]);
    expect(new TokenDigest(key).of(tokens[at] ?? '')).toBe(first[at]);
  }
  for (const odd of ['', 'a', 'x'.repeat(5000)]) {
    expect(digest.of(odd)).toMatch(/^[\w-]{8}$/);
    expect(digest.of(odd)).toBe(digest.of(odd));
  }
});
