// Tunnels of people who are signed in go on while control says yes, and end when it says no or their access was taken back.
// gateway/RULES.md "One graph of revocation"; where lives come to their ends the clock is the test's.

import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import type { RenewSessionAnswer } from '../../../gateway/wire/questions.ts';
import { WebSocketClient, WebSocketUpstream } from '../../support/clients/websocket.ts';
import { MemberRig, passOf } from '../../support/rigs/member-rig.ts';
import { StoppableClock } from '../../support/rigs/stoppable-clock.ts';

const lifeSeconds = 60;
const skewSeconds = 20;
/** Knowledge grows as old as the clock says. */
const patient = { upstream: 'media', max_staleness: '1d' };
const clock = new StoppableClock();
/** Ticks of the edge so far: at each it looks who is due. */
let ticks = 0;
let rig: MemberRig;
let echo: WebSocketUpstream;
const clients: WebSocketClient[] = [];

beforeAll(async () => {
  echo = await WebSocketUpstream.start();
  rig = await MemberRig.start({
    loopDelayMs: () => {
      ticks++;
      return 0;
    },
    config: {
      upstreams: { media: { servers: [echo.url] } },
      tokens: { clock_skew: `${skewSeconds}s`, pass_ttl: `${lifeSeconds}s` },
      routes: [
        { ...patient, name: 'vod', path: '/vod/', accept: ['token', 'member'] },
        { ...patient, name: 'club', path: '/club/', accept: ['session'] },
        { ...patient, name: 'open', path: '/open/', accept: ['anyone', 'member'] },
      ],
    },
  });
});
afterAll(async () => {
  await rig.close();
  await echo.close();
});
beforeEach(() => rig.reset());
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** A session that runs out soon. */
const short = (name: string) => rig.cookie(name, { exp: epochSeconds() + lifeSeconds });

async function open(target: string, ...fields: string[]): Promise<WebSocketClient> {
  const client = await WebSocketClient.open(rig.gateway.port, target, ['Origin: http://media.example', ...fields]);
  clients.push(client);
  expect(client.answer.status).toBe(101);
  expect(await client.echo('hello')).toBe('hello');
  return client;
}

const hasEnded = (client: WebSocketClient) => client.raw.hasEnded;

/** A pass of Anna's that runs out soon. */
function shortPass(): string {
  const { epoch, seq } = rig.log.position;
  const now = epochSeconds();
  const nodes = ['ac_anna', 'me_1', 'se_anna', 'dv_anna'];
  const own = { sub: 'ac_anna', grant: 'me_1', sid: 'se_anna', did: 'dv_anna', n: nodes, v: [epoch, seq] };
  return rig.gateway.mint({ ...own, paths: ['/vod/summer/*'], iat: now, exp: now + lifeSeconds }, 'pass');
}

/** Lets time pass, and resolves when the edge has done all that was due by then. */
async function pass(seconds: number): Promise<void> {
  clock.pass(seconds * 1000);
  // what was late counts from the second tick on
  const enough = ticks + 3;
  await expect.poll(() => ticks, { interval: 10 }).toBeGreaterThanOrEqual(enough);
  // behind the answers to what it asked then
  await rig.gateway.scrape();
}

function renewed(name: string, life = lifeSeconds): RenewSessionAnswer {
  return { kind: 'renewed', token: rig.session(name, { exp: epochSeconds() + life }), maxAgeSeconds: 100 };
}

