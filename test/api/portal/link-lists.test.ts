// The lists of links on the portal and over v1: what they show, what they look for, and what they say to those who lost their access.

import { beforeEach, expect, test } from 'vitest';
import { makePortal, type PortalRig, type Visitor } from '../../support/rigs/portal-rig.ts';

const direct = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

let portal: PortalRig;
let owner: Visitor;

beforeEach(async () => {
  portal = await makePortal();
  portal.configure((config) => {
    const [route] = config.routes;
    if (route === undefined) throw new Error('the sample has no route');
    return { ...config, routes: [{ ...route, host: 'media.localhost', path: '/vod/' }] };
  });
  owner = await signedIn('owner@example.org');
});

async function signedIn(email: string): Promise<Visitor> {
  await portal.addAccount(email);
  const visitor = portal.visitor();
  await visitor.signIn(email);
  return visitor;
}

async function api(visitor: Visitor, method: string, path: string, body?: unknown) {
  const answer = await visitor.json(method, `/.latchkey/v1/${path}`, body);
  return { status: answer.status, body: answer.text === '' ? null : JSON.parse(answer.text) };
}

test('the lists are searched and filtered, ended ones are folded away, and who lost access reads by whom and when', async () => {
  const ids: string[] = [];
  for (const label of ['100% film', 'Garden', 'Attic'])
    ids.push((await api(owner, 'POST', 'links', { collection: 'summer', label })).body.link.id);
  const anna = await signedIn('anna@example.org');
  expect((await anna.get('/.latchkey/links')).text).toContain('Nothing yet. When somebody shares something with you');
  const made = await api(owner, 'POST', 'links', {
    collection: 'summer',
    label: 'Deep <i>sea</i>',
    path: '/vod/summer/sea/',
  });
  await anna.submit(await anna.follow(await anna.get(made.body.url, direct)), '/claim');
  const shown = async (visitor: Visitor, query: string) => {
    const { text } = await visitor.get(`/.latchkey/links${query}`);
    const [before = '', folded = ''] = text.split('<summary>Ended');
    const labels = (part: string) => [...part.matchAll(/<h3>(?:<a [^>]*>)?([^<]+)/g)].map(([, label]) => label);
    return { live: labels(before), ended: labels(folded.split('</details>')[0] ?? ''), text };
  };
  await api(owner, 'POST', `links/${ids[2]}/revoke`);
  expect(await shown(owner, '')).toMatchObject({
    live: expect.arrayContaining(['Deep &lt;i&gt;sea&lt;/i&gt;', 'Garden', '100% film']),
    ended: ['Attic'],
  });
  const found = async (search: string) =>
    (await api(owner, 'GET', `links?search=${encodeURIComponent(search)}`)).body.links;
  for (const [search, label] of [
    ['0% F', '100% film'],
    ['summer/sea', 'Deep <i>sea</i>'],
    ['anna@', 'Deep <i>sea</i>'],
    ['attic', 'Attic'],
  ] as const) {
    expect(
      (await found(search)).map((each: { label: string }) => each.label),
      search,
    ).toEqual([label]);
  }
  // what is typed is meant literally: no wildcard, and no quote that ends a text
  for (const search of ['0_ film', "'", '\\', '%%']) expect(await found(search), search).toEqual([]);
  expect((await api(owner, 'GET', 'links?show=ended')).body.links).toMatchObject([{ label: 'Attic' }]);
  expect((await shown(owner, '?show=live&search=garden')).text).not.toContain('100% film');

  const entry = (await shown(anna, '')).text;
  expect(entry).toContain('Deep &lt;i&gt;sea&lt;/i&gt;</a>');
  await api(owner, 'POST', `links/${made.body.link.id}/revoke`);
  const lost = await shown(anna, '');
  expect(lost.live).toEqual([]);
  expect(lost.text).toMatch(
    /Deep &lt;i&gt;sea&lt;\/i&gt;<\/h3><p class="soft">owner@example\.org stopped sharing this on <time/,
  );
  await api(owner, 'POST', `links/${made.body.link.id}/give-back`);
  const { body } = await api(owner, 'GET', `links/${made.body.link.id}/members`);
  await api(owner, 'POST', `members/${body.members[0].id}/revoke`);
  expect((await shown(anna, '?show=ended')).text).toContain('owner@example.org ended your access on <time');
  expect((await api(anna, 'GET', 'access')).body.entries).toEqual([]);
});
