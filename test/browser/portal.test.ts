// Every page of the portal in a real Chromium without JavaScript: it opens, it has its looks under its own policy, nothing is refused
// by that policy and nothing scrolls sideways on a phone. With LATCHKEY_SCREENSHOTS each is pictured in both themes and two widths.

import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAccount } from '../../gateway/control/accounts/create-account.ts';
import { addKey } from '../../gateway/control/keys/change-keys.ts';
import { startPortalProxy } from '../support/portal-proxy.ts';
import { makePortal, type PortalRig, password } from '../support/portal-rig.ts';

const folder = process.env.LATCHKEY_SCREENSHOTS ?? null;
const hasBrowser = process.platform === 'linux';

interface Place {
  readonly name: string;
  /** Path behind the reserved prefix, or what finds it out. */
  readonly path: string | ((portal: PortalRig, base: string) => Promise<string>);
  /** What to do on the page before it is looked at. */
  readonly act?: (page: Page) => Promise<unknown>;
}

interface OpenPortal {
  readonly portal: PortalRig;
  /** Address that pages begin with. */
  readonly base: string;
  readonly close: () => Promise<void>;
}

const forVisitors: readonly Place[] = [
  { name: 'type-the-code', path: 'open' },
  { name: 'open-elsewhere', path: 'open?code=ABCDEFG2' },
  { name: 'sign-in', path: 'login' },
  {
    name: 'sign-in-refused',
    path: 'login',
    act: async (page) => {
      await page.getByLabel('Mail address').fill('ann@example.org');
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
    },
  },
  { name: 'register', path: 'register' },
  { name: 'forgot', path: 'forgot' },
  {
    name: 'look-at-your-mail',
    path: 'forgot',
    act: async (page) => {
      await page.getByLabel('Mail address').fill('nobody@example.org');
      await page.getByRole('button').click();
    },
  },
  { name: 'sign-in-for-another-host', path: handoverPath },
  { name: 'invitation', path: invitationPath },
  {
    name: 'invitation-problem',
    path: invitationPath,
    act: async (page) => {
      await page.getByLabel('Choose a password').fill('short');
      await page.getByRole('button', { name: 'Accept' }).click();
    },
  },
  { name: 'mail-link-over', path: 'verify?code=none' },
  { name: 'not-there', path: 'nothing/here' },
  { name: 'signed-out', path: 'logout' },
];

const forPeople: readonly Place[] = [
  { name: 'home', path: '' },
  { name: 'devices', path: 'devices' },
  { name: 'devices-open', path: 'devices', act: (page) => page.locator('summary').first().click() },
  { name: 'account', path: 'account' },
  { name: 'account-open', path: 'account', act: openAll },
  {
    name: 'account-problem',
    path: 'account',
    act: async (page) => {
      await openAll(page);
      await page.getByLabel('New password').fill('short');
      await page.getByRole('button', { name: 'Change it' }).click();
    },
  },
  { name: 'sign-out', path: 'logout' },
  { name: 'links', path: 'links' },
  { name: 'link-new', path: 'links/new' },
  { name: 'all-links', path: 'admin/links' },
  { name: 'people', path: 'admin/accounts' },
  { name: 'invite', path: 'admin/accounts/invite' },
  {
    name: 'person',
    path: 'admin/accounts',
    act: (page) => page.getByRole('link', { name: 'ben@example.org' }).click(),
  },
  { name: 'my-links', path: 'links' },
  { name: 'new-link', path: 'links/new', act: openAll },
  {
    name: 'link-made',
    path: 'links/new',
    act: async (page) => {
      await page.getByLabel('What is it?').fill('Film night');
      await page.getByRole('button', { name: 'Make the link' }).click();
    },
  },
  {
    name: 'link',
    path: 'admin/links',
    act: async (page) => {
      await page.getByRole('link', { name: 'Film night' }).first().click();
      await openAll(page);
    },
  },
  { name: 'all-links', path: 'admin/links' },
  { name: 'keys', path: 'admin/keys' },
  { name: 'history', path: 'admin/audit' },
];

/** A sign-in page that was come to from a site behind the gateway. */
async function handoverPath(portal: PortalRig, base: string): Promise<string> {
  const start = await portal.visitor().get('http://media.localhost:8080/.latchkey/login?return=/vod/summer/');
  return (start.location ?? '').replace(base, '');
}

