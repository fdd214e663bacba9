// Signing in by password: equal answers and equal work; guessing is slowed, and nobody is locked out by others.
// Rules: gateway/RULES.md "Sessions, links and guessing".

import { argon2Sync, randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { adminDisable } from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { type Guesser, passwordGuess } from '../../../gateway/control/proof/check-password.ts';
import { countGuess, countRequest, forgiveGuess } from '../../../gateway/control/proof/throttle.ts';
import { guessPolicies, windowPolicies } from '../../../gateway/control/proof/throttle-policies.ts';
import { recordRefusal } from '../../../gateway/control/sessions/record-refusal.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import type { NewSession } from '../../../gateway/control/sessions/start-session.ts';
import { readAccount, updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { browser, makeContext, type TestContext } from '../../support/rigs/control-context.ts';

type SignInOutcome = Awaited<ReturnType<typeof signIn>>;

type RefusedSignIn = Parameters<typeof recordRefusal>[1];

/** Counts one guess at an account's password. @returns null when it may be looked at, else the seconds to wait */
async function takeGuess({ context }: TestContext, guesser: Guesser): Promise<number | null> {
  return (await context.write((unit) => countGuess(unit, passwordGuess(guesser)))).value;
}

const { counters } = guessPolicies['account-password'];
const operator = { kind: 'operator' } as const;
const password = 'tall ships sail at dawn';
const address = 'anna@example.org';

async function makeAccount(site: TestContext, email = address): Promise<string> {
  const made = await createAccount(site.context, operator, { email, invited: false, password });
  if (made.kind !== 'created') throw new Error(made.reason);
  return made.accountId;
}

function attempt(site: TestContext, changes: Partial<Parameters<typeof signIn>[1]> = {}): Promise<SignInOutcome> {
  return signIn(site.context, { ...browser, email: address, password, ...changes });
}

function sessionOf(outcome: SignInOutcome): NewSession {
  if (outcome.kind !== 'signed-in') throw new Error(`not signed in: ${JSON.stringify(outcome)}`);
  return outcome.session;
}

test('each sign-in with the right password gives a session with a new id, on the same device', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const first = sessionOf(await attempt(site, { email: ' Anna@EXAMPLE.org ' }));
  const second = sessionOf(await attempt(site, { deviceCookie: first.deviceCookie }));
  expect(first.accountId).toBe(accountId);
  expect(second.sessionId).not.toBe(first.sessionId);
  expect(second.deviceId).toBe(first.deviceId);
  expect(second.deviceCookie).toBeNull();
  expect(await site.actor(second)).toEqual({
    kind: 'account',
    accountId,
    sessionId: second.sessionId,
    deviceId: first.deviceId,
    role: 'user',
    email: address,
    timeZone: null,
  });
});

test('every refused sign-in gets the same answer after the same work', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const disabled = await makeAccount(site, 'disabled@example.org');
  await adminDisable(site.context, operator, { accountId: disabled });
  await createAccount(site.context, operator, { email: 'unverified@example.org', invited: true });
  await createAccount(site.context, operator, { email: 'no-password@example.org', invited: false });
  const cases = {
    'wrong password': { password: 'not this one, sorry' },
    'no such address': { email: 'nobody@example.org' },
    'not even an address': { email: 'nobody at all' },
    'not verified': { email: 'unverified@example.org' },
    disabled: { email: 'disabled@example.org' },
    'without a password': { email: 'no-password@example.org' },
    'an empty password': { password: '' },
    'a password beyond all bounds': { password: 'x'.repeat(5000) },
  };
  const work = site.context.passwords;
  for (const [name, changes] of Object.entries(cases)) {
    const before = { hashes: work.computations(), rows: await countRows(site) };
    // From an address of its own, so that no case is slowed by another.
    const outcome = await attempt(site, { ...changes, clientAddress: `192.0.2.${name.length}` });
    expect([name, outcome]).toEqual([name, { kind: 'refused' }]);
    expect([name, work.computations() - before.hashes]).toEqual([name, 1]);
    expect([name, (await countRows(site)) - before.rows]).toEqual([name, 1]);
  }
});

