// Password checks against real users files, and the throttle and queue in front of them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CheckQueue } from '../../../gateway/control/proof/check-queue.ts';
import { makePasswordWork } from '../../../gateway/control/proof/password-work.ts';
import { PasswordThrottle } from '../../../gateway/control/users-file/password-throttle.ts';
import { PasswordVerifier } from '../../../gateway/control/users-file/verify-password.ts';
import { addUser, removeUser } from '../../../gateway/store/files/users.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';
import type { PasswordAnswer } from '../../../gateway/wire/questions.ts';
import { memoryLogger } from '../../support/rigs/control.ts';

let folder = '';
let usersFile = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-users-'));
  usersFile = join(folder, 'users');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Rig {
  readonly ask: (user: string, password: string, address?: string) => Promise<PasswordAnswer>;
  readonly knownPlaces: PasswordVerifier['knownPlaces'];
  readonly said: () => string;
}

function makeVerifier(now: () => number = () => 1_800_000_000, checksPerSecond = 1000, queue?: CheckQueue): Rig {
  const { logger, said } = memoryLogger();
  const clock = { monotonicMs, epochSeconds: now };
  const verifier = new PasswordVerifier({
    usersFile: () => usersFile,
    clock,
    logger,
    queue: queue ?? makePasswordWork({ checksPerSecond: () => checksPerSecond, clock }).queue,
    throttle: new PasswordThrottle({ store: null, clock }),
  });
  return {
    ask: (user, password, address = '192.0.2.1') => verifier.verify({ route: 'vod', user, password, address }),
    knownPlaces: (question) => verifier.knownPlaces(question),
    said,
  };
}

test('a right password gives the name, the credential and its version; a wrong one and an unknown name are refused', async () => {
  const added = await addUser(usersFile, 'alice', 'right');
  const { ask } = makeVerifier();
  expect(await ask('alice', 'right')).toEqual({
    kind: 'verified',
    sub: 'alice',
    userRecordId: added.kind === 'added' ? added.userRecordId : '',
    userRecordVersion: 1,
  });
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'refused' });
  expect(await ask('nobody', 'right')).toEqual({ kind: 'refused' });
  expect(await ask('', '')).toEqual({ kind: 'refused' });
});

test('a changed users file counts at the next question', async () => {
  await addUser(usersFile, 'alice', 'first');
  const { ask } = makeVerifier();
  expect(await ask('alice', 'first')).toMatchObject({ kind: 'verified', userRecordVersion: 1 });
  await addUser(usersFile, 'alice', 'second');
  expect(await ask('alice', 'first')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'second')).toMatchObject({ kind: 'verified', userRecordVersion: 2 });
  await removeUser(usersFile, 'alice');
  expect(await ask('alice', 'second')).toEqual({ kind: 'refused' });
});

test('a broken users file refuses everybody and is logged once', async () => {
  await addUser(usersFile, 'alice', 'right');
  const { ask, said } = makeVerifier();
  expect(await ask('alice', 'right')).toMatchObject({ kind: 'verified' });
  writeFileSync(usersFile, 'this is no users file\n');
  expect(await ask('alice', 'right')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'right', '192.0.2.2')).toEqual({ kind: 'refused' });
  expect(
    said()
      .split('\n')
      .filter((line) => line.includes('cannot be used')),
  ).toHaveLength(1);
  rmSync(usersFile);
  expect(await ask('alice', 'right', '192.0.2.3')).toEqual({ kind: 'refused' });
  expect(said()).not.toContain('right');
});

test('after five wrong guesses in a row further guesses wait, for that user and address only', async () => {
  await addUser(usersFile, 'alice', 'right');
  let now = 1_800_000_000;
  const { ask } = makeVerifier(() => now);
  for (let guess = 0; guess < 5; guess += 1) {
    now += 1;
    expect(await ask('alice', `wrong-${guess}`)).toEqual({ kind: 'refused' });
  }
  expect(await ask('alice', 'right')).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  expect(await ask('alice', 'right', '192.0.2.2')).toMatchObject({ kind: 'verified' });
  now += 1;
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'right')).toEqual({ kind: 'busy', retryAfterSeconds: 2 });
  now += 2;
  expect(await ask('alice', 'right')).toMatchObject({ kind: 'verified' });
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'right')).toMatchObject({ kind: 'verified' });
});

