// The claim of US 9,923,879, step by step, by the owner of a credential, with the store read after every step:
//   1. the owner sends a request to share a key of their credential, with the address of the recipient
//   2. the account behind the address is found, the share points at it, and a message there names the key: nothing is granted
//   3. the recipient opens the message, and asks for the key by a message of its own: nothing is granted
//   4. the recipient authenticates: a wrong password grants nothing, the right one writes the grant with no further click
//   5. a confirmation goes to the address; after it arrived the recipient lists credentials and keys, and opens the resource
// Then what must grant nothing: asking alone, authenticating alone, the two in two browsers, a session alone. And a key that is given on: it ends
// with what it hangs on. And a key that is carried. A whole node with two edges, a real mail server, a real Chromium.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import chromium from '@sparticuz/chromium';
import { type Browser, chromium as driver, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { adminDisable, adminEnable } from '../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../gateway/control/accounts/create-account.ts';
import { addKey } from '../../gateway/control/keys/add-key.ts';
import { issueCredential } from '../../gateway/control/keys/issue-credential.ts';
import { noOrigin } from '../../gateway/control/keys/note-share.ts';
import { findHeldKeys } from '../../gateway/store/sharing/share-chains.ts';
import type { NodeBrowser } from '../support/clients/node-browser.ts';
import { WebSocketClient } from '../support/clients/websocket.ts';
import { type SmtpRig, startSmtp } from '../support/peers/smtp.ts';
import { NodeRig } from '../support/rigs/node-rig.ts';

const hasBrowser = process.platform === 'linux';
const operator = { kind: 'operator' } as const;
const [ben, cleo, dora] = ['ben@example.org', 'cleo@example.org', 'dora@example.org'];
const passwords = { [ben]: 'tall ships sail at dawn', [cleo]: 'nine quiet harbours', [dora]: 'seven green lanterns' };
/** Within this a change that was acknowledged has reached whoever held a connection. */
const boundMs = 1000;

let rig: NodeRig;
let smtp: SmtpRig;
let browser: Browser;
let credentialId: string;
let keyId: string;
const ids = new Map<string, string>();

beforeAll(async () => {
  if (!hasBrowser) return;
  smtp = await startSmtp();
  [rig, browser] = await Promise.all([
    NodeRig.start({
      ...{ stores: ['sqlite'], edges: 2, people: 0, smtp: `smtp://127.0.0.1:${smtp.port}` },
      sharing: { invite: 'anyone', reshare_depth: 1 },
    }),
    chromium.executablePath().then((executablePath) =>
      driver.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
      }),
    ),
  ]);
  await rig.signIn(rig.owner);
  await rig.withStore(async (context) => {
    for (const [email, password] of Object.entries(passwords)) {
      const made = await createAccount(context, operator, { email, invited: false, password });
      if (made.kind === 'refused') throw new Error(`${email}: ${made.reason}`);
      ids.set(email, made.accountId);
    }
    const card = { account: rig.owner.email, name: 'Hillside staff card', issuer: 'Hillside', origin: noOrigin };
    const issued = await issueCredential(context, operator, card);
    if (issued.kind !== 'issued') throw new Error(issued.reason);
    credentialId = issued.credential.id;
    const input = { credentialId, name: 'Summer door', collection: 'summer', origin: noOrigin };
    const added = await addKey(context, operator, input);
    if (added.kind !== 'added') throw new Error(JSON.stringify(added));
    keyId = added.key.id;
  });
});

afterAll(async () => {
  await browser?.close();
  await rig?.close();
  await smtp?.close();
});

const shareShape = z.looseObject({ id: z.string(), state: z.string(), reshare_depth: z.int() });

const madeShape = z.looseObject({ id: z.string(), picture: z.string().nullable(), token: z.string().nullable() });

const bearer = ({ token }: z.infer<typeof madeShape>) => ({ authorization: `Bearer ${token}` });

