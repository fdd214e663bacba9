// The pages about links, mails and errors, for portal.test.ts, with the steps that have to come before each page can be opened.
// Labels and names are as long and as hostile as people and attackers make them.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { createAccount } from '../../gateway/control/accounts/create-account.ts';
import { createLink } from '../../gateway/control/links/create-link.ts';
import { revokeLink } from '../../gateway/control/links/revoke-link.ts';
import { findWording, errorPage as refusalPage } from '../../gateway/edge/answer/refusal-texts.ts';
import type { PortalRig } from '../support/rigs/portal-rig.ts';

type NewLink = Parameters<typeof createLink>[2];

export interface Place {
  readonly name: string;
  /** Path behind the reserved prefix or a whole address, or what finds it out. */
  readonly path: string | ((portal: PortalRig, base: string) => Promise<string>);
  /** What to do on the page before it is looked at a second time, and pictured. */
  readonly act?: (page: Page) => Promise<unknown>;
  /** Another place is this one before its `act`, or with other words: here only for its picture. */
  readonly isPassed?: boolean;
}

const operator = { kind: 'operator' } as const;
const hostileLabel =
  'Sommer 2026 <b>Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen</b> "&amp;" für alle, die dabei waren';
const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

/** Links in each of their states, by the page that they show. */
export interface LinkSet {
  readonly ask: string;
  readonly full: string;
  readonly revoked: string;
  readonly late: string;
  readonly over: string;
  readonly early: string;
  /** Id of the link that was taken back. */
  readonly revokedId: string;
  /** Id of a link with somebody who came in. */
  readonly claimedId: string;
}

/** @param guest  somebody with an account who opens two of them. The clock goes on by some minutes. */
export async function makeLinks(portal: PortalRig, guest: string): Promise<LinkSet> {
  const soon = portal.clock.now + 60;
  const make = async (fields: Partial<NewLink>) => {
    const made = await createLink(portal.context, operator, {
      collection: 'summer',
      label: hostileLabel,
      requestId: null,
      ...fields,
    });
    if (made.kind !== 'created') throw new Error(`no link: ${JSON.stringify(made)}`);
    return { url: made.url, id: made.link.id };
  };
  const claimed = await make({ claimsAllowed: 3, claimUntilAt: soon + 30 * 86400, methods: ['GET', 'HEAD'] });
  const full = await make({ path: '/vod/summer/one/' });
  const revoked = await make({});
  await revokeLink(portal.context, operator, revoked.id, null);
  const late = await make({ claimUntilAt: soon });
  const over = await make({ accessUntilAt: soon });
  const early = await make({ claimFromAt: soon + 30 * 86400 });
  const ask = await make({ accessUntilAt: soon + 90 * 86400 });
  const origin = new URL(claimed.url).origin;
  const visitor = portal.visitor({ origin: portal.context.config().portal?.publicUrl ?? '' });
  await visitor.signIn(guest);
  await visitor.follow(await visitor.get(`${origin}/.latchkey/login?return=%2Fvod%2Fsummer%2F`));
  // the narrow one first: who has the whole collection spends no claim on a part of it
  for (const { url } of [full, claimed]) await visitor.openLink(url, direct);
  portal.clock.now += 5 * 60;
  return {
    ask: ask.url,
    full: full.url,
    revoked: revoked.url,
    late: late.url,
    over: over.url,
    early: early.url,
    revokedId: revoked.id,
    claimedId: claimed.id,
  };
}

/** Follows a link that stands on a page of somebody else's. */
export function come(url: string): (page: Page) => Promise<unknown> {
  return async (page) => {
    await page.goto('about:blank');
    await page.setContent(`<a href="${url.replaceAll('&', '&amp;')}">go</a>`);
    await page.getByText('go').click();
    await page.waitForLoadState('load');
  };
}

/** Pages for a signed-in person who owns nothing. */
export function forGuests(links: LinkSet): readonly Place[] {
  const { origin } = new URL(links.ask);
  return [
    { name: 'home-of-a-guest', path: '', isPassed: true },
    { name: 'links-none', path: 'links', isPassed: true },
    { name: 'link-question', path: 'links', act: come(links.ask) },
    { name: 'link-used', path: links.full },
    { name: 'link-taken-back', path: links.revoked },
    { name: 'link-came-late', path: links.late },
    { name: 'link-time-over', path: links.over },
    { name: 'link-not-yet', path: links.early },
    { name: 'link-cut-off', path: `${origin}/vod/summer/?key=x&authtoken=y` },
    { name: 'link-open-too-long', path: `${origin}/.latchkey/claim?flow=none` },
    { name: 'another-account', path: `${origin}/.latchkey/logout?return=%2Fvod%2Fsummer%2F` },
    { name: 'not-an-administrator', path: 'admin/keys' },
  ];
}

