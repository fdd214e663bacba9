// Attack: consent by redirect. Chromium keeps `Sec-Fetch-Site: none` over redirects of other sites, so a link in a mail that leads over
// an attacker's site looks like an address that was typed. A real Chromium, two people, and a site of another registrable name
// (127.0.0.1, where latchkey is at *.localhost) that does what such sites can: redirect, frame, send forms.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import chromium from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium as driver, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLink } from '../../gateway/control/links/create-link.ts';
import { addSigningKey } from '../../gateway/control/signing-keys/change-signing-keys.ts';
import { type PortalProxy, startPortalProxy } from '../support/peers/portal-proxy.ts';
import { makePortal, type PortalRig, password } from '../support/rigs/portal-rig.ts';

const hasBrowser = process.platform === 'linux';
const operator = { kind: 'operator' } as const;

describe.skipIf(!hasBrowser)('a link that another site sends people to', () => {
  let browser: Browser;
  let portal: PortalRig;
  let proxy: PortalProxy;
  let foreign: Server;
  /** The fetch metadata that the browser sent with the requests that carried a token. */
  let presented: { readonly site: string | undefined; readonly dest: string | undefined }[];
  let link: { readonly url: string; readonly id: string };
  let contexts: BrowserContext[];

  beforeAll(async () => {
    browser = await driver.launch({
      executablePath: await chromium.executablePath(),
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
    });
  });

  afterAll(() => browser?.close());

  beforeEach(async () => {
    presented = [];
    contexts = [];
    let socketPath = '';
    proxy = await startPortalProxy(
      () => socketPath,
      ({ url = '', headers }, outgoing) => {
        if (url.includes('authtoken=')) {
          const [site, dest] = ['site', 'dest'].map((name) => headers[`sec-fetch-${name}`]?.toString());
          presented.push({ site, dest });
        }
        if (url.startsWith('/.latchkey/') || url.includes('authtoken=')) return false;
        outgoing.end('Arrived');
        return true;
      },
    );
    portal = await makePortal({ publicUrl: `http://portal.localhost:${proxy.port}` });
    socketPath = portal.socketPath;
    portal.clock.now = Math.floor(Date.now() / 1000);
    await portal.addAccount('ann@example.org');
    await portal.addAccount('owner@example.org');
    await addSigningKey(portal.context, { kind: 'operator' }, { purpose: 'content', id: null });
    const made = await createLink(portal.context, operator, { collection: 'summer', label: 'Films', requestId: null });
    if (made.kind !== 'created') throw new Error(made.kind);
    link = { url: made.url, id: made.link.id };
    foreign = createServer(({ url = '' }, outgoing) => {
      if (url === '/go') outgoing.writeHead(302, { location: link.url }).end();
      else if (url === '/again') outgoing.writeHead(307, { location: `http://127.0.0.1:${foreignPort()}/go` }).end();
      else {
        outgoing.setHeader('content-type', 'text/html');
        const form = `<form method="post" action="http://media.localhost:${proxy.port}/.latchkey/claim"><button>Win</button></form>`;
        outgoing.end(`<iframe src="${link.url.replaceAll('&', '&amp;')}"></iframe>${form}`);
      }
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    for (const context of contexts) await context.close();
    foreign.closeAllConnections();
    await new Promise((resolve) => foreign.close(resolve));
    await proxy.close();
  });

  function foreignPort(): number {
    return (foreign.address() as AddressInfo).port;
  }

  /** A person who is signed in at the portal and on the content's host. */
  async function signedIn(email: string): Promise<Page> {
    const context = await browser.newContext({ javaScriptEnabled: false });
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(`http://media.localhost:${proxy.port}/.latchkey/login?return=/vod/summer/`);
    await page.getByLabel('Mail address').fill(email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Arrived').waitFor();
    // long before the link is opened
    portal.clock.now += 60;
    return page;
  }

  /** The text of the owner's page about the link. */
  async function ownerSees(owner: Page): Promise<string> {
    await owner.goto(`http://portal.localhost:${proxy.port}/.latchkey/links/${link.id}`);
    return (await owner.locator('main').textContent()) ?? '';
  }

  async function members(): Promise<number> {
    return (await portal.store.sql.selectFrom('members').selectAll().execute()).length;
  }

  test.each(['/go', '/again'])(
    'through a redirect (%s) makes the person confirm first, and the owner learns of nobody before the yes',
    async (path) => {
      const [ann, owner] = [await signedIn('ann@example.org'), await signedIn('owner@example.org')];

      await ann.goto(`http://127.0.0.1:${foreignPort()}${path}`);

      // as if she had typed it
      expect(presented).toEqual([{ site: 'none', dest: 'document' }]);
      expect(ann.url()).toMatch(/^http:\/\/media\.localhost:\d+\/\.latchkey\/claim\?flow=[\w-]+$/);
      const page = (await ann.locator('main').textContent()) ?? '';
      for (const said of [
        'owner@example.org',
        'Films',
        'ann@example.org',
        'when you opened it',
        'which browsers you use',
      ]) {
        expect(page).toContain(said);
      }
      expect(await members()).toBe(0);
      expect(await ownerSees(owner)).not.toContain('ann@example.org');

      await ann.getByRole('button', { name: 'Open it' }).click();
      await ann.getByText('Arrived').waitFor();
      expect(new URL(ann.url()).pathname).toBe('/vod/summer/');
      expect(await members()).toBe(1);
      expect(await ownerSees(owner)).toContain('ann@example.org');

      // whoever is on the list is not asked again
      await ann.goto(`http://127.0.0.1:${foreignPort()}${path}`);
      await ann.getByText('Arrived').waitFor();
      expect(await members()).toBe(1);
    },
  );

  test('in a frame, or by a form of that site, claims nothing', async () => {
    const ann = await signedIn('ann@example.org');
    await ann.goto(`http://127.0.0.1:${foreignPort()}/`);
    await ann.waitForLoadState('load');
    // its cookies stay behind in a frame of another site, and it is no document
    expect(presented.map(({ dest }) => dest)).toEqual(['iframe']);
    await ann.getByRole('button', { name: 'Win' }).click();
    await ann.getByText('sent from another site').waitFor();
    expect(await members()).toBe(0);
  });
});
