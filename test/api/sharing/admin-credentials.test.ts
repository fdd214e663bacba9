// The pages for administrators of credentials: issue one, hang keys on it, remove a key, withdraw it; sent twice, each happens once.

import { expect, test } from 'vitest';
import { pageProblems } from '../../support/clients/page-checks.ts';
import { makeKeySite } from '../../support/rigs/key-site.ts';
import { makePortal, type Visitor } from '../../support/rigs/portal-rig.ts';

const page = '/.latchkey/admin/credentials';

async function makeAdmin() {
  const portal = await makePortal();
  await portal.addAccount('ann@example.org', 'admin');
  const benId = await portal.addAccount('ben@example.org');
  const [ann, ben] = [portal.visitor(), portal.visitor()];
  await ann.signIn('ann@example.org');
  await ben.signIn('ben@example.org');
  const read = async (visitor: Visitor, path: string) => {
    const answer = await visitor.follow(await visitor.get(path));
    expect([path, pageProblems(answer.text)]).toEqual([path, []]);
    return answer;
  };
  return { portal, ann, ben, benId, read };
}

test('a credential is issued with a key, the key is removed, the credential withdrawn, and each asks first', async () => {
  const { portal, ann, ben, benId, read } = await makeAdmin();
  expect((await read(ann, page)).text).toContain('No credentials yet.');
  const form = await read(ann, `${page}/new`);
  const fields = {
    account: 'Ben@example.org',
    name: 'Staff <card>',
    issuer: 'Hillside',
    validUntil: '2099-01-01T00:00',
  };
  const [issued, twice] = [await ann.submit(form, '/new', fields), await ann.submit(form, '/new', fields)];
  expect(issued.location).toMatch(/\/admin\/credentials\/cd_[\w-]{22}\?done=issued$/);
  expect(twice.location).toBe(issued.location);
  const credential = await read(ann, issued.location ?? '');
  expect(credential.text).toContain('The credential is issued.');
  expect(credential.text).toContain('No key hangs on it yet');
  expect(credential.text).toContain('<dt>Valid until</dt><dd><time');
  const key = { name: 'Front <door>', collection: 'summer', path: 'door/' };
  const added = await ann.submit(credential, '/keys', key);
  expect((await ann.submit(credential, '/keys', key)).location).toBe(added.location);
  const withKey = await read(ann, added.location ?? '');
  expect(withKey.text.match(/<h3>Front &lt;door&gt;<\/h3>/g)).toHaveLength(1);
  expect(withKey.text).toContain('Opens http://media.localhost:8080/vod/summer/door/');
  expect((await read(ann, `${page}?account=${benId}`)).text).toContain('Staff &lt;card&gt;</a>');
  expect((await read(ann, `${page}?search=BEN@`)).text).toContain('1 key</p>');
  expect((await read(ann, `${page}?search=nothing`)).text).toContain('No credential was found.');

  const at = credential.url.pathname;
  const remove = /href="([^"]*\/remove)"/.exec(withKey.text)?.[1] ?? '';
  const question = await read(ann, remove);
  expect(question.text).toContain('This cannot be taken back');
  const removed = await read(ann, (await ann.submit(question, '/remove')).location ?? '');
  expect((await ann.submit(question, '/remove')).status).toBe(303);
  expect(removed.text).toContain('<summary>Removed (1)</summary>');
  const withdrawn = await ann.submit(await read(ann, `${at}/withdraw`), '/withdraw');
  expect((await read(ann, withdrawn.location ?? '')).text).toContain('None of its keys opens anything any more');
  // a form that stood open in another tab
  const late = await ann.submit(withKey, '/keys', { ...key, key: 'another-form' });
  expect([late.status, pageProblems(late.text), /action="[^"]*\/keys"/.test(late.text)]).toEqual([422, [], false]);
  expect(late.text).toContain('was withdrawn meanwhile');

  const actions = portal.store.sql.selectFrom('audit').select('action').where('action', 'like', 'credential%');
  expect((await actions.orderBy('position').execute()).map(({ action }) => action)).toEqual([
    ...['credential.issued', 'credential-key.added', 'credential-key.removed', 'credential.withdrawn'],
  ]);
  const history = (await read(ann, '/.latchkey/admin/audit?what=keys')).text;
  expect(history).toContain(`<a href="${at}">“Staff &lt;card&gt;” of ben@example.org</a>`);
  expect(history).toContain('The key “Front &lt;door&gt;” of “Staff &lt;card&gt;”');

  // for administrators alone
  for (const path of [page, `${page}/new`, at, `${at}/withdraw`]) expect((await ben.get(path)).status).toBe(403);
  expect((await ann.get(`${page}/cd_none`)).status).toBe(404);
  expect((await ann.get(`${page}/cd_none/withdraw`)).status).toBe(404);
});

