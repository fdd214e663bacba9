// A tokenized URL that opens nothing, or is opened by a program: the page says why, and nothing
// is claimed. On the server of public.sock with a real store. Links that open are tested in claim.test.ts.

import { beforeEach, describe, expect, test } from 'vitest';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { revokeMember } from '../../../gateway/control/links/revoke-member.ts';
import {
  type ClaimRig,
  direct,
  fromElsewhere,
  makeClaimRig,
  operator,
  passOf,
  secretOf,
} from '../../support/rigs/claim-rig.ts';
import type { PortalRig, Visitor } from '../../support/rigs/portal-rig.ts';

let rig: ClaimRig;
let portal: PortalRig;
const makeUrl: ClaimRig['makeUrl'] = (fields) => rig.makeUrl(fields);
const signedIn: ClaimRig['signedIn'] = (email) => rig.signedIn(email);
const counts: ClaimRig['counts'] = () => rig.counts();

beforeEach(async () => {
  rig = await makeClaimRig();
  portal = rig.portal;
});

describe('pages that say why a link does not open', () => {
  const statusFor = async (visitor: Visitor, url: string): Promise<readonly [number, string]> => {
    const before = await counts();
    const answer = await visitor.get(url, direct);
    expect(await counts()).toBe(before);
    return [answer.status, /<h1>([^<]*)<\/h1>/.exec(answer.text)?.[1] ?? ''];
  };

  test('each page has its status and its text, and none writes anything', async () => {
    const now = portal.clock.now + 600;
    const full = await makeUrl();
    const early = await makeUrl({ claimFromAt: now + 60 });
    const late = await makeUrl({ claimUntilAt: now + 60 });
    const over = await makeUrl({ accessUntilAt: now + 60 });
    const revoked = await makeUrl();
    const removed = await makeUrl({ claimsAllowed: 5 });
    const anna = await signedIn('anna@example.org');
    const bert = await signedIn('bert@example.org');
    await bert.openLink(full.url, direct);
    await revokeLink(portal.context, operator, revoked.id, null);

    expect(await statusFor(anna, full.url)).toEqual([403, 'This link is already used']);
    // whoever came in with another account gets back in by it, and the way there holds no token
    expect((await anna.get(full.url, direct)).text).toContain('logout?return=%2Fvod%2Fsummer%2F"');
    expect(await statusFor(anna, early.url)).toEqual([403, 'Not yet']);
    expect(await statusFor(anna, revoked.url)).toEqual([410, 'This link has ended']);
    portal.clock.now = now + 60;
    expect(await statusFor(anna, late.url)).toEqual([410, 'This link came too late']);
    expect(await statusFor(anna, over.url)).toEqual([410, 'The time for this is over']);
    expect(await statusFor(anna, `${full.url}x`)).toEqual([404, 'This link does not work']);
    expect(await statusFor(anna, `${full.url}&authtoken=a`)).toEqual([404, 'This link does not work']);

    await anna.openLink(removed.url, direct);
    const rows = await portal.store.sql.selectFrom('members').selectAll().execute();
    const member = rows.find(({ link_id }) => link_id === removed.id);
    await revokeMember(portal.context, operator, member?.id ?? '', null);
    expect(await statusFor(anna, removed.url)).toEqual([410, 'Your access has ended']);
  });
});

test('a link whose time is over lets in only accounts that something else lets in', async () => {
  const other = await makeUrl();
  const over = await makeUrl({ accessUntilAt: portal.clock.now + 600, claimsAllowed: 5 });
  const anna = await signedIn('anna@example.org');
  const bert = await signedIn('bert@example.org');
  await anna.openLink(other.url, direct);
  await bert.openLink(over.url, direct);
  portal.clock.now += 600;
  const before = await counts();
  for (const way of [direct, fromElsewhere]) {
    const opened = await anna.get(over.url, way);
    expect([opened.status, opened.location, passOf(opened) !== undefined]).toEqual([303, '/vod/summer/', true]);
    expect((await bert.get(over.url, way)).status).toBe(410);
  }
  const nobody = await portal.visitor().get(over.url, direct);
  expect([nobody.status, nobody.location, passOf(nobody)]).toEqual([410, null, undefined]);
  expect(nobody.text).toContain('href="/.latchkey/login?return=%2Fvod%2Fsummer%2F"');
  expect(nobody.text).not.toContain(secretOf(over.url));
  expect(await counts()).toBe(before);
});

describe('programs that are no visitors', () => {
  const visits: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['HEAD', direct, 200],
    ['GET', { ...direct, 'sec-purpose': 'prefetch;prerender' }, 503],
    ['GET', { ...direct, purpose: 'prefetch' }, 503],
    ['GET', { 'x-moz': 'prefetch' }, 503],
    ['GET', { 'user-agent': 'facebookexternalhit/1.1' }, 200],
    ['GET', { 'user-agent': 'WhatsApp/2.23.20.0' }, 200],
    ['GET', { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }, 200],
    ['GET', { ...direct, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'iframe' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'fencedframe' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'empty' }, 403],
    ['GET', { ...direct, 'sec-fetch-dest': 'document, iframe' }, 403],
    ['GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }, 403],
    ['GET', { 'sec-fetch-site': 'none' }, 403],
    ['GET', { ...direct, 'sec-purpose': 'prefetch;anonymous-client-ip' }, 503],
    ['GET', { accept: '*/*' }, 403],
  ];

  test('previews, prefetches, bots, frames and scripts claim nothing and learn nothing', async () => {
    const { url, id } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const before = await counts();
    const look = async () => {
      const answers: (readonly [number, string])[] = [];
      for (const [method, headers] of visits) {
        const { status, text } = await anna.send(method, url, null, headers);
        answers.push([status, text]);
      }
      return answers;
    };
    const good = await look();
    expect(await counts()).toBe(before);
    await revokeLink(portal.context, operator, id, null);
    expect(await look()).toEqual(good);
    expect(good.map(([status]) => status)).toEqual(visits.map(([, , status]) => status));
    for (const [, text] of good) expect(text).not.toContain('Film');
  });

  test('other methods get 405 or another refusal, and claim nothing', async () => {
    const { url } = await makeUrl();
    const anna = await signedIn('anna@example.org');
    const before = await counts();
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      expect((await anna.send(method, url, null, direct)).status, method).toBeGreaterThanOrEqual(400);
    }
    expect(await counts()).toBe(before);
  });
});
