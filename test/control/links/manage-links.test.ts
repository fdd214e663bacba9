// Making, changing, listing and ending links: who may, what is kept of a secret, and which changes the log gets.

import { expect, test } from 'vitest';
import { listAccess } from '../../../gateway/control/access/list-access.ts';
import { placePath } from '../../../gateway/control/access/place-input.ts';
import type { Actor } from '../../../gateway/control/context/control-context.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { listLinks, listMembers, readLink } from '../../../gateway/control/links/list-links.ts';
import { reopenLink } from '../../../gateway/control/links/reopen-link.ts';
import { revokeAllLinks, revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { revokeMember } from '../../../gateway/control/links/revoke-member.ts';
import { showLinkAddress } from '../../../gateway/control/links/show-link-address.ts';
import { pruneExpired } from '../../../gateway/control/sessions/prune-expired.ts';
import { recordMembersSeen } from '../../../gateway/store/rows/members.ts';
import {
  type AccountActor,
  addAccount,
  ask,
  claim,
  dump,
  type LinkRig,
  makeLink,
  makeLinkRig,
  operator,
  presentationOf,
} from '../../support/rigs/link-rig.ts';

async function changesAfter(rig: LinkRig, seq: number): Promise<string[]> {
  const rows = await rig.store.sql.selectFrom('changes').selectAll().where('seq', '>', seq).orderBy('seq').execute();
  return rows.map(({ kind, node }) => `${kind} ${node}`);
}

async function memberOf(rig: LinkRig, actor: AccountActor): Promise<string> {
  const query = rig.store.sql.selectFrom('members').select('id').where('account_id', '=', actor.accountId);
  return (await query.executeTakeFirstOrThrow()).id;
}

test('a new link\u2019s URL holds the link key and the token, and the store holds only a digest and a sealed copy', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { path: '/vod/summer/one/', claimsAllowed: 3, methods: ['GET'] });
  expect(made.url).toMatch(
    /^http:\/\/media\.localhost:8080\/vod\/summer\/one\/\?key=ak_[\w-]{22}&authtoken=li_[\w-]{22}\.[\w-]{43}$/,
  );
  expect(made.link).toMatchObject({ state: 'open', claimsAllowed: 3, claimsUsed: 0, methods: ['GET'] });
  expect(made.link.cleanUrl).toBe('http://media.localhost:8080/vod/summer/one/');
  expect(new URL(made.url).searchParams.get('key')).toBe(made.link.linkKeyId);
  const secret = made.presentation.token.split('.')[1] ?? '';
  expect(await dump(rig)).toContain(made.link.id);
  expect(await dump(rig)).not.toContain(secret);
});

test('a link\u2019s URL has parameter names from the configuration, and scheme and port from the portal', async () => {
  const rig = await makeLinkRig('sqlite');
  const portal = {
    publicUrl: 'https://portal.example.org',
    host: 'portal.example.org',
    name: 'Media',
    contact: null,
    logoFile: null,
    hosts: [],
  };
  rig.configure({ portal, links: { keyParameter: 'k', tokenParameter: 't', defaultAccessSeconds: null } });
  const made = await createLink(rig.context, rig.owner, { collection: 'summer', label: 'x', requestId: null });
  expect(made).toMatchObject({
    url: expect.stringMatching(/^https:\/\/media\.localhost\/vod\/summer\/\?k=ak_[^&]+&t=li_/),
  });
});

