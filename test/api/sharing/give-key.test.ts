// The pages for people who give keys: the form for one address or many, what it says of each, and the lists and pages of shares.

import { expect, test } from 'vitest';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { keyId, makeKeySite, ownerEmail } from '../../support/rigs/key-site.ts';
import type { Answer, PortalRig, Visitor } from '../../support/rigs/portal-rig.ts';

const sharePath = `keys/${keyId}/share`;

/** Headings of the cards and what stands in them, without markup. */
function cardsOf({ text }: Answer): string[] {
  return [...text.matchAll(/<li class="card">([\s\S]*?)<\/li>/g)].map(([, card = '']) =>
    card
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}

/** Addresses that were told of a key. */
async function offers(portal: PortalRig): Promise<string[]> {
  return (await portal.mails()).filter(({ kind }) => kind === 'key-shared').map(({ to }) => to);
}

test('a key is offered by a form; its words, window and uses stand on the page of the share', async () => {
  const { portal, owner, page, give } = await makeKeySite();
  const form = await page(owner, sharePath);
  expect(form.text).toContain('Share “Front &lt;door&gt;”');
  expect(form.text).toContain('From your Staff &lt;card&gt;, Hillside &amp; Sons.');
  // the configuration lets nobody share on
  expect(form.text).not.toContain('May they share it on?');
  const id = await give(owner, {
    ...{ to: 'Mina <Mina@Example.org>', words: 'For the <cat>.\nThank you!', uses: '3' },
    ...{ until: '2099-01-01T00:00' },
  });
  const shown = await page(owner, `shares/${id}?done=given`);
  expect(shown.text).toContain('A mail is on its way.');
  expect(shown.text).toContain('“Front &lt;door&gt;” for mina@example.org');
  expect(shown.text).toContain('For the &lt;cat&gt;.\nThank you!');
  expect(shown.text).toContain('3 of 3 uses left');
  expect(shown.text).toContain('1 Jan 2099, 00:00 UTC');
  expect(shown.text).toContain('waiting for an answer');
  expect((await portal.mails('mina@example.org')).map(({ kind }) => kind)).toEqual(['key-shared']);
  expect(cardsOf(await page(owner, 'shares/given'))).toEqual([
    expect.stringMatching(/^mina@example\.org waiting for an answer Front &lt;door&gt; · .* · until 1 Jan 2099/),
  ]);
});

test('a list of addresses is offered the key at once, in the same words for each of them, and sent twice only once', async () => {
  const { portal, owner, page, give } = await makeKeySite();
  await portal.addAccount('known@example.org');
  await give(owner, { to: 'before@example.org' });
  const form = await page(owner, sharePath);
  const fields = { to: `known@example.org, new@example.org; Before@example.org\n${ownerEmail} new@example.org` };
  const [one, two] = [await owner.submit(form, sharePath, fields), await owner.submit(form, sharePath, fields)];
  for (const sent of [one, two]) {
    const result = await owner.follow(sent);
    expect([result.status, pageProblems(result.text)]).toEqual([200, []]);
    expect(result.text).toContain('2 people are offered the key');
    const [known = '', fresh = '', before = '', ...others] = cardsOf(result);
    expect(others).toEqual([]);
    expect(known.replace('known', 'new')).toBe(fresh);
    expect(before).toContain('before@example.org');
    expect(result.text).toContain(`Nothing was sent to ${ownerEmail}`);
  }
  expect(cardsOf(await page(owner, 'shares/given'))).toHaveLength(3);
  // the page of the outcome is for this session, and leads on when it is too old
  const other = await portal.visitor();
  await other.signIn(ownerEmail);
  expect((await other.get(one.location ?? '')).location).toBe('/.latchkey/shares/given');
});

test('what is wrong with the form stands beside its field, and nobody was offered anything', async () => {
  const { portal, owner, page } = await makeKeySite({ depth: 2 });
  const form = await page(owner, sharePath);
  expect(form.text).toContain('Yes, with people who cannot share it on');
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ to: '' }, /Say whom you want to share it with/],
    [{ to: 'a@example.org nobody' }, /“nobody” is no mail address/],
    [{ to: Array.from({ length: 51 }, (_, index) => `p${index}@example.org`).join() }, /At most 50 addresses/],
    [{ to: 'a@example.org', words: 'x'.repeat(301) }, /At most 300 characters/],
    [{ to: 'a@example.org', uses: '0' }, /A number from 1 to 10000/],
    [{ to: 'a@example.org', uses: 'many' }, /A number from 1 to 10000/],
    [{ to: 'a@example.org', until: '2001-01-01T00:00' }, /The end has to lie in the future/],
    [{ to: 'a@example.org', from: 'soon' }, /This is no date and time/],
    [{ to: 'a@example.org', depth: '3' }, /cannot be shared on that often/],
  ];
  for (const [fields, says] of wrong) {
    const refused = await owner.submit(form, sharePath, fields);
    expect([refused.status, pageProblems(refused.text)], JSON.stringify(fields)).toEqual([422, []]);
    expect(refused.text).toMatch(says);
    // what was typed is still there
    expect(refused.text).toContain(fields.words ?? fields.to ?? '');
  }
  expect(await offers(portal)).toEqual([]);
  portal.configure((config) => ({ ...config, mail: null }));
  expect((await page(owner, sharePath)).text).toContain('No mail can be sent from here');
});

