// Claiming a link, on both engines: the two questions, the one write, and every case that must not write.

import { describe, expect, test } from 'vitest';
import { answerAccess } from '../../../gateway/control/access/answer-access.ts';
import { foreseeClaim } from '../../../gateway/control/links/claim-link.ts';
import { createLink } from '../../../gateway/control/links/create-link.ts';
import { reopenLink } from '../../../gateway/control/links/reopen-link.ts';
import { revokeLink } from '../../../gateway/control/links/revoke-link.ts';
import { revokeMember } from '../../../gateway/control/links/revoke-member.ts';
import {
  type AccountActor,
  addAccount,
  addDevice,
  ask,
  claim,
  dump,
  type MadeLink,
  makeLink,
  makeLinkRig,
} from '../../support/rigs/link-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

describeEngines('claim', (engine) => {
  test('the first request with the token puts the account on the access list, and its other devices pass without the token', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig);
    const anna = await addAccount(rig);
    const annasTelevision = await addDevice(rig, anna);
    expect((await ask(rig, annasTelevision)).kind).toBe('none');

    const outcome = await claim(rig, anna, made);
    expect(outcome).toMatchObject({ kind: 'granted', answers: { isBound: false, isAuthorisedOtherwise: false } });

    const answer = await ask(rig, annasTelevision);
    expect(answer).toMatchObject({
      kind: 'granted',
      scope: { host: 'media.localhost', path: '/vod/summer/', methods: null, untilAt: null },
      claims: { sub: anna.accountId, email: anna.email, groups: ['film'] },
    });
    if (answer.kind !== 'granted' || outcome.kind !== 'granted') throw new Error('not granted');
    expect(answer.nodes).toEqual([anna.accountId, made.link.id, outcome.memberId, made.link.linkKeyId, 'co_summer']);
    expect(answer.subjects).toEqual(
      expect.arrayContaining([anna.accountId, 'co_summer', made.link.id, outcome.memberId]),
    );
    expect(answer.position).toEqual(await rig.store.readPosition());
  });

  test('of 64 accounts that claim a link for 3 people at once, over two nodes, exactly 3 get in', async () => {
    const rig = await makeLinkRig(engine, 2);
    const made = await makeLink(rig, { claimsAllowed: 3 });
    const people = await Promise.all(Array.from({ length: 64 }, () => addAccount(rig)));

    const outcomes = await Promise.all(people.map((actor, index) => claim(rig, actor, made, index % 2)));

    const kinds = outcomes.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'granted')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'full')).toHaveLength(61);
    const rows = await rig.store.sql.selectFrom('members').selectAll().execute();
    expect(rows).toHaveLength(3);
    const link = await rig.store.sql.selectFrom('links').select('claims_used').executeTakeFirstOrThrow();
    expect(link.claims_used).toBe(3);
    const passing = await Promise.all(people.map((actor) => ask(rig, actor)));
    expect(passing.map(({ kind }) => kind === 'granted')).toEqual(kinds.map((kind) => kind === 'granted'));
  });

  test('the outcome that a claim would have is told without a claim, and nothing is written', async () => {
    const rig = await makeLinkRig(engine);
    const foresee = async (actor: AccountActor, made: MadeLink): Promise<string> => {
      const before = await dump(rig);
      const { kind } = await foreseeClaim(rig.context, actor, made.presentation, 'request-1');
      expect(await dump(rig)).toBe(before);
      return kind;
    };
    const [one, few] = [await makeLink(rig), await makeLink(rig, { claimsAllowed: 3 })];
    const [early, late] = [
      await makeLink(rig, { claimFromAt: rig.clock.now + 60 }),
      await makeLink(rig, { claimUntilAt: rig.clock.now + 30 }),
    ];
    const [anna, bert, carl] = [await addAccount(rig), await addAccount(rig), await addAccount(rig)];
    expect([await foresee(anna, one), await foresee(anna, early)]).toEqual(['would-claim', 'early']);
    const wrong = { ...one, presentation: { ...one.presentation, key: early.link.linkKeyId } };
    expect(await foresee(anna, wrong)).toBe('wrong-pair');

    await claim(rig, anna, one);
    // what lets her in lets her in by other links too
    expect([await foresee(anna, one), await foresee(anna, few)]).toEqual(['already', 'yours-otherwise']);
    expect([await foresee(bert, one), await foresee(bert, few)]).toEqual(['full', 'would-claim']);
    const granted = await claim(rig, carl, few);
    if (granted.kind !== 'granted') throw new Error(granted.kind);
    await revokeMember(rig.context, rig.owner, granted.memberId, null);
    expect(await foresee(carl, few)).toBe('member-revoked');
    rig.clock.now += 30;
    expect(await foresee(bert, late)).toBe('past-window');
    await revokeLink(rig.context, rig.owner, few.link.id, null);
    expect(await foresee(bert, few)).toBe('revoked');
    const unverified = await addAccount(rig, { isVerified: false });
    expect(await foresee(unverified, early)).toBe('account-not-able');
    rig.configure({ collections: [] });
    expect([await foresee(anna, one), await foresee(bert, one)]).toEqual(['wrong-pair', 'wrong-pair']);
  });

  test('a link for one address is claimed by the account that has it verified, and by no other', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig, { addresses: ['Anna@example.org'] });
    const [bert, anna] = [await addAccount(rig), await addAccount(rig, { email: 'anna@example.org' })];
    expect((await foreseeClaim(rig.context, bert, made.presentation, null)).kind).toBe('not-for-you');
    expect(await claim(rig, bert, made)).toEqual({ kind: 'not-for-you' });
    expect((await claim(rig, anna, made)).kind).toBe('granted');
    const row = await rig.store.sql.selectFrom('links').select(['claims_used', 'for_email']).executeTakeFirstOrThrow();
    expect(row).toEqual({ claims_used: 1, for_email: 'anna@example.org' });
    const wider = { linkId: made.link.id, claimsAllowed: 2, requestId: null };
    expect(await reopenLink(rig.context, rig.owner, wider)).toEqual({ kind: 'refused', problem: 'bad-claims' });
  });

  test('one form sent 16 times at once, over two nodes, makes its links once', async () => {
    const rig = await makeLinkRig(engine, 2);
    const input = {
      collection: 'summer',
      label: 'x',
      addresses: ['a@example.org', 'b@example.org'],
      creationKey: 'k',
      requestId: null,
    };
    const outcomes = await Promise.all(
      Array.from({ length: 16 }, (_, n) => createLink(rig.contexts[n % 2] ?? rig.context, rig.owner, input)),
    );
    expect(outcomes.filter(({ kind }) => kind === 'created')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'made-before')).toHaveLength(15);
    expect(await rig.store.sql.selectFrom('links').select('id').execute()).toHaveLength(2);
    expect(await rig.store.sql.selectFrom('access_keys').select('id').execute()).toHaveLength(2);
    expect(await rig.store.sql.selectFrom('outbox').select('id').execute()).toHaveLength(2);
  });

  test('one account from two devices and two nodes at once spends one claim', async () => {
    const rig = await makeLinkRig(engine, 2);
    const made = await makeLink(rig, { claimsAllowed: 8 });
    const anna = await addAccount(rig);
    const devices = [anna, await addDevice(rig, anna)];

    const outcomes = await Promise.all([0, 1, 2, 3].map((n) => claim(rig, devices[n % 2] ?? anna, made, n % 2)));

    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['already', 'already', 'already', 'granted']);
    const link = await rig.store.sql.selectFrom('links').select('claims_used').executeTakeFirstOrThrow();
    expect(link.claims_used).toBe(1);
  });

  test('when a link is revoked while accounts claim it, nobody is let in after the revocation is answered', async () => {
    const rig = await makeLinkRig(engine, 2);
    const made = await makeLink(rig, { claimsAllowed: 100 });
    const people = await Promise.all(Array.from({ length: 24 }, () => addAccount(rig)));

    const before = people.slice(0, 12).map((actor, index) => claim(rig, actor, made, index % 2));
    const revoked = revokeLink(rig.contexts[1] ?? rig.context, rig.owner, made.link.id, null);
    const beside = people.slice(12).map((actor, index) => claim(rig, actor, made, index % 2));
    expect(await revoked).toEqual({ kind: 'revoked', wasLive: true });
    const answers = await Promise.all(people.map((actor) => ask(rig, actor)));
    const late = await claim(rig, await addAccount(rig), made);

    await Promise.all([...before, ...beside]);
    const rows = await rig.store.sql.selectFrom('members').selectAll().execute();
    expect(answers.every(({ kind }) => kind === 'none')).toBe(true);
    expect(late).toEqual({ kind: 'revoked' });
    const later = await Promise.all(people.map((actor) => ask(rig, actor)));
    expect(later.every(({ kind }) => kind === 'none')).toBe(true);
    // whoever came in did so before: the log tells
    const changes = await rig.store.sql.selectFrom('changes').selectAll().orderBy('seq').execute();
    const place = changes.find(({ kind, node }) => kind === 'revoke' && node === made.link.id)?.seq ?? 0;
    const claimed = changes.filter(({ kind, node }) => kind === 'touch' && rows.some((row) => row.account_id === node));
    expect(claimed).toHaveLength(rows.length);
    expect(claimed.every(({ seq }) => seq < place)).toBe(true);
  });
});