test('a busy answer tells whether it holds for other names of the source too, and for strangers from everywhere', async () => {
  let now = 1_800_000_000;
  const { ask } = makeVerifier(() => now);
  for (let guess = 0; guess < 6; guess += 1) await ask('alice', `wrong-${guess}`);
  // one name from one source: others may be looked at
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  now += 1;
  for (let guess = 0; guess < 110; guess += 1) await ask(`name-${guess}`, 'wrong', '192.0.2.7');
  const busy = await ask('yet another', 'wrong', '192.0.2.7');
  expect(busy).toMatchObject({ kind: 'busy', strangers: { everywhere: 0 } });
  expect(busy).toHaveProperty('strangers.here', busy.kind === 'busy' ? busy.retryAfterSeconds : 0);
});

test('where the queue has no place for any stranger, the busy answer says so for a second', async () => {
  const { held, check } = holdChecks();
  const queue = new CheckQueue({
    concurrency: 1,
    perSecond: () => 100,
    maxWaiting: 2,
    maxWaitingPerSource: 1,
    deadlineMs: 60_000,
    clock: { monotonicMs, epochSeconds },
  });
  const { ask } = makeVerifier(undefined, 100, queue);
  const outcomes = [queue.run(stranger, check), queue.run(stranger, check)];
  const crowded = await ask('alice', 'wrong');
  expect(crowded).toMatchObject({ kind: 'busy', strangers: { here: 1, everywhere: 0 } });
  outcomes.push(queue.run({ name: 'another', isKnown: false }, check));
  expect(await ask('alice', 'wrong', '192.0.2.2')).toMatchObject({
    kind: 'busy',
    strangers: { here: 1, everywhere: 1 },
  });
  for (let at = 0; at < 3; at++) {
    await expect.poll(() => held.length).toBeGreaterThan(at);
    held[at]?.finish();
  }
  await Promise.all(outcomes);
});

test('a place that gave the right password is known for that name, and a busy answer to it holds for nobody else', async () => {
  await addUser(usersFile, 'ålice', 'right');
  const { ask, knownPlaces } = makeVerifier();
  const places = [
    { user: 'ålice', address: '2001:db8::1' },
    { user: 'ålice'.normalize('NFD'), address: '2001:db8::2' },
    { user: 'ålice', address: '2001:db8:0:1::1' },
    { user: 'bert', address: '2001:db8::1' },
  ];
  expect(await knownPlaces({ places })).toEqual({ known: [false, false, false, false] });
  expect(await ask('ålice', 'right', '2001:db8::1')).toMatchObject({ kind: 'verified' });
  expect(await knownPlaces({ places })).toEqual({ known: [true, true, false, false] });
  for (let guess = 0; guess < 110; guess += 1) await ask(`name-${guess}`, 'wrong', '2001:db8::1');
  for (let guess = 0; guess < 10; guess += 1) await ask('ålice', `wrong-${guess}`, '2001:db8::1');
  expect(await ask('ålice', 'wrong', '2001:db8::1')).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
});

test('the same guess asked many times at once is checked once', async () => {
  await addUser(usersFile, 'alice', 'right');
  const { ask } = makeVerifier(() => 1_800_000_000, 1);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('alice', 'right')));
  expect(answers.every((answer) => answer.kind === 'verified')).toBe(true);
});

test('guesses sent at once do not get past the throttle', async () => {
  await addUser(usersFile, 'alice', 'right');
  const { ask } = makeVerifier();
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => ask('alice', `wrong-${index}`)));
  expect(answers.filter((answer) => answer.kind === 'refused').length).toBeLessThanOrEqual(5);
});

interface Held {
  readonly finish: () => void;
}

