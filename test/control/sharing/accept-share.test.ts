// Asking for a key and accepting it: what a request takes, who may accept, that nothing but the proof of the right person grants anything, and
// that what happens to an account in between loses no share.

import { expect, test } from 'vitest';
import { adminDisable } from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import type { ControlContext } from '../../../gateway/control/context/control-context.ts';
import { acceptShare } from '../../../gateway/control/sharing/accept-share.ts';
import { findVerifiedAccount, updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { findShare, moveShare } from '../../../gateway/store/sharing/shares.ts';
import { makeContext } from '../../support/rigs/control-context.ts';
import {
  anna,
  ask,
  asked,
  byDigits,
  byPassword,
  guest,
  holds,
  makeOfferSite,
  newPassword,
  type Offered,
  type OfferSite,
  password,
  signInAs,
  stateOf,
} from '../../support/rigs/offer-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const operator = { kind: 'operator' } as const;
const kindsTo = async (site: OfferSite, email: string) => (await site.mails(email)).map(({ kind }) => kind);
const otherThan = (digits: string): string => String((Number(digits) + 1) % 1_000_000).padStart(6, '0');

describeEngines('accepting a key', (engine) => {
  test('who has a password: a request grants nothing, the wrong password neither, the right one everything at once', async () => {
    const site = await makeOfferSite(engine);
    const offered = await site.offer(anna);
    const before = (await site.store.readPosition()).seq;
    const requested = await ask(site, offered);
    expect(requested).toMatchObject({ kind: 'requested', needs: 'password', expiresAt: site.clock.now + 900 });
    const request = requested.kind === 'requested' ? requested.request : '';
    expect(await acceptShare(site.context, byPassword(request, 'not the password'))).toEqual({
      kind: 'wrong-password',
    });
    expect([await stateOf(site, offered), await holds(site, anna)]).toEqual(['pending', false]);
    expect((await site.store.readPosition()).seq).toBe(before);

    const outcome = await acceptShare(site.context, byPassword(request));
    if (outcome.kind !== 'accepted' || outcome.session === null) throw new Error(outcome.kind);
    expect((await site.actor(outcome.session)).email).toBe(anna);
    expect(await findShare(site.store.sql, offered.shareId)).toMatchObject({
      ...{ state: 'accepted', account_id: outcome.session.accountId, accepted_at: site.clock.now, secret_sealed: null },
    });
    expect(await holds(site, anna)).toBe(true);
    expect(await kindsTo(site, anna)).toEqual(['key-shared', 'key-accepted']);
    const [told] = (await site.mails('owner@example.org')).filter(({ kind }) => kind === 'key-share-accepted');
    expect(told?.text).toContain('anna@example.org has the key “Front door”');
    const { entries } = await listAudit(site.store.sql, { subject: offered.shareId });
    expect(entries.map(({ action, actor, details }) => [action, actor, details.network ?? ''])).toEqual([
      ['share.accepted', outcome.session.accountId, '192.0.2.0/24'],
      ['share.requested', 'system', '198.51.100.0/24'],
      ['share.created', site.owner.accountId, '192.0.2.0/24'],
    ]);
    // once more, and by another browser that asked for the same share: nothing is granted a second time
    expect(await acceptShare(site.context, byPassword(request))).toMatchObject({ kind: 'accepted' });
    expect(await ask(site, offered)).toEqual({ kind: 'over', standing: 'accepted' });
    expect((await site.mails(anna)).filter(({ kind }) => kind === 'key-accepted')).toHaveLength(1);
  });

  test('who has none takes six digits that were mailed for this request, with the password from now on', async () => {
    const site = await makeOfferSite(engine);
    const offered = await site.offer(guest);
    const request = await asked(site, offered);
    const digits = await site.digits(guest);
    const foreign = await asked(site, offered);
    expect(await site.digits(guest)).not.toBe('');
    expect(await acceptShare(site.context, byDigits(request, '12345'))).toEqual({ kind: 'malformed' });
    expect(await acceptShare(site.context, byDigits(request, digits, 'password123'))).toEqual({
      ...{ kind: 'weak-password', why: 'too-common' },
    });
    const wrong = [otherThan(digits), otherThan(digits)];
    for (const [at, each] of wrong.entries()) {
      expect(await acceptShare(site.context, byDigits(request, each))).toEqual({
        ...{ kind: 'wrong-digits', triesLeft: 4 - at },
      });
    }
    // attack: digits that somebody was talked into telling are worth nothing in another browser
    expect(await acceptShare(site.context, byDigits(foreign, digits))).toMatchObject({ kind: 'wrong-digits' });
    expect(await acceptShare(site.context, byPassword(request))).toEqual({ kind: 'wrong-password' });
    expect(await findVerifiedAccount(site.store.sql, guest)).toBeNull();

    const typed = ` ${digits.slice(0, 3)} ${digits.slice(3)}`;
    const outcome = await acceptShare(site.context, byDigits(request, typed));
    if (outcome.kind !== 'accepted' || outcome.session === null) throw new Error(outcome.kind);
    expect(await findVerifiedAccount(site.store.sql, guest)).toMatchObject({ id: outcome.session.accountId });
    expect(await stateOf(site, offered)).toBe('accepted');
    expect((await signInAs(site, guest, newPassword)).accountId).toBe(outcome.session.accountId);
    // used digits never sign in again, and with them nothing is done twice
    expect(await acceptShare(site.context, byDigits(request, digits))).toEqual({
      ...{ kind: 'accepted', shareId: offered.shareId, session: null },
    });
  });

  test('64 at once with one request and one password: one grant, 64 equal answers, on two nodes as well', async () => {
    const site = await makeOfferSite(engine);
    const other = await makeContext({ like: site });
    const offered = await site.offer(anna);
    const request = await asked(site, offered);
    const nodes: readonly ControlContext[] = [site.context, other.context];
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, (_, at) => acceptShare(nodes[at % 2] ?? site.context, byPassword(request))),
    );
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    const { entries } = await listAudit(site.store.sql, { subject: offered.shareId });
    expect(entries.filter(({ action }) => action === 'share.accepted')).toHaveLength(1);
    expect(await kindsTo(site, anna)).toEqual(['key-shared', 'key-accepted']);

    const second = await site.offer(guest);
    const asking = await asked(site, second);
    const digits = await site.digits(guest);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, at) => acceptShare(nodes[at % 2] ?? site.context, byDigits(asking, digits))),
    );
    expect(new Set(answers.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    expect(await holds(site, guest)).toBe(true);
  });
});

