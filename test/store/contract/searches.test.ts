// What people look for in lists: parts of labels, paths, names and addresses, meant literally; live and ended ones apart; the history by who,
// what and when. The same on both engines, whose patterns, orders and comparisons of rows differ.

import { expect, test } from 'vitest';
import type { Store } from '../../../gateway/store/port/store.ts';
import { appendAudit, listAudit, readRecordNames } from '../../../gateway/store/rows/audit.ts';
import { listLinks } from '../../../gateway/store/rows/links.ts';
import { findEndedMemberships, listMemberships } from '../../../gateway/store/rows/memberships.ts';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { insertRepresentation } from '../../../gateway/store/sharing/representations.ts';
import { insertShare } from '../../../gateway/store/sharing/shares.ts';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

const now = 1_800_000_000;

async function fill(store: Store): Promise<void> {
  const account = (id: string, email: string, name: string, state: 'active' | 'deleted' = 'active') => ({
    ...{ id, email, email_verified_at: now, password_hash: null, display_name: name, groups: '[]' },
    ...{ role: 'user' as const, state, created_at: now },
  });
  const link = (id: string, label: string, path: string, more: object = {}) => ({
    ...{ id, access_key_id: 'ak', secret_digest: 'd', owner_id: 'ac_own', collection: 'c', host: 'h', path, label },
    ...{ claims_allowed: 1, claims_used: 0, claim_from_at: null, claim_until_at: null, access_until_at: null },
    ...{ methods: null, notify_members: 0, created_at: now, revoked_at: null, revoked_by: null, ...more },
  });
  const member = (id: string, linkId: string, path: string, more: object = {}) => ({
    ...{ id, link_id: linkId, access_key_id: 'ak', account_id: 'ac_ann', collection: 'c', host: 'h', path },
    ...{ device_id: 'dv', claimed_at: now, last_seen_at: now, revoked_at: null, revoked_by: null, ...more },
  });
  await store.write(async ({ sql }) => {
    const accounts = [
      account('ac_own', 'own@example.org', 'Olga O_wner'),
      account('ac_ann', 'ann@example.org', ''),
      account('ac_gone', 'gone@example.org', 'Gone', 'deleted'),
    ];
    await sql.insertInto('accounts').values(accounts).execute();
    const links = [
      link('li_1', '100% Film', '/v/film/'),
      link('li_2', 'Garden', '/v/a_b/', { revoked_at: now - 5, revoked_by: 'ac_own' }),
      link('li_3', 'Attic', '/v/axb/', { access_until_at: now - 9, owner_id: 'ac_gone' }),
      link('li_4', 'Sea', '/v/sea/', { access_until_at: now + 9 }),
    ];
    await sql.insertInto('links').values(links).execute();
    const members = [
      member('me_1', 'li_1', '/v/film/'),
      member('me_2', 'li_2', '/v/a_b/'),
      member('me_3', 'li_3', '/v/axb/'),
      member('me_4', 'li_4', '/v/sea/', { revoked_at: now - 1, revoked_by: 'ac_own' }),
    ];
    await sql.insertInto('members').values(members).execute();
  });
}

