// The claim of US 10,043,025, step by step, with two browser profiles as two devices of one person, on the demo's clip:
//   1. a link is made: a URL with location, key id and authorization token
//   2. the first request with the token comes from a signed-in user who is not on the access list
//   3. the user is told what the owner will see, says yes, is put on the list and granted access: the clip plays
//   4. a second device of that user, by its own session and with nothing of the first one, was refused before and passes now
//   5. nobody but the owner can take it back; the owner does, and both devices are refused
//   6. the owner gives it back, and both devices pass again; a pass from before stays refused
// A real demo, a real Chromium that plays H.264.

import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver, type Page, type Request } from 'playwright-core';
import { Client } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DemoProcess } from '../support/rigs/demo-process.ts';

const hasBrowser = process.platform === 'linux';

let demo: DemoProcess;
let browser: Browser;

/** A profile with everything that it ever sent. */
interface Profile {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly sent: Request[];
}

beforeAll(async () => {
  if (!hasBrowser) return;
  demo = await DemoProcess.start();
  browser = await driver.launch({
    executablePath: await chromium.executablePath(),
    args: [
      ...['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--autoplay-policy=no-user-gesture-required'],
    ],
  });
});

afterAll(async () => {
  await browser?.close();
  await demo?.dispose();
});

async function newProfile(): Promise<Profile> {
  const context = await browser.newContext();
  const sent: Request[] = [];
  context.on('request', (request) => sent.push(request));
  return { context, page: await context.newPage(), sent };
}

/** Opens a one-time sign-in link, and says yes. */
async function signIn({ page }: Profile, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
}

/** The sign-in links that the demo printed: the owner's, the guest's. */
function printedSignIns(): readonly string[] {
  return [...demo.printed.matchAll(/http:\/\/portal\S+sign-in\?code=\S+/g)].map(([url]) => url);
}