test('five wrong guesses from one address are free, then each further guess waits longer, over a restart too', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const { freeTries } = counters.pair;
  const waits: number[] = [];
  for (let guess = 1; guess <= freeTries + 4; guess++) {
    expect(await attempt(site, { password: `wrong guess ${guess}` })).toEqual({ kind: 'refused' });
    if (guess < freeTries) continue;
    // The right password has to wait as well, and is not looked at.
    const hashes = site.context.passwords.computations();
    const next = await attempt(site);
    if (next.kind !== 'busy') throw new Error(`guess ${guess}: ${next.kind}`);
    expect(site.context.passwords.computations()).toBe(hashes);
    waits.push(next.retryAfterSeconds);
    if (guess === freeTries + 4) expect(await attempt(await makeContext({ like: site }))).toEqual(next);
    site.clock.now += next.retryAfterSeconds;
  }
  expect(waits).toEqual([1, 2, 4, 8, 16]);
  expect((await attempt(site)).kind).toBe('signed-in');
});

test('guesses at an unknown address are slowed like guesses at a known one', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const outcomesFor = async (email: string, clientAddress: string): Promise<SignInOutcome[]> => {
    const outcomes: SignInOutcome[] = [];
    for (let guess = 0; guess < 3; guess++) await takeGuess(site, { email, clientAddress, knownDevice: null });
    for (let guess = 3; guess < 7; guess++) {
      outcomes.push(await attempt(site, { email, clientAddress, password: `wrong guess ${guess}` }));
    }
    return outcomes;
  };
  const known = await outcomesFor(address, '192.0.2.1');
  expect(known.at(-1)).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  expect(await outcomesFor('nobody@example.org', '192.0.2.2')).toEqual(known);
});

test('64 guesses at once are counted one by one, and no more of them are looked at than in sequence', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const outcomes = await Promise.all(
    Array.from({ length: 64 }, (_, guess) => attempt(site, { password: `wrong guess ${guess}` })),
  );
  const { freeTries } = counters.pair;
  expect(outcomes.filter(({ kind }) => kind === 'refused').length).toBe(freeTries);
  expect(outcomes.filter(({ kind }) => kind === 'busy').length).toBe(64 - freeTries);
  expect(site.context.passwords.computations()).toBe(1 + freeTries);
});

test('many right sign-ins from one address do not slow that address, and forgive no wrong guess', async () => {
  const site = await makeContext();
  const { freeTries } = counters.source;
  const clientAddress = '198.51.100.9';
  const guess = (email: string) => takeGuess(site, { email, clientAddress, knownDevice: null });
  await makeAccount(site);
  for (let pupil = 0; pupil < freeTries + 20; pupil++) {
    const guesser = { email: `pupil-${pupil}@example.org`, clientAddress, knownDevice: null };
    expect(await takeGuess(site, guesser)).toBe(null);
    await site.store.write((unit) => forgiveGuess(unit, passwordGuess(guesser)));
  }
  expect((await attempt(site, { clientAddress })).kind).toBe('signed-in');
  // wrong guesses at many accounts stay counted, with right ones of one's own between them
  for (let at = 0; at < freeTries - 1; at++) {
    expect(await guess(`victim-${at}@example.org`)).toBe(null);
    const own = { email: 'own@example.org', clientAddress, knownDevice: null };
    if ((await takeGuess(site, own)) === null) await site.store.write((unit) => forgiveGuess(unit, passwordGuess(own)));
  }
  expect((await attempt(site, { clientAddress })).kind).toBe('busy');
});

test('guesses from one address keep nobody at another address waiting', async () => {
  const site = await makeContext();
  await makeAccount(site);
  for (let guess = 0; guess < 6; guess++) {
    await takeGuess(site, { email: address, clientAddress: browser.clientAddress, knownDevice: null });
  }
  expect((await attempt(site)).kind).toBe('busy');
  expect((await attempt(site, { clientAddress: '198.51.100.7' })).kind).toBe('signed-in');
});

