// The pages by which a holder carries a key: pressed twice or loaded again they make one thing and spend one use, and show it to one session alone;
// holder and giver see what was made, and end it.

import { expect, test } from 'vitest';
import { addSigningKey } from '../../../gateway/control/signing-keys/change-signing-keys.ts';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { formsOf } from '../../support/clients/page-forms.ts';
import { keyId, makeKeySite } from '../../support/rigs/key-site.ts';
import { type Answer, mediaOrigin, type Visitor } from '../../support/rigs/portal-rig.ts';

const carry = `/keys/${keyId}/carry`;

async function makeHolder(fields: Readonly<Record<string, string>> = {}) {
  const site = await makeKeySite();
  await addSigningKey(site.portal.context, { kind: 'operator' }, { purpose: 'content', id: null });
  const ben = await site.signedIn('ben@example.org');
  const id = await site.give(site.owner, { to: 'ben@example.org', ...fields });
  await site.accept(id, 'ben@example.org');
  const rows = async () => await site.portal.store.sql.selectFrom('representations').select(['kind', 'id']).execute();
  /** Presses the button of a kind on a page, and comes to where it leads. */
  const press = async (from: Answer, kind: string, visitor: Visitor = ben): Promise<Answer> => {
    const form = formsOf(from.text).find(({ action, hidden }) => action.endsWith(carry) && hidden.kind === kind);
    if (form === undefined) throw new Error(`no button for ${kind}`);
    const answer = await visitor.follow(await visitor.post(form.action, form.hidden));
    expect([kind, pageProblems(answer.text)]).toEqual([kind, []]);
    return answer;
  };
  const shown = ({ text }: Answer): string => /<textarea[^>]*>\n?([^<]*)<\/textarea>/.exec(text)?.[1] ?? '';
  return { ...site, ben, id, rows, press, shown };
}

test('each way to carry a key is shown to one session, made once, and ended by holder or giver', async () => {
  const { portal, owner, ben, id, page, rows, press, shown } = await makeHolder();
  const key = await page(ben, `keys/${keyId}`);
  const [one, two] = [await press(key, 'qr_svg'), await press(key, 'qr_svg')];
  expect(shown(one)).toMatch(/^http:\/\/media\.localhost:8080\/\.latchkey\/key\?code=rp_[\w-]{22}\.[\w-]{43}$/);
  expect([shown(two), await rows()]).toEqual([shown(one), [expect.objectContaining({ kind: 'qr_svg' })]]);
  expect(one.text).toContain('alt="QR code of the key"');
  expect(one.headers['referrer-policy']).toBe('no-referrer');
  // a reload makes nothing; another session of the same account sees nothing
  expect(shown(await ben.get(one.url.href))).toBe(shown(one));
  const elsewhere = portal.visitor();
  await elsewhere.signIn('ben@example.org');
  expect((await elsewhere.get(one.url.href)).location).toBe(`/.latchkey/keys/${keyId}`);
  // the form of a page that was loaded anew makes another one
  expect(shown(await press(await page(ben, `keys/${keyId}`), 'qr_svg'))).not.toBe(shown(one));

  expect(shown(await press(key, 'url'))).toContain('/key?code=rp_');
  expect(shown(await press(key, 'path_url'))).toMatch(/^http:\/\/media\.localhost:8080\/[^?]+\/vod\/summer\/$/);
  const token = await press(key, 'bearer');
  expect(shown(token)).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(token.text).toContain('Authorization: Bearer eyJ');
  expect((await rows()).length).toBe(5);

  const ended = await ben.follow(await ben.submit(token, '/revoke'));
  expect(ended.text).toContain('It is ended');
  expect(ended.text).toContain('<summary>What you made of it (5)</summary>');
  const given = await page(owner, `shares/${id}`);
  expect(given.text).toContain('<summary>They made of it, to carry (5)</summary>');
  const stopped = await owner.follow(await owner.submit(given, '/revoke'));
  expect([stopped.url.pathname, stopped.text.includes('It is ended')]).toEqual([`/.latchkey/shares/${id}`, true]);
  // what ends does not come back by the form that made it
  expect((await press(key, 'bearer')).text).toContain('Nothing was made a second time');
  const other = portal.visitor();
  await portal.addAccount('cam@example.org');
  await other.signIn('cam@example.org');
  const hidden = formsOf((await page(other, 'account')).text).find(({ action }) => action.endsWith('/name'))?.hidden;
  const [made] = await rows();
  expect((await other.post(`/.latchkey/representations/${made?.id}/revoke`, { ...hidden })).status).toBe(404);
  expect((await other.post(`/.latchkey${carry}`, { ...hidden, kind: 'url' })).status).toBe(404);
});

test('a key with a number of uses opens by its button, which spends one however often it is pressed', async () => {
  const { owner, ben, id, page, rows, press, portal } = await makeHolder({ uses: '2' });
  const list = await page(ben, 'keys');
  expect(list.text).toContain('aria-label="Open, with one use: Front &lt;door&gt;"');
  const form = formsOf(list.text).find(({ hidden }) => hidden.here === 'yes');
  const send = async () => (await ben.post(form?.action ?? '', { ...form?.hidden })).location ?? '';
  const [once, twice] = [await send(), await send()];
  expect([once, (await rows()).length]).toEqual([twice, 1]);
  expect((await page(ben, 'keys')).text).toContain('1 of 2 uses left');
  const question = await ben.get(once);
  expect(question.url.origin).toBe(mediaOrigin);
  expect(question.text).toContain('Open with the key “Front &lt;door&gt;”?');
  const opened = await ben.submit(question, '/key');
  expect([opened.location, opened.cookies.length]).toEqual(['/vod/summer/', 1]);
  // the way back to the list, and the button once more
  expect(await send()).toBe(`/.latchkey/keys/${keyId}?done=made-before`);
  expect((await page(ben, `keys/${keyId}?done=made-before`)).text).toContain('no use was spent');
  const second = await press(await page(ben, `keys/${keyId}`), 'qr_svg');
  expect(second.text).toContain('0 uses are left.');
  const usedUp = (await page(ben, `keys/${keyId}`)).text;
  expect([usedUp.includes('used up</span>'), usedUp.includes(carry)]).toEqual([true, false]);
  const late = await press(list, 'qr_svg');
  expect([late.status, late.text.includes('This key is used up')]).toEqual([409, true]);
  expect((await page(owner, `shares/${id}`)).text).toContain('0 of 2 uses left');
  // nothing serves it any more: said so, and no use is spent
  await owner.submit(await page(owner, `shares/${id}`), '/change', { uses: '5', depth: '0' });
  portal.configure((config) => ({ ...config, routes: [] }));
  const unserved = await press(await page(ben, `keys/${keyId}`), 'url');
  expect([unserved.status, unserved.text.includes('cannot be carried now')]).toEqual([409, true]);
  expect((await page(ben, 'keys')).text).toContain('3 of 5 uses left');
});
