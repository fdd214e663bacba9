// Tables of the pages against a gateway that runs: metrics, fields of the logs, statuses, identity headers, playlists.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileIdentity } from '../../gateway/core/decision/policy/identity.ts';
import { denyReasons } from '../../gateway/core/decision/verdict/reasons.ts';
import { statusOfDenial } from '../../gateway/edge/answer/responder.ts';
import { RecordingUpstream } from '../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';
import { codeSpans, markedBlock, repository, section, tableRows } from '../support/run/pages.ts';

test('the table of answers has the status of every refusal', () => {
  const statuses = new Set(section('gateway/edge/README.md', '## Answers').match(/\b[2-5]\d\d\b/g));
  for (const reason of denyReasons) expect(statuses, reason).toContain(String(statusOfDenial(reason)));
});

test('the table of headers says what each preset makes of each claim', () => {
  const claims = {
    exp: 1,
    sub: 'sub',
    email: 'email',
    name: 'name',
    preferred_username: 'preferred_username',
    groups: ['groups'],
    amr: ['amr'],
    grant: 'grant',
    did: 'did',
  };
  const linesOf = (preset: 'oauth2-proxy' | 'authelia') =>
    compileIdentity({ preset })(claims).trimEnd().split('\r\n').toSorted();
  const rows = tableRows(section('gateway/edge/README.md', '## Headers'));
  const shown = (column: 1 | 2) =>
    rows.flatMap((cells) => {
      const [claim = ''] = codeSpans(cells[0] ?? '');
      const cell = cells[column] === 'the same' ? cells[1] : cells[column];
      return codeSpans(cell ?? '').map((header) => `${header}: ${claim}`);
    });
  expect(shown(1).toSorted()).toEqual(linesOf('oauth2-proxy'));
  expect(shown(2).toSorted()).toEqual(linesOf('authelia'));
});

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] }],
      telemetry: { trace_context: 'on' },
    },
  });
});

afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
});

const get = (target: string, fields: Record<string, string> = {}) =>
  fetch(`http://${gateway.host}:${gateway.port}${target}`, { headers: { 'user-agent': 'player', ...fields } });

test('the table of metrics names every metric that is there, and no other', async () => {
  const named = tableRows(section('gateway/telemetry/README.md', '## Metrics')).flatMap(([cell = '']) =>
    codeSpans(cell),
  );
  const ofAccounts = tableRows(section('gateway/telemetry/README.md', '### With accounts')).flatMap(([cell = '']) =>
    codeSpans(cell),
  );
  const shown = named.filter((name) => !ofAccounts.includes(name));
  const there = [...(await gateway.scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  expect(there.length).toBeGreaterThan(20);
  expect(shown.toSorted()).toEqual(there.toSorted());
});

test('the table of playlists is true: what a player makes of the URLs opens, or is counted and hinted at', async () => {
  const token = gateway.mint({ paths: ['/vod/*'] });
  const statusOf = async (playlist: string, reference: string, fields = {}) => {
    const base = `http://site${playlist}`;
    expect((await get(playlist, fields)).status).toBe(200);
    return (await get(new URL(reference, base).href.slice('http://site'.length), fields)).status;
  };
  const shapes = [
    'segment-1.ts',
    '/vod/film/segment-1.ts',
    'http://site/vod/film/segment-1.ts',
    `segment-1.ts?token=${token}`,
  ];
  const verdicts = [];
  for (const shape of shapes) {
    verdicts.push([
      await statusOf(`/.t/${token}/vod/film/a.m3u8`, shape),
      await statusOf('/vod/film/a.m3u8', shape, { cookie: `latchkey_pass=${token}` }),
      await statusOf(`/vod/film/a.m3u8?token=${token}`, shape),
    ]);
  }
  const shown = tableRows(section('gateway/core/token/README.md', '## Which playlists work')).map((cells) =>
    cells.slice(1),
  );
  const words = verdicts.map((row) => row.map((status) => (status === 200 ? 'yes' : 'no')));
  expect(shown.slice(0, shapes.length).map((row) => row.map((cell) => cell.replace(/:.*/, '')))).toEqual(words);
  // 401 where the token was lost, 400 where there are two of them
  expect(verdicts.map(([pathForm]) => pathForm)).toEqual([200, 401, 401, 400]);

  expect(await gateway.scrape()).toContain('latchkey_lost_tokens_total{route="vod"} 5');
  expect((await get('/vod/the-last')).status).toBe(401);
  const lines = (await gateway.readLog('access', '/vod/the-last')).filter((line) => line.path !== '/vod/the-last');
  expect(lines.filter((line) => typeof line.hint === 'string')).toHaveLength(5);
});

/** Names that the sources give to metrics of their own registry: those that need accounts are made nowhere else. */
function namesInControl(): string[] {
  const folder = join(repository, 'gateway/control');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/name: '(latchkey_\w+)'/g)])
    .map(([, name = '']) => name);
}

test('the table of metrics with accounts names every metric that control makes only then', async () => {
  const there = new Set([...(await gateway.scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
  const ofAccounts = tableRows(section('gateway/telemetry/README.md', '### With accounts')).flatMap(([cell = '']) =>
    codeSpans(cell).filter((name) => name.startsWith('latchkey_')),
  );
  expect(ofAccounts.toSorted()).toEqual(
    namesInControl()
      .filter((name) => !there.has(name))
      .toSorted(),
  );
});

test('the table of log fields names every field of both logs, and the example has no other', async () => {
  const rows = tableRows(section('gateway/telemetry/README.md', '## Logs'));
  const fieldsOf = (log: string) =>
    new Set(rows.filter(([, where]) => where === 'both' || where === log).flatMap(([cell = '']) => codeSpans(cell)));
  const token = gateway.mint({ sub: 'anna', paths: ['/vod/*'] });
  await get('/vod/a', { authorization: `Bearer ${token}`, referer: 'http://site.example/' });
  await get('/vod/b', { authorization: `Bearer ${token}x` });
  await get('/vod/c', { authorization: `Bearer ${token}` });
  const access = await gateway.readLog('access', '/vod/c');
  const decisions = await gateway.readLog('decisions', '/vod/b');
  const keysOf = (lines: readonly object[]) => new Set(lines.flatMap((line) => Object.keys(line)));
  // a plain listener has no TLS, and in these two logs the reason of a refusal stands in the other one
  const elsewhere = ['tls', 'detail'];
  expect(keysOf(access)).toEqual(new Set([...fieldsOf('access')].filter((field) => !elsewhere.includes(field))));
  expect(keysOf(decisions)).toEqual(fieldsOf('decisions'));
  expect(new Set(Object.keys(JSON.parse(markedBlock('log line'))))).toEqual(fieldsOf('decisions'));
});
