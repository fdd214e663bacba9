// Password checks against real users files, and the throttle and queue in front of them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PasswordAnswer } from '../../gateway/config/edge-feed.ts';
import { CheckQueue } from '../../gateway/control/check-queue.ts';
import { PasswordThrottle } from '../../gateway/control/password-throttle.ts';
import { PasswordVerifier } from '../../gateway/control/verify-password.ts';
import { addUser, removeUser } from '../../gateway/store/users.ts';
import { epochSeconds, monotonicMs } from '../../gateway/telemetry/clock.ts';
import { memoryLogger } from '../support/control.ts';

let folder = '';
let usersFile = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-users-'));
  usersFile = join(folder, 'users');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Rig {
  readonly ask: (user: string, password: string, address?: string) => Promise<PasswordAnswer>;
  readonly said: () => string;
}

function makeVerifier(now: () => number = monotonicMs, checksPerSecond = 1000): Rig {
  const { logger, said } = memoryLogger();
  const verifier = new PasswordVerifier({
    usersFile: () => usersFile,
    checksPerSecond: () => checksPerSecond,
    clock: { monotonicMs: now, epochSeconds: () => 1_800_000_000 },
    logger,
  });
  return {
    ask: (user, password, address = '192.0.2.1') => verifier.verify({ route: 'vod', user, password, address }),
    said,
  };
}

test('a right password gives the name, the credential and its version; a wrong one and an unknown name are refused', async () => {
  const added = await addUser(usersFile, 'alice', 'right');
  const { ask } = makeVerifier();
  expect(await ask('alice', 'right')).toEqual({
    kind: 'verified',
    sub: 'alice',
    credentialId: added.kind === 'added' ? added.credentialId : '',
    credentialVersion: 1,
  });
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'refused' });
  expect(await ask('nobody', 'right')).toEqual({ kind: 'refused' });
  expect(await ask('', '')).toEqual({ kind: 'refused' });
});

test('a changed users file counts at the next question', async () => {
  await addUser(usersFile, 'alice', 'first');
  const { ask } = makeVerifier();
  expect(await ask('alice', 'first')).toMatchObject({ kind: 'verified', credentialVersion: 1 });
  await addUser(usersFile, 'alice', 'second');
  expect(await ask('alice', 'first')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'second')).toMatchObject({ kind: 'verified', credentialVersion: 2 });
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

test('after five wrong guesses in a row the next ones wait, for that user and address only', async () => {
  await addUser(usersFile, 'alice', 'right');
  let now = 0;
  const { ask } = makeVerifier(() => now);
  for (let guess = 0; guess < 5; guess += 1) {
    now += 1000;
    expect(await ask('alice', `wrong-${guess}`)).toEqual({ kind: 'refused' });
  }
  expect(await ask('alice', 'right')).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  expect(await ask('alice', 'right', '192.0.2.2')).toMatchObject({ kind: 'verified' });
  now += 1000;
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'right')).toEqual({ kind: 'busy', retryAfterSeconds: 2 });
  now += 2000;
  expect(await ask('alice', 'right')).toMatchObject({ kind: 'verified' });
  expect(await ask('alice', 'wrong')).toEqual({ kind: 'refused' });
  expect(await ask('alice', 'right')).toMatchObject({ kind: 'verified' });
});

test('the same guess asked many times at once is checked once', async () => {
  await addUser(usersFile, 'alice', 'right');
  const { ask } = makeVerifier(monotonicMs, 1);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('alice', 'right')));
  expect(answers.every((answer) => answer.kind === 'verified')).toBe(true);
});

test('guesses sent at once do not get past the throttle', async () => {
  await addUser(usersFile, 'alice', 'right');
  const { ask } = makeVerifier();
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => ask('alice', `wrong-${index}`)));
  expect(answers.filter((answer) => answer.kind === 'refused').length).toBeLessThanOrEqual(5);
});

test('the wait grows to five minutes and no further', () => {
  const throttle = new PasswordThrottle();
  let now = 0;
  let wait = 0;
  for (let guess = 0; guess < 40; guess += 1) {
    expect(throttle.begin('alice', 'a', now)).toBe(0);
    throttle.end('alice', 'a', 'wrong', now);
    wait = throttle.begin('alice', 'a', now);
    if (wait === 0) throttle.end('alice', 'a', 'unknown', now);
    now += wait;
  }
  expect(wait).toBe(300_000);
});

interface Held {
  readonly finish: () => void;
}

function holdChecks(): { readonly held: Held[]; readonly check: () => Promise<string> } {
  const held: Held[] = [];
  return { held, check: () => new Promise((resolve) => held.push({ finish: () => resolve('checked') })) };
}

test('two checks run at once, the third waits for one of them', async () => {
  const queue = new CheckQueue({
    concurrency: 2,
    perSecond: () => 100,
    maxWaiting: 64,
    deadlineMs: 60_000,
    clock: { monotonicMs, epochSeconds },
  });
  const { held, check } = holdChecks();
  const outcomes = [queue.run(check), queue.run(check), queue.run(check)];
  expect(held).toHaveLength(2);
  held[0]?.finish();
  await outcomes[0];
  await expect.poll(() => held.length).toBe(3);
  for (const one of held) one.finish();
  expect(await Promise.all(outcomes)).toEqual(Array(3).fill({ kind: 'done', value: 'checked' }));
});

test('a full queue and a wait past the deadline are turned away', async () => {
  const queue = new CheckQueue({
    concurrency: 1,
    perSecond: () => 100,
    maxWaiting: 2,
    deadlineMs: 30,
    clock: { monotonicMs, epochSeconds },
  });
  const { held, check } = holdChecks();
  const running = queue.run(check);
  const waiting = [queue.run(check), queue.run(check)];
  expect(await queue.run(check)).toEqual({ kind: 'busy' });
  expect(await Promise.all(waiting)).toEqual([{ kind: 'busy' }, { kind: 'busy' }]);
  expect(held).toHaveLength(1);
  held[0]?.finish();
  expect(await running).toEqual({ kind: 'done', value: 'checked' });
});

test('no more checks start in a second than allowed', async () => {
  let now = 0;
  const queue = new CheckQueue({
    concurrency: 10,
    perSecond: () => 3,
    maxWaiting: 64,
    deadlineMs: 60_000,
    clock: { monotonicMs: () => now, epochSeconds: () => 1_800_000_000 },
  });
  let started = 0;
  const check = async (): Promise<void> => {
    started += 1;
  };
  const first = Array.from({ length: 3 }, () => queue.run(check));
  await Promise.all(first);
  void queue.run(check);
  now = 999;
  void queue.run(check);
  expect(started).toBe(3);
  now = 1000;
  void queue.run(check);
  expect(started).toBe(6);
  queue.close();
});