/** What a QR code says, read by a decoder of others. @param picture  a `data:` URL with a PNG */
async function readPicture(picture: string): Promise<string> {
  const wasm = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm');
  const wasmBinary = new Uint8Array(readFileSync(wasm)).buffer;
  await prepareZXingModule({ overrides: { wasmBinary }, fireImmediately: true });
  const png = Buffer.from(picture.slice(picture.indexOf(',') + 1), 'base64');
  const [read] = await readBarcodes(new Uint8Array(png), { formats: ['QRCode'] });
  return read?.text ?? '';
}

/** What the store says of a share, and whether the account behind an address holds the key. */
async function readStore(shareId: string, email: string) {
  return await rig.withStore(async ({ store, clock }) => {
    const share = await store.sql.selectFrom('shares').selectAll().where('id', '=', shareId).executeTakeFirstOrThrow();
    const requests = await store.sql.selectFrom('share_requests').selectAll().where('share_id', '=', shareId).execute();
    const held = await findHeldKeys(store.sql, ids.get(email) ?? '', keyId, clock.epochSeconds());
    const { state, account_id: account, first_mail_at: mailed, accepted_at: accepted } = share;
    return { state, account, isMailed: mailed !== null, accepted, requests: requests.length, grants: held.length };
  });
}

/** The newest mail to an address with these words in its subject, once the mail server has it. */
async function mailTo(address: string, words: string): Promise<{ readonly text: string; readonly raw: string }> {
  const find = () =>
    smtp.received.findLast((mail) => mail.to.includes(address) && mail.header('subject').includes(words));
  await expect.poll(find, { timeout: 10_000, interval: 10 }).toBeDefined();
  return find() ?? { text: '', raw: '' };
}

const urlIn = (text: string): string => /http:\S+\/shares\/open\S+/.exec(text)?.[0] ?? '';

async function share(from: NodeBrowser, email: string, more: object = {}): Promise<z.infer<typeof shareShape>> {
  const answer = await v1(from, 'POST', `me/keys/${keyId}/shares`, { email, ...more });
  expect([answer.status, answer.text]).toEqual([201, expect.any(String)]);
  return shareShape.parse(JSON.parse(answer.text));
}

function v1(from: NodeBrowser, method: string, path: string, body?: object) {
  return from.json(method, `${rig.portalOrigin}/.latchkey/v1/${path}`, body);
}

/** Waits until the share's message was handed over: the mark is set after the mail server took the mail. */
async function handedOver(shareId: string, email: string): Promise<void> {
  await expect
    .poll(async () => (await readStore(shareId, email)).isMailed, { timeout: 10_000, interval: 20 })
    .toBe(true);
}

/** From the portal to the media host, by a session that is there. */
async function handOver(visitor: NodeBrowser): Promise<NodeBrowser> {
  await visitor.open(`${rig.mediaOrigin}/.latchkey/login?return=%2Fsteady%2F`);
  expect(visitor.cookie('latchkey', `${rig.mediaOrigin}/`)).not.toBeNull();
  return visitor;
}

/** Takes a share by `v1`, in a browser of its own. */
async function take(shareId: string, email: string): Promise<NodeBrowser> {
  await handedOver(shareId, email);
  const visitor = rig.browser();
  const code = new URL(urlIn((await mailTo(email, 'offers you a key')).text)).searchParams.get('code') ?? '';
  expect(code.startsWith(shareId)).toBe(true);
  const asked = await v1(visitor, 'POST', `shares/${shareId}/request`, { token: code });
  const { request } = z.object({ request: z.string() }).loose().parse(JSON.parse(asked.text));
  const accepted = await v1(visitor, 'POST', 'shares/accept', { request, password: passwords[email] ?? '' });
  expect([accepted.status, accepted.text]).toEqual([200, expect.any(String)]);
  return await handOver(visitor);
}

const film = () => `${rig.mediaOrigin}/vod/summer/film.mp4`;
const statusOf = async (visitor: NodeBrowser): Promise<number> => (await visitor.fetch(film())).status;

async function typePassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Take the key' }).click();
}