test('a key is asked for only by the secret of its message or by the account with its address, and not before the message left', async () => {
  const site = await makeOfferSite();
  const waiting = await site.offer(anna, { waits: true });
  const actor = await signInAs(site, anna, password);
  expect(await ask(site, waiting)).toEqual({ kind: 'not-yet' });
  expect(await ask(site, waiting, { secret: null, actor })).toEqual({ kind: 'not-found' });
  const offered = await site.offer(guest);
  for (const secret of [waiting.secret, 'A'.repeat(43), ''])
    expect(await ask(site, offered, { secret })).toEqual({ kind: 'not-found' });
  expect(await ask(site, offered, { shareId: 'sh_nobody0000000000000000' })).toEqual({ kind: 'not-found' });
  expect(await ask(site, offered, { secret: null, actor })).toEqual({ kind: 'not-found' });
  expect(await ask(site, offered, { secret: null, actor: site.owner })).toEqual({ kind: 'not-found' });
  const mine = await site.offer('bert@example.org');
  await createAccount(site.context, operator, { email: 'bert@example.org', invited: false, password });
  const bert = await signInAs(site, 'bert@example.org', password);
  expect(await ask(site, mine, { secret: null, actor: bert })).toMatchObject({ kind: 'requested', needs: 'password' });
});

test('a request counts in its browser, for its share, for a quarter of an hour, and once', async () => {
  const site = await makeOfferSite();
  const [offered, other] = [await site.offer(anna), await site.offer(guest)];
  const request = await asked(site, offered);
  const [selector = '', secret = ''] = request.split('.');
  const [, foreign = ''] = (await asked(site, other)).split('.');
  for (const forged of [`${selector}.${foreign}`, `${selector}.${'A'.repeat(43)}`, selector, '', secret])
    expect(await acceptShare(site.context, byPassword(forged))).toEqual({ kind: 'no-request' });
  // the request of a share to another address does not open this one, whatever is typed
  expect(await acceptShare(site.context, byPassword(await asked(site, other)))).toEqual({ kind: 'wrong-password' });
  const kept = await ask(site, offered, { held: ['', request] });
  expect(kept).toMatchObject({ kind: 'requested', request });
  site.clock.now += 900;
  expect(await acceptShare(site.context, byPassword(request))).toEqual({ kind: 'no-request' });
  expect([await stateOf(site, offered), await stateOf(site, other)]).toEqual(['pending', 'pending']);
});

test('a scanner that asks five times keeps nobody out for longer than a minute, and the sixth at once is told how long', async () => {
  const site = await makeOfferSite();
  const offered = await site.offer(anna);
  const first = await asked(site, offered);
  for (let times = 1; times < 5; times++) await asked(site, offered);
  expect(await ask(site, offered)).toEqual({ kind: 'too-many', retryAfterSeconds: 60 });
  site.clock.now += 60;
  expect(await acceptShare(site.context, byPassword(await asked(site, offered), 'wrong'))).toMatchObject({
    kind: 'wrong-password',
  });
  // whoever asked before has lost nothing
  expect(await acceptShare(site.context, byPassword(first))).toMatchObject({ kind: 'accepted' });
});

