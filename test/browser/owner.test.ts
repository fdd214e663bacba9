// An owner, played through in a real Chromium against a whole node and a mail server: from the sign-in link that invites them, over a link for
// each of three people, who come in by their mails, to one of them removed. With LATCHKEY_SCREENSHOTS each page on the way is pictured.

import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addKey } from '../../gateway/control/keys/add-key.ts';
import { issueCredential } from '../../gateway/control/keys/issue-credential.ts';
import { noOrigin } from '../../gateway/control/keys/note-share.ts';
import { type SmtpRig, startSmtp } from '../support/peers/smtp.ts';
import { NodeRig } from '../support/rigs/node-rig.ts';

const hasBrowser = process.platform === 'linux';
const pictures = process.env.LATCHKEY_SCREENSHOTS ?? null;
const people = ['anna@example.org', 'ben@example.org', 'carl@example.org'] as const;

let rig: NodeRig;
let browser: Browser;
let smtp: SmtpRig;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  if (!hasBrowser) return;
  smtp = await startSmtp();
  [rig, browser] = await Promise.all([
    NodeRig.start({ stores: ['sqlite'], edges: 2, people: 0, smtp: `smtp://127.0.0.1:${smtp.port}` }),
    chromium.executablePath().then((executablePath) =>
      driver.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
      }),
    ),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await rig?.close();
  await smtp?.close();
});

async function open(): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
  contexts.push(context);
  return await context.newPage();
}

/** The text of the newest mail to an address that has something in it. */
async function mailTo(address: string, what: RegExp): Promise<string> {
  let found = '';
  await expect
    .poll(
      () => {
        const mail = smtp.received.findLast(({ to, text }) => to.includes(address) && what.test(text));
        found = what.exec(mail?.text ?? '')?.[0] ?? '';
        return found;
      },
      { timeout: 10_000, interval: 20 },
    )
    .not.toBe('');
  return found;
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === null) return;
  for (const [width, theme] of [
    [320, 'dark'],
    [390, 'light'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: theme });
    await page.screenshot({ path: join(pictures, `owner-${name}.${theme}.${width}.png`), fullPage: true });
  }
}

/** Comes in by the mailed link, with an account that begins with it. @returns the status of the film */
async function comeIn(address: string): Promise<Page> {
  const url = await mailTo(address, /http:\/\/media\S+authtoken=\S+/);
  const page = await open();
  await page.goto(url);
  await page.getByLabel('Your mail address').fill(address);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Look at your mail' }).waitFor();
  const digits = (await mailTo(address, /Your code: \d{6}/)).slice(-6);
  await page.getByLabel('Code from the mail').fill(digits);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Open it' }).click();
  await page.waitForURL(`${rig.mediaOrigin}/vod/summer/`);
  return page;
}

async function film(page: Page): Promise<number | undefined> {
  return (await page.goto(`${rig.mediaOrigin}/vod/summer/film.mp4`))?.status();
}

test.skipIf(!hasBrowser)(
  'an owner comes in by a sign-in link, shares with three people by their addresses, and removes one of them',
  async () => {
    const owner = await open();
    await owner.goto(`${rig.portalOrigin}/.latchkey/sign-in?code=${encodeURIComponent(rig.owner.code)}`);
    await owner.locator('main form button').first().click();
    await owner.goto(`${rig.portalOrigin}/.latchkey/links/new`);
    await owner.getByLabel('To whom?').fill(people.join(', '));
    await owner.getByLabel('What is it?').fill('Film night');
    await picture(owner, '1-new');
    await owner.getByRole('button', { name: 'Make the link' }).click();
    await owner.getByRole('heading', { name: '3 links are ready' }).waitFor();
    await picture(owner, '2-made');
    // a reload makes nothing again
    await owner.reload();
    await owner.getByRole('heading', { name: '3 links are ready' }).waitFor();

    const guests = await Promise.all(people.map(comeIn));
    expect(await Promise.all(guests.map(film))).toEqual([200, 200, 200]);
    // each link was mailed once, to its own address
    const links = smtp.received.filter(({ text }) => text.includes('authtoken='));
    expect(links.map(({ to }) => to.join()).sort()).toEqual([...people]);

    await owner.getByRole('link', { name: 'ben@example.org' }).click();
    await owner.getByRole('button', { name: 'Show the address' }).click();
    await owner.getByRole('heading', { name: 'Send this address to ben@example.org' }).waitFor();
    expect(await owner.getByLabel('The address').inputValue()).toBe(
      await mailTo('ben@example.org', /http:\/\/media\S+authtoken=\S+/),
    );
    expect(await owner.getByRole('button', { name: 'Copy' }).isVisible()).toBe(true);
    await picture(owner, '3-link');
    await owner.getByRole('link', { name: 'Try it' }).click();
    await owner.getByText('Here nothing is opened').waitFor();
    await picture(owner, '4-try');
    await owner.goBack();
    await owner.getByRole('link', { name: /^Remove/ }).click();
    await owner.locator('main form button').first().click();
    await owner.getByText('That person is removed').waitFor();
    await picture(owner, '5-removed');
    expect(await Promise.all(guests.map(film))).toEqual([200, 403, 200]);
  },
  60_000,
);