describe('claims one after the other', () => {
  const engine = 'sqlite';

  test('a claim with a wrong pair is refused and writes nothing to any table', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig);
    const other = await makeLink(rig);
    const anna = await addAccount(rig);
    const before = await dump(rig);
    const { presentation } = made;
    const wrong = [
      { ...presentation, key: other.presentation.key },
      { ...presentation, key: '' },
      { ...presentation, token: other.presentation.token },
      { ...presentation, token: `${made.link.id}.${'A'.repeat(43)}` },
      { ...presentation, token: made.link.id },
      { ...presentation, token: '' },
      { ...presentation, token: presentation.token.replace(/^li_.{4}/, 'li_AAAA') },
      { ...presentation, host: 'other.localhost' },
      { ...presentation, path: '/vod/winter/' },
    ];
    for (const attempt of wrong)
      expect(await claim(rig, anna, { ...made, presentation: attempt })).toEqual({ kind: 'wrong-pair' });
    expect(await dump(rig)).toBe(before);
    expect((await claim(rig, anna, made)).kind).toBe('granted');
  });

  test('a claim of a revoked link writes nothing, whoever claims', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig, { claimsAllowed: 5 });
    const member = await addAccount(rig);
    await claim(rig, member, made);
    await revokeLink(rig.context, rig.owner, made.link.id, null);
    const people = [member, await addAccount(rig), rig.owner];
    const before = await dump(rig);
    for (const actor of people) expect(await claim(rig, actor, made)).toEqual({ kind: 'revoked' });
    expect(await dump(rig)).toBe(before);
    expect((await ask(rig, member)).kind).toBe('none');
  });

  test('a claim by a disabled, deleted or unverified account, or in an ended session, is refused', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig);
    const ended = await addAccount(rig);
    await rig.store.write(({ sql, now }) =>
      sql.updateTable('sessions').set({ ended_at: now }).where('id', '=', ended.sessionId).execute(),
    );
    const people = [
      await addAccount(rig, { state: 'disabled' }),
      await addAccount(rig, { state: 'deleted' }),
      await addAccount(rig, { isVerified: false }),
      ended,
      { ...(await addAccount(rig)), sessionId: rig.owner.sessionId },
    ];
    const before = await dump(rig);
    for (const actor of people) expect(await claim(rig, actor, made)).toEqual({ kind: 'account-not-able' });
    expect(await dump(rig)).toBe(before);
  });

  test('an account that passes already (owner, member, member by another link) spends no claim and gets no second row', async () => {
    const rig = await makeLinkRig(engine);
    const [whole, piece] = [await makeLink(rig), await makeLink(rig, { path: '/vod/summer/one/', claimsAllowed: 9 })];
    const anna = await addAccount(rig);
    await claim(rig, anna, whole);
    const before = await dump(rig);

    expect(await claim(rig, anna, whole)).toMatchObject({ kind: 'already', answers: { isBound: true } });
    const answers = { isBound: false, isAuthorisedOtherwise: true };
    expect(await claim(rig, anna, piece)).toMatchObject({ kind: 'yours-otherwise', answers });
    expect(await claim(rig, rig.owner, piece)).toMatchObject({ kind: 'yours-otherwise', grant: 'co_summer', answers });
    expect(await dump(rig)).toBe(before);
  });

  test('access to a part of a collection does not count as access to the whole', async () => {
    const rig = await makeLinkRig(engine);
    const [whole, piece] = [await makeLink(rig), await makeLink(rig, { path: '/vod/summer/one/' })];
    const anna = await addAccount(rig);
    expect((await claim(rig, anna, piece)).kind).toBe('granted');
    expect((await ask(rig, anna, '/vod/summer/two/a.ts')).kind).toBe('none');
    expect((await claim(rig, anna, whole)).kind).toBe('granted');
    expect(await ask(rig, anna, '/vod/summer/two/a.ts')).toMatchObject({ scope: { path: '/vod/summer/' } });
  });

  test('a claim outside of the link\u2019s times is told whether it is too early, too late, or the access is over', async () => {
    const rig = await makeLinkRig(engine);
    const { now } = rig.clock;
    const times = { claimFromAt: now + 10, claimUntilAt: now + 20, accessUntilAt: now + 30, claimsAllowed: 9 };
    const made = await makeLink(rig, times);
    const [anna, bert] = [await addAccount(rig), await addAccount(rig)];

    expect(await claim(rig, anna, made)).toEqual({ kind: 'early', claimFromAt: now + 10 });
    rig.clock.now = now + 10;
    expect((await claim(rig, anna, made)).kind).toBe('granted');
    expect(await ask(rig, anna)).toMatchObject({ kind: 'granted', scope: { untilAt: now + 30 } });
    rig.clock.now = now + 20;
    expect(await claim(rig, bert, made)).toEqual({ kind: 'past-window' });
    expect((await claim(rig, anna, made)).kind).toBe('already');
    rig.clock.now = now + 30;
    expect(await claim(rig, bert, made)).toEqual({ kind: 'access-over' });
    expect(await claim(rig, anna, made)).toEqual({ kind: 'access-over' });
    expect((await ask(rig, anna)).kind).toBe('none');
  });

  test('an access question in an ended session gets the answer that the session ended, so the account\u2019s other sessions go on', async () => {
    const rig = await makeLinkRig(engine);
    const anna = await addAccount(rig);
    await claim(rig, anna, await makeLink(rig));
    const question = { account: anna.accountId, session: anna.sessionId, device: anna.deviceId };
    const place = { host: 'media.localhost', path: '/vod/summer/a.ts' };
    await rig.store.write(({ sql }) =>
      sql.updateTable('sessions').set({ ended_at: 1 }).where('id', '=', anna.sessionId).execute(),
    );
    expect(await answerAccess(rig.context, { ...question, ...place })).toEqual({ kind: 'ended' });
  });

  test('a removed member is refused with the same link, and let in with a new link', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig, { claimsAllowed: 9 });
    const anna = await addAccount(rig);
    const outcome = await claim(rig, anna, made);
    if (outcome.kind !== 'granted') throw new Error(outcome.kind);
    await revokeMember(rig.context, rig.owner, outcome.memberId, null);

    expect((await ask(rig, anna)).kind).toBe('none');
    const before = await dump(rig);
    expect(await claim(rig, anna, made)).toEqual({ kind: 'member-revoked' });
    expect(await dump(rig)).toBe(before);
    expect((await claim(rig, anna, await makeLink(rig))).kind).toBe('granted');
  });

  test('owners and collections that the configuration no longer has open nothing, and neither do their links', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig, { claimsAllowed: 9 });
    const anna = await addAccount(rig);
    await claim(rig, anna, made);
    expect((await ask(rig, rig.owner)).kind).toBe('granted');

    const summer = rig.context.config().collections;
    rig.configure({ collections: summer.map((collection) => ({ ...collection, owners: [] })) });
    expect((await ask(rig, rig.owner)).kind).toBe('none');
    expect((await ask(rig, anna)).kind).toBe('granted');
    rig.configure({ collections: summer.map((collection) => ({ ...collection, path: '/vod/winter/' })) });
    expect((await ask(rig, anna)).kind).toBe('none');
    expect(await claim(rig, await addAccount(rig), made)).toEqual({ kind: 'wrong-pair' });
  });

  test('a membership outside of its collection, which became smaller, does not block a claim of a new link', async () => {
    const rig = await makeLinkRig(engine);
    const anna = await addAccount(rig);
    await claim(rig, anna, await makeLink(rig));
    const whole = rig.context.config().collections;
    rig.configure({ collections: whole.map((collection) => ({ ...collection, path: '/vod/summer/one/' })) });
    expect((await ask(rig, anna)).kind).toBe('none');
    expect((await claim(rig, anna, await makeLink(rig))).kind).toBe('granted');
  });

  test('an answer read before a claim or a revocation lies before it in the log', async () => {
    const rig = await makeLinkRig(engine);
    const made = await makeLink(rig);
    const anna = await addAccount(rig);
    const before = await ask(rig, anna);
    await claim(rig, anna, made);
    const after = await ask(rig, anna);
    await revokeLink(rig.context, rig.owner, made.link.id, null);

    const changes = await rig.store.sql.selectFrom('changes').selectAll().execute();
    const touched = changes.find(({ kind, node }) => kind === 'touch' && node === anna.accountId);
    const revoked = changes.find(({ kind, node }) => kind === 'revoke' && node === made.link.id);
    expect(touched?.seq).toBeGreaterThan(before.position.seq);
    expect(touched?.seq).toBeLessThanOrEqual(after.position.seq);
    expect(revoked?.seq).toBeGreaterThan(after.position.seq);
    expect(before.subjects).toContain(anna.accountId);
    expect(after.subjects).toContain(made.link.id);
  });
});
