// Every page of the portal in a real Chromium without JavaScript: it opens, it has its looks under its own policy, nothing is refused
// by that policy, nothing scrolls sideways on a narrow phone, no answer may be kept or tells where somebody came from, and what a
// machine can find wrong for people who cannot see well is not there: by checks of our own, and by axe-core. From each one can go on.
// With LATCHKEY_SCREENSHOTS each is pictured in both themes and two widths.

import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium as driver,
  type Page,
  type Response,
} from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLink } from '../../gateway/control/links/create-link.ts';
import { addSigningKey } from '../../gateway/control/signing-keys/change-signing-keys.ts';
import { startPortalProxy } from '../support/peers/portal-proxy.ts';
import { makePortal, type PortalRig, password } from '../support/rigs/portal-rig.ts';
import { type AxeTab, openAxeTab } from './axe-faults.ts';
import { forGivers, forOffered, forRecipients, type KeySet, makeKeys } from './key-places.ts';
import {
  come,
  edgePages,
  forGuests,
  forOwners,
  invitationPath,
  type LinkSet,
  makeLinks,
  moreForVisitors,
  nameBadly,
  openAll,
  type Place,
} from './link-places.ts';
import { pageFaults } from './page-faults.ts';

const folder = process.env.LATCHKEY_SCREENSHOTS ?? null;
const hasBrowser = process.platform === 'linux';
const patienceMs = folder === null ? 240_000 : 1_800_000;

interface OpenPortal {
  readonly portal: PortalRig;
  /** Address that pages begin with. */
  readonly base: string;
  readonly links: LinkSet;
  readonly keys: KeySet;
  readonly close: () => Promise<void>;
}

/** The file that a page is pictured in; null where only checks are made. */
type PictureOf = (name: string) => string | null;

const forVisitors: readonly Place[] = [
  { name: 'type-the-code', path: 'open', isPassed: true },
  { name: 'sign-in', path: 'login', isPassed: true },
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
  { name: 'forgot', path: 'forgot', isPassed: true },
  {
    name: 'look-at-your-mail',
    path: 'forgot',
    act: async (page) => {
      await page.getByLabel('Mail address').fill('nobody@example.org');
      await page.getByRole('button').click();
    },
  },
  { name: 'sign-in-for-another-host', path: handoverPath },
  { name: 'invitation', path: invitationPath, isPassed: true },
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
  { name: 'sign-in-after', path: 'login?done=deleted', isPassed: true },
  {
    name: 'sign-in-empty',
    path: 'login',
    act: (page) => page.getByRole('button', { name: 'Sign in' }).click(),
    isPassed: true,
  },
];