test('only owners, administrators and the operator make links', async () => {
  const rig = await makeLinkRig('sqlite');
  const input = { collection: 'summer', label: 'x', requestId: null };
  const unverified = await addAccount(rig, { email: 'owner@example.org', isVerified: false });
  const before = await dump(rig);
  for (const actor of [unverified, { ...rig.owner, sessionId: unverified.sessionId }]) {
    expect(await createLink(rig.context, actor, input)).toEqual({ kind: 'not-found' });
  }
  expect(await createLink(rig.context, operator, { ...input, collection: 'winter' })).toEqual({ kind: 'not-found' });
  expect(await dump(rig)).toBe(before);
  expect(await createLink(rig.context, await addAccount(rig), input)).toEqual({ kind: 'not-found' });
  expect((await createLink(rig.context, await addAccount(rig, { role: 'admin' }), input)).kind).toBe('created');
  expect((await createLink(rig.context, operator, input)).kind).toBe('created');
  const owners = await rig.store.sql.selectFrom('links').select('owner_id').execute();
  expect(owners.map(({ owner_id }) => owner_id)).toContain(rig.owner.accountId);
});

test.each([
  [{ path: '/vod/winter/' }, 'bad-path'],
  [{ path: '/vod/summer/../winter/' }, 'bad-path'],
  [{ path: '/vod/summer/*' }, 'bad-path'],
  [{ path: '/vod/summer/a;Path=/' }, 'bad-path'],
  [{ label: '' }, 'bad-label'],
  [{ label: 'a\nb' }, 'bad-label'],
  [{ label: 'a'.repeat(121) }, 'bad-label'],
  [{ claimsAllowed: 0 }, 'bad-claims'],
  [{ claimsAllowed: 10_001 }, 'bad-claims'],
  [{ claimsAllowed: 1.5 }, 'bad-claims'],
  [{ claimUntilAt: 1 }, 'bad-window'],
  [{ accessUntilAt: 1 }, 'bad-window'],
  [{ claimFromAt: 1_900_000_000, claimUntilAt: 1_850_000_000 }, 'bad-window'],
  [{ methods: ['POST'] }, 'bad-methods'],
  [{ methods: ['GET', 'get'] }, 'bad-methods'],
])('refuses a link of %j', async (fields, problem) => {
  const rig = await makeLinkRig('sqlite');
  const input = { collection: 'summer', label: 'x', requestId: null, ...fields };
  expect(await createLink(rig.context, rig.owner, input)).toEqual({ kind: 'refused', problem, wrong: [] });
});

test('only the owner or an administrator revokes a link; others are told that there is no such link', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { claimsAllowed: 3 });
  const anna = await addAccount(rig);
  await claim(rig, anna, made);
  const member = await memberOf(rig, anna);
  const other = await addAccount(rig, { email: 'other@example.org' });
  const before = await dump(rig);
  for (const actor of [anna, other]) {
    const none = { kind: 'not-found' };
    expect(await revokeLink(rig.context, actor, made.link.id, null)).toEqual(none);
    expect(await revokeMember(rig.context, actor, member, null)).toEqual(none);
    expect(await revokeAllLinks(rig.context, actor, 'summer', null)).toEqual(none);
    expect(await reopenLink(rig.context, actor, { linkId: made.link.id, claimsAllowed: 9, requestId: null })).toEqual(
      none,
    );
    expect(await listMembers(rig.context, actor, made.link.id, {})).toEqual(none);
    expect(await readLink(rig.context, actor, made.link.id)).toBeNull();
    expect((await listLinks(rig.context, actor, {})).links).toEqual([]);
    expect((await listLinks(rig.context, actor, { collection: 'summer' })).links).toEqual([]);
  }
  expect(await dump(rig)).toBe(before);
  expect((await ask(rig, anna)).kind).toBe('granted');
});

test('a revocation is one small change however many members the link has, and a second revocation writes nothing', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { claimsAllowed: 30 });
  const people = await Promise.all(Array.from({ length: 20 }, () => addAccount(rig)));
  for (const actor of people) await claim(rig, actor, made);
  const { seq } = await rig.store.readPosition();
  expect(await revokeLink(rig.context, rig.owner, made.link.id, null)).toEqual({ kind: 'revoked', wasLive: true });
  expect(await changesAfter(rig, seq)).toEqual([`revoke ${made.link.id}`, `revoke ${made.link.linkKeyId}`]);
  const answers = await Promise.all(people.map((actor) => ask(rig, actor)));
  expect(answers.every(({ kind }) => kind === 'none')).toBe(true);

  const before = await dump(rig);
  expect(await revokeLink(rig.context, rig.owner, made.link.id, null)).toEqual({ kind: 'revoked', wasLive: false });
  expect(await dump(rig)).toBe(before);
});

