// The page of one share for whoever gave it: its limits are changed, its mail is sent again, it stops for a while and for good; forms that were
// sent twice, or stood open in another tab, say what holds.

import { expect, test } from 'vitest';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { formsOf } from '../../support/clients/page-forms.ts';
import { makeKeySite, ownerEmail } from '../../support/rigs/key-site.ts';

test('a giver changes, stops and ends a share, and a second press says what holds', async () => {
  const site = await makeKeySite({ depth: 1 });
  const { portal, owner, page, give, accept } = site;
  const ben = await site.signedIn('ben@example.org');
  const id = await give(owner, { to: 'ben@example.org' });
  const at = `shares/${id}`;
  const press = async (from: Awaited<ReturnType<typeof page>>, verb: string, fields = {}) => {
    const answer = await owner.follow(await owner.submit(from, `/${id}/${verb}`, fields));
    expect([verb, pageProblems(answer.text)]).toEqual([verb, []]);
    return answer;
  };
  const mails = async () => (await portal.mails('ben@example.org')).filter(({ kind }) => kind === 'key-shared');

  const offered = await page(owner, at);
  expect([(await press(offered, 'resend')).status, (await mails()).length]).toEqual([429, 1]);
  portal.clock.now += 61;
  expect((await press(offered, 'resend')).text).toContain('A mail is on its way again.');
  expect((await press(offered, 'disable').catch(() => 'no such button')).toString()).toBe('no such button');
  const changed = await press(offered, 'change', { uses: '2', until: '2099-01-01T00:00', depth: '0' });
  expect(changed.text).toContain('The share is changed.');
  expect(changed.text).toContain('2 of 2 uses left');
  for (const [fields, says] of [
    [{ uses: '0' }, /A number from 1 to 10000/],
    [{ depth: '2' }, /cannot be shared on that often/],
    [{ until: '2001-01-01T00:00' }, /The end has to lie in the future/],
    [{ from: 'soon' }, /This is no date and time/],
  ] as const) {
    const refused = await press(offered, 'change', { uses: '', until: '', depth: '0', ...fields });
    expect([refused.status, refused.text.match(says)?.length]).toEqual([422, 1]);
  }
  await press(offered, 'change', { uses: '', until: '', depth: '1' });
  const askBack = await page(owner, `${at}/take-back`);
  await accept(id, 'ben@example.org');
  // the question stood open while the key was accepted
  const late = await press(askBack, 'withdraw');
  expect([late.status, late.text.includes('nothing was done')]).toEqual([409, true]);
  expect((await page(owner, `${at}/take-back`)).url.pathname).toBe(`/.latchkey/${at}`);

  const live = await page(owner, at);
  expect(live.text).toContain('has the key');
  for (const shown of [await press(live, 'disable'), await press(live, 'disable')]) {
    expect(shown.text).toContain('Sharing has stopped for a while.');
  }
  expect((await page(ben, 'shares/got')).text).toContain('stopped for a while');
  const stopped = await page(owner, at);
  for (const shown of [await press(stopped, 'enable'), await press(stopped, 'enable')]) {
    expect(shown.text).toContain('Sharing goes on.');
  }
  const askEnd = await page(owner, `${at}/stop`);
  expect(askEnd.text).toContain('This cannot be taken back');
  for (const shown of [await press(askEnd, 'revoke'), await press(askEnd, 'revoke')]) {
    expect(shown.text).toContain('Sharing has stopped.');
    expect(shown.text).not.toContain('<form method="post" action="/.latchkey/shares/');
  }
  const after = await press(live, 'disable');
  expect([after.status, after.text.includes('nothing was done')]).toEqual([409, true]);
  const over = await press(offered, 'change', { uses: '5' });
  expect([over.status, over.text.includes('over by now')]).toEqual([409, true]);

  // the recipient ends nothing by these forms, whatever the state
  const benPage = await page(ben, 'account');
  const token = { ...formsOf(benPage.text).find(({ action }) => action.endsWith('/account/name'))?.hidden };
  for (const verb of ['withdraw', 'revoke', 'disable', 'enable', 'resend', 'change']) {
    expect([verb, (await ben.post(`/.latchkey/${at}/${verb}`, token)).status]).toEqual([verb, 404]);
  }
  expect((await page(ben, `${at}/stop`)).status).toBe(404);
});

test('an offer is taken back, and one that nobody accepted in time cannot be changed', async () => {
  const { portal, owner, page, give } = await makeKeySite();
  const [one, two] = [await give(owner, { to: 'a@example.org' }), await give(owner, { to: 'b@example.org' })];
  const taken = await owner.follow(await owner.submit(await page(owner, `shares/${one}/take-back`), '/withdraw'));
  expect(taken.text).toContain('The offer is taken back.');
  expect(taken.text).toContain('taken back</span>');
  const form = await page(owner, `shares/${two}`);
  portal.clock.now += 31 * 86_400;
  // the session is over by then
  await owner.signIn(ownerEmail);
  const expired = await page(owner, `shares/${two}`);
  expect(expired.text).toContain('time is over');
  expect(expired.text).not.toContain('/change"');
  expect(form.text).toContain('/change"');
});
