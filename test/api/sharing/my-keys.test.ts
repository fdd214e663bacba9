// The pages for people who have keys: what waits for them, what they hold and how, and what happened to a share, for its parties alone.

import { expect, test } from 'vitest';
import { digestOf } from '../../../gateway/core/model/digest.ts';
import { insertBlock } from '../../../gateway/store/sharing/share-blocks.ts';
import { formsOf } from '../../support/clients/page-forms.ts';
import { keyId, makeKeySite } from '../../support/rigs/key-site.ts';

test('an offer waits on the first page, and a key stands among the others with from whom, for how long and how often', async () => {
  const site = await makeKeySite({ depth: 2 });
  const { portal, owner, page, give, accept } = site;
  const ben = await site.signedIn('ben@example.org');
  expect((await page(ben, 'keys')).text).toContain('No keys yet.');
  expect((await page(ben, `keys/${keyId}`)).status).toBe(404);
  const id = await give(owner, { to: 'ben@example.org', depth: '1', until: '2099-01-01T00:00' });
  // before the message was handed over there is nothing to see
  expect((await page(ben, '')).text).not.toContain('Waiting for you');
  await site.handOver(id);
  const home = await page(ben, '');
  expect(home.text).toContain(`<a href="/.latchkey/shares/${id}">Front &lt;door&gt;</a>, from owner@example.org`);
  const waiting = await page(ben, 'keys');
  expect(waiting.text).toContain('waits for you');
  expect(waiting.text).toContain('No keys yet.');
  await accept(id, 'ben@example.org');

  const held = (await page(ben, 'keys')).text;
  expect(held).not.toContain('Waiting for you');
  expect(held).toContain('Staff &lt;card&gt;, Hillside &amp; Sons · from owner@example.org · until <time');
  expect(held).toContain('href="http://media.localhost:8080/vod/summer/" aria-label="Open: Front &lt;door&gt;"');
  expect(held).toContain(`href="/.latchkey/keys/${keyId}/share"`);
  const key = (await page(ben, `keys/${keyId}`)).text;
  expect(key).toContain('data-copy="address-sh_');
  expect(key).toContain('From owner@example.org</h3>');
  expect(key).toContain('Yes, with people who cannot share it on');
  expect((await page(owner, `keys/${keyId}`)).text).toContain('By your own credential</h3>');

  // counted ones open by what is made on their page, and cannot be shared on
  const form = await page(owner, `shares/${id}`);
  await owner.submit(form, '/change', { uses: '3', depth: '0', until: '' });
  const counted = (await page(ben, 'keys')).text;
  expect(counted).toContain('3 of 3 uses left');
  expect(counted).not.toContain('>Open</a>');
  expect(counted).not.toContain('/share"');
  await owner.submit(form, '/disable');
  expect((await page(ben, 'keys')).text).toContain('No keys yet.');
  expect((await page(ben, 'shares/got')).text).toContain('stopped for a while');
  const cam = await site.signedIn('cam@example.org');
  expect((await page(cam, `keys/${keyId}`)).status).toBe(404);

  // both parties read what happened, nobody else does
  for (const reader of [owner, ben]) {
    const history = (await page(reader, `shares/${id}/history`)).text;
    const said = [...history.matchAll(/<td role="cell">([^<]*)<\/td>/g)].map(([, text]) => text);
    expect(said).toEqual([
      'owner@example.org stopped sharing a key for a while',
      'owner@example.org changed for how long or how often a key is shared',
      'owner@example.org offered a key to somebody',
    ]);
    expect(history).toContain('127.0.0.…');
  }
  expect((await page(cam, `shares/${id}/history`)).status).toBe(404);
  expect((await page(owner, `shares/${id}/history?before=1`)).text).toContain('Nothing more happened.');
  expect(await portal.mails('cam@example.org')).toHaveLength(1);
});

test('a holder gives a key back, after a question that says what it means; blocked senders stand on the account page', async () => {
  const site = await makeKeySite();
  const { portal, owner, page, give, accept } = site;
  const ben = await site.signedIn('ben@example.org');
  const id = await give(owner, { to: 'ben@example.org' });
  await accept(id, 'ben@example.org');
  expect((await page(ben, `shares/${id}`)).text).toContain('yours to use');
  expect((await page(owner, `shares/${id}/give-back`)).status).toBe(404);
  const question = await page(ben, `shares/${id}/give-back`);
  expect(question.text).toContain('Give “Front &lt;door&gt;” back?');
  for (const sent of [await ben.submit(question, '/leave'), await ben.submit(question, '/leave')]) {
    expect((await ben.follow(sent)).text).toContain('You gave the key back.');
  }
  expect((await page(ben, `shares/${id}/give-back`)).url.pathname).toBe(`/.latchkey/shares/${id}`);
  expect((await page(owner, `shares/${id}`)).text).toContain('given back</span>');
  // only who holds it gives it back
  const waiting = await give(owner, { to: 'ben@example.org' });
  await site.handOver(waiting);
  const token = formsOf(question.text).find(({ action }) => action.endsWith('/leave'))?.hidden ?? {};
  const early = await ben.post(`/.latchkey/shares/${waiting}/leave`, token);
  expect([early.status, early.text.includes('nothing was done')]).toEqual([409, true]);
  expect((await ben.post('/.latchkey/shares/sh_none/leave', token)).status).toBe(404);

  expect((await page(ben, 'account')).text).not.toContain('Blocked senders');
  const giverId = (await portal.store.sql.selectFrom('shares').select('giver_id').executeTakeFirstOrThrow()).giver_id;
  await portal.store.write(({ sql, now }) =>
    insertBlock(sql, { mailboxDigest: digestOf('ben@example.org'), giverId }, now),
  );
  const account = await page(ben, 'account');
  expect(account.text).toContain('aria-label="Unblock owner@example.org"');
  for (const sent of [await ben.submit(account, '/unblock'), await ben.submit(account, '/unblock')]) {
    const after = await ben.follow(sent);
    expect(after.text).toContain('This person can share keys with you again.');
    expect(after.text).not.toContain('Blocked senders');
  }
});