test('removing one member leaves the others', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { claimsAllowed: 3 });
  const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
  await claim(rig, anna, made);
  await claim(rig, bert, made);
  const member = await memberOf(rig, anna);
  const { seq } = await rig.store.readPosition();
  expect(await revokeMember(rig.context, rig.owner, member, null)).toEqual({ kind: 'revoked', wasLive: true });
  expect(await changesAfter(rig, seq)).toEqual([`revoke ${member}`]);
  expect((await ask(rig, anna)).kind).toBe('none');
  expect((await ask(rig, bert)).kind).toBe('granted');
  // The owner does not see the devices of a member who was removed.
  const devicesOf = async (): Promise<readonly number[]> => {
    const listed = await listMembers(rig.context, rig.owner, made.link.id, {});
    return listed.kind === 'listed' ? listed.members.map(({ devices }) => devices.length).sort() : [];
  };
  expect(await devicesOf()).toEqual([0, 1]);
  await revokeLink(rig.context, rig.owner, made.link.id, null);
  expect(await devicesOf()).toEqual([0, 0]);
});

test('all links of a collection end with one change, and a link that is made later works', async () => {
  const rig = await makeLinkRig('sqlite');
  const links = [await makeLink(rig), await makeLink(rig)];
  const anna = await addAccount(rig);
  for (const made of links) await claim(rig, anna, made);
  const { seq } = await rig.store.readPosition();
  expect(await revokeAllLinks(rig.context, rig.owner, 'summer', null)).toEqual({ kind: 'revoked', links: 2 });
  expect(await changesAfter(rig, seq)).toEqual(['revoke co_summer']);
  expect((await ask(rig, anna)).kind).toBe('none');
  expect((await claim(rig, anna, await makeLink(rig))).kind).toBe('granted');
  expect((await ask(rig, anna)).kind).toBe('granted');
});

test('a link is opened again for more people and for longer, but never after it was revoked', async () => {
  const rig = await makeLinkRig('sqlite');
  const { now } = rig.clock;
  const made = await makeLink(rig, { claimUntilAt: now + 10, accessUntilAt: now + 20 });
  const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
  await claim(rig, anna, made);
  expect((await claim(rig, bert, made)).kind).toBe('full');
  rig.clock.now = now + 20;
  expect((await ask(rig, anna)).kind).toBe('none');

  const { seq } = await rig.store.readPosition();
  const longer = { linkId: made.link.id, claimsAllowed: 2, claimUntilAt: null, accessUntilAt: null, requestId: null };
  expect(await reopenLink(rig.context, rig.owner, longer)).toMatchObject({ kind: 'reopened', url: null });
  expect(await changesAfter(rig, seq)).toEqual([`touch ${made.link.id}`, 'touch co_summer']);
  expect((await ask(rig, anna)).kind).toBe('granted');
  expect((await claim(rig, bert, made)).kind).toBe('granted');

  const fewer = { linkId: made.link.id, claimsAllowed: 1, requestId: null };
  expect(await reopenLink(rig.context, rig.owner, fewer)).toEqual({ kind: 'refused', problem: 'bad-claims' });
  await revokeLink(rig.context, rig.owner, made.link.id, null);
  expect(await reopenLink(rig.context, rig.owner, longer)).toEqual({ kind: 'refused', problem: 'revoked' });
});