async function invitationPath(portal: PortalRig): Promise<string> {
  const operator = { kind: 'operator' } as const;
  invited += 1;
  const input = { email: `guest-${invited}@example.org`, displayName: 'Gus', invited: true };
  const made = await createAccount(portal.context, operator, input);
  return made.kind === 'created' ? `invitation?code=${made.invitation}` : '';
}
let invited = 0;

async function openAll(page: Page): Promise<void> {
  for (const summary of await page.locator('summary').all()) await summary.click();
}

describe.skipIf(!hasBrowser)('the portal in a browser without scripts', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
    });
  }, 60_000);

  afterAll(() => browser?.close());

  /** A portal with people in it, at an address that a browser can open. */
  async function openPortal(): Promise<OpenPortal> {
    let socketPath = '';
    const proxy = await startPortalProxy(() => socketPath);
    const origin = `http://portal.localhost:${proxy.port}`;
    const portal = await makePortal({ publicUrl: origin });
    socketPath = portal.socketPath;
    portal.clock.now = Math.floor(Date.now() / 1000) - 40 * 60;
    await portal.addAccount('ann@example.org', 'admin');
    await portal.addAccount('ben@example.org');
    portal.configure((config) => ({
      ...config,
      collections: config.collections.map((collection) => ({ ...collection, owners: ['ann@example.org'] })),
    }));
    await portal.addAccount('a-very-long-name-that-somebody-really-has-in-a-company@department.example.org');
    await addKey(portal.context, { kind: 'operator' }, { purpose: 'content', id: null });
    await portal.visitor({ origin }).signIn('ann@example.org');
    portal.clock.now += 38 * 60;
    return { portal, base: `${origin}/.latchkey/`, close: proxy.close };
  }

  async function look(
    context: BrowserContext,
    opened: OpenPortal,
    place: Place,
    picture: string | null,
  ): Promise<void> {
    const { portal, base } = opened;
    const path = typeof place.path === 'string' ? place.path : await place.path(portal, base);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      // a page with a status of 4xx is what some of these places are about
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
        complaints.push(message.text());
    });
    await page.goto(`${base}${path}`);
    await place.act?.(page);
    await page.waitForLoadState('load');
    expect(complaints, place.name).toEqual([]);
    const measured = await page.evaluate<{ width: number; inner: number; styled: string; headings: number }>(`({
      width: document.documentElement.scrollWidth,
      inner: innerWidth,
      styled: getComputedStyle(document.body).display,
      headings: document.querySelectorAll('h1').length,
    })`);
    expect([place.name, measured.styled, measured.headings]).toEqual([place.name, 'flex', 1]);
    expect(measured.width, `${place.name} scrolls sideways`).toBeLessThanOrEqual(measured.inner);
    if (picture !== null) await page.screenshot({ path: picture, fullPage: true });
    await page.close();
  }

  async function lookAtAll(opened: OpenPortal, theme: 'light' | 'dark', width: number): Promise<void> {
    const options = { colorScheme: theme, viewport: { width, height: 800 }, javaScriptEnabled: false } as const;
    const pictureOf = (name: string): string | null => folder && join(folder, `${name}.${theme}.${width}.png`);
    const visitor = await browser.newContext(options);
    for (const place of forVisitors) await look(visitor, opened, place, pictureOf(place.name));
    await visitor.close();
    const person = await browser.newContext(options);
    const page = await person.newPage();
    await page.goto(`${opened.base}login`);
    await page.getByLabel('Mail address').fill('ann@example.org');
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Welcome' }).waitFor();
    await page.close();
    for (const place of forPeople) await look(person, opened, place, pictureOf(place.name));
    await person.close();
  }

  test('each page opens, keeps its own policy and fits a phone', async () => {
    const opened = await openPortal();
    try {
      await lookAtAll(opened, 'dark', 390);
      if (folder === null) return;
      await lookAtAll(opened, 'light', 390);
      await lookAtAll(opened, 'dark', 1280);
      await lookAtAll(opened, 'light', 1280);
    } finally {
      await opened.close();
    }
  }, 240_000);
});