describe.skipIf(!hasBrowser)('sharing keys between people', () => {
  test('the claim: nothing is granted up to and with the wrong password, everything right after the right one', async () => {
    // 1. the owner asks to share the key, by the address alone
    const { id: shareId } = await share(rig.owner.browser, ben, { message: 'Mind the <step>.' });

    // 2. the account is found, and the message names the key; nothing is granted
    const mail = await mailTo(ben, 'offers you a key');
    expect(mail.text).toContain('Summer door');
    expect(mail.text).toContain(rig.owner.email);
    expect(mail.raw).not.toContain('step');
    await handedOver(shareId, ben);
    const waiting = { state: 'pending', account: ids.get(ben), isMailed: true, accepted: null, grants: 0 };
    expect(await readStore(shareId, ben)).toEqual({ ...waiting, requests: 0 });

    // 3. the recipient opens the message, and asks for the key
    const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
    const page = await context.newPage();
    await page.goto(urlIn(mail.text));
    const offer = (await page.locator('main').textContent()) ?? '';
    for (const words of ['Summer door', 'Hillside staff card', 'Mind the <step>.', ben]) expect(offer).toContain(words);
    expect(page.url()).not.toContain(shareId);
    expect(await readStore(shareId, ben)).toEqual({ ...waiting, requests: 0 });
    await page.getByRole('button', { name: 'Ask for this key' }).click();
    await page.getByRole('button', { name: 'Take the key' }).waitFor();
    expect(await readStore(shareId, ben)).toEqual({ ...waiting, requests: 1 });

    // 4. the recipient authenticates: wrongly, and then rightly
    await typePassword(page, 'not the password');
    await page.getByText('That is not the password of this account.').first().waitFor();
    expect(await readStore(shareId, ben)).toEqual({ ...waiting, requests: 1 });
    const posted = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await typePassword(page, passwords[ben] ?? '');
    await posted;
    const granted = { ...waiting, state: 'accepted', accepted: expect.any(Number), grants: 1 };
    expect(await readStore(shareId, ben)).toEqual({ ...granted, requests: 1 });

    // 5. the confirmation came, and only then are the lists asked
    expect((await mailTo(ben, 'You now have a key')).text).toContain('Summer door');
    expect((await mailTo(rig.owner.email, 'Summer door')).text).toContain(ben);
    await page.waitForURL(`**/shares/${shareId}*`);
    const list = async (path: string): Promise<string> =>
      (await (await page.goto(`${rig.portalOrigin}/.latchkey/v1/${path}`))?.text()) ?? '';
    expect(await list('me/credentials')).toContain('Hillside staff card');
    expect(await list('me/keys')).toContain('Summer door');
    expect(await list('me/shares?direction=got')).toContain(shareId);
    await page.goto(`${rig.mediaOrigin}/.latchkey/login?return=%2Fvod%2Fsummer%2F`);
    const opened = await page.goto(film());
    expect([opened?.status(), await opened?.text()]).toEqual([200, 'content']);
    // accepting once more is harmless
    expect((await page.goto(urlIn(mail.text)))?.status()).toBe(200);
    expect(await readStore(shareId, ben)).toEqual({ ...granted, requests: 1 });
    await context.close();
  });

  test('asking alone, authenticating alone, the two in two browsers, and a session alone grant nothing', async () => {
    const { id: shareId } = await share(rig.owner.browser, cleo);
    const url = urlIn((await mailTo(cleo, 'offers you a key')).text);
    await handedOver(shareId, cleo);
    const nothing = { state: 'pending', accepted: null, grants: 0 };

    // one browser asks, and no more
    const asks = await browser.newContext();
    const asking = await asks.newPage();
    await asking.goto(url);
    await asking.getByRole('button', { name: 'Ask for this key' }).click();
    await asking.getByRole('button', { name: 'Take the key' }).waitFor();
    expect(await readStore(shareId, cleo)).toMatchObject(nothing);

    // another one authenticates, and never asked
    const proves = await browser.newContext();
    const proving = await proves.newPage();
    await proving.goto(`${rig.portalOrigin}/.latchkey/login`);
    await proving.getByLabel('Mail address').fill(cleo);
    await proving.getByLabel('Password').fill(passwords[cleo] ?? '');
    await proving.keyboard.press('Enter');
    await proving.waitForURL((at) => !at.pathname.endsWith('/login'));
    expect(await readStore(shareId, cleo)).toMatchObject(nothing);
    // it is signed in as the right person, and has a session alone
    await proving.goto(`${rig.mediaOrigin}/.latchkey/login?return=%2Fvod%2Fsummer%2F`);
    expect((await proving.goto(film()))?.status()).toBe(403);
    const page = await proving.goto(asking.url());
    expect(page?.status()).toBe(410);
    expect(await readStore(shareId, cleo)).toMatchObject(nothing);

    // it has a request for another share, and sends the right password for this one
    const { id: otherId } = await share(rig.owner.browser, dora);
    await handedOver(otherId, dora);
    await proving.goto(urlIn((await mailTo(dora, 'offers you a key')).text));
    await proving.getByRole('button', { name: 'Ask for this key' }).click();
    await proving.getByRole('button', { name: 'Take the key' }).waitFor();
    await proving.evaluate(
      `for (const field of document.querySelectorAll('input[name=share]')) field.value = '${shareId}'`,
    );
    await typePassword(proving, passwords[cleo] ?? '');
    await proving.getByText('Please ask for the key again').first().waitFor();
    expect(await readStore(shareId, cleo)).toMatchObject(nothing);
    expect(await readStore(otherId, dora)).toMatchObject({ state: 'pending', accepted: null });

    // the request of the first browser stands after all of it
    await typePassword(asking, passwords[cleo] ?? '');
    await asking.waitForURL(`**/shares/${shareId}*`);
    expect(await readStore(shareId, cleo)).toMatchObject({ state: 'accepted', grants: 1 });
    await asks.close();
    await proves.close();
    await v1(rig.owner.browser, 'POST', `shares/${shareId}/revoke`);
    await v1(rig.owner.browser, 'POST', `shares/${otherId}/withdraw`);
  });

  test('a key that was given on ends with the share that it hangs on, on open connections too', async () => {
    const first = await share(rig.owner.browser, cleo, { reshare_depth: 1 });
    const deep = await v1(rig.owner.browser, 'POST', `me/keys/${keyId}/shares`, { email: dora, reshare_depth: 2 });
    expect(deep.status).toBe(422);
    const middle = await take(first.id, cleo);
    expect((await v1(middle, 'POST', `me/keys/${keyId}/shares`, { email: dora, reshare_depth: 1 })).status).toBe(422);
    const second = await share(middle, dora);
    const last = await take(second.id, dora);
    expect((await v1(last, 'POST', `me/keys/${keyId}/shares`, { email: ben })).status).toBe(404);
    expect([await statusOf(middle), await statusOf(last)]).toEqual([200, 200]);

    // the giver in the middle is blocked: refused at once, and let back in: passes with no new acceptance
    const change = (how: typeof adminDisable) =>
      rig.withStore((context) => how(context, operator, { accountId: ids.get(cleo) ?? '' }));
    await change(adminDisable);
    await expect.poll(() => statusOf(last), { timeout: boundMs, interval: 10 }).toBe(403);
    await change(adminEnable);
    await expect.poll(() => statusOf(last), { timeout: boundMs, interval: 10 }).toBe(200);

    const download = await last.stream(`${rig.mediaOrigin}/vod/summer/endless`);
    const { port } = new URL(rig.mediaOrigin);
    const cookie = ['latchkey', 'latchkey_pass'].flatMap((name) => {
      const value = last.cookie(name, film());
      return value === null ? [] : [`${name}=${value}`];
    });
    const fields = [`Host: media.localhost:${port}`, `Origin: ${rig.mediaOrigin}`, `Cookie: ${cookie.join('; ')}`];
    const socket = await WebSocketClient.open(Number(port), '/vod/summer/live', fields);
    expect([download.status, socket.answer.status]).toEqual([200, 101]);
    const askedAt = performance.now();
    const revoked = await v1(rig.owner.browser, 'POST', `shares/${first.id}/revoke`);
    const saidAt = performance.now();
    expect(revoked.status).toBe(200);
    // what is acknowledged is enforced: the very next request is refused
    expect(await statusOf(last)).toBe(403);
    await expect.poll(() => socket.raw.hasEnded, { timeout: boundMs, interval: 5 }).toBe(true);
    const cutAt = await Promise.race([download.ended, setTimeout(boundMs, null)]);
    console.info(
      `revoked in ${(saidAt - askedAt).toFixed(1)} ms; a download two shares below ended ${((cutAt ?? Number.NaN) - askedAt).toFixed(1)} ms after it was asked`,
    );
    expect(cutAt).not.toBeNull();
    expect((await readStore(second.id, dora)).grants).toBe(0);
  });

  test('a key is carried: its picture opens once in another browser, uses are counted, and an end cuts what is open', async () => {
    const carry = (from: NodeBrowser, kind: string) => v1(from, 'POST', `me/keys/${keyId}/representations`, { kind });
    const made = async (from: NodeBrowser, kind: string) => madeShape.parse(JSON.parse((await carry(from, kind)).text));
    // the owner shows a picture; a browser in which nobody is signed in reads it
    const url = await readPicture((await made(rig.owner.browser, 'qr_png')).picture ?? '');
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    expect(await page.locator('main').textContent()).toContain('Summer door');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.waitForURL(`${rig.mediaOrigin}/vod/summer/`);
    expect((await page.goto(film()))?.status()).toBe(200);
    // outside the key's folder that browser is nobody, and is asked to sign in
    await page.goto(`${rig.mediaOrigin}/vod/other/`);
    expect(page.url()).toContain(`${rig.portalOrigin}/.latchkey/`);
    expect((await page.goto(url))?.status()).toBe(410);
    await context.close();

    // two uses: the key opens by what is made of it alone, what is refused spends none, and of twenty at once two are made
    const { id: shareId } = await share(rig.owner.browser, dora, { uses_allowed: 2 });
    const holder = await take(shareId, dora);
    expect([await statusOf(holder), (await carry(holder, 'paper')).status]).toEqual([403, 400]);
    expect((await carry(rig.browser(), 'bearer')).status).toBe(401);
    const answers = await Promise.all(Array.from({ length: 20 }, () => carry(holder, 'bearer')));
    const taken = answers.filter(({ status }) => status === 201).map(({ text }) => madeShape.parse(JSON.parse(text)));
    expect([taken.length, answers.filter(({ status }) => status === 409).length]).toEqual([2, 18]);
    const [one, two] = taken;
    if (one === undefined || two === undefined) throw new Error('two were made');
    const open = async (made: z.infer<typeof madeShape>) =>
      (await rig.browser().send('GET', film(), bearer(made))).status;
    expect([await open(one), await open(two)]).toEqual([200, 200]);

    // a download by one and a socket by the other: each ends with its own
    const download = await rig.browser().stream(`${rig.mediaOrigin}/vod/summer/endless`, bearer(one));
    const { port, host } = new URL(rig.mediaOrigin);
    const socket = await WebSocketClient.open(Number(port), '/vod/summer/live', [
      ...[`Host: ${host}`, `Origin: ${rig.mediaOrigin}`, `Authorization: Bearer ${two.token}`],
    ]);
    expect([download.status, socket.answer.status]).toEqual([200, 101]);
    expect((await v1(holder, 'POST', `representations/${one.id}/revoke`)).status).toBe(200);
    expect([await open(one), await open(two)]).toEqual([401, 200]);
    expect(await Promise.race([download.ended, setTimeout(boundMs, null)])).not.toBeNull();
    expect(socket.raw.hasEnded).toBe(false);
    expect((await v1(rig.owner.browser, 'POST', `shares/${shareId}/revoke`)).status).toBe(200);
    expect(await open(two)).toBe(401);
    await expect.poll(() => socket.raw.hasEnded, { timeout: boundMs, interval: 5 }).toBe(true);
  });
});