test('an earlier end of access ends the passes that were made under the later one', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig);
  const { seq } = await rig.store.readPosition();
  await reopenLink(rig.context, rig.owner, {
    linkId: made.link.id,
    accessUntilAt: rig.clock.now + 60,
    requestId: null,
  });
  expect(await changesAfter(rig, seq)).toContain(`revoke ${made.link.id}`);
});

test('a new secret makes a new URL and voids the old URL; members stay', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { claimsAllowed: 3 });
  const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
  await claim(rig, anna, made);
  const reopened = await reopenLink(rig.context, rig.owner, { linkId: made.link.id, newSecret: true, requestId: null });
  if (reopened.kind !== 'reopened' || reopened.url === null) throw new Error('no new URL');
  expect(await claim(rig, bert, made)).toEqual({ kind: 'wrong-pair' });
  expect((await ask(rig, anna)).kind).toBe('granted');
  expect((await claim(rig, bert, { ...made, presentation: presentationOf(reopened.url) })).kind).toBe('granted');
});

test('the owner sees who came in, when and by which device; members see what they can open', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig, { claimsAllowed: 3 });
  const anna = await addAccount(rig, { email: 'anna@example.org' });
  await claim(rig, anna, made);
  const listed = await listMembers(rig.context, rig.owner, made.link.id, {});
  expect(listed).toMatchObject({
    kind: 'listed',
    link: { claimsUsed: 1 },
    members: [
      {
        email: 'anna@example.org',
        claimedAt: rig.clock.now,
        lastSeenAt: rig.clock.now,
        revokedAt: null,
        claimedOn: 'Firefox on Linux',
        devices: [{ name: 'Firefox on Linux' }],
      },
    ],
    next: null,
  });
  expect(await listAccess(rig.context, anna)).toMatchObject([
    { kind: 'link', label: 'Film night', url: 'http://media.localhost:8080/vod/summer/', givenBy: 'owner' },
  ]);
  expect(await listAccess(rig.context, rig.owner)).toMatchObject([{ kind: 'ownership', grant: 'co_summer' }]);
});

test('the last use of a member only moves forward, and revives no ended membership', async () => {
  const rig = await makeLinkRig('sqlite');
  const made = await makeLink(rig);
  const anna = await addAccount(rig);
  await claim(rig, anna, made);
  const member = await memberOf(rig, anna);
  const { seq } = await rig.store.readPosition();
  const seen = async (at: number): Promise<number | null> => {
    await rig.store.write((unit) => recordMembersSeen(unit, [member, 'co_summer'], at));
    const query = rig.store.sql.selectFrom('members').select('last_seen_at').where('id', '=', member);
    return (await query.executeTakeFirstOrThrow()).last_seen_at;
  };
  expect(await seen(rig.clock.now + 60)).toBe(rig.clock.now + 60);
  expect(await seen(rig.clock.now + 30)).toBe(rig.clock.now + 60);
  expect((await rig.store.readPosition()).seq).toBe(seq);
});

test('the pages of a list have no gap', async () => {
  const rig = await makeLinkRig('sqlite');
  const made: string[] = [];
  for (let index = 0; index < 5; index++) {
    rig.clock.now += index % 2;
    made.push((await makeLink(rig, { claimsAllowed: 9 })).link.id);
  }
  const seen: string[] = [];
  let after: string | undefined;
  do {
    const page = await listLinks(rig.context, rig.owner, { limit: 2, ...(after === undefined ? {} : { after }) });
    seen.push(...page.links.map(({ id }) => id));
    after = page.next ?? undefined;
  } while (after !== undefined);
  expect([...seen].sort()).toEqual([...made].sort());
  expect(seen).toHaveLength(5);
});

