// Every link and every form of every page, followed from the first page on by a guest, an owner and an administrator: each leads
// somewhere, and from each page one can go on.

import { expect, test } from 'vitest';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { attributeOf } from '../../support/clients/page-forms.ts';
import { makePortal, mediaOrigin, portalOrigin, type Visitor } from '../../support/rigs/portal-rig.ts';

const operator = { kind: 'operator' } as const;

interface Walked {
  /** Pages that were opened, with ids left out. */
  readonly pages: ReadonlySet<string>;
  /** Form targets that were tried, with ids left out. */
  readonly forms: ReadonlySet<string>;
  readonly faults: readonly string[];
}

/** One address a kind: ids, codes and the values of the query stand for all like them. */
function kindOf(url: URL): string {
  const path = url.pathname.replace(/\/[a-z]{2,4}_[\w-]+/g, '/ID');
  return `${url.host}${path}?${[...url.searchParams.keys()].sort().join('&')}`;
}

/** Follows links and asks each form's target without the form's token, which changes nothing. */
async function walk(visitor: Visitor, starts: readonly string[]): Promise<Walked> {
  const seen = new Set<string>();
  const forms = new Set<string>();
  const faults: string[] = [];
  const waiting = starts.map((start) => new URL(start));
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const kind = kindOf(at);
    if (seen.has(kind)) continue;
    seen.add(kind);
    const answer = await visitor.get(at.href);
    if (answer.status >= 400) faults.push(`${answer.status} ${kind}`);
    if (answer.location !== null) waiting.push(new URL(answer.location, at));
    if (answer.status >= 300 || !String(answer.headers['content-type']).startsWith('text/html')) continue;
    const main = /<main[\s\S]*<\/main>/.exec(answer.text)?.[0] ?? '';
    const leads = /<a [^>]*href="[^"#]|<button (?![^>]*type="button")/.test(main) || answer.text.includes('<nav ');
    if (!leads) faults.push(`no way on from ${kind}`);
    for (const [, attributes = '', content = ''] of answer.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)) {
      const target = new URL(attributeOf(attributes, 'action') ?? at.href, at);
      if (!/<button (?![^>]*type="button")/.test(content))
        faults.push(`no submit in the form ${kindOf(target)} of ${kind}`);
      if (attributeOf(attributes, 'method') !== 'post') waiting.push(target);
      else if (!forms.has(kindOf(target))) {
        forms.add(kindOf(target));
        const { status } = await visitor.post(target.href, {});
        if (![303, 403].includes(status)) faults.push(`${status} for the form ${kindOf(target)} of ${kind}`);
      }
    }
    for (const [, attributes = ''] of answer.text.matchAll(/<a\b([^>]*)>/g)) {
      const href = attributeOf(attributes, 'href') ?? '';
      const target = new URL(href, at);
      const isOurs = target.host.endsWith('.localhost:8080') && target.pathname.startsWith('/.latchkey/');
      if (!href.startsWith('#') && isOurs) waiting.push(target);
    }
  }
  return { pages: seen, forms, faults };
}

test('every link and every form of every page leads somewhere, for a stranger, a guest, an owner and an administrator', async () => {
  const portal = await makePortal();
  await portal.addAccount('guest@example.org');
  await portal.addAccount('owner@example.org');
  await portal.addAccount('admin@example.org', 'admin');
  const made = await createLink(portal.context, operator, { collection: 'summer', label: 'Films', requestId: null });
  if (made.kind !== 'created') throw new Error(made.kind);
  const here = `${portalOrigin}/.latchkey/`;
  const there = `${mediaOrigin}/.latchkey/`;

  const stranger = await walk(portal.visitor(), [
    here,
    `${here}login`,
    `${there}open`,
    `${there}logout`,
    `${there}login?return=/vod/summer/`,
  ]);
  expect(stranger.faults).toEqual([]);

  const guest = portal.visitor();
  await guest.signIn('guest@example.org');
  await guest.follow(await guest.get(`${there}login?return=/vod/summer/`));
  await guest.openLink(made.url, {
    'sec-fetch-site': 'none',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  });
  const guests = await walk(guest, [here]);
  expect(guests.faults).toEqual([]);

  const owner = portal.visitor();
  await owner.signIn('owner@example.org');
  const owners = await walk(owner, [here]);
  expect(owners.faults).toEqual([]);
  expect(owners.pages.size).toBeGreaterThan(guests.pages.size);

  const admin = portal.visitor();
  await admin.signIn('admin@example.org');
  const admins = await walk(admin, [here]);
  expect(admins.faults).toEqual([]);
  expect(admins.pages.size).toBeGreaterThan(owners.pages.size);
  expect(admins.forms.size).toBeGreaterThan(15);
});
