// Giving a key to an address: who may, what is refused, what the address is told, and that nothing tells what is known of the address.

import type { KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import type { ControlContext } from '../../../gateway/control/context/control-context.ts';
import { blockSender } from '../../../gateway/control/sharing/block-sender.ts';
import { endShare } from '../../../gateway/control/sharing/end-share.ts';
import { giveShare } from '../../../gateway/control/sharing/give-share.ts';
import { readShare } from '../../../gateway/control/sharing/list-shares.ts';
import { resendShare } from '../../../gateway/control/sharing/resend-share.ts';
import { digestOf } from '../../../gateway/core/model/digest.ts';
import { updateAccount } from '../../../gateway/store/rows/accounts.ts';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { nextMailDue, takeDueMail } from '../../../gateway/store/rows/outbox.ts';
import { insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { insertBlock, removeBlock } from '../../../gateway/store/sharing/share-blocks.ts';
import { findShare, noteMailHandedOver } from '../../../gateway/store/sharing/shares.ts';
import { addAccount, dump, operator } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig, type ShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const accountsOf = async (rig: ShareRig, email: string) =>
  await rig.store.sql.selectFrom('accounts').select(['id', 'email_verified_at']).where('email', '=', email).execute();

const mailsTo = async (rig: ShareRig) => {
  const rows = await rig.store.sql.selectFrom('outbox').selectAll().orderBy('created_at').execute();
  return rows.map((row) => ({ ...row, body: JSON.parse(row.body_sealed ?? '{}') }));
};

describeEngines('giving a key', (engine) => {
  test('the address is told by a message that names key and giver, and nothing is granted', async () => {
    const rig = await makeShareRig(engine);
    const changes = (await rig.store.readPosition()).seq;
    const share = await rig.given(' Mina@Example.org ', { words: 'For the cat.\r\nThank you!\u202e', usesAllowed: 2 });
    expect(share).toMatchObject({
      ...{ state: 'pending', email: 'mina@example.org', givenBy: 'owner', depth: 0, reshareDepth: 0, mail: null },
      ...{ words: 'For the cat.\nThank you!', usesAllowed: 2, usesLeft: 2 },
      key: { name: 'Front door', credential: { name: 'Staff card', issuer: 'Hillside' } },
    });
    const [mail, ...others] = await mailsTo(rig);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ kind: 'key-shared', subject: share.id, body: { to: 'mina@example.org' } });
    expect(mail?.body.text).toContain('owner (owner@example.org) wants to share the key “Front door”');
    expect(mail?.body.text).toMatch(
      new RegExp(`http://portal\\.localhost:8080/\\.latchkey/shares/open\\?code=${share.id}\\.[\\w-]{43}\\n`),
    );
    // the giver's own words would be a way to send anything to anybody
    expect(JSON.stringify(mail?.body)).not.toContain('cat');
    // nobody who reads the store learns what the message's address holds
    const secret = /sh_[\w-]{22}\.([\w-]{43})/.exec(mail?.body.text)?.[1] ?? '';
    const { outbox: _, ...rest } = JSON.parse(await dump(rig));
    expect(JSON.stringify(rest)).not.toContain(secret);
    const row = await findShare(rig.store.sql, share.id);
    expect(row).toMatchObject({ secret_digest: digestOf(secret), first_mail_at: null, state: 'pending' });
    expect(await accountsOf(rig, 'mina@example.org')).toEqual([{ id: row?.account_id, email_verified_at: null }]);
    expect((await rig.store.readPosition()).seq).toBe(changes);
    const { entries } = await listAudit(rig.store.sql, { subject: share.id });
    expect(entries).toMatchObject([
      {
        ...{ action: 'share.created', actor: rig.owner.accountId, requestId: 'request-1' },
        details: { key: rig.keyId, credential: rig.credentialId, parent: null, network: '192.0.2.0/24' },
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain('mina');
  });

  test('a share points at the verified account of its address, else at the oldest unverified one, else at a new one', async () => {
    const rig = await makeShareRig(engine);
    const oldest = await addAccount(rig, { email: 'two@example.org', isVerified: false });
    rig.clock.now += 10;
    await addAccount(rig, { email: 'two@example.org', isVerified: false });
    await addAccount(rig, { email: 'known@example.org', isVerified: false });
    const known = await addAccount(rig, { email: 'known@example.org' });
    const blocked = await addAccount(rig, { email: 'off@example.org', state: 'disabled' });
    const pointsAt = async (email: string) => (await findShare(rig.store.sql, (await rig.given(email)).id))?.account_id;
    expect(await pointsAt('two@example.org')).toBe(oldest.accountId);
    expect(await accountsOf(rig, 'two@example.org')).toHaveLength(2);
    expect(await pointsAt('known@example.org')).toBe(known.accountId);
    expect(await pointsAt('off@example.org')).toBe(blocked.accountId);
    const fresh = await pointsAt('new@example.org');
    expect(await accountsOf(rig, 'new@example.org')).toEqual([{ id: fresh, email_verified_at: null }]);
  });

  test('the same statements run for a known, an unverified, a disabled and an unknown address, whoever may be invited', async () => {
    const rig = await makeShareRig(engine);
    await addAccount(rig, { email: 'known@example.org' });
    await addAccount(rig, { email: 'waiting@example.org', isVerified: false });
    await addAccount(rig, { email: 'off@example.org', state: 'disabled' });
    await rig.store.write(({ sql, now }) =>
      insertBlock(sql, { mailboxDigest: digestOf('blocks@example.org'), giverId: rig.owner.accountId }, now),
    );
    for (const invite of ['anyone', 'domains', 'known'] as const) {
      rig.sharing({ invite });
      const seen = new Map<string, readonly string[]>();
      for (const name of ['known', 'waiting', 'off', 'new', 'blocks']) {
        const seq = (await rig.store.readPosition()).seq;
        const offered = await recordStatements(rig, async (context) => {
          const input = { keyId: rig.keyId, email: `${name}@example.org`, origin: atHome };
          const outcome = await giveShare(context, rig.owner, input);
          return outcome.kind === 'given' ? outcome.share.id : '';
        });
        rig.clock.now += 60;
        const again = await recordStatements(rig, async (context) => {
          const outcome = await resendShare(context, rig.owner, { shareId: offered.result, origin: atHome });
          return outcome.kind;
        });
        expect(again.result).toBe('resent');
        seen.set(name, [...offered.texts, ...again.texts]);
        expect((await rig.store.readPosition()).seq).toBe(seq);
        rig.clock.now += 3600;
        await rig.store.write(({ sql }) => sql.deleteFrom('shares').execute());
        if (name === 'new')
          await rig.store.write(({ sql }) =>
            sql.deleteFrom('accounts').where('email', '=', 'new@example.org').execute(),
          );
      }
      expect(seen.get('known')?.length).toBeGreaterThan(15);
      for (const [name, statements] of seen)
        expect([invite, name, statements]).toEqual([invite, name, seen.get('known')]);
    }
  });

  test('only whom the credential belongs to gives a key, and holders with depth left, within their own window', async () => {
    const rig = await makeShareRig(engine);
    rig.sharing({ reshareDepth: 2 });
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const joe = await addAccount(rig, { email: 'joe@example.org' });
    const { now } = rig.clock;
    const notFound = { kind: 'not-found' };
    expect(await rig.give('new@example.org', {}, mina)).toEqual(notFound);
    expect(await rig.give('new@example.org', { keyId: 'dk_unknown0000000000000000' })).toEqual(notFound);
    expect(await rig.give('new@example.org', {}, await addAccount(rig, { role: 'admin' }))).toEqual(notFound);
    expect(await rig.give('mina@example.org', { reshareDepth: 3 })).toEqual({ kind: 'refused', problem: 'bad-depth' });
    const first = await rig.given('mina@example.org', { reshareDepth: 1, usableUntilAt: now + 1000 });
    expect(await rig.give('joe@example.org', {}, mina)).toEqual(notFound);
    await rig.accept(first.id, mina);
    expect(await rig.give('joe@example.org', { reshareDepth: 1 }, mina)).toMatchObject({ problem: 'bad-depth' });
    const second = await rig.given('joe@example.org', { usableUntilAt: now + 5000 }, mina);
    expect(second).toMatchObject({ depth: 1, reshareDepth: 0, usableUntilAt: now + 1000, givenBy: 'mina' });
    expect(await findShare(rig.store.sql, second.id)).toMatchObject({ parent_id: first.id });
    await rig.accept(second.id, joe);
    expect(await rig.give('new@example.org', {}, joe)).toEqual(notFound);
    for (const [above, by] of [
      ['joe@example.org', joe],
      ['mina@example.org', mina],
      ['owner@example.org', mina],
      ['owner@example.org', rig.owner],
    ] as const) {
      const outcome = await rig.give(above, {}, by);
      expect([above, outcome.kind]).toEqual([above, by === joe ? 'not-found' : 'yours-already']);
    }
    // a setting that became narrower counts for chains that are there
    rig.sharing({ reshareDepth: 0 });
    expect(await rig.give('new@example.org', {}, mina)).toEqual(notFound);
    // the operator gives in the name of the owner
    const made = await giveShare(rig.context, operator, { keyId: rig.keyId, email: 'op@example.org', origin: atHome });
    expect(made).toMatchObject({ kind: 'given', share: { givenBy: 'owner' } });
    await rig.store.write(({ sql }) => updateAccount(sql, rig.owner.accountId, { state: 'disabled' }));
    expect((await rig.give('other@example.org')).kind).toBe('not-found');
  });

  test('beyond what an address gets the message goes out later, whoever gives; what is not mailed takes no place', async () => {
    const rig = await makeShareRig(engine);
    rig.sharing({ reshareDepth: 1, perAddress: { count: 1, seconds: 86_400 } });
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const { id } = await rig.given('mina@example.org', { reshareDepth: 1 });
    await rig.accept(id, mina);
    const block = { mailboxDigest: digestOf('new@example.org'), giverId: rig.owner.accountId };
    await rig.store.write(({ sql, now }) => insertBlock(sql, block, now));
    const answers = [await rig.given('new@example.org'), await rig.given('new@example.org', {}, mina)];
    await rig.store.write(({ sql }) => removeBlock(sql, block));
    await rig.store.write(({ sql }) =>
      sql.deleteFrom('shares').where('giver_id', '=', block.giverId).where('email', '=', 'new@example.org').execute(),
    );
    answers.push(await rig.given('new@example.org'));
    const blank = { id: '', givenBy: '', depth: 0, reader: 'giver' };
    for (const answer of answers) expect({ ...answer, ...blank }).toEqual({ ...answers[0], ...blank });
    const [first, second, ...others] = (await mailsTo(rig)).filter(({ body }) => body.to === 'new@example.org');
    expect(others).toEqual([]);
    const waits = [first, second].map((row) => (row?.next_attempt_at ?? 0) - rig.clock.now).toSorted((a, b) => a - b);
    expect(waits[0]).toBe(0);
    expect(waits[1]).toBeGreaterThan(0);
    expect(waits[1]).toBeLessThanOrEqual(86_400);
    // it is not taken for a mail of a clock that was ahead, and taken when its time has come
    const take = async () => (await rig.store.write((unit) => takeDueMail(unit, 10, 180, 7200))).value;
    expect((await take()).map(({ deferredSeconds }) => deferredSeconds)).toEqual([0, 0]);
    const due = rig.clock.now + (waits[1] ?? 0);
    expect(await nextMailDue(rig.store.sql, rig.clock.now + 7200)).toBe(Math.min(due, rig.clock.now + 180));
    rig.clock.now = due;
    expect((await take()).map(({ deferredSeconds }) => deferredSeconds)).toContain(waits[1]);
  });
});

test('who may be invited decides about the message alone, and a sender who is blocked is told nothing', async () => {
  const rig = await makeShareRig('sqlite');
  await addAccount(rig, { email: 'known@elsewhere.example' });
  const { accounts } = rig.context.config();
  rig.configure({ accounts: { ...accounts, domains: ['example.org'] } });
  await rig.store.write(({ sql, now }) =>
    insertBlock(sql, { mailboxDigest: digestOf('blocks@example.org'), giverId: rig.owner.accountId }, now),
  );
  const told = async (name: string, invite: 'anyone' | 'domains' | 'known') => {
    rig.sharing({ invite });
    const before = (await mailsTo(rig)).length;
    const share = await rig.given(name);
    expect({ ...share, id: '', email: '' }).toMatchObject({ id: '', email: '', state: 'pending', mail: null });
    await rig.store.write(({ sql }) => sql.deleteFrom('shares').where('id', '=', share.id).execute());
    return (await mailsTo(rig)).length - before;
  };
  expect(await told('known@elsewhere.example', 'known')).toBe(1);
  expect(await told('new@example.org', 'known')).toBe(0);
  expect(await told('new@example.org', 'domains')).toBe(1);
  expect(await told('new@elsewhere.example', 'domains')).toBe(0);
  // an account that nobody verified is a stranger's
  expect(await told('new@elsewhere.example', 'anyone')).toBe(0);
  expect(await told('blocks@example.org', 'anyone')).toBe(0);
  rig.configure({ accounts: { ...accounts, domains: [] } });
  expect(await told('new@elsewhere.example', 'domains')).toBe(0);
  expect(await told('new@elsewhere.example', 'anyone')).toBe(1);
});

test('a share with a number of uses is not given on, and of several ways the one with the most depth counts', async () => {
  const rig = await makeShareRig('sqlite');
  rig.sharing({ reshareDepth: 3 });
  const mina = await addAccount(rig, { email: 'mina@example.org' });
  const joe = await addAccount(rig, { email: 'joe@example.org' });
  const counted = await rig.given('mina@example.org', { usesAllowed: 3, reshareDepth: 2 });
  await rig.accept(counted.id, mina);
  expect((await rig.give('new@example.org', {}, mina)).kind).toBe('not-found');
  const viaJoe = await rig.given('joe@example.org', { reshareDepth: 3, usableUntilAt: rig.clock.now + 50 });
  await rig.accept(viaJoe.id, joe);
  const short = await rig.given('mina@example.org', { reshareDepth: 2 }, joe);
  await rig.accept(short.id, mina);
  expect(await rig.given('new@example.org', { reshareDepth: 1 }, mina)).toMatchObject({
    ...{ depth: 2, usableUntilAt: rig.clock.now + 50 },
  });
});

test('a share below one that is over for good is no share any more: the key may be given anew', async () => {
  const rig = await makeShareRig('sqlite');
  rig.sharing({ reshareDepth: 1 });
  const mina = await addAccount(rig, { email: 'mina@example.org' });
  const joe = await addAccount(rig, { email: 'joe@example.org' });
  const giveToMina = async () => {
    const { id } = await rig.given('mina@example.org', { reshareDepth: 1 });
    await rig.accept(id, mina);
    return id;
  };
  const first = await giveToMina();
  const below = await rig.given('joe@example.org', {}, mina);
  await rig.accept(below.id, joe);
  const end = (event: 'disable' | 'enable' | 'revoke') =>
    endShare(rig.context, rig.owner, { shareId: first, event, origin: atHome });
  const seen = async () => {
    const share = await readShare(rig.context, mina, below.id);
    return [share?.state, share?.isHeld];
  };
  expect(await seen()).toEqual(['accepted', true]);
  await end('disable');
  expect(await seen()).toEqual(['accepted', false]);
  await end('enable');
  expect(await rig.give('joe@example.org', {}, mina)).toEqual({ kind: 'shared-already', id: below.id });
  await end('revoke');
  expect(await seen()).toEqual(['accepted', false]);
  await giveToMina();
  expect((await rig.give('joe@example.org', {}, mina)).kind).toBe('given');
});

test('what is refused, and what a form sent twice makes', async () => {
  const rig = await makeShareRig('sqlite');
  const { now } = rig.clock;
  const refusals: [Partial<Parameters<ShareRig['give']>[1]>, string, string?][] = [
    [{}, 'bad-address', 'not an address'],
    [{}, 'bad-address', 'a@example.org, b@example.org'],
    [{ words: 'x'.repeat(301) }, 'words-too-long'],
    [{ usesAllowed: 0 }, 'bad-uses'],
    [{ usesAllowed: 10_001 }, 'bad-uses'],
    [{ usesAllowed: 1.5 }, 'bad-uses'],
    [{ reshareDepth: 1 }, 'bad-depth'],
    [{ reshareDepth: -1 }, 'bad-depth'],
    [{ usableUntilAt: now }, 'bad-window'],
    [{ usableFromAt: now + 10, usableUntilAt: now + 10 }, 'bad-window'],
    [{ usableUntilAt: 1e14 }, 'bad-window'],
  ];
  const before = await dump(rig);
  for (const [changes, problem, email = 'mina@example.org'] of refusals) {
    expect(await rig.give(email, changes)).toEqual({ kind: 'refused', problem });
  }
  expect(await dump(rig)).toBe(before);
  const one = await rig.given('mina@example.org', { creationKey: 'form-1' });
  expect(await rig.give('mina@example.org', { creationKey: 'form-1' })).toMatchObject({
    ...{ kind: 'made-before', share: { id: one.id } },
  });
  expect(await rig.give('MINA@example.org')).toEqual({ kind: 'shared-already', id: one.id });
  // one form may name several addresses
  expect((await rig.give('joe@example.org', { creationKey: 'form-1' })).kind).toBe('given');
  rig.configure({ mail: null });
  expect(await rig.give('new@example.org')).toEqual({ kind: 'no-mail' });
});

test('a giver offers so many keys in a window, and the log says once that there were more', async () => {
  const rig = await makeShareRig('sqlite');
  rig.sharing({ perSender: { count: 3, seconds: 600 } });
  for (const name of ['a', 'b', 'c']) await rig.given(`${name}@example.org`);
  for (let again = 0; again < 3; again++) {
    const outcome = await rig.give('d@example.org');
    expect(outcome).toEqual({ kind: 'too-many', retryAfterSeconds: expect.any(Number) });
  }
  expect(await accountsOf(rig, 'd@example.org')).toEqual([]);
  const { entries } = await listAudit(rig.store.sql, { subject: rig.keyId });
  expect(entries).toMatchObject([{ action: 'share.refused', details: { reason: 'too-many' } }]);
  rig.clock.now += 600;
  await rig.given('d@example.org');
});

test('who blocks a sender gets none of the messages of that sender that were put off', async () => {
  const rig = await makeShareRig('sqlite');
  rig.sharing({ perAddress: { count: 1, seconds: 3600 } });
  const mina = await addAccount(rig, { email: 'mina@example.org' });
  const first = await rig.given('mina@example.org');
  const [other] = await rig.store.sql.selectFrom('credential_keys').selectAll().execute();
  if (other === undefined) throw new Error('no key');
  const keyId = 'dk_key0000000000000000002';
  await rig.store.write(({ sql }) => insertCredentialKey(sql, { ...other, id: keyId }));
  const later = await rig.given('mina@example.org', { keyId });
  const elsewhere = await rig.given('joe@example.org');
  await rig.store.write(({ sql, now }) => noteMailHandedOver(sql, first.id, now));
  const reference = { shareId: first.id, secret: null, actor: mina, origin: atHome };
  expect((await blockSender(rig.context, reference)).kind).toBe('blocked');
  expect((await mailsTo(rig)).map(({ subject }) => subject)).toEqual([elsewhere.id]);
  // the sender is told of neither
  expect(await readShare(rig.context, rig.owner, later.id)).toMatchObject({ state: 'pending', mail: null });
});

/** What a call answers, and the texts of its statements in their order, `commit` after each unit. */
async function recordStatements(
  rig: ShareRig,
  call: (context: ControlContext) => Promise<string>,
): Promise<{ readonly result: string; readonly texts: readonly string[] }> {
  const texts: string[] = [];
  const write: ControlContext['write'] = (work) =>
    rig.store.write(async (unit) => {
      const compiler = unit.sql.withoutPlugins().getExecutor();
      const recorder: KyselyPlugin = {
        transformQuery({ node, queryId }) {
          texts.push(compiler.compileQuery(node, queryId).sql);
          return node;
        },
        transformResult: async ({ result }) => result,
      };
      const value = await work({ ...unit, sql: unit.sql.withPlugin(recorder) });
      texts.push('commit');
      return value;
    });
  return { result: await call({ ...rig.context, write }), texts };
}