test.skipIf(!hasBrowser)(
  'the way back, a reload and two tabs do what a form says once, whichever edge answers',
  async () => {
    const owner = contexts[0]?.pages()[0];
    // who was removed comes in again, by another link
    const ben = contexts[2]?.pages()[0];
    if (owner === undefined || ben === undefined) throw new Error('the people of the test before are gone');
    await owner.goto(`${rig.portalOrigin}/.latchkey/links/new`);
    await owner.getByLabel('What is it?').fill('Only one');
    await owner.getByLabel('How many people may come in?').fill('5');
    await owner.getByRole('button', { name: 'Make the link' }).dblclick();
    await owner.getByLabel('The address').waitFor();
    const made = new URL(owner.url()).pathname;
    const url = await owner.getByLabel('The address').inputValue();
    await owner.reload();
    await owner.goBack();
    await owner.getByRole('heading', { name: 'New link' }).waitFor();
    await owner.goForward();
    await owner.waitForURL((to) => to.pathname === made);
    await owner.goto(`${rig.portalOrigin}/.latchkey/links?search=Only+one`);
    expect(await owner.getByRole('link', { name: 'Only one' }).count()).toBe(1);

    // the same question in two tabs, and once more after the way back
    const second = await ben.context().newPage();
    for (const tab of [ben, second]) {
      await tab.goto(url);
      await tab.getByRole('button', { name: 'Open it' }).waitFor();
    }
    for (const tab of [ben, second]) {
      await tab.getByRole('button', { name: 'Open it' }).click();
      await tab.waitForURL(`${rig.mediaOrigin}/vod/summer/`);
    }
    await second.close();

    // the same end in two tabs: the second press says what holds
    const other = await owner.context().newPage();
    for (const tab of [owner, other]) {
      await tab.goto(`${rig.portalOrigin}${made}`);
      await tab.getByRole('link', { name: /^Stop sharing/ }).click();
    }
    for (const tab of [owner, other]) {
      await tab
        .locator('main')
        .getByRole('button', { name: /^Stop sharing/ })
        .click();
      await tab.getByRole('button', { name: /Give back/ }).waitFor();
    }
    await other.close();
    await owner.reload();
    await owner.getByRole('button', { name: /Give back/ }).waitFor();
  },
  60_000,
);

/** What has the focus: its words, and whether a person sees that it has it. */
const focused = `(() => {
  const at = document.activeElement;
  const label = at.labels?.[0]?.textContent ?? '';
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    words: (at.getAttribute('aria-label') ?? (label || at.textContent)).trim(),
    isShown: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none',
    isThere: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
})()`;

/** Goes on with Tab to what has these words, and looks at every stop on the way. */
async function tabTo(page: Page, words: RegExp): Promise<void> {
  for (let stop = 0; stop < 60; stop++) {
    await page.keyboard.press('Tab');
    const at = (await page.evaluate(focused)) as { words: string; isShown: boolean; isThere: boolean };
    if (at.words === '') continue;
    expect(at, `the focus on ${page.url()}`).toMatchObject({ isShown: true, isThere: true });
    if (words.test(at.words)) return;
  }
  throw new Error(`no stop of Tab says ${words} on ${page.url()}`);
}

async function press(page: Page, words: RegExp, key: 'Enter' | 'Space' = 'Enter'): Promise<void> {
  await tabTo(page, words);
  await page.keyboard.press(key);
}