test('what is wrong stands beside its field', async () => {
  const { portal, ann, read } = await makeAdmin();
  await portal.store.write((unit) =>
    unit.sql.updateTable('accounts').set({ state: 'disabled' }).where('email', '=', 'ben@example.org').execute(),
  );
  const form = await read(ann, `${page}/new`);
  const good = { account: 'ann@example.org', name: 'Card', issuer: 'Hillside' };
  const wrong: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ account: 'nobody@example.org' }, /Nobody has an account with this address/],
    [{ account: '' }, /Nobody has an account with this address/],
    [{ account: 'ben@example.org' }, /This account is blocked/],
    [{ name: ' ' }, /name of one line/],
    [{ issuer: 'x'.repeat(121) }, /name of one line/],
    [{ validUntil: '2001-01-01T00:00' }, /The end has to lie in the future/],
    [{ validFrom: 'tomorrow' }, /This is no date and time/],
  ];
  for (const [fields, says] of wrong) {
    const refused = await ann.submit(form, '/new', { ...good, ...fields });
    expect([refused.status, pageProblems(refused.text)], JSON.stringify(fields)).toEqual([422, []]);
    expect(refused.text).toMatch(says);
  }
  const credential = await ann.follow(await ann.submit(form, '/new', good));
  for (const [fields, says] of [
    [{ name: '' }, /name of one line/],
    [{ name: 'Door', path: '/etc/' }, /has to lie in the collection/],
    [{ name: 'Door', collection: 'gone' }, /no such collection/],
  ] as const) {
    const refused = await ann.submit(credential, '/keys', { collection: 'summer', ...fields });
    expect([refused.status, pageProblems(refused.text)], JSON.stringify(fields)).toEqual([422, []]);
    expect(refused.text).toMatch(says);
  }
});

test('who can open a collection stands on a page: owners, own keys, and by whose hands a key came', async () => {
  const site = await makeKeySite({ depth: 1 });
  const { owner, page, give, accept } = site;
  const [ann, ben] = [await site.signedIn('ann@example.org', 'admin'), await site.signedIn('ben@example.org')];
  await site.signedIn('cam@example.org');
  const first = await give(owner, { to: 'ben@example.org', depth: '1' });
  await accept(first, 'ben@example.org');
  const second = await give(ben, { to: 'cam@example.org', uses: '4' });
  await accept(second, 'cam@example.org');
  expect((await page(ann, 'admin/collections')).text).toContain('href="/.latchkey/admin/collections/summer"');
  const people = async () =>
    (await page(ann, 'admin/collections/summer')).text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  expect(await people()).toMatch(/Owners owner@example\.org by the configuration By links and keys/);
  expect(await people()).toMatch(/owner@example\.org by the own key “Front &lt;door&gt;”/);
  expect(await people()).toMatch(
    /ben@example\.org by the key “Front &lt;door&gt;” , which came from owner@example\.org/,
  );
  expect(await people()).toMatch(/came from owner@example\.org , then ben@example\.org .* 4 uses left/);
  await owner.submit(await page(owner, `shares/${first}`), '/disable');
  expect(await people()).not.toContain('came from');
  expect((await page(ann, 'admin/collections/none')).status).toBe(404);
  expect((await page(ben, 'admin/collections/summer')).status).toBe(403);
});