describe('at the end of what opened it', () => {
  test('a tunnel goes on while control says yes, and ends when it says no, or nothing at all', async () => {
    let isAway = 0;
    let isOver = false;
    rig.answerSession = async ({ session }) => {
      if (session === 'se_cora' || isOver) return { kind: 'ended' };
      // an answer that does not come is asked for again
      if (session === 'se_dora' || (session === 'se_erik' && isAway++ === 0)) throw new Error('the store is away');
      return renewed(session.slice(3));
    };
    rig.answerAccess = async (question) => (question.account === 'ac_anna' ? rig.granted() : rig.none('ac_ben'));
    clock.stop();
    const [club, cora, dora, erik] = await Promise.all(
      ['anna', 'cora', 'dora', 'erik'].map((name) => open('/club/a', short(name))),
    );
    const [member, stranger, holder, bearer] = await Promise.all([
      open('/vod/summer/a', short('anna')),
      open('/open/summer/a', short('ben')),
      open('/vod/summer/b', `Cookie: latchkey_pass=${shortPass()}`),
      open('/vod/summer/c', `Authorization: Bearer ${shortPass()}`),
    ]);
    if (club === undefined || cora === undefined || dora === undefined || erik === undefined) throw new Error('none');
    // at half of their time, and of what is left after an answer that did not come
    await pass(41);
    expect([cora, dora, erik, bearer].map(hasEnded)).toEqual([true, false, false, false]);
    for (let round = 0; round < 3; round++) await pass(6);
    // the end of what opened them
    await pass(22);
    expect([dora, bearer].map(hasEnded)).toEqual([true, true]);
    await pass(30);
    for (const tunnel of [club, erik, member, holder]) expect(await tunnel.echo('on')).toBe('on');
    // whom nobody asked who he is goes on as nobody
    expect(await stranger.echo('on')).toBe('on');
    isOver = true;
    for (let round = 0; round < 4; round++) await pass(20);
    expect([club, erik, member, holder].map(hasEnded)).toEqual(Array(4).fill(true));
    expect(hasEnded(stranger)).toBe(false);
    const ends = await rig.gateway.scrape();
    expect(ends).toMatch(/latchkey_tunnels_ended_total\{[^}]*"expired"[^}]*\} 2\n/);
  });

  test('one member after the other is asked about, a few at once', async () => {
    let running = 0;
    let most = 0;
    rig.answerSession = async ({ session }) => {
      most = Math.max(most, ++running);
      // whoever else is asked about comes meanwhile
      await pause(5);
      running--;
      return renewed(session.slice(3), 900);
    };
    const names = Array.from({ length: 40 }, (_, number) => `many${number}`);
    const tunnels = await Promise.all(names.map((name) => open('/club/a', rig.cookie(name))));
    for (const name of names) rig.log.append('touch', `ac_${name}`);
    await expect.poll(() => new Set(rig.renewals.map(({ session }) => session)).size).toBe(40);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
    expect(await Promise.all(tunnels.map((tunnel) => tunnel.echo('on')))).toEqual(Array(40).fill('on'));
  });
});

describe('what happens in the log', () => {
  beforeEach(() => {
    rig.answerSession = async ({ session }) => renewed(session.slice(3), 900);
  });

  test('has a tunnel asked about again: it goes on when the answer is yes, and ends when it is no', async () => {
    const [member, club] = [await open('/vod/summer/a', rig.cookie()), await open('/club/a', rig.cookie('ben'))];
    rig.questions.length = 0;
    await rig.change('touch', 'ac_other');
    await rig.change('touch', 'co_other');
    expect([rig.renewals, rig.questions]).toEqual([[], []]);
    // of its collection, its account, and its link
    for (const [at, node] of ['co_summer', 'ac_anna', 'li_1'].entries()) {
      await rig.change('touch', node);
      await expect.poll(() => rig.questions.length).toBe(at + 1);
      expect(await member.echo(node)).toBe(node);
    }
    rig.answerAccess = async ({ account }) => rig.none(account);
    await rig.change('touch', 'co_summer');
    await expect.poll(() => hasEnded(member)).toBe(true);
    rig.answerSession = async () => ({ kind: 'ended' });
    expect(hasEnded(club)).toBe(false);
    await rig.change('touch', 'ac_ben');
    await expect.poll(() => hasEnded(club)).toBe(true);
  });

  test('ends a member’s tunnel with the membership, without a pass and without asking', async () => {
    const [member, other] = [await open('/vod/summer/a', rig.cookie()), await open('/club/a', rig.cookie())];
    rig.renewals.length = 0;
    await rig.change('revoke', 'me_1');
    await expect.poll(() => hasEnded(member)).toBe(true);
    expect(await other.echo('on')).toBe('on');
    expect(rig.renewals).toEqual([]);
  });

  test('ends a tunnel by the grant that control named last, not by the one it began with', async () => {
    const member = await open('/vod/summer/a', rig.cookie());
    rig.answerAccess = async () => {
      const answer = rig.granted();
      return answer.kind === 'granted' ? { ...answer, nodes: ['ac_anna', 'me_2'], grant: 'me_2' } : answer;
    };
    await rig.change('touch', 'ac_anna');
    await expect.poll(() => rig.questions.length).toBe(2);
    await rig.change('revoke', 'me_1');
    expect(await member.echo('on')).toBe('on');
    await rig.change('revoke', 'me_2');
    await expect.poll(() => hasEnded(member)).toBe(true);
  });
});

describe('a pass', () => {
  test('is dated by what this edge knew, not by an answer that was ahead of it', async () => {
    const { epoch, seq } = rig.log.position;
    rig.answerAccess = async () => rig.granted({}, { epoch, seq: seq + 5 });
    const answer = await rig.ask('GET', '/vod/summer/a', rig.cookie());
    const cookie = `Cookie: latchkey_pass=${passOf(answer)}`;
    // the session ended before the answer was read, and nobody here had heard of it
    await rig.change('revoke', 'se_anna');
    expect((await rig.ask('GET', '/vod/summer/a', cookie)).status).toBe(401);
  });
});