test('guesses from many networks slow strangers by a minute at most and a known device not at all', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const { deviceCookie } = sessionOf(await attempt(site));
  const { freeTries, longestWaitSeconds } = counters.name;
  for (let guess = 0; guess < freeTries + 20; guess++) {
    const clientAddress = `203.0.113.${guess}`;
    const wait = await takeGuess(site, { email: address, clientAddress, knownDevice: null });
    expect(wait ?? 0).toBeLessThanOrEqual(longestWaitSeconds);
    if (wait !== null) site.clock.now += wait;
  }
  const stranger = await attempt(site, { clientAddress: '198.51.100.7' });
  expect(stranger.kind).toBe('busy');
  expect((await attempt(site, { deviceCookie, clientAddress: '198.51.100.7' })).kind).toBe('signed-in');
  // The right password from the known device forgave nothing of what strangers did, and they go on waiting.
  const forged = `${deviceCookie?.split('.')[0]}.${'A'.repeat(43)}`;
  expect((await attempt(site, { deviceCookie: forged, clientAddress: '198.51.100.7' })).kind).toBe('busy');
});

test('a known device has a count of its own, which strangers cannot fill', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const { deviceCookie, deviceId } = sessionOf(await attempt(site));
  const { freeTries } = counters.known;
  expect(await attempt(site, { deviceCookie, password: 'a wrong guess' })).toEqual({ kind: 'refused' });
  for (let guess = 1; guess < freeTries; guess++) {
    await takeGuess(site, { email: address, clientAddress: '192.0.2.1', knownDevice: deviceId });
  }
  expect(await attempt(site, { deviceCookie })).toEqual({ kind: 'busy', retryAfterSeconds: 1 });
  expect((await attempt(site)).kind).toBe('signed-in');
});

test('the right password starts a hundred sessions an hour at most, not counting those of known devices', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const { deviceCookie } = sessionOf(await attempt(site));
  const passwordHash = (await readAccount(site.store.sql, accountId))?.passwordHash ?? null;
  const subject = JSON.stringify([accountId, passwordHash, null]);
  const { most: requests } = windowPolicies['sign-in'];
  await site.store.write(async (unit) => {
    for (let made = 1; made < requests; made++) {
      expect((await countRequest(unit, site.context, [{ kind: 'sign-in', subject }])).kind).toBe('allowed');
    }
  });
  site.clock.now += 60;
  expect(await attempt(site)).toEqual({ kind: 'busy', retryAfterSeconds: 3540 });
  expect((await attempt(site, { deviceCookie })).kind).toBe('signed-in');
  site.clock.now += 3540;
  expect((await attempt(site)).kind).toBe('signed-in');
});

test('one password tried on many accounts from one address is slowed', async () => {
  const site = await makeContext();
  const { freeTries } = counters.source;
  const guess = (index: number) => ({
    email: `p${index}@example.org`,
    clientAddress: '2001:db8::1',
    knownDevice: null,
  });
  for (let index = 0; index < freeTries; index++) expect(await takeGuess(site, guess(index))).toBeNull();
  // Another address of the same network is the same client.
  expect(await takeGuess(site, { ...guess(999), clientAddress: '2001:db8::ffff' })).toBe(1);
  expect(await takeGuess(site, { ...guess(999), clientAddress: '2001:db8:0:1::1' })).toBeNull();
});

