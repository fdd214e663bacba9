// The one script of the pages, in a real Chromium far from UTC: times, date fields, the button that copies; and that nothing else runs.

import chromium from '@sparticuz/chromium';
import { type Browser, chromium as driver } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageScript } from '../../gateway/api/look/page-script.ts';
import { createLink } from '../../gateway/control/links/create-link.ts';
import { startPortalProxy } from '../support/peers/portal-proxy.ts';
import { makePortal, password } from '../support/rigs/portal-rig.ts';
import { openAll } from './link-places.ts';

const clockParts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: 'America/New_York' } as const;
const newYork = new Intl.DateTimeFormat('en-US', clockParts);

describe.skipIf(process.platform !== 'linux')('the script of the pages', () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
    });
  });

  afterAll(() => browser?.close());

  test('times and date fields are in the zone of the browser, and no other script runs', async () => {
    let socketPath = '';
    const proxy = await startPortalProxy(() => socketPath);
    const origin = `http://portal.localhost:${proxy.port}`;
    const context = await browser.newContext({ timezoneId: 'America/New_York', locale: 'en-US' });
    try {
      const portal = await makePortal({ publicUrl: origin });
      socketPath = portal.socketPath;
      portal.clock.now = Math.floor(Date.now() / 1000);
      await portal.addAccount('ann@example.org', 'admin');
      const claimUntilAt = Math.floor(portal.clock.now / 60) * 60 + 30 * 86_400;
      const request = { collection: 'summer', label: 'Films', claimUntilAt, requestId: null };
      const made = await createLink(portal.context, { kind: 'operator' }, request);
      if (made.kind !== 'created') throw new Error(made.kind);
      const page = await context.newPage();
      await page.goto(`${origin}/.latchkey/login?return=/.latchkey/links/${made.link.id}`);
      await page.getByLabel('Mail address').fill('ann@example.org');
      await page.getByLabel('Password').fill(password);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Films' }).waitFor();

      const times = await page.evaluate<{ text: string; title: string; moment: string }[]>(
        `[...document.querySelectorAll('time')].map((time) => ({ text: time.textContent, title: time.title, moment: time.dateTime }))`,
      );
      expect(times.map(({ text }) => text.slice(-7))).toEqual(
        times.map(({ moment }) => `, ${newYork.format(new Date(moment))}`),
      );
      for (const { title } of times) expect(title).toMatch(/ at \d\d:\d\d:\d\d GMT-[45]$/);
      expect(times.length).toBeGreaterThan(1);

      await openAll(page);
      const field = page.getByLabel('New people until (your time)');
      expect((await field.inputValue()).slice(11)).toBe(newYork.format(new Date(claimUntilAt * 1000)));
      await page.getByRole('button', { name: 'Save' }).click();
      await page.waitForURL(/done=/);
      // the wall time of the browser went out, and the same moment came back
      expect(await field.getAttribute('data-moment')).toBe(new Date(claimUntilAt * 1000).toISOString());

      // what came into the page in some other way does not run
      await page.evaluate(`(() => {
        const script = document.createElement('script');
        script.textContent = 'document.title = "ran"';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="document.title = \\'ran\\'">');
      })()`);
      await page.waitForLoadState('networkidle');
      expect(await page.title()).not.toBe('ran');
    } finally {
      await context.close();
      await proxy.close();
    }
  }, 60_000);

  test('a button copies an address and says so, and is hidden where no script runs', async () => {
    const document = `<p id="address"> https://media.example/vod/?key=a&amp;authtoken=b </p>
<button type="button" hidden data-copy="address">Copy</button>`;
    const copied = await copiedOn(`${document}<script>${pageScript}</script>`, true);
    expect(copied).toEqual({ said: 'Copied', text: 'https://media.example/vod/?key=a&authtoken=b' });
    expect(await copiedOn(document, false)).toBe(null);
  });

  async function copiedOn(
    document: string,
    javaScriptEnabled: boolean,
  ): Promise<{ said: string | null; text: string } | null> {
    const context = await browser.newContext({ javaScriptEnabled, permissions: ['clipboard-read', 'clipboard-write'] });
    try {
      const page = await context.newPage();
      await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: document }));
      await page.goto('http://portal.localhost/');
      const button = page.getByRole('button', { name: 'Copy' });
      if (!(await button.isVisible())) return null;
      await button.click();
      const said = page.getByRole('status').filter({ hasText: /./ });
      await said.waitFor();
      return { said: await said.textContent(), text: await page.evaluate<string>('navigator.clipboard.readText()') };
    } finally {
      await context.close();
    }
  }
});