/** Pages for the owner. */
export function forOwners(links: LinkSet): readonly Place[] {
  return [
    { name: 'link-page', path: `links/${links.claimedId}`, isPassed: true },
    { name: 'link-page-open', path: `links/${links.claimedId}`, act: openAll },
    { name: 'link-page-done', path: `links/${links.revokedId}?done=revoked`, isPassed: true },
    {
      name: 'link-made-for-hostile-label',
      path: 'links/new',
      act: async (page) => {
        await page.getByLabel('What is it').first().fill(hostileLabel);
        await page.locator('main form button').last().click();
      },
    },
    {
      name: 'another-device',
      path: 'links',
      isPassed: true,
      act: (page) =>
        page
          .getByRole('button', { name: /on another device/ })
          .first()
          .click(),
    },
    {
      name: 'another-device-more',
      path: 'links',
      act: async (page) => {
        await page
          .getByRole('button', { name: /on another device/ })
          .first()
          .click();
        await openAll(page);
      },
    },
  ];
}

/** Pages for a visitor who is not signed in. */
export const moreForVisitors: readonly Place[] = [
  { name: 'sign-in-for-a-link', path: (portal) => signInForLink(portal) },
  { name: 'mailed-digits', path: (portal) => signInForLink(portal), act: askForDigits },
  {
    name: 'mailed-digits-wrong',
    path: (portal) => signInForLink(portal),
    act: async (page) => {
      await askForDigits(page);
      await page.getByLabel('Code from the mail').fill('12');
      await page.getByRole('button', { name: 'Go on' }).click();
      await openAll(page);
    },
  },
  { name: 'enter-by-mail', path: enterPath },
  { name: 'confirm-address', path: (portal, base) => verifyPath(portal, base) },
  { name: 'reset-password', path: (portal, base) => resetPath(portal, base) },
  { name: 'sign-in-link', path: signInLinkPath },
  { name: 'use-this-address', path: addressPath },
  { name: 'code-scanned', path: 'open?code=ABCDEFGH' },
  {
    name: 'code-refused',
    path: 'open',
    act: async (page) => {
      await page.getByLabel('The code').fill('ABCD-EFGH');
      await page.getByRole('button', { name: 'Open' }).click();
    },
  },
  {
    name: 'too-many-tries',
    path: 'open',
    act: async (page) => {
      for (let tries = 0; tries < 12; tries++) {
        await page.getByLabel('The code').fill('ABCD-EFGH');
        await page.getByRole('button', { name: 'Open' }).click();
        await page.waitForLoadState('load');
        if ((await page.getByLabel('The code').count()) === 0) return;
      }
    },
  },
];

/** The address that a link leads somebody to who is not signed in. */
async function signInForLink(portal: PortalRig): Promise<string> {
  const made = await createLink(portal.context, operator, {
    collection: 'summer',
    label: hostileLabel,
    requestId: null,
  });
  if (made.kind !== 'created') throw new Error(made.kind);
  const visitor = portal.visitor({ headers: direct });
  return (await visitor.get(made.url)).location ?? '';
}

async function askForDigits(page: Page): Promise<void> {
  await page
    .getByLabel('Your mail address')
    .fill('a-very-long-name-that-somebody-really-has-in-a-company@department.example.org');
  await page.getByRole('button', { name: 'Mail me a code' }).click();
}

async function enterPath(portal: PortalRig): Promise<string> {
  const { requestMailCode } = await import('../../gateway/control/sessions/request-mail-code.ts');
  const about = { label: hostileLabel, owner: 'ann@example.org' };
  const way = { host: 'media.localhost', returnPath: '/vod/summer/', link: null, about };
  await portal.store.write((unit) => unit.sql.deleteFrom('throttles').execute());
  await requestMailCode(portal.context, {
    email: 'ben@example.org',
    way,
    deviceCookie: null,
    clientAddress: '192.0.2.1',
  });
  return `enter?code=${await portal.mailedCode('ben@example.org', 'sign-in-code')}`;
}