test('refused sign-ins of an hour take only a few rows of the history, which hold their counts', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const refuse = (changes: Partial<RefusedSignIn> = {}): Promise<void> =>
    recordRefusal(site.context, { accountId, email: address, clientAddress: '192.0.2.1', requestId: null, ...changes });
  const written = async (): Promise<readonly string[]> => {
    const { entries } = await listAudit(site.store.sql, { limit: 500 });
    const rows = entries.filter(({ action }) => action === 'session.refused').reverse();
    return rows.map(({ subject, details }) => `${subject === accountId ? 'anna' : subject} ${Object.values(details)}`);
  };
  expect((await attempt(site, { password: 'not the password' })).kind).toBe('refused');
  await Promise.all(Array.from({ length: 99 }, () => refuse()));
  const anna = ['anna 1,1,1', 'anna 2,2,2', 'anna 3,3,3', 'anna 10,10,10', 'anna 100,100,100'];
  expect(await written()).toEqual(anna);
  // as many addresses as somebody can think of, from one network, and then from two
  const unknown = { accountId: null, email: 'a@example.org' };
  await Promise.all(Array.from({ length: 30 }, (_, tries) => refuse({ ...unknown, email: `a${tries}@example.org` })));
  expect(await written()).toEqual(anna);
  await Promise.all(
    Array.from({ length: 30 }, (_, tries) =>
      refuse({ ...unknown, email: `b${tries}@example.org`, clientAddress: `2001:db8::${tries + 1}` }),
    ),
  );
  expect(await written()).toHaveLength(anna.length + 20);
  // from all over the world
  await site.store.write((unit) =>
    unit.sql.updateTable('throttles').set({ failures: 9998 }).where('kind', '=', 'refused-sign-in').execute(),
  );
  const world = { ...unknown, email: 'c@example.org', clientAddress: '198.51.100.9' };
  await refuse(world);
  expect(await written()).toHaveLength(anna.length + 20);
  await refuse({ ...world, clientAddress: '198.51.100.10' });
  expect((await written()).at(-1)).toBe('unknown 2,1,10000');
  site.clock.now += 3600;
  await refuse();
  expect((await written()).at(-1)).toBe('anna 1,1,1');
});

test('when too many sign-ins come at once, some are told to come back', async () => {
  const site = await makeContext();
  const gate = Promise.withResolvers<'not today'>();
  const work = site.context.passwords;
  const checks = Array.from({ length: 28 }, (_, at) =>
    work.check({ name: `network ${at}`, isKnown: false }, null, password, () => gate.promise),
  );
  // Two run and 16 wait; the others are turned away at once, and nothing is counted for them.
  const busy = { kind: 'busy', retryAfterSeconds: 2 };
  expect(await Promise.all(checks.slice(18))).toEqual(Array.from({ length: 10 }, () => busy));
  expect(await attempt(site)).toEqual({ kind: 'busy', retryAfterSeconds: 2 });
  expect(await site.store.sql.selectFrom('throttles').selectAll().execute()).toEqual([]);
  gate.resolve('not today');
  const admitted = await Promise.all(checks.slice(0, 18));
  expect(new Set(admitted.map((outcome) => JSON.stringify(outcome)))).toEqual(
    new Set([JSON.stringify({ kind: 'done', value: { kind: 'not-admitted', refused: 'not today' } })]),
  );
  expect(work.computations()).toBe(0);
});

test('a stored hash that is cheaper than new hashes is replaced at sign-in', async () => {
  const site = await makeContext();
  const accountId = await makeAccount(site);
  const cheap = await cheapHash(password);
  await site.context.write((unit) => updateAccount(unit.sql, accountId, { passwordHash: cheap }));
  sessionOf(await attempt(site));
  const stored = (await readAccount(site.store.sql, accountId))?.passwordHash ?? '';
  expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  sessionOf(await attempt(site));
  expect((await readAccount(site.store.sql, accountId))?.passwordHash).toBe(stored);
});

test('the owner gets a mail about a sign-in on a new device, and none about a known device', async () => {
  const site = await makeContext();
  await makeAccount(site);
  const { deviceCookie } = sessionOf(await attempt(site));
  await attempt(site, { deviceCookie });
  const mails = await site.mails(address);
  expect(mails.map(({ kind }) => kind)).toEqual(['new-device']);
  expect(mails[0]?.text).toContain('Firefox on Linux');
});

async function countRows(site: TestContext): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from audit`.execute(site.store.sql);
  return Number(rows[0]?.n);
}

/** A PHC string with a tenth of the cost of new ones. */
async function cheapHash(text: string): Promise<string> {
  const nonce = randomBytes(16);
  const cost = { parallelism: 1, memory: 1024, passes: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: Buffer.from(text), nonce, ...cost });
  const bare = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=1024,t=1,p=1$${bare(nonce)}$${bare(hash)}`;
}