test.skipIf(!hasBrowser)(
  'with the keyboard alone: a key is offered, asked for and taken, carried, and no longer shared; reload and the way back make nothing again',
  async () => {
    const owner = contexts[0]?.pages()[0];
    if (owner === undefined) throw new Error('the owner of the test before is gone');
    await rig.withStore(async (context) => {
      const card = { account: rig.owner.email, name: 'Staff card', issuer: 'Hillside', origin: noOrigin };
      const issued = await issueCredential(context, { kind: 'operator' }, card);
      if (issued.kind !== 'issued') throw new Error(issued.reason);
      const key = { credentialId: issued.credential.id, name: 'Garden door', collection: 'summer', origin: noOrigin };
      await addKey(context, { kind: 'operator' }, key);
    });
    await owner.setViewportSize({ width: 1280, height: 800 });
    await owner.goto(`${rig.portalOrigin}/.latchkey/keys`);
    await press(owner, /^Share it/);
    await owner.getByRole('heading', { name: 'Share “Garden door”' }).waitFor();
    await tabTo(owner, /^With whom/);
    await owner.keyboard.type('eva@example.org');
    await press(owner, /^Offer the key$/);
    await owner.getByText('A mail is on its way').waitFor();
    const shown = owner.url();
    await owner.reload();
    await owner.goBack();
    // the way back shows a form anew, and whoever was offered the key is not offered it twice
    await owner.getByLabel('With whom?').fill('eva@example.org');
    await owner.getByRole('button', { name: 'Offer the key' }).click();
    await owner.getByRole('heading', { name: 'Nobody new is offered the key' }).waitFor();

    const guest = await open();
    await guest.goto(await mailTo('eva@example.org', /http:\S+\/shares\/open\S+/));
    await press(guest, /^Ask for this key$/, 'Space');
    await guest.getByRole('heading', { name: 'Show that it is you' }).waitFor();
    await tabTo(guest, /^Code from the mail/);
    await guest.keyboard.type((await mailTo('eva@example.org', /Your code: \d{6}/)).slice(-6));
    await tabTo(guest, /^Choose a password/);
    await guest.keyboard.type('eleven calm lanterns');
    await guest.keyboard.press('Enter');
    await guest.getByText('yours to use').waitFor();
    await press(guest, /^To the key$/);
    await guest.getByRole('heading', { name: 'On another device' }).waitFor();
    await press(guest, /^A QR code$/, 'Space');
    await guest.getByAltText('QR code of the key').waitFor();
    const carried = guest.url();
    await guest.reload();
    await guest.goBack();
    await guest.goForward();
    await guest.waitForURL(carried);
    await press(guest, /^Back to the key$/);
    await guest.getByRole('heading', { name: 'On another device' }).waitFor();
    await press(guest, /^Open/);
    await guest.waitForURL(`${rig.mediaOrigin}/vod/summer/`);
    expect(await film(guest)).toBe(200);

    await owner.goto(shown);
    await owner.getByText('has the key').waitFor();
    await press(owner, /^Stop sharing/);
    await owner.getByRole('heading', { name: /Stop sharing/ }).waitFor();
    await press(owner, /^Stop sharing/);
    await owner.getByText('Sharing has stopped').waitFor();
    expect(await film(guest)).toBe(403);
  },
  60_000,
);

test.skipIf(!hasBrowser)(
  'with the keyboard alone: a link is made and opened, sharing stops and is given back, and one signs out and in',
  async () => {
    const owner = contexts[0]?.pages()[0];
    if (owner === undefined) throw new Error('the owner of the test before is gone');
    await owner.setViewportSize({ width: 1280, height: 800 });
    await owner.goto(`${rig.portalOrigin}/.latchkey/`);
    await press(owner, /^New link$/);
    await owner.getByRole('heading', { name: 'New link' }).waitFor();
    await tabTo(owner, /^To whom/);
    await tabTo(owner, /^What is it/);
    await owner.keyboard.type('By keyboard');
    await press(owner, /^Make the link$/);
    await owner.getByLabel('The address').waitFor();
    const url = await owner.getByLabel('The address').inputValue();

    const guest = await open();
    await guest.goto(url);
    await tabTo(guest, /mail address/i);
    await guest.keyboard.type('dora@example.org');
    await press(guest, /^Mail me a code$/, 'Space');
    await guest.getByRole('heading', { name: 'Look at your mail' }).waitFor();
    await tabTo(guest, /^Code from the mail/);
    await guest.keyboard.type((await mailTo('dora@example.org', /Your code: \d{6}/)).slice(-6));
    await guest.keyboard.press('Enter');
    await guest.getByRole('button', { name: 'Open it' }).waitFor();
    await press(guest, /^Open it$/, 'Space');
    await guest.waitForURL(`${rig.mediaOrigin}/vod/summer/`);
    expect(await film(guest)).toBe(200);

    await press(owner, /^Stop sharing/);
    await owner.getByRole('heading', { name: /Stop sharing/ }).waitFor();
    await press(owner, /^Stop sharing/);
    await owner.getByRole('button', { name: /Give back/ }).waitFor();
    expect(await film(guest)).toBe(403);
    await press(owner, /^Give back/, 'Space');
    await owner.getByRole('link', { name: /Stop sharing/ }).waitFor();
    expect(await film(guest)).toBe(200);

    await press(owner, /^Sign out$/);
    await owner.getByText('You are signed out').waitFor();
    await tabTo(owner, /^Mail address/);
    for (const context of contexts) await context.close();
  },
  60_000,
);
