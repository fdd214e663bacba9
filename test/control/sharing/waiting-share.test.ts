// What happens to an account between an offer and its acceptance, and afterwards: nothing that comes in between loses a share, and a change of the
// address ends what was accepted by the old one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { registerAccount } from '../../../gateway/control/accounts/register-account.ts';
import { requestAddressChange } from '../../../gateway/control/accounts/request-address-change.ts';
import { requestPasswordReset } from '../../../gateway/control/accounts/request-password-reset.ts';
import { resetPassword } from '../../../gateway/control/accounts/reset-password.ts';
import { startOutbox } from '../../../gateway/control/notify/deliver-outbox.ts';
import { openLogTransport } from '../../../gateway/control/notify/log-transport.ts';
import { makeMailCarrier } from '../../../gateway/control/notify/mail-carrier.ts';
import { confirmAddressChange } from '../../../gateway/control/sessions/confirm-address-change.ts';
import { endOtherSessions } from '../../../gateway/control/sessions/my-sessions.ts';
import { pruneExpired } from '../../../gateway/control/sessions/prune-expired.ts';
import { signInByCode } from '../../../gateway/control/sessions/sign-in-by-code.ts';
import { verifyAddress } from '../../../gateway/control/sessions/verify-address.ts';
import { acceptShare } from '../../../gateway/control/sharing/accept-share.ts';
import { checkStore } from '../../../gateway/store/files/check-store.ts';
import { findUnverifiedAccounts, findVerifiedAccount } from '../../../gateway/store/rows/accounts.ts';
import { findShare } from '../../../gateway/store/sharing/shares.ts';
import { browser } from '../../support/rigs/control-context.ts';
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
  password,
  signInAs,
  stateOf,
} from '../../support/rigs/offer-rig.ts';

const operator = { kind: 'operator' } as const;

test('a share waits on through a registration, an invitation, an administrator’s word, a new password and a sign-out everywhere', async () => {
  const site = await makeOfferSite();
  const { context } = site;
  site.configure((config) => ({ ...config, accounts: { ...config.accounts, registration: 'open' } }));
  const pointsAt = async ({ shareId }: Offered) => (await findShare(site.store.sql, shareId))?.account_id;
  const offers: Offered[] = [];
  for (const email of ['a@example.org', 'b@example.org', 'c@example.org', anna]) offers.push(await site.offer(email));
  const [registered, invited, vouched, known] = offers as [Offered, Offered, Offered, Offered];
  await registerAccount(context, { email: 'a@example.org', clientAddress: '192.0.2.1' });
  const verify = await site.mailedCode('a@example.org', 'verify-address');
  expect(await verifyAddress(context, { ...browser, code: verify, password })).toMatchObject({ kind: 'verified' });
  await createAccount(context, operator, { email: 'b@example.org', invited: true });
  const invitation = await site.mailedCode('b@example.org', 'invitation');
  expect(await signInByCode(context, { ...browser, code: invitation, password })).toMatchObject({ kind: 'signed-in' });
  await createAccount(context, operator, { email: 'c@example.org', invited: false, password });
  const actor = await signInAs(site, anna, password);
  const request = await asked(site, known);
  await endOtherSessions(context, actor);
  await requestPasswordReset(context, { email: anna, clientAddress: '192.0.2.1' });
  const reset = await site.mailedCode(anna, 'reset-password');
  expect(await resetPassword(context, { code: reset, password: newPassword })).toMatchObject({ kind: 'reset' });

  for (const [email, offered] of [
    ['a@example.org', registered],
    ['b@example.org', invited],
    ['c@example.org', vouched],
    [anna, known],
  ] as const) {
    expect([email, await stateOf(site, offered)]).toEqual([email, 'pending']);
    expect(await pointsAt(offered)).toBe((await findVerifiedAccount(site.store.sql, email))?.id);
  }
  // the request from before the new password counts too; the old password does not
  expect(await acceptShare(context, byPassword(request))).toEqual({ kind: 'wrong-password' });
  expect(await acceptShare(context, byPassword(request, newPassword))).toMatchObject({ kind: 'accepted' });
  expect(await acceptShare(context, byPassword(await asked(site, vouched)))).toMatchObject({ kind: 'accepted' });
});