test('beyond the rate of a giver the addresses that are left stand in the form again', async () => {
  const { portal, owner, page } = await makeKeySite();
  portal.configure((config) => ({ ...config, sharing: { ...config.sharing, perSender: { count: 2, seconds: 600 } } }));
  const form = await page(owner, sharePath);
  const to = 'a@example.org b@example.org c@example.org d@example.org';
  const stopped = await owner.submit(form, sharePath, { to });
  expect([stopped.status, pageProblems(stopped.text)]).toEqual([429, []]);
  expect(stopped.text).toContain('2 addresses were offered the key.');
  expect(stopped.text).toContain('c@example.org\nd@example.org</textarea>');
  expect(stopped.text).toMatch(/Wait \d+ minutes, then send the form again for these addresses/);
  portal.clock.now += 601;
  // the whole list again, as the browser's way back has it: the first two are not offered it twice
  const again = await owner.follow(await owner.submit(form, sharePath, { to }));
  expect(cardsOf(again)).toHaveLength(4);
  expect(await offers(portal)).toHaveLength(4);
});

test('other people find neither key nor share, and a holder with depth left gives it on', async () => {
  const site = await makeKeySite({ depth: 1 });
  const { owner, page, give, accept } = site;
  const ben = await site.signedIn('ben@example.org');
  const id = await give(owner, { to: 'ben@example.org', depth: '1' });
  const statuses = async (visitor: Visitor) =>
    await Promise.all([sharePath, `shares/${id}`].map(async (path) => (await page(visitor, path)).status));
  // before the message was handed over nobody is its recipient
  expect(await statuses(ben)).toEqual([404, 404]);
  await site.handOver(id);
  expect(await statuses(ben)).toEqual([404, 200]);
  const cam = await site.signedIn('cam@example.org');
  expect(await statuses(cam)).toEqual([404, 404]);
  expect(cardsOf(await page(ben, 'shares/got'))).toEqual([expect.stringContaining('waits for you')]);
  await accept(id, 'ben@example.org');
  expect((await page(ben, 'shares/got')).text).toContain('yours to use');
  const below = await give(ben, { to: 'cam@example.org' });
  expect((await page(owner, `shares/${id}`)).text).toContain('They shared it on with');
  expect((await page(owner, `shares/${below}`)).text).toContain('<dt>Given by</dt><dd>ben@example.org</dd>');
  await accept(below, 'cam@example.org');
  expect((await page(cam, sharePath)).status).toBe(404);
});

test('the list of what was given is searched by address and key, by standing, and page by page', async () => {
  const { portal, owner, page } = await makeKeySite();
  portal.configure((config) => ({ ...config, sharing: { ...config.sharing, perSender: { count: 99, seconds: 60 } } }));
  const to = Array.from({ length: 32 }, (_, index) => `p${index}@example.org`).join(' ');
  await owner.submit(await page(owner, sharePath), sharePath, { to });
  const first = await page(owner, 'shares/given?search=EXAMPLE&show=pending');
  expect(cardsOf(first)).toHaveLength(30);
  const more = /href="\/\.latchkey\/(shares\/given\?[^"]*after[^"]*)"/.exec(first.text)?.[1] ?? '';
  expect(cardsOf(await page(owner, more.replaceAll('&amp;', '&')))).toHaveLength(2);
  expect(cardsOf(await page(owner, 'shares/given?search=p31'))).toHaveLength(1);
  expect(cardsOf(await page(owner, 'shares/given?search=front+%3Cdoor'))).toHaveLength(30);
  const none = await page(owner, 'shares/given?show=accepted');
  expect([cardsOf(none), none.text.includes('Nothing fits what you look for.')]).toEqual([[], true]);
  expect((await page(owner, 'shares/given?show=anything')).status).toBe(200);
});
