// A guest without an account, played through in a real Chromium against a whole node: from a link over the mail to the bytes of the film, and to
// the end of the access. Once in the browser that opened the link, and once on a phone whose mail app has a browser of its own. With
// LATCHKEY_SCREENSHOTS each page on the way is pictured.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeRig } from '../support/rigs/node-rig.ts';

const hasBrowser = process.platform === 'linux';
const pictures = process.env.LATCHKEY_SCREENSHOTS ?? null;
const guest = 'mina@example.org';
const phoneGuest = 'aunt.may@example.org';

let rig: NodeRig;
let browser: Browser;

beforeAll(async () => {
  if (!hasBrowser) return;
  [rig, browser] = await Promise.all([
    NodeRig.start({ stores: ['sqlite'], edges: 2, people: 0 }),
    chromium.executablePath().then((executablePath) =>
      driver.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
      }),
    ),
  ]);
  await rig.signIn(rig.owner);
});

afterAll(async () => {
  await browser?.close();
  await rig?.close();
});

/** The newest mail of a kind to an address, once it was sent. */
async function mailTo(address: string, kind: string): Promise<string> {
  let text = '';
  await expect
    .poll(
      () => {
        text = mails().findLast((mail) => mail.to === address && mail.kind === kind)?.text ?? '';
        return text;
      },
      { timeout: 10_000, interval: 20 },
    )
    .not.toBe('');
  return text;
}

function mails(): readonly { readonly to: string; readonly kind: string; readonly text: string }[] {
  try {
    const lines = readFileSync(join(rig.folder, 'n0', 'mails.log'), 'utf8')
      .trim()
      .split('\n');
    return lines.map((line) => JSON.parse(line));
  } catch {
    // no mail yet, or one that is being written
    return [];
  }
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== null) await page.screenshot({ path: join(pictures, `guest-${name}.png`), fullPage: true });
}

/** What the owner will see of the guest stands on every page from here to the question. */
async function expectsToBeTold(page: Page): Promise<void> {
  const said = (await page.locator('main').textContent()) ?? '';
  for (const words of ['Film night', rig.owner.email, 'address', 'when you were last here', 'which browsers you use'])
    expect(said, page.url()).toContain(words);
}

/** Types the address on the sign-in page of a link. */
async function askForCode(page: Page, url: string, address: string): Promise<void> {
  await page.goto(url);
  await expectsToBeTold(page);
  await picture(page, `1-sign-in-${address}`);
  await page.getByLabel('Your mail address').fill(address);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Look at your mail' }).waitFor();
  await expectsToBeTold(page);
  await picture(page, `2-code-${address}`);
}

/** Says yes to the question, and fetches the film as a player does. */
async function openFilm(page: Page, address: string): Promise<void> {
  await page.getByRole('button', { name: 'Open it' }).waitFor();
  await expectsToBeTold(page);
  expect(await page.locator('main').textContent()).toContain(address);
  await picture(page, `4-question-${address}`);
  await page.getByRole('button', { name: 'Open it' }).click();
  await page.waitForURL(`${rig.mediaOrigin}/vod/summer/`);
  const film = await page.goto(`${rig.mediaOrigin}/vod/summer/film.mp4`);
  expect([film?.status(), await film?.text()]).toEqual([200, 'content']);
}

/** Nothing of the link opens any more, and the page says so. */
async function expectsTheEnd(page: Page, url: string, name: string): Promise<void> {
  const film = await page.goto(`${rig.mediaOrigin}/vod/summer/film.mp4`);
  expect([403, 410]).toContain(film?.status());
  expect(await film?.text()).not.toBe('content');
  expect(await page.locator('main').textContent()).toMatch(/no access|ended|stopped/);
  await picture(page, `5-film-ended-${name}`);
  const link = await page.goto(url);
  expect(link?.status()).toBe(410);
  expect(await page.locator('main').textContent()).toMatch(/taken back|ended|stopped/);
  await picture(page, `6-link-ended-${name}`);
}

test.skipIf(!hasBrowser)(
  'a guest without an account comes from the link to the film, in the same browser and by a phone’s mail app, until it ends',
  async () => {
    const { url, id } = await rig.makeLink(2);
    const contexts: BrowserContext[] = [];
    const open = async (width: number): Promise<Page> => {
      const context = await browser.newContext({ viewport: { width, height: 800 }, javaScriptEnabled: width > 400 });
      contexts.push(context);
      return await context.newPage();
    };

    const desk = await open(1280);
    await askForCode(desk, url, guest);
    const digits = /Your code: (\d{6})/.exec(await mailTo(guest, 'sign-in-code'))?.[1] ?? '';
    await desk.getByLabel('Code from the mail').fill(digits);
    await desk.keyboard.press('Enter');
    await openFilm(desk, guest);

    // the phone's own browser opens the link; the mail app opens the mail's in a browser that knows nothing
    const phone = await open(390);
    await askForCode(phone, url, phoneGuest);
    const inMail = /http:\S+\/enter\?code=\S+/.exec(await mailTo(phoneGuest, 'sign-in-code'))?.[0] ?? '';
    const app = await open(390);
    await app.goto(inMail);
    await expectsToBeTold(app);
    expect(await app.locator('main').textContent()).toContain(`signs you in as ${phoneGuest}`);
    expect(await app.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    await picture(app, '3-enter');
    await app.getByRole('button', { name: 'Go on' }).click();
    await openFilm(app, phoneGuest);
    // who asked in the first browser is not signed in by what the mail app did
    expect((await phone.context().cookies()).map(({ name }) => name)).not.toContain('latchkey');

    expect((await rig.order(`links/${id}/revoke`)).status).toBe(200);
    await expectsTheEnd(desk, url, guest);
    await expectsTheEnd(app, url, phoneGuest);
    for (const context of contexts) await context.close();
  },
  60_000,
);
