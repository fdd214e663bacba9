// Questions on their way to control: as many as are allowed, one for equal questions, and no shared answers otherwise.

import { expect, test } from 'vitest';
import type { AccessAnswer } from '../../../gateway/core/decision/state/access.ts';
import { AccessCache } from '../../../gateway/core/decision/state/access-cache.ts';
import { noAnswers } from '../../../gateway/core/decision/state/lookups.ts';
import type { RoutePolicy } from '../../../gateway/core/decision/state/snapshot.ts';
import type { ControlPort } from '../../../gateway/edge/live/control-questions.ts';
import { Lookups } from '../../../gateway/edge/live/lookups.ts';
import { AccessMetrics } from '../../../gateway/telemetry/access-metrics.ts';
import type { PasswordAnswer, StrangersWait } from '../../../gateway/wire/questions.ts';

const holder = { account: 'ac_1', session: 'se_1', device: 'dv_1', host: 'h' };
// of a route only its name goes along with a guess
const route = { name: 'vod' } as RoutePolicy;
const none: AccessAnswer = { kind: 'none', position: { epoch: 'e', seq: 0 }, subjects: ['ac_1'] };

/** Lookups at a control whose answers the test gives; of guesses, it knows who the test says. */
function started(isKnown: (user: string) => boolean = () => false) {
  const rig = { nowMs: 0 };
  const knownAsked: number[] = [];
  const asked: { readonly path: string; readonly settle: (answer: AccessAnswer | { kind: 'away' }) => void }[] = [];
  const guessed: { readonly user: string; readonly settle: (answer: PasswordAnswer) => void }[] = [];
  const unused = () => Promise.reject(new Error('not asked here'));
  const control: ControlPort = {
    askAccess: ({ path }) => new Promise((settle) => asked.push({ path, settle })),
    askPassword: ({ user }) => new Promise((settle) => guessed.push({ user, settle })),
    askKnown: ({ places }) => {
      knownAsked.push(places.length);
      return Promise.resolve({ known: places.map(({ user }) => isKnown(user)) });
    },
    renewPassword: unused,
    renewSession: unused,
    reportSeen: unused,
  };
  const cache = new AccessCache({ entries: 1000, bytes: 1_000_000 });
  cache.changed({ epoch: 'e', seq: 0 }, null);
  const lookups = new Lookups({ control, cache, metrics: new AccessMetrics(), now: () => 0, nowMs: () => rig.nowMs });
  const guess = (user: string, password: string, address: string) =>
    lookups.answer({ kind: 'lookup', question: 'password', route, user, password }, noAnswers, address);
  return { asked, guessed, guess, cache, lookups, knownAsked, rig };
}

test('of one account 256 questions are on their way at most; the next one has no answer, and equal ones share the first', async () => {
  const { asked, lookups } = started();
  const waiting = Array.from({ length: 256 }, (_, number) => lookups.access(holder, `/${number}`));
  expect(await lookups.access(holder, '/more')).toEqual({ kind: 'away' });
  const equal = lookups.access(holder, '/7');
  expect(asked).toHaveLength(256);
  // and another account is none the worse for it
  const other = lookups.access({ ...holder, account: 'ac_2' }, '/more');
  expect(asked).toHaveLength(257);
  for (const { settle } of asked) settle(none);
  expect(await Promise.all([...waiting, equal, other])).toEqual(Array(258).fill(none));
  const later = lookups.access(holder, '/more');
  asked.at(-1)?.settle(none);
  expect(await later).toEqual(none);
});

test('accounts, sessions, devices, hosts and paths each have a question of their own', () => {
  const { asked, lookups } = started();
  void lookups.access(holder, '/a');
  for (const other of [{ account: 'ac_2' }, { session: 'se_2' }, { device: 'dv_2' }, { host: 'h2' }]) {
    void lookups.access({ ...holder, ...other }, '/a');
  }
  void lookups.access(holder, '/b');
  expect(asked).toHaveLength(6);
});