test('mails are queued when the link asks for them; none of these mails, no log line and no row holds a token', async () => {
  const rig = await makeLinkRig('sqlite');
  const [loud, quiet] = [await makeLink(rig, { notify: true }), await makeLink(rig, { path: '/vod/summer/one/' })];
  const [anna, bert] = [await addAccount(rig), await addAccount(rig)];
  await claim(rig, bert, quiet);
  await revokeLink(rig.context, rig.owner, quiet.link.id, null);
  expect(await rig.store.sql.selectFrom('outbox').select('kind').execute()).toEqual([]);
  await claim(rig, anna, loud);
  await revokeLink(rig.context, rig.owner, loud.link.id, null);
  const mails = await rig.store.sql.selectFrom('outbox').selectAll().execute();
  expect(mails.map(({ kind, account_id }) => [kind, account_id]).sort()).toEqual(
    [
      ['link-claimed', rig.owner.accountId],
      ['member-joined', anna.accountId],
      ['member-revoked', anna.accountId],
    ].sort(),
  );
  const others = [
    await makeLink(rig, { notify: true, claimsAllowed: 2 }),
    await makeLink(rig, { path: '/vod/summer/one/' }),
  ] as const;
  await claim(rig, anna, others[0]);
  await claim(rig, bert, others[0]);
  await claim(rig, await addAccount(rig), others[1]);
  await rig.store.write((unit) => unit.sql.deleteFrom('outbox').execute());
  await revokeAllLinks(rig.context, rig.owner, 'summer', null);
  const last = await rig.store.sql.selectFrom('outbox').select(['kind', 'account_id']).execute();
  expect(last.map(({ kind, account_id }) => `${kind} ${account_id}`).sort()).toEqual(
    [anna, bert].map(({ accountId }) => `member-revoked ${accountId}`).sort(),
  );
  const everything = `${await dump(rig)}${rig.said()}`;
  for (const { presentation } of [loud, quiet]) {
    expect(everything).not.toContain(presentation.token);
    expect(everything).not.toContain(presentation.token.split('.')[1]);
  }
});

test('the address of a live link can be shown again, and its sealed secret is wiped within hours of its end', async () => {
  const rig = await makeLinkRig('sqlite');
  const [live, ended, over] = [
    await makeLink(rig),
    await makeLink(rig),
    await makeLink(rig, { accessUntilAt: rig.clock.now + 60 }),
  ];
  const show = async (id: string, actor: Actor = rig.owner) => await showLinkAddress(rig.context, actor, id, null);
  expect(await show(live.link.id)).toMatchObject({ kind: 'shown', url: live.url });
  expect((await show(live.link.id, await addAccount(rig))).kind).toBe('not-found');
  const renewed = await reopenLink(rig.context, rig.owner, { linkId: live.link.id, newSecret: true, requestId: null });
  const { url } = renewed.kind === 'reopened' ? renewed : { url: null };
  expect(await show(live.link.id)).toMatchObject({ url });
  await revokeLink(rig.context, rig.owner, ended.link.id, null);
  expect((await show(ended.link.id)).kind).toBe('no-address');
  const kept = async () => {
    const rows = await rig.store.sql.selectFrom('links').select('id').where('secret_sealed', 'is not', null).execute();
    return rows.map(({ id }) => id).sort();
  };
  expect(await kept()).toHaveLength(3);
  for (let hour = 0; hour < 6; hour++) {
    rig.clock.now += 3600;
    await pruneExpired(rig.context);
  }
  expect(await kept()).toEqual([live.link.id]);
  expect((await show(over.link.id)).kind).toBe('no-address');
});

test.each([
  ['film.mp4', '/vod/summer/film.mp4'],
  ['one/film two.mp4', '/vod/summer/one/film%20two.mp4'],
  ['film%20two.mp4', '/vod/summer/film%20two.mp4'],
  ['100%.mp4', '/vod/summer/100%25.mp4'],
  ['../winter/film.mp4', null],
])('the name %s of a file is a path below the collection: %s', (name, path) => {
  expect(
    placePath({ name: 'summer', host: 'media.localhost', path: '/vod/summer/', owners: [], methods: null }, name),
  ).toBe(path);
});