test('what changed since the request is asked again in the unit that accepts', async () => {
  const site = await makeOfferSite();
  const refusal = async (offered: Offered, change: () => Promise<unknown>) => {
    const request = await asked(site, offered);
    await change();
    const outcome = await acceptShare(site.context, byPassword(request));
    return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
  };
  const write = (work: Parameters<typeof site.store.write>[0]) => site.store.write(work);
  const offered = await site.offer(anna);
  const account = await findVerifiedAccount(site.store.sql, anna);
  const id = account?.id ?? '';
  expect(
    await refusal(offered, () => write((unit) => updateAccount(unit.sql, site.owner.accountId, { state: 'disabled' }))),
  ).toBe('not-now');
  await write((unit) => updateAccount(unit.sql, site.owner.accountId, { state: 'active' }));
  expect(await refusal(offered, () => adminDisable(site.context, operator, { accountId: id }))).toBe('wrong-password');
  await write((unit) => updateAccount(unit.sql, id, { state: 'active' }));
  expect(
    await refusal(offered, () =>
      write(({ sql }) => sql.updateTable('credential_keys').set({ needs_second_factor: 1 }).execute()),
    ),
  ).toBe('second-factor');
  expect(await ask(site, offered)).toEqual({ kind: 'second-factor' });
  await write(({ sql }) => sql.updateTable('credential_keys').set({ needs_second_factor: 0 }).execute());
  expect(await refusal(offered, () => write((unit) => moveShare(unit.sql, offered.shareId, 'withdraw', 'x', 1)))).toBe(
    'over',
  );
  expect([await stateOf(site, offered), await holds(site, anna)]).toEqual(['withdrawn', false]);
  expect(await ask(site, offered)).toEqual({ kind: 'over', standing: 'withdrawn' });
});

test('an address that was blocked, and one that got a password meanwhile, take no digits; nothing of the unit is kept', async () => {
  const site = await makeOfferSite();
  const offered = await site.offer(guest);
  const request = await asked(site, offered);
  const digits = await site.digits(guest);
  // vouched for by an administrator, with a password, while the mail was on its way
  await createAccount(site.context, operator, { email: guest, invited: false, password });
  expect(await acceptShare(site.context, byDigits(request, digits))).toEqual({ kind: 'refused', reason: 'ask-again' });
  expect(await acceptShare(site.context, byPassword(request))).toMatchObject({ kind: 'accepted' });

  const late = await site.offer('late@example.org');
  const lateRequest = await asked(site, late);
  const lateDigits = await site.digits('late@example.org');
  await site.store.write((unit) => moveShare(unit.sql, late.shareId, 'withdraw', 'x', unit.now));
  expect(await acceptShare(site.context, byDigits(lateRequest, lateDigits))).toEqual({
    ...{ kind: 'refused', reason: 'over' },
  });
  expect(await findVerifiedAccount(site.store.sql, 'late@example.org')).toBeNull();

  const mail = await site.offer('mail@example.org');
  await createAccount(site.context, operator, { email: 'mail@example.org', invited: false });
  const mailRequest = await asked(site, mail);
  const mailDigits = await site.digits('mail@example.org');
  const passwordless = await findVerifiedAccount(site.store.sql, 'mail@example.org');
  await adminDisable(site.context, operator, { accountId: passwordless?.id ?? '' });
  expect(await acceptShare(site.context, byDigits(mailRequest, mailDigits))).toEqual({
    ...{ kind: 'refused', reason: 'not-able' },
  });
  await site.store.write((unit) => updateAccount(unit.sql, passwordless?.id ?? '', { state: 'active' }));
  expect(await acceptShare(site.context, byDigits(mailRequest, mailDigits))).toMatchObject({ kind: 'accepted' });
  expect((await signInAs(site, 'mail@example.org', newPassword)).accountId).toBe(passwordless?.id);
});

test('two shares by two givers to one new address: accepting one leaves the other pending', async () => {
  const site = await makeOfferSite();
  const first = await site.offer(anna, { reshareDepth: 1 });
  await acceptShare(site.context, byPassword(await asked(site, first)));
  const giver = await signInAs(site, anna, password);
  const [one, other] = [await site.offer(guest), await site.offer(guest, { by: giver })];
  const requests = [await asked(site, one), await asked(site, other)];
  const digits = (await site.mails(guest))
    .filter(({ kind }) => kind === 'key-code')
    .map(({ text }) => /Your code: (\d{6})/.exec(text)?.[1] ?? '');
  expect(await acceptShare(site.context, byDigits(requests[0] ?? '', digits[0] ?? ''))).toMatchObject({
    kind: 'accepted',
  });
  expect([await stateOf(site, one), await stateOf(site, other)]).toEqual(['accepted', 'pending']);
  expect((await findShare(site.store.sql, other.shareId))?.account_id).toBe(
    (await findVerifiedAccount(site.store.sql, guest))?.id,
  );
  // by now the address has a password, and the other request takes that one
  expect(await acceptShare(site.context, byPassword(requests[1] ?? '', newPassword))).toMatchObject({
    kind: 'accepted',
  });
});