let asked = 0;

async function verifyPath(portal: PortalRig, base: string): Promise<string> {
  asked += 1;
  const email = `new-${asked}@example.org`;
  const visitor = portal.visitor({ origin: new URL(base).origin });
  await visitor.submit(await visitor.get('/.latchkey/register'), '/register', { email });
  return `verify?code=${await portal.mailedCode(email, 'verify-address')}`;
}

async function resetPath(portal: PortalRig, base: string): Promise<string> {
  const visitor = portal.visitor({ origin: new URL(base).origin });
  await portal.store.write((unit) => unit.sql.deleteFrom('throttles').execute());
  await visitor.submit(await visitor.get('/.latchkey/forgot'), '/forgot', { email: 'ben@example.org' });
  return `reset?code=${await portal.mailedCode('ben@example.org', 'reset-password')}`;
}

async function signInLinkPath(portal: PortalRig): Promise<string> {
  const { makeSignInLink } = await import('../../gateway/control/accounts/administer-accounts.ts');
  const { id } = await portal.store.sql
    .selectFrom('accounts')
    .select('id')
    .where('email', '=', 'ben@example.org')
    .executeTakeFirstOrThrow();
  const made = await makeSignInLink(portal.context, operator, { accountId: id, mail: false });
  return made.kind === 'made' ? `sign-in?code=${made.code}` : '';
}

async function addressPath(portal: PortalRig): Promise<string> {
  const { issueCode } = await import('../../gateway/control/proof/one-time-code.ts');
  const { id } = await portal.store.sql
    .selectFrom('accounts')
    .select('id')
    .where('email', '=', 'ben@example.org')
    .executeTakeFirstOrThrow();
  const written = await portal.context.write((unit) =>
    issueCode(unit, portal.context, {
      purpose: 'change-address',
      accountId: id,
      details: { newEmail: 'a-very-long-new-address-of-somebody-in-a-company@department.example.org' },
    }),
  );
  const code: unknown = written.value;
  return `confirm-address?code=${typeof code === 'string' ? code : String(Reflect.get(Object(code), 'code'))}`;
}

/** Makes the portal's name as bad as a configuration lets it be, with a logo. */
export function nameBadly(portal: PortalRig): void {
  const logoFile = join(mkdtempSync(join(tmpdir(), 'lk-logo-')), 'logo.svg');
  writeFileSync(
    logoFile,
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 60"><rect width="300" height="60" rx="12" fill="#b4552d"/></svg>',
  );
  const name =
    'The <i>Hillside</i> Kinderfilmfreundeverein “& Söhne” of Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch';
  portal.configure((config) =>
    config.portal === null ? config : { ...config, portal: { ...config.portal, name, logoFile } },
  );
}

const place = {
  portal: {
    host: 'portal.example.org',
    url: 'https://portal.example.org',
    name: 'Kinderfilmfreunde “& Söhne”',
    hasLogo: false,
    contact: 'help@example.org',
  },
  reservedPrefix: '/.latchkey/',
};

/** The pages that an edge answers by itself, as it writes them. */
export const edgePages: readonly { readonly name: string; readonly html: string }[] = [
  ...([401, 403, 404, 429, 431, 502, 503] as const).map((status) => ({
    name: `edge-${status}`,
    html: refusalPage(status, findWording(status, null), place, 'lk_7f3a9c04d2e81b56', ''),
  })),
  {
    name: 'edge-not-a-member',
    html: refusalPage(
      403,
      findWording(403, 'not-a-member'),
      place,
      'lk_7f3a9c04d2e81b56',
      '<p><a class="button" href="/">Use another account</a></p>\n<p><a href="/">See what is open to you</a></p>\n',
    ),
  },
];

export async function openAll(page: Page): Promise<void> {
  for (const summary of await page.locator('summary').all()) await summary.click();
}

export async function invitationPath(portal: PortalRig): Promise<string> {
  asked += 1;
  const input = { email: `guest-${asked}@example.org`, displayName: 'Gus', invited: true };
  const made = await createAccount(portal.context, operator, input);
  return made.kind === 'created' ? `invitation?code=${made.invitation}` : '';
}
