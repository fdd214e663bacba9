// The pages about keys that people share, for portal.test.ts: with names as long and as hostile as people make them, and shares in each of their
// states.

import type { Page } from 'playwright-core';
import { qrPng } from '../../gateway/api/look/qr-code.ts';
import { addKey } from '../../gateway/control/keys/add-key.ts';
import { issueCredential } from '../../gateway/control/keys/issue-credential.ts';
import { noOrigin } from '../../gateway/control/keys/note-share.ts';
import { endShare } from '../../gateway/control/sharing/end-share.ts';
import { giveShare } from '../../gateway/control/sharing/give-share.ts';
import { digestOf } from '../../gateway/core/model/digest.ts';
import { openRequest, spendRequest } from '../../gateway/store/sharing/share-requests.ts';
import { acceptShare, noteMailFailed, noteMailHandedOver } from '../../gateway/store/sharing/shares.ts';
import type { PortalRig } from '../support/rigs/portal-rig.ts';
import { openAll, type Place } from './link-places.ts';

type NewShare = Parameters<typeof giveShare>[2];

const operator = { kind: 'operator' } as const;
const longKey = 'Hintereingang <b>Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen</b> & "Garten"';
const longWords = `Für dich, mit Grüßen!\nDonaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen<script>\n${'wort '.repeat(40)}`;

/** Ids of what the pages are about. */
export interface KeySet {
  readonly credential: string;
  /** Held by the giver, and by the recipient. */
  readonly key: string;
  /** Given to the recipient, who accepted it. */
  readonly accepted: string;
  /** Waits for the recipient. */
  readonly waiting: string;
  readonly disabled: string;
  readonly failed: string;
}

/** Makes a credential of the giver with two keys, and shares of them. */
export async function makeKeys(portal: PortalRig, giver: string, recipient: string): Promise<KeySet> {
  const { context, store } = portal;
  const now = portal.clock.now;
  portal.configure((config) => ({ ...config, sharing: { ...config.sharing, reshareDepth: 2 } }));
  const issued = await issueCredential(context, operator, {
    ...{ account: giver, name: 'Staff card of the Kinderfilmfreundeverein', issuer: 'Hillside & Söhne' },
    ...{ picture: `data:image/png;base64,${(await qrPng('card')).toString('base64')}`, origin: noOrigin },
  });
  if (issued.kind !== 'issued') throw new Error(issued.reason);
  const credential = issued.credential.id;
  const add = async (name: string, path: string | null): Promise<string> => {
    const added = await addKey(context, operator, {
      ...{ credentialId: credential, name, collection: 'summer', path, origin: noOrigin },
    });
    if (added.kind !== 'added') throw new Error(added.reason);
    return added.key.id;
  };
  const [key, other] = [await add('Front door', null), await add(longKey, 'garden/')];
  const give = async (keyId: string, email: string, more: Partial<NewShare> = {}): Promise<string> => {
    const given = await giveShare(context, operator, { keyId, email, origin: noOrigin, ...more });
    if (given.kind !== 'given') throw new Error(given.kind);
    await store.write(({ sql }) => noteMailHandedOver(sql, given.share.id, now));
    return given.share.id;
  };
  const accounts = await store.sql.selectFrom('accounts').select(['id', 'email']).execute();
  const accept = async (shareId: string, email: string): Promise<string> => {
    const accountId = accounts.find((account) => account.email === email)?.id ?? '';
    const request = { selector: `s${shareId}`, digest: digestOf(shareId) };
    await store.write(async ({ sql }) => {
      await openRequest(sql, { ...request, shareId, expiresAt: now + 900, digits: null }, now);
      await acceptShare(sql, { shareId, accountId, request, now });
      await spendRequest(sql, request, now);
    });
    return shareId;
  };
  const long = 'a-very-long-name-that-somebody-really-has-in-a-company@department.example.org';
  const week = { usableFromAt: now, usableUntilAt: now + 7 * 86_400 };
  const accepted = await accept(await give(key, recipient, { ...week, reshareDepth: 1 }), recipient);
  const waiting = await give(other, recipient, { words: longWords, usesAllowed: 3 });
  const disabled = await accept(await give(other, long), long);
  await endShare(context, operator, { shareId: disabled, event: 'disable', origin: noOrigin });
  const taken = await give(key, 'eva@example.org');
  await endShare(context, operator, { shareId: taken, event: 'withdraw', origin: noOrigin });
  const failed = await give(key, 'nobody-has-this@example.org', { words: longWords });
  await store.write(({ sql }) => noteMailFailed(sql, failed, now));
  return { credential, key, accepted, waiting, disabled, failed };
}