test('a question without an answer leaves no verdict: the next question is asked', async () => {
  const { asked, cache, lookups } = started();
  const first = lookups.access(holder, '/a');
  asked[0]?.settle({ kind: 'away' });
  expect(await first).toEqual({ kind: 'away' });
  expect(cache.find('ac_1', 'h', '/a', 0)).toBeNull();
  const second = lookups.access(holder, '/a');
  asked[1]?.settle(none);
  expect(await second).toEqual(none);
  expect(cache.find('ac_1', 'h', '/a', 0)).toEqual(none);
});

test('changes that overtake every answer leave it without one', async () => {
  const { asked, cache, lookups } = started();
  const answer = lookups.access(holder, '/a');
  for (const seq of [1, 2]) {
    await expect.poll(() => asked.length).toBe(seq);
    cache.changed({ epoch: 'e', seq }, [{ kind: 'touch', node: 'ac_1', seq, at: 0 }]);
    asked[seq - 1]?.settle({ ...none, position: { epoch: 'e', seq: seq - 1 } });
  }
  expect(await answer).toEqual({ kind: 'away' });
  expect(asked).toHaveLength(2);
});

const turnedAway = { ...noAnswers, password: { kind: 'busy', retryAfterSeconds: 1 } };

test('four guesses of one network are in flight at most, and the next one is refused at once', async () => {
  const { guessed, guess } = started();
  const waiting = Array.from({ length: 4 }, (_, at) => guess(`nobody${at}`, 'x', '192.0.2.1'));
  expect(await guess('nobody4', 'x', '192.0.2.1')).toEqual(turnedAway);
  const elsewhere = guess('anna', 'right', '192.0.2.2');
  expect(guessed).toHaveLength(5);
  for (const { settle } of guessed) settle({ kind: 'refused' });
  await Promise.all([...waiting, elsewhere]);
  void guess('nobody4', 'x', '192.0.2.1');
  expect(guessed).toHaveLength(6);
});

test('an IPv6 network is its first 64 bits', async () => {
  const { guess } = started();
  for (let at = 0; at < 4; at++) void guess(`nobody${at}`, 'x', `2001:db8::${at}`);
  expect(await guess('nobody4', 'x', '2001:db8::ffff:1')).toEqual(turnedAway);
});

test('of 64 guesses at once from 64 networks 32 go to control, and the others are refused at once', async () => {
  const { guessed, guess } = started();
  const outcomes = Array.from({ length: 64 }, (_, at) => guess('anna', `x${at}`, `198.51.100.${at}`));
  expect(await Promise.all(outcomes.slice(32))).toEqual(Array(32).fill(turnedAway));
  expect(guessed).toHaveLength(32);
});

test('the same guess from one address is one question, as players open several connections', async () => {
  const { guessed, guess } = started();
  const outcomes = Array.from({ length: 10 }, () => guess('anna', 'right', '192.0.2.1'));
  expect(guessed).toHaveLength(1);
  guessed[0]?.settle({ kind: 'refused' });
  expect(await Promise.all(outcomes)).toEqual(Array(10).fill({ ...noAnswers, password: { kind: 'refused' } }));
});

test('members are asked about while guesses fill all their places', () => {
  const { asked, guess, lookups } = started();
  for (let at = 0; at < 64; at++) void guess('anna', `x${at}`, `198.51.100.${at}`);
  void lookups.access(holder, '/a');
  expect(asked).toHaveLength(1);
});

/** A flood from other networks, every guess of which control sends away. */
async function flood({ guess, guessed }: ReturnType<typeof started>, strangers?: StrangersWait): Promise<void> {
  for (let round = 0; round < 4; round++) {
    const from = guessed.length;
    const outcomes = Array.from({ length: 16 }, (_, at) => guess(`nobody${from + at}`, 'x', `198.51.100.${from + at}`));
    for (const { settle } of guessed.slice(from)) {
      settle({ kind: 'busy', retryAfterSeconds: 2, ...(strangers === undefined ? {} : { strangers }) });
    }
    await Promise.all(outcomes);
  }
}