const forPeople: readonly Place[] = [
  { name: 'home', path: '' },
  { name: 'devices', path: 'devices', isPassed: true },
  { name: 'devices-open', path: 'devices', act: (page) => page.locator('summary').first().click() },
  { name: 'devices-done', path: 'devices?done=named', isPassed: true },
  { name: 'account', path: 'account', isPassed: true },
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
  { name: 'people', path: 'admin/accounts', isPassed: true },
  { name: 'people-none', path: 'admin/accounts?search=zzz', isPassed: true },
  { name: 'invite', path: 'admin/accounts/invite' },
  {
    name: 'person',
    path: 'admin/accounts',
    act: (page) => page.getByRole('link', { name: 'ben@example.org' }).click(),
  },
  { name: 'links', path: 'links' },
  { name: 'link-new', path: 'links/new', isPassed: true },
  { name: 'link-new-open', path: 'links/new', act: openAll },
  {
    name: 'link-new-problem',
    path: 'links/new',
    act: async (page) => {
      await page.getByLabel('How many people').fill('0');
      await page.getByRole('button', { name: 'Make the link' }).click();
    },
    isPassed: true,
  },
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

/** What the head of an answer leaves open: pages and the redirects between them hold secrets and names. */
function loose(response: Response): string[] {
  const headers = response.headers();
  const isPage = (headers['content-type'] ?? '').startsWith('text/html');
  const policy = headers['content-security-policy'] ?? '';
  const faults = [
    headers['cache-control'] === 'no-store' ? '' : 'may be kept',
    ['no-referrer', 'same-origin'].includes(headers['referrer-policy'] ?? '') ? '' : 'tells where somebody came from',
    headers['x-content-type-options'] === 'nosniff' ? '' : 'may be read as something else',
    !isPage || /^default-src 'none'; .*frame-ancestors 'none'$/.test(policy) ? '' : 'has no policy',
    policy.includes('unsafe') || /script-src (?!'sha256-[\w+/]{43}='(?:;|$))/.test(policy) ? 'lets scripts run' : '',
  ];
  return faults.filter((fault) => fault !== '').map((fault) => `${response.status()} ${response.url()} ${fault}`);
}

describe.skipIf(!hasBrowser)('the portal in a browser without scripts', () => {
  let browser: Browser;
  let axe: AxeTab;

  beforeAll(async () => {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
    });
    axe = await openAxeTab(browser);
  });

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
      routes: config.routes.map((route) => ({ ...route, host: 'media.localhost', path: '/vod/' })),
    }));
    const guest = 'a-very-long-name-that-somebody-really-has-in-a-company@department.example.org';
    await portal.addAccount(guest);
    const links = await makeLinks(portal, guest);
    const keys = await makeKeys(portal, 'ann@example.org', 'ben@example.org');
    await addSigningKey(portal.context, { kind: 'operator' }, { purpose: 'content', id: null });
    await portal.visitor({ origin }).signIn('ann@example.org');
    portal.clock.now += 38 * 60;
    return { portal, base: `${origin}/.latchkey/`, links, keys, close: proxy.close };
  }

  /** Checks that hold for every page. */
  async function check(page: Page, name: string): Promise<void> {
    await page.waitForLoadState('load');
    const measured = await page.evaluate<{ width: number; inner: number; styled: string; headings: number }>(`({
      width: document.documentElement.scrollWidth,
      inner: innerWidth,
      styled: getComputedStyle(document.body).display,
      headings: document.querySelectorAll('h1').length,
    })`);
    expect([name, measured.styled, measured.headings]).toEqual([name, 'flex', 1]);
    expect(measured.width, `${name} scrolls sideways`).toBeLessThanOrEqual(measured.inner);
    expect.soft(await page.evaluate(pageFaults), name).toEqual([]);
  }

  /** Opens and checks places one after the other, in one tab. */
  async function lookAt(places: readonly Place[], context: BrowserContext, opened: OpenPortal, pictureOf: PictureOf) {
    const { portal, base } = opened;
    const page = await context.newPage();
    let complaints: string[] = [];
    let documents: Response[] = [];
    page.on('response', (response) => {
      if (response.request().isNavigationRequest()) documents.push(response);
    });
    page.on('console', (message) => {
      // a page with a status of 4xx is what some of these places are about
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
        complaints.push(message.text());
    });
    for (const { name, path, act, isPassed = false } of places) {
      const picture = pictureOf(name);
      if (isPassed && picture === null) continue;
      complaints = [];
      documents = [];
      const found = typeof path === 'string' ? path : await path(portal, base);
      await page.goto(found.startsWith('http') ? found : `${base}${found}`);
      await check(page, name);
      if (act !== undefined) {
        await act(page);
        await check(page, name);
      }
      expect.soft(await axe.faults(page), name).toEqual([]);
      expect(complaints, name).toEqual([]);
      expect(documents.length, name).toBeGreaterThan(0);
      expect(documents.flatMap(loose), name).toEqual([]);
      if (picture !== null) await page.screenshot({ path: picture, fullPage: true });
    }
    await page.close();
  }

  async function lookAtAll(opened: OpenPortal, theme: 'light' | 'dark', width: number): Promise<void> {
    const options = { colorScheme: theme, viewport: { width, height: 800 }, javaScriptEnabled: false } as const;
    const pictureOf: PictureOf = (name) => folder && join(folder, `${name}.${theme}.${width}.png`);
    const { portal, links, keys } = opened;
    const asIs = portal.context.config();
    await portal.store.write((unit) => unit.sql.deleteFrom('throttles').execute());
    const visitor = await browser.newContext(options);
    await lookAt([...forVisitors, ...moreForVisitors, ...forOffered(keys)], visitor, opened, pictureOf);
    await lookAtEdge(visitor, pictureOf);
    nameBadly(portal);
    await lookAt([{ name: 'long-name', path: 'login' }], visitor, opened, pictureOf);
    portal.configure(() => asIs);
    await visitor.close();
    const owner = await signedIn(options, opened, 'ann@example.org');
    await lookAt([...forPeople, ...forOwners(links), ...forGivers(keys)], owner, opened, pictureOf);
    nameBadly(portal);
    await lookAt([{ name: 'long-name-home', path: '' }], owner, opened, pictureOf);
    portal.configure(() => asIs);
    await owner.close();
    const guest = await signedIn(options, opened, 'ben@example.org');
    // who signs in in the second in which a link is opened did so for the link
    portal.clock.now += 1;
    await lookAt([...forGuests(links), ...forRecipients(keys)], guest, opened, pictureOf);
    await guest.close();
  }

  async function signedIn(options: BrowserContextOptions, { base }: OpenPortal, email: string) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(`${base}login`);
    await page.getByLabel('Mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Welcome' }).waitFor();
    await page.close();
    return context;
  }

  async function lookAtEdge(context: BrowserContext, pictureOf: PictureOf): Promise<void> {
    const page = await context.newPage();
    for (const { name, html } of edgePages) {
      await page.setContent(html);
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), name).toBe(true);
      const faults = [...(await page.evaluate<string[]>(pageFaults)), ...(await axe.faults(page))];
      expect.soft(faults, name).toEqual([]);
      const picture = pictureOf(name);
      if (picture !== null) await page.screenshot({ path: picture, fullPage: true });
    }
    await page.close();
  }

  test('a person who signs in or says yes arrives at a site that redirects to another origin at once', async () => {
    let socketPath = '';
    const referrers: (string | undefined)[] = [];
    const proxy = await startPortalProxy(
      () => socketPath,
      ({ headers: { host = '', referer }, url = '' }, outgoing) => {
        if (url.startsWith('/.latchkey/') || url.includes('authtoken=')) return false;
        referrers.push(referer);
        if (host.startsWith('elsewhere.')) outgoing.end('Arrived');
        else outgoing.writeHead(302, { location: `http://elsewhere.localhost:${proxy.port}/` }).end();
        return true;
      },
    );
    const context = await browser.newContext({ javaScriptEnabled: false });
    try {
      const portal = await makePortal({ publicUrl: `http://portal.localhost:${proxy.port}` });
      socketPath = portal.socketPath;
      portal.clock.now = Math.floor(Date.now() / 1000);
      await portal.addAccount('ann@example.org');
      await addSigningKey(portal.context, { kind: 'operator' }, { purpose: 'content', id: null });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      const arrive = async (button: string): Promise<void> => {
        const places = Number(await page.evaluate('history.length'));
        await page.getByRole('button', { name: button }).click();
        await page.getByText('Arrived').waitFor();
        expect([new URL(page.url()).hostname, complaints]).toEqual(['elsewhere.localhost', []]);
        // one step: the page in between is no place to come back to
        expect(await page.evaluate('history.length')).toBe(places + 1);
      };
      // from the site to the portal and back: the code in that way is in no referrer
      const folder = `http://media.localhost:${proxy.port}/vod/summer/`;
      await page.goto(new URL('/.latchkey/login?return=/vod/summer/', folder).href);
      await page.getByLabel('Mail address').fill('ann@example.org');
      await page.getByLabel('Password').fill(password);
      await arrive('Sign in');
      // a link that a page of somebody else's led to: asked first, then claimed
      const operator = { kind: 'operator' } as const;
      const link = { collection: 'summer', label: 'Films', requestId: null };
      const made = await createLink(portal.context, operator, link);
      if (made.kind !== 'created') throw new Error(made.kind);
      portal.clock.now += 60;
      await come(made.url)(page);
      await arrive('Open it');
      // a code of another device, typed in on the portal for a place on another host
      await page.goto(`http://portal.localhost:${proxy.port}/.latchkey/links`);
      await page.getByRole('button', { name: /on another device/ }).click();
      const code = (await page.locator('.code.big').textContent()) ?? '';
      await page.goto(`http://portal.localhost:${proxy.port}/.latchkey/open`);
      await page.getByLabel('The code').fill(code);
      await page.getByRole('button', { name: 'Open' }).click();
      await page.getByText('wants to open this here').waitFor();
      await arrive('Open');
      expect(new Set(referrers)).toEqual(new Set([undefined]));
    } finally {
      await context.close();
      await proxy.close();
    }
  }, 60_000);

  test(
    'each page opens, keeps its own policy and fits a phone',
    async () => {
      const opened = await openPortal();
      try {
        // without pictures the width of a wide page at four times its size (WCAG 2.2, 1.4.10), narrower than any phone
        await lookAtAll(opened, 'dark', folder === null ? 320 : 390);
        if (folder === null) return;
        await lookAtAll(opened, 'light', 390);
        await lookAtAll(opened, 'dark', 1280);
        await lookAtAll(opened, 'light', 1280);
      } finally {
        await opened.close();
      }
    },
    patienceMs,
  );
});