/** Pages for the giver, who is an administrator. */
export function forGivers(keys: KeySet): readonly Place[] {
  return [
    { name: 'keys', path: 'keys' },
    { name: 'key', path: `keys/${keys.key}` },
    { name: 'key-share', path: `keys/${keys.key}/share`, isPassed: true },
    {
      name: 'key-share-problem',
      path: `keys/${keys.key}/share`,
      act: async (page) => {
        await page.getByLabel('With whom?').fill('ben, nobody');
        await page.getByRole('button', { name: 'Offer the key' }).click();
      },
    },
    {
      name: 'key-shared',
      path: `keys/${keys.key}/share`,
      act: async (page) => {
        await page.getByLabel('With whom?').fill('joe@example.org, mina@example.org, ben@example.org, ann@example.org');
        await page.getByRole('button', { name: 'Offer the key' }).click();
      },
    },
    { name: 'shares-given', path: 'shares/given' },
    { name: 'shares-given-none', path: 'shares/given?search=zzz', isPassed: true },
    { name: 'share-failed', path: `shares/${keys.failed}`, act: openAll },
    { name: 'share-accepted', path: `shares/${keys.accepted}`, act: openAll, isPassed: true },
    { name: 'share-disabled', path: `shares/${keys.disabled}`, isPassed: true },
    { name: 'share-stop', path: `shares/${keys.accepted}/stop` },
    { name: 'share-history', path: `shares/${keys.disabled}/history` },
    { name: 'credentials', path: 'admin/credentials' },
    { name: 'credential', path: `admin/credentials/${keys.credential}` },
    { name: 'credential-new', path: 'admin/credentials/new', isPassed: true },
    {
      name: 'credential-new-problem',
      path: 'admin/credentials/new',
      act: (page) => page.getByRole('button', { name: 'Issue it' }).click(),
    },
    { name: 'collections', path: 'admin/collections', isPassed: true },
    { name: 'collection-people', path: 'admin/collections/summer' },
    { name: 'credential-withdraw', path: `admin/credentials/${keys.credential}/withdraw`, isPassed: true },
  ];
}

/** Pages for the recipient. */
export function forRecipients(keys: KeySet): readonly Place[] {
  return [
    { name: 'home-with-an-offer', path: '' },
    { name: 'keys-got', path: 'keys', isPassed: true },
    { name: 'key-got', path: `keys/${keys.key}` },
    {
      name: 'key-carried-qr',
      path: `keys/${keys.key}`,
      act: (page) => page.getByRole('button', { name: 'A QR code' }).click(),
    },
    {
      name: 'key-carried-token',
      path: `keys/${keys.key}`,
      act: async (page) => {
        await page.getByRole('button', { name: 'A token for a program' }).click();
        await openAll(page);
      },
      isPassed: true,
    },
    { name: 'key-with-what-was-made', path: `keys/${keys.key}`, act: openAll, isPassed: true },
    { name: 'shares-got', path: 'shares/got' },
    { name: 'share-waiting', path: `shares/${keys.waiting}`, act: (page: Page) => page.waitForLoadState('load') },
  ];
}

/** Pages for people who read a mail about a key, without a session. Each opens an offer of its own. */
export function forOffered(keys: KeySet): readonly Place[] {
  const click = (name: string) => (page: Page) => page.getByRole('button', { name, exact: true }).click();
  const ask = click('Ask for this key');
  return [
    { name: 'offer', path: (portal) => offer(portal, keys, 'new'), isPassed: true },
    { name: 'offer-asked', path: (portal) => offer(portal, keys, 'new'), act: ask },
    {
      name: 'offer-asked-problem',
      path: (portal) => offer(portal, keys, 'new'),
      act: async (page) => {
        await ask(page);
        await page.getByLabel('Code from the mail').fill('123');
        await page.getByLabel('Choose a password').fill('short');
        await click('Take the key')(page);
        await openAll(page);
      },
    },
    { name: 'offer-asked-password', path: (portal) => offer(portal, keys, 'known'), act: ask, isPassed: true },
    {
      name: 'offer-asked-password-problem',
      path: (portal) => offer(portal, keys, 'known'),
      act: async (page) => {
        await ask(page);
        await page.getByLabel('Password').fill('not the password');
        await click('Take the key')(page);
      },
    },
    {
      name: 'offer-declined',
      path: (portal) => offer(portal, keys, 'new'),
      act: async (page) => {
        await page.getByRole('link', { name: 'No, thanks' }).click();
        await click('No, thanks')(page);
      },
    },
    {
      name: 'offer-block',
      path: (portal) => offer(portal, keys, 'new'),
      act: (page) => page.getByRole('link', { name: 'block this sender' }).click(),
    },
    { name: 'offer-over', path: (portal) => offer(portal, keys, 'taken-back') },
    { name: 'offer-unknown', path: 'shares/open?code=none', isPassed: true },
    { name: 'offer-ask-again', path: 'shares/accept?share=none' },
  ];
}

/** Offers the long key to a new address, or to one with an account. @returns the path that its mail leads to */
async function offer(portal: PortalRig, keys: KeySet, to: 'new' | 'known' | 'taken-back'): Promise<string> {
  const { context, store } = portal;
  const email = `somebody-${context.random(6).toString('hex')}@department.example.org`;
  if (to === 'known') await portal.addAccount(email);
  const given = await giveShare(context, operator, {
    ...{ keyId: keys.key, email, words: longWords, usesAllowed: 3, origin: noOrigin },
    usableUntilAt: portal.clock.now + 7 * 86_400,
  });
  if (given.kind !== 'given') throw new Error(given.kind);
  await store.write(({ sql }) => noteMailHandedOver(sql, given.share.id, portal.clock.now));
  const code = (await portal.mails(email)).at(-1)?.code ?? '';
  if (to === 'taken-back')
    await endShare(context, operator, { shareId: given.share.id, event: 'withdraw', origin: noOrigin });
  return `shares/open?code=${code}`;
}
