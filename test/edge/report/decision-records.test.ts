// What an edge tells control of its decisions: those that can be traced to an account or a link, never a token, and never in the
// way of a request.

import { afterEach, expect, test } from 'vitest';
import type { DecisionRecord } from '../../../gateway/core/decision/verdict/decision-record.ts';
import type { Denial } from '../../../gateway/core/decision/verdict/denial.ts';
import { DecisionRecords, type DecisionRecordsOptions } from '../../../gateway/edge/report/decision-records.ts';
import type { Described } from '../../../gateway/edge/request/describe.ts';
import { DecisionRecordMetrics } from '../../../gateway/telemetry/decision-record-metrics.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Rig {
  readonly gateway: TestGateway;
  readonly lines: string[];
  /** Records, once one is about this path. */
  readonly about: (path: string) => Promise<DecisionRecord>;
  readonly ask: (path: string, headers?: Record<string, string>) => Promise<Response>;
}

async function start(explain: 'off' | 'on' | 'all'): Promise<Rig> {
  const upstream = await RecordingUpstream.start();
  closing.push(() => upstream.close());
  const config: FileInput = {
    upstreams: { media: { servers: [{ address: `127.0.0.1:${upstream.port}` }] } },
    routes: [
      { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'password'], revocation: 'none' },
      { name: 'open', path: '/open/', upstream: 'media', accept: ['anyone'] },
    ],
    explain,
  };
  const lines: string[] = [];
  const gateway = await startGateway({
    config,
    users: { mina: 'correct horse' },
    answers: { recordDecisions: (text) => lines.push(...text.split('\n').filter((line) => line !== '')) },
  });
  closing.push(() => gateway.close());
  const all = (): DecisionRecord[] => lines.map((line) => JSON.parse(line) as DecisionRecord);
  return {
    gateway,
    lines,
    about: async (path) => {
      await expect.poll(() => all().some((record) => record.path === path)).toBe(true);
      return all().find((record) => record.path === path) as DecisionRecord;
    },
    ask: (path, headers = {}) => fetch(`http://${gateway.host}:${gateway.port}${path}`, { headers }),
  };
}

test('attack: a decoy hides nothing of what came with a refused request', async () => {
  const { gateway, about, ask } = await start('on');
  const pass = gateway.mint({ sub: 'ac_somebody', paths: ['/elsewhere/*'] }, 'pass');
  const expired = gateway.mint({ sub: 'late', exp: 1_000_000 });
  const cookie = `${Array.from({ length: 9 }, (_, at) => `latchkey_pass=x${at}; `).join('')}latchkey_pass=${pass}`;
  await ask('/vod/decoy?token=x', { cookie });
  expect(await about('/vod/decoy')).toMatchObject({
    outcome: 'deny',
    presented: [{ type: 'pass', sub: 'ac_somebody' }],
  });
  await ask(`/vod/both?token=${expired}`, { cookie, authorization: 'Bearer x' });
  expect(await about('/vod/both')).toMatchObject({
    presented: [
      { type: 'outside', sub: 'late' },
      { type: 'pass', sub: 'ac_somebody' },
    ],
  });
});

test('a refusal, a pass and a password are recorded; outside tokens and open routes are not', async () => {
  const { gateway, lines, about, ask } = await start('on');
  const outside = gateway.mint({ sub: 'outside-sub' });
  const pass = gateway.mint({ sub: 'ac_somebody', grant: 'me_grant', n: ['ac_somebody', 'li_x'], v: ['e', 7] }, 'pass');
  const expired = gateway.mint({ sub: 'late', exp: 1_000_000 });
  await ask('/vod/by-token?secret=1', { authorization: `Bearer ${outside}` });
  await ask('/open/to-all');
  await ask('/vod/by-password', { authorization: `Basic ${btoa('mina:correct horse')}` });
  await ask('/vod/by-pass?secret=1', { cookie: `latchkey_pass=${pass}` });
  const answer = await ask('/vod/refused?secret=1', { authorization: `Bearer ${expired}` });
  expect(answer.status).toBe(401);

  expect(await about('/vod/refused')).toMatchObject({
    by: 'e1',
    method: 'GET',
    route: 'vod',
    status: 401,
    outcome: 'deny',
    reason: 'token-expired',
    presented: [{ type: 'outside', key: 'k1', sub: 'late', expiresAt: 1_000_000 }],
  });
  expect(await about('/vod/by-password')).toMatchObject({ outcome: 'allow', reason: 'password', user: 'mina' });
  const byPass = await about('/vod/by-pass');
  expect(byPass).toMatchObject({
    outcome: 'allow',
    reason: 'pass',
    user: 'ac_somebody',
    grant: 'me_grant',
    nodes: ['ac_somebody', 'li_x'],
    holder: { type: 'pass', minted: { epoch: 'e', seq: 7 } },
  });
  const text = lines.join('\n');
  expect(text).not.toMatch(/by-token|to-all|secret|correct horse/);
  for (const token of [outside, pass, expired]) expect(text).not.toContain(token.split('.')[2]);
  expect(await gateway.scrape()).toMatch(/latchkey_decision_records_total\{outcome="kept"\} 3/);
});

test('all records everything, and off nothing', async () => {
  const loud = await start('all');
  await loud.ask('/open/to-all');
  expect(await loud.about('/open/to-all')).toMatchObject({ outcome: 'allow', reason: 'anyone', holder: null });
  const quiet = await start('off');
  await quiet.ask('/vod/refused');
  await quiet.gateway.edge.drain(0);
  expect(quiet.lines).toEqual([]);
});

test('an edge that ends sends what it holds; without control it is dropped and counted', async () => {
  const { gateway, lines, ask } = await start('on');
  await ask('/vod/refused');
  await gateway.edge.drain(0);
  expect(lines.length).toBe(1);

  const alone = await start('on');
  await alone.gateway.control.close();
  await alone.ask('/vod/refused');
  await expect.poll(() => alone.gateway.metrics.records.dropped).toBe(1);
});

test('no more than 4096 records of one second are kept, and the rest is counted', async () => {
  const metrics = new DecisionRecordMetrics();
  const sent: string[] = [];
  const live = { revocations: { position: null } } as unknown as DecisionRecordsOptions['live'];
  const send = async (lines: string): Promise<boolean> => sent.push(lines) > 0;
  const records = new DecisionRecords('on', {
    edgeId: 'e1',
    live,
    epochSeconds: () => 0,
    send,
    metrics,
    everyMs: 60_000,
  });
  const request = { clientAddress: '', method: 'GET', host: '', path: '/' } as Described;
  const denial = { reason: 'no-route', detail: '', route: null } as unknown as Denial;
  for (let count = 0; count < 5000; count++) records.refused(request, `r${count}`, denial, 404);
  await records.stop();
  expect(metrics).toMatchObject({ kept: 4096, dropped: 904 });
  expect(sent.join('').match(/\n/g)).toHaveLength(4096);
});