describeEngines('looking for things in lists', (engine) => {
  test('links are found by parts of label, path and member, whatever the case, and a pattern’s signs mean themselves', async () => {
    const { store } = await openEmpty(engine);
    await fill(store);
    const found = async (search: string, show?: 'live' | 'ended') => {
      const filter = { search, now, ...(show === undefined ? {} : { show }) };
      return (await listLinks(store.sql, null, null, 10, filter)).map(({ id }) => id).sort();
    };
    expect(await found('')).toEqual(['li_1', 'li_2', 'li_3', 'li_4']);
    expect(await found('0% f')).toEqual(['li_1']);
    expect(await found('a_B')).toEqual(['li_2']);
    expect(await found('ANN@')).toEqual(['li_1', 'li_2', 'li_3', 'li_4']);
    expect(await found("'")).toEqual([]);
    expect(await found('\\')).toEqual([]);
    expect(await found('', 'live')).toEqual(['li_1', 'li_4']);
    expect(await found('', 'ended')).toEqual(['li_2', 'li_3']);
  });

  test('memberships are listed live or ended, newest first and in pages, with the owner’s name where there is one', async () => {
    const { store } = await openEmpty(engine);
    await fill(store);
    const read = async (show: 'live' | 'ended', more: object = {}) =>
      await listMemberships(store.sql, 'ac_ann', { show, search: null, before: null, limit: 10, now, ...more });
    expect((await read('live')).map(({ id }) => id)).toEqual(['me_1']);
    const ended = await read('ended');
    expect(ended.map(({ id, ownerName }) => [id, ownerName])).toEqual([
      ['me_4', 'Olga O_wner'],
      ['me_3', null],
      ['me_2', 'Olga O_wner'],
    ]);
    expect((await read('ended', { limit: 1 })).map(({ id }) => id)).toEqual(['me_4']);
    const next = await read('ended', { before: { createdAt: now, id: 'me_4' } });
    expect(next.map(({ id }) => id)).toEqual(['me_3', 'me_2']);
    expect((await read('ended', { search: 'o_w' })).map(({ id }) => id)).toEqual(['me_4', 'me_2']);
    const place = { accountId: 'ac_ann', host: 'h', scopes: ['/v/', '/v/sea/'], collections: ['c'], now };
    expect(await findEndedMemberships(store.sql, place)).toMatchObject([{ label: 'Sea', revokedBy: 'ac_own' }]);
    expect(await findEndedMemberships(store.sql, { ...place, accountId: 'ac_own' })).toEqual([]);
    expect(await findEndedMemberships(store.sql, { ...place, scopes: [] })).toEqual([]);
  });

  test('the history is read by who, what and when, and its ids have names while their records are there', async () => {
    const { store } = await openEmpty(engine);
    await fill(store);
    await store.write(async (unit) => {
      await appendAudit(unit, { actor: 'ac_own', action: 'link.created', subject: 'li_1' });
      await appendAudit(unit, { actor: 'operator', action: 'account.created', subject: 'ac_ann' });
      await appendAudit(unit, { actor: 'ac_ann', action: 'link.claimed', subject: 'li_1' });
    });
    const read = async (query: Parameters<typeof listAudit>[1]) =>
      (await listAudit(store.sql, query)).entries.map(({ action }) => action);
    expect(await read({ concerns: ['ac_ann'] })).toEqual(['link.claimed', 'account.created']);
    expect(await read({ concerns: [] })).toEqual([]);
    expect(await read({ actions: ['link.created', 'link.claimed'] })).toEqual(['link.claimed', 'link.created']);
    const [{ at } = { at: 0 }] = (await listAudit(store.sql, {})).entries;
    expect(await read({ from: at + 1 })).toEqual([]);
    expect(await read({ from: at, until: at + 1 })).toHaveLength(3);
    const names = await readRecordNames(store.sql, ['ac_own', 'ac_ann', 'ac_gone', 'li_2', 'me_4', 'li_none']);
    expect(Object.fromEntries([...names].map(([id, { name }]) => [id, name]))).toEqual({
      ac_own: 'Olga O_wner',
      ac_ann: 'ann@example.org',
      li_2: 'Garden',
      me_4: expect.any(String),
    });
  });

  test('the history names credentials, their keys, shares and representations, and an erased address not at all', async () => {
    const { store } = await openEmpty(engine);
    await fill(store);
    const share = (id: string, email: string) => ({
      ...{ id, key_id: 'dk_1', parent_id: null, depth: 0, giver_id: 'ac_own', account_id: 'ac_ann', email },
      ...{ state: 'pending' as const, words: '', secret_digest: id, secret_sealed: null, usable_from_at: null },
      ...{ usable_until_at: null, uses_allowed: null, uses_left: null, reshare_depth: 0, first_mail_at: null },
      ...{ mail_failed_at: null, last_mail_at: null, reminded_at: null, expires_at: now, created_at: now },
      ...{ accepted_at: null, ended_at: null, ended_by: null, last_used_at: null, creation_digest: null },
    });
    await store.write(async ({ sql }) => {
      await insertCredential(sql, {
        ...{ id: 'cd_1', account_id: 'ac_own', name: 'Staff card', issuer: 'Hillside', picture: null },
        ...{ valid_from_at: null, valid_until_at: null, created_at: now, created_by: 'operator' },
        ...{ withdrawn_at: null, withdrawn_by: null },
      });
      await insertCredentialKey(sql, {
        ...{ id: 'dk_1', credential_id: 'cd_1', name: 'Front door', collection: 'c', host: 'h', path: '/cam/' },
        ...{ methods: null, needs_second_factor: 0, created_at: now, created_by: 'operator' },
        ...{ removed_at: null, removed_by: null },
      });
      await insertShare(sql, share('sh_1', 'ben@example.org'));
      await insertShare(sql, share('sh_2', ''));
      await insertRepresentation(sql, {
        ...{ id: 'rp_1', key_id: 'dk_1', share_id: 'sh_1', account_id: 'ac_ann', session_id: 'se', kind: 'url' },
        ...{ secret_digest: 'd', created_at: now, expires_at: now, used_at: null, revoked_at: null, revoked_by: null },
      });
    });
    const names = await readRecordNames(store.sql, ['cd_1', 'dk_1', 'sh_1', 'sh_2', 'rp_1', 'sh_none']);
    expect([...names].map(([id, { kind, name, detail }]) => [id, kind, name, detail]).sort()).toEqual([
      ['cd_1', 'credential', 'Staff card', 'Olga O_wner'],
      ['dk_1', 'credential-key', 'Front door', 'Staff card'],
      ['rp_1', 'representation', 'Front door', null],
      ['sh_1', 'share', 'Front door', 'ben@example.org'],
      ['sh_2', 'share', 'Front door', null],
    ]);
  });
});