test('an account that changes its address loses what it accepted by the old one, and what waits stays with its address', async () => {
  const site = await makeOfferSite();
  const { context } = site;
  const newAddress = 'anna.l@example.net';
  const held = await site.offer(anna, { reshareDepth: 1 });
  await acceptShare(context, byPassword(await asked(site, held)));
  const actor = await signInAs(site, anna, password);
  const below = await site.offer(guest, { by: actor });
  const request = await asked(site, below);
  await acceptShare(context, byDigits(request, await site.digits(guest)));
  expect(await holds(site, guest)).toBe(true);
  const waits = await site.offer(anna, { by: site.owner, keyId: site.otherKeyId });
  const ahead = await site.offer(newAddress, { keyId: site.otherKeyId });
  await requestAddressChange(context, actor, { newEmail: newAddress, password, clientAddress: '192.0.2.1' });
  const code = await site.mailedCode(newAddress, 'change-address-confirm');
  expect(await confirmAddressChange(context, { ...browser, code, actor })).toMatchObject({ kind: 'changed' });

  expect([await stateOf(site, held), await stateOf(site, below)]).toEqual(['revoked', 'accepted']);
  expect([await holds(site, newAddress), await holds(site, guest)]).toEqual([false, false]);
  const nodes = await site.store.sql.selectFrom('changes').select('node').where('kind', '=', 'revoke').execute();
  expect(nodes.map(({ node }) => node)).toContain(held.shareId);
  const told = (await site.mails()).filter(({ kind }) => kind === 'key-share-ended');
  expect(told.map(({ to }) => to).sort()).toEqual([newAddress, 'owner@example.org']);
  // the giver reads the address that was typed and no other
  expect(told.find(({ to }) => to === 'owner@example.org')?.text).not.toContain(newAddress);

  const now = await findVerifiedAccount(site.store.sql, newAddress);
  expect((await findShare(site.store.sql, ahead.shareId))?.account_id).toBe(now?.id);
  const [left] = await findUnverifiedAccounts(site.store.sql, anna);
  expect(await findShare(site.store.sql, waits.shareId)).toMatchObject({ state: 'pending', account_id: left?.id });
  const again = await asked(site, waits);
  expect(await acceptShare(context, byDigits(again, await site.digits(anna)))).toMatchObject({ kind: 'accepted' });
  expect(await acceptShare(context, byPassword(await asked(site, ahead)))).toMatchObject({ kind: 'accepted' });
  expect(await checkStore(site.store, null)).toEqual([]);
});

test('the account that a share waits for is not pruned before the share is over', async () => {
  const site = await makeOfferSite();
  site.configure((config) => ({ ...config, sharing: { ...config.sharing, expiresSeconds: 60 * 86_400 } }));
  const offered = await site.offer(guest);
  await site.offer('late@example.org');
  const accounts = async () => (await findUnverifiedAccounts(site.store.sql, guest)).length;
  // the log's own time passes with what is written
  const pass = async (days: number) => {
    for (let day = 0; day < days; day += 5) {
      site.clock.now += 5 * 86_400;
      await pruneExpired(site.context);
    }
  };
  await pass(50);
  expect(await accounts()).toBe(1);
  const request = await asked(site, offered);
  const digits = await site.digits(guest);
  expect(await acceptShare(site.context, byDigits(request, digits))).toMatchObject({ kind: 'accepted' });
  await pass(25);
  expect(await findUnverifiedAccounts(site.store.sql, 'late@example.org')).toEqual([]);
  expect(await checkStore(site.store, null)).toEqual([]);
});

test('a key is asked for once its message was handed over, and eight days later, when the outbox has forgotten the row', async () => {
  const site = await makeOfferSite();
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-offer-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const offered = await site.offer(anna, { waits: true });
  expect(await ask(site, offered)).toEqual({ kind: 'not-yet' });
  /** Runs the delivery until the outbox looks so. */
  const deliver = async (isDone: (rows: readonly { readonly delivered_at: number | null }[]) => boolean) => {
    const transport = openLogTransport(join(folder, 'mails.log'));
    const outbox = startOutbox(site.context, { mail: makeMailCarrier(transport) }, { pollMs: 5 });
    const rows = () => site.store.sql.selectFrom('outbox').select('delivered_at').execute();
    await vi.waitUntil(async () => isDone(await rows()), { timeout: 10_000, interval: 5 });
    await outbox.close();
  };
  await deliver((rows) => rows.every((row) => row.delivered_at !== null));
  expect(await ask(site, offered)).toMatchObject({ kind: 'requested' });
  for (let day = 0; day < 8; day++) {
    site.clock.now += 86_400;
    await pruneExpired(site.context);
  }
  await deliver((rows) => rows.length === 0);
  expect(await acceptShare(site.context, byPassword(await asked(site, offered)))).toMatchObject({ kind: 'accepted' });
});