test('a known user has a place while strangers fill all others, and strangers take no place of known users', async () => {
  const { guessed, guess } = started((user) => user === 'anna');
  for (let at = 0; at < 32; at++) void guess(`nobody${at}`, 'x', `198.51.100.${at}`);
  const known = guess('anna', 'right', '198.51.100.1');
  expect(await guess('bert', 'right', '198.51.100.1')).toEqual(turnedAway);
  expect(guessed.map(({ user }) => user).slice(32)).toEqual(['anna']);
  guessed[32]?.settle({ kind: 'refused' });
  expect(await known).toEqual({ ...noAnswers, password: { kind: 'refused' } });
});

test('in a flood control is not asked for a second about strangers that it told to wait, and is asked about known users', async () => {
  const rig = started((user) => user === 'anna');
  await flood(rig, { here: 60, everywhere: 0 });
  const before = rig.guessed.length;
  // the last one of the flood was beyond the fiftieth
  expect(await rig.guess('carl', 'right', '198.51.100.63')).toEqual({
    ...noAnswers,
    password: { kind: 'busy', retryAfterSeconds: 60 },
  });
  expect(rig.guessed).toHaveLength(before);
  void rig.guess('anna', 'right', '198.51.100.63');
  void rig.guess('carl', 'right', '203.0.113.1');
  await expect.poll(() => rig.guessed.slice(before).map(({ user }) => user)).toEqual(['carl', 'anna']);
  rig.rig.nowMs += 1000;
  void rig.guess('carl', 'right', '198.51.100.63');
  expect(rig.guessed).toHaveLength(before + 3);
});

test('when the second is over one stranger is asked about, and once control looked at one, the next ones are asked about', async () => {
  const rig = started();
  await flood(rig, { here: 60, everywhere: 0 });
  rig.rig.nowMs += 1000;
  const before = rig.guessed.length;
  const first = rig.guess('carl', 'x1', '198.51.100.63');
  expect(await rig.guess('carl', 'x2', '198.51.100.63')).toMatchObject({ password: { kind: 'busy' } });
  expect(rig.guessed).toHaveLength(before + 1);
  rig.guessed[before]?.settle({ kind: 'refused' });
  await first;
  void rig.guess('carl', 'x3', '198.51.100.63');
  expect(rig.guessed).toHaveLength(before + 2);
});

test('where control has no place for any stranger, none is asked about for a second', async () => {
  const rig = started();
  await flood(rig, { here: 1, everywhere: 1 });
  const before = rig.guessed.length;
  expect(await rig.guess('carl', 'right', '203.0.113.1')).toEqual(turnedAway);
  expect(rig.guessed).toHaveLength(before);
});

test('a name that has to wait is remembered with its source in a flood, and holds up no other name there', async () => {
  const rig = started();
  await flood(rig);
  const before = rig.guessed.length;
  expect(await rig.guess('nobody63', 'y', '198.51.100.63')).toMatchObject({ password: { kind: 'busy' } });
  expect(rig.guessed).toHaveLength(before);
  void rig.guess('carl', 'right', '198.51.100.63');
  void rig.guess('nobody63', 'y', '198.51.100.62');
  expect(rig.guessed).toHaveLength(before + 2);
});

test('without a flood control is asked about each guess, whatever it said of the one before', async () => {
  const { guess, guessed } = started();
  for (let at = 0; at < 40; at++) {
    const outcome = guess('anna', `x${at}`, '192.0.2.1');
    guessed[at]?.settle({ kind: 'busy', retryAfterSeconds: 60, strangers: { here: 60, everywhere: 60 } });
    await outcome;
  }
  expect(guessed).toHaveLength(40);
});

test('a flood costs one question for many guesses about who is known', async () => {
  const rig = started();
  await flood(rig, { here: 60, everywhere: 60 });
  rig.knownAsked.length = 0;
  await Promise.all(Array.from({ length: 60 }, (_, at) => rig.guess(`nobody${at}`, 'x', `203.0.113.${at}`)));
  expect(rig.knownAsked.length).toBeLessThanOrEqual(2);
});