const stranger = { name: '192.0.2.1', isKnown: false };

function holdChecks(): { readonly held: Held[]; readonly check: () => Promise<string> } {
  const held: Held[] = [];
  return { held, check: () => new Promise((resolve) => held.push({ finish: () => resolve('checked') })) };
}

test('two checks run at once, the third waits for one of them', async () => {
  const queue = new CheckQueue({
    concurrency: 2,
    perSecond: () => 100,
    maxWaiting: 64,
    maxWaitingPerSource: 64,
    deadlineMs: 60_000,
    clock: { monotonicMs, epochSeconds },
  });
  const { held, check } = holdChecks();
  const outcomes = [queue.run(stranger, check), queue.run(stranger, check), queue.run(stranger, check)];
  expect(held).toHaveLength(2);
  held[0]?.finish();
  await outcomes[0];
  await expect.poll(() => held.length).toBe(3);
  for (const one of held) one.finish();
  expect(await Promise.all(outcomes)).toEqual(Array(3).fill({ kind: 'done', value: 'checked' }));
});

test('guesses are turned away when the queue is full and when they waited past the deadline', async () => {
  const queue = new CheckQueue({
    concurrency: 1,
    perSecond: () => 100,
    maxWaiting: 2,
    maxWaitingPerSource: 2,
    deadlineMs: 30,
    clock: { monotonicMs, epochSeconds },
  });
  const { held, check } = holdChecks();
  const running = queue.run(stranger, check);
  const waiting = [queue.run(stranger, check), queue.run(stranger, check)];
  expect(await queue.run(stranger, check)).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  expect(await Promise.all(waiting)).toEqual(Array(2).fill({ kind: 'busy', retryAfterSeconds: 1 }));
  expect(held).toHaveLength(1);
  held[0]?.finish();
  expect(await running).toEqual({ kind: 'done', value: 'checked' });
});

test('no more checks start in one second than the configuration allows', async () => {
  let now = 0;
  const queue = new CheckQueue({
    concurrency: 10,
    perSecond: () => 3,
    maxWaiting: 64,
    maxWaitingPerSource: 64,
    deadlineMs: 60_000,
    clock: { monotonicMs: () => now, epochSeconds: () => 1_800_000_000 },
  });
  let started = 0;
  const check = async (): Promise<void> => {
    started += 1;
  };
  const first = Array.from({ length: 3 }, () => queue.run(stranger, check));
  await Promise.all(first);
  void queue.run(stranger, check);
  now = 999;
  void queue.run(stranger, check);
  expect(started).toBe(3);
  now = 1000;
  void queue.run(stranger, check);
  expect(started).toBe(6);
  queue.close();
});

function heldQueue(perSecond: number, now: () => number = monotonicMs) {
  const queue = new CheckQueue({
    concurrency: 2,
    perSecond: () => perSecond,
    maxWaiting: 16,
    maxWaitingPerSource: 4,
    deadlineMs: 2000,
    clock: { monotonicMs: now, epochSeconds },
  });
  const { held, check } = holdChecks();
  const order: string[] = [];
  const run = (name: string, isKnown = false) =>
    queue.run({ name, isKnown }, () => {
      order.push(name);
      return check();
    });
  return { queue, held, order, run };
}

test('of 65 guesses at once from many networks a few wait, and the others are refused at once', async () => {
  const { queue, run } = heldQueue(1000);
  const outcomes = Array.from({ length: 65 }, (_, network) => run(`net-${network}`));
  const told = await Promise.race(outcomes.slice(18).map((outcome) => outcome));
  expect(told).toEqual({ kind: 'busy', retryAfterSeconds: 2 });
  expect(queue.waiting).toBe(16);
  queue.close();
  expect((await Promise.all(outcomes.slice(2))).every(({ kind }) => kind === 'busy')).toBe(true);
});

test('a guess that could not start in time is refused at once, with the time that it would take', async () => {
  const { queue, run } = heldQueue(1, () => 0);
  void run('a');
  const waits = [run('b'), run('c')];
  expect(await run('d')).toEqual({ kind: 'busy', retryAfterSeconds: 3 });
  expect(queue.waiting).toBe(2);
  queue.close();
  await Promise.all(waits);
});