/** Asks as the operator does, over the administration socket. */
async function askOperator<T>(method: 'GET' | 'POST', path: string, shape: z.ZodType<T>, body?: object): Promise<T> {
  const client = new Client('http://localhost', { socketPath: join(demo.folder, 'state', 'run', 'admin.sock') });
  try {
    const answer = await client.request({
      method,
      path: `/v1/${path}`,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    return shape.parse(await answer.body.json());
  } finally {
    await client.close();
  }
}

/** Plays the clip of the present page for a few seconds' worth, fast. @returns the status of each segment */
async function playClip({ page, context }: Profile): Promise<number[]> {
  const segments: number[] = [];
  const note = (response: { url(): string; status(): number }): void => {
    if (/segment-\d+\.m4s/.test(response.url())) segments.push(response.status());
  };
  context.on('response', note);
  await page.evaluate(`(() => {
    const video = document.querySelector('video');
    video.muted = true;
    video.playbackRate = 4;
    return video.play();
  })()`);
  await page.waitForFunction(`document.querySelector('video').currentTime > 4`, undefined, { timeout: 120_000 });
  context.off('response', note);
  return segments;
}

async function expectPlays(profile: Profile): Promise<void> {
  const segments = await playClip(profile);
  expect(segments.length).toBeGreaterThan(0);
  expect(new Set(segments)).toEqual(new Set([200]));
}

/** What the media site saw so far. */
function siteRequests(): Record<string, unknown>[] {
  return demo.readLog('media-site.log');
}

describe.skipIf(!hasBrowser)('persistent access from a tokenized URL', () => {
  test('a link binds to the account that opens it first, follows it to a second device, and ends for both', async () => {
    const [ownerUrl = '', guestUrl = ''] = printedSignIns();
    const owner = await newProfile();
    const first = await newProfile();
    const second = await newProfile();
    const folder = demo.url(/media\.localhost:\d+\/vod\/summer\/$/).href;

    // 1. the owner makes a link
    await signIn(owner, ownerUrl);
    await owner.page.goto(new URL('/.latchkey/links/new', ownerUrl).href);
    await owner.page.getByLabel('What is it?').fill('Summer films');
    await owner.page.getByRole('button', { name: 'Make the link' }).click();
    await owner.page.getByText('Your link is ready').waitFor();
    const link = new URL(await owner.page.getByLabel('The address').inputValue());
    expect(link.href.startsWith(folder)).toBe(true);
    expect([...link.searchParams.keys()]).toEqual(['key', 'authtoken']);

    // both devices are signed in as one person, each with a session of its own
    await signIn(first, guestUrl);
    const accounts = await askOperator(
      'GET',
      'accounts',
      z.object({ accounts: z.array(z.looseObject({ id: z.string(), email: z.string() })) }),
    );
    const guest = accounts.accounts.find(({ email }) => email === 'guest@example.org');
    const another = await askOperator(
      'POST',
      `accounts/${guest?.id}/sign-in-link`,
      z.looseObject({ url: z.string() }),
      {},
    );
    await signIn(second, another.url);

    // 4a. the second device asks before the claim: known, and refused
    const before = await second.page.goto(folder);
    expect(before?.status()).toBe(403);
    expect(second.page.url()).toBe(folder);

    // 2. and 3. the first request with the token, and the yes to what the owner will see: claimed, the token is out of the address
    // from the first answer on, the clip plays
    const claimed = await first.page.goto(link.href);
    expect(claimed?.status()).toBe(200);
    expect(first.page.url()).not.toContain('authtoken');
    await first.page.getByRole('button', { name: 'Open it' }).click();
    await first.page.waitForURL(folder);
    await expectPlays(first);

    // 4b. the same question of the second device, which has its session and nothing else: the list answers now
    const asked = second.sent.length;
    const after = await second.page.goto(folder);
    expect(after?.status()).toBe(200);
    const [question] = second.sent.slice(asked);
    const fields = await question?.allHeaders();
    expect(question?.url()).toBe(folder);
    expect(fields?.cookie).toMatch(/latchkey=/);
    expect(fields?.cookie).not.toMatch(/latchkey_pass/);
    await expectPlays(second);
    for (const request of second.sent) expect(request.url()).not.toMatch(/[?&](?:key|authtoken)=/);

    // a copy of the URL is worth nothing to somebody else, and says so in words
    const stranger = await newProfile();
    const made = await askOperator('POST', 'accounts', z.looseObject({ account: z.string() }), {
      email: 'stranger@example.org',
      invited: false,
    });
    const strange = await askOperator(
      'POST',
      `accounts/${made.account}/sign-in-link`,
      z.looseObject({ url: z.string() }),
      {},
    );
    await signIn(stranger, strange.url);
    expect((await stranger.page.goto(link.href))?.status()).toBe(403);
    expect(stranger.page.url()).not.toContain('authtoken');

    // 5a. nobody but the owner can take it back: for others there is no such link
    const linkId = (link.searchParams.get('authtoken') ?? '').split('.')[0] ?? '';
    const linkPage = new URL(`/.latchkey/links/${linkId}`, ownerUrl).href;
    expect((await first.page.goto(linkPage))?.status()).toBe(404);
    // with a form of the guest's own, so that its token against forgery is good
    await first.page.goto(new URL('/.latchkey/account', ownerUrl).href);
    const answered = first.page.waitForResponse((response) => response.request().method() === 'POST');
    await first.page.evaluate(`(() => {
      const form = document.querySelector('main form[method=post]');
      form.setAttribute('action', '/.latchkey/links/${linkId}/revoke');
      form.submit();
    })()`);
    expect((await answered).status()).toBe(404);
    expect((await second.page.goto(folder))?.status()).toBe(200);

    // 5b. the owner takes it back, and from that answer on nothing passes
    await owner.page.goto(linkPage);
    await owner.page.getByRole('link', { name: 'Stop sharing' }).click();
    await owner.page.getByText('1 person loses access at once').waitFor();
    await owner.page.getByRole('button', { name: 'Stop sharing' }).click();
    await owner.page.getByText('Sharing has stopped').waitFor();
    const deadPass = (await first.context.cookies()).find(({ name }) => name === 'latchkey_pass');
    const seen = siteRequests().length;
    for (const { page } of [first, second]) {
      // with a query of its own: what a browser holds already is no question to anybody
      const playlist = await page.goto(new URL('master.m3u8?after', folder).href);
      expect(playlist?.status()).toBe(403);
      expect((await page.goto(`${folder}?after`))?.status()).toBe(403);
      expect(await page.locator('main').textContent()).toMatch(/stopped sharing Summer films on \d/);
    }
    expect(siteRequests().slice(seen)).toEqual([]);

    // whoever presents the revoked URL again is told so
    expect((await first.page.goto(link.href))?.status()).toBe(410);
    expect(await first.page.locator('main').textContent()).toMatch(/taken back|no longer|stopped sharing/i);
    expect(siteRequests().slice(seen)).toEqual([]);

    // 6. it was a mistake: given back within ten minutes, both devices pass again by new passes, and the old pass stays dead
    await owner.page.getByRole('button', { name: 'Give back' }).click();
    await owner.page.getByText('The link is given back').waitFor();
    if (deadPass === undefined) throw new Error('the claim gave no pass');
    const thief = await browser.newContext();
    await thief.addCookies([deadPass]);
    const old = await thief.newPage();
    await old.goto(`${folder}?old`);
    expect(old.url()).toContain('/.latchkey/login?');
    expect(siteRequests().slice(seen)).toEqual([]);
    for (const { page } of [first, second]) expect((await page.goto(`${folder}?again`))?.status()).toBe(200);
  });
});