test('on a slow machine, a guess that would wait too long behind others is refused at once', async () => {
  let now = 0;
  const { queue, held, run } = heldQueue(1000, () => now);
  const first = run('a');
  now = 4000;
  held[0]?.finish();
  await first;
  // the queue takes note of it a moment after the caller
  await new Promise(setImmediate);
  // a second, as far as is known: two run, and four can begin within two seconds
  const others = Array.from({ length: 6 }, (_, at) => run(`o${at}`));
  expect(await run('late')).toEqual({ kind: 'busy', retryAfterSeconds: 3 });
  expect(queue.waiting).toBe(4);
  queue.close();
  for (const each of held) each.finish();
  await Promise.all(others);
});

test('forty guesses of one network do not keep another network waiting', async () => {
  const { queue, held, order, run } = heldQueue(1000);
  const outcomes = Array.from({ length: 40 }, () => run('strangers'));
  expect(queue.waiting).toBe(4);
  const other = run('elsewhere');
  // those two that ran when it came, then one of the others that waited before it
  held[0]?.finish();
  await expect.poll(() => held.length).toBe(3);
  held[1]?.finish();
  await expect.poll(() => held.length).toBe(4);
  expect(order).toEqual(['strangers', 'strangers', 'strangers', 'elsewhere']);
  held[3]?.finish();
  expect(await other).toMatchObject({ kind: 'done' });
  queue.close();
  expect((await Promise.all(outcomes.slice(6))).every(({ kind }) => kind === 'busy')).toBe(true);
});

test('when every place is taken, a network without a place gets the newest place of the source with the most', async () => {
  const { queue, order, held, run } = heldQueue(1000);
  void run('x');
  void run('x');
  const greedy = Array.from({ length: 4 }, () => run('greedy'));
  const others = Array.from({ length: 12 }, (_, at) => run(`o${at}`));
  expect(queue.waiting).toBe(16);
  const late = run('late');
  expect(await greedy[3]).toEqual({ kind: 'busy', retryAfterSeconds: 2 });
  while (order.at(-1) !== 'late') {
    const { length } = held;
    held.at(-1)?.finish();
    await expect.poll(() => held.length).toBe(length + 1);
  }
  held.at(-1)?.finish();
  expect(await late).toMatchObject({ kind: 'done' });
  queue.close();
  await Promise.all(others);
});

test('a known source waits behind no stranger, however many places strangers fill', async () => {
  const { queue, order, held, run } = heldQueue(1000);
  for (let network = 0; network < 40; network++) void run(`net-${network}`);
  const known = run('anna', true);
  expect(queue.waiting).toBe(17);
  held[0]?.finish();
  await expect.poll(() => held.length).toBe(3);
  expect(order.at(-1)).toBe('anna');
  held[2]?.finish();
  expect(await known).toMatchObject({ kind: 'done' });
  queue.close();
});

test('a guess from a place that was right lately is looked at before guesses of strangers', async () => {
  await addUser(usersFile, 'alice', 'right');
  const queue = new CheckQueue({
    concurrency: 2,
    perSecond: () => 1000,
    maxWaiting: 1,
    maxWaitingPerSource: 1,
    deadlineMs: 60_000,
    clock: { monotonicMs, epochSeconds },
  });
  const { ask } = makeVerifier(monotonicMs, 1000, queue);
  expect(await ask('alice', 'right')).toMatchObject({ kind: 'verified' });
  const { held, check } = holdChecks();
  for (const name of ['a', 'b', 'c']) void queue.run({ name, isKnown: false }, check);
  const answer = ask('alice', 'right');
  expect(await ask('alice', 'right', '192.0.2.2')).toMatchObject({ kind: 'busy' });
  for (const one of held) one.finish();
  expect(await answer).toMatchObject({ kind: 'verified' });
  queue.close();
});
