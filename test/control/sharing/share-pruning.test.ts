// What time does to shares: a reminder once before the end, addresses that never answered are erased, requests and representations forgotten.

import { expect, test } from 'vitest';
import { beginWalks, pruneExpired } from '../../../gateway/control/sessions/prune-expired.ts';
import { endShare } from '../../../gateway/control/sharing/end-share.ts';
import { insertRepresentation } from '../../../gateway/store/sharing/representations.ts';
import { moveShare } from '../../../gateway/store/sharing/shares.ts';
import { addAccount } from '../../support/rigs/link-rig.ts';
import { atHome, makeShareRig, type ShareRig } from '../../support/rigs/share-rig.ts';
import { describeEngines } from '../../support/store/stores.ts';

const hour = 3600;
const day = 24 * hour;

const reminded = async (rig: ShareRig): Promise<string[]> => {
  const rows = await rig.store.sql
    .selectFrom('outbox')
    .select('body_sealed')
    .where('kind', '=', 'key-share-ends-soon')
    .orderBy('created_at')
    .execute();
  return rows.map((row) => String(JSON.parse(row.body_sealed ?? '{}').to).split('@')[0] ?? '');
};

/** Time passes, and the log notices by writing. */
async function pass(rig: ShareRig, seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= hour) {
    rig.clock.now += Math.min(left, hour);
    if (left % (12 * hour) === 0 || left <= hour) await rig.store.write(async () => undefined);
  }
}

describeEngines('shares and time', (engine) => {
  test('a holder is reminded once, a day before the end or after three quarters of a short window', async () => {
    const rig = await makeShareRig(engine);
    rig.sharing({ reshareDepth: 1 });
    const { now } = rig.clock;
    for (const [name, seconds] of [
      ['long', 30 * day],
      ['short', 8 * hour],
      ['stopped', 8 * hour],
      ['endless', null],
    ] as const) {
      const usableUntilAt = seconds === null ? null : now + seconds;
      const { id } = await rig.given(`${name}@example.org`, { usableUntilAt });
      await rig.accept(id, await addAccount(rig, { email: `${name}@example.org` }));
      if (name === 'stopped') await rig.store.write(({ sql }) => moveShare(sql, id, 'disable', 'x', now));
    }
    // nobody has it, so nobody is reminded
    await rig.given('pending@example.org', { usableUntilAt: now + 8 * hour });
    const round = async () => {
      await Promise.all([pruneExpired(rig.context), pruneExpired(rig.context)]);
      return await reminded(rig);
    };
    await pass(rig, 6 * hour - 1);
    expect(await round()).toEqual([]);
    await pass(rig, 1);
    expect(await round()).toEqual(['short']);
    await pass(rig, 29 * day - 6 * hour - 1);
    expect(await round()).toEqual(['short']);
    await pass(rig, 1);
    expect(await round()).toEqual(['short', 'long']);
    await pass(rig, hour);
    expect(await round()).toEqual(['short', 'long']);
  });

  test('an address that never accepted is erased thirty days after the end; other shares keep theirs', async () => {
    const rig = await makeShareRig(engine);
    const { now } = rig.clock;
    const mina = await addAccount(rig, { email: 'mina@example.org' });
    const { id: accepted } = await rig.given('mina@example.org', { usableUntilAt: now + hour, words: 'hello' });
    await rig.accept(accepted, mina);
    const { id: withdrawn } = await rig.given('withdrawn@example.org', { words: 'hello' });
    await endShare(rig.context, rig.owner, { shareId: withdrawn, event: 'withdraw', origin: atHome });
    rig.sharing({ expiresSeconds: 10 * day });
    const { id: expired } = await rig.given('expired@example.org', { words: 'hello' });
    rig.sharing({ expiresSeconds: 365 * day });
    const { id: pending } = await rig.given('pending@example.org');
    await rig.store.write(({ sql, now: at }) =>
      insertRepresentation(sql, {
        ...{ id: 'rp_1', key_id: rig.keyId, account_id: mina.accountId, session_id: '', kind: 'bearer', used_at: null },
        ...{
          share_id: accepted,
          secret_digest: null,
          revoked_by: null,
          created_at: at,
          expires_at: at,
          revoked_at: null,
        },
      }),
    );
    const rows = async () => {
      await pruneExpired(rig.context, beginWalks());
      const found = await rig.store.sql.selectFrom('shares').selectAll().execute();
      const of = (id: string) => {
        const row = found.find((share) => share.id === id);
        return [row?.email.split('@')[0], row?.words, row?.secret_sealed === null];
      };
      return { accepted: of(accepted), withdrawn: of(withdrawn), expired: of(expired), pending: of(pending) };
    };
    const before = {
      accepted: ['mina', 'hello', true],
      withdrawn: ['withdrawn', 'hello', true],
      expired: ['expired', 'hello', false],
      pending: ['pending', '', false],
    };
    expect(await rows()).toEqual(before);
    expect(await rig.store.sql.selectFrom('share_requests').selectAll().execute()).toHaveLength(1);
    await pass(rig, 29 * day);
    expect(await rows()).toEqual(before);
    expect(await rig.store.sql.selectFrom('share_requests').selectAll().execute()).toEqual([]);
    await pass(rig, 3 * day);
    expect(await rows()).toEqual({ ...before, withdrawn: ['', '', true] });
    expect(await rig.store.sql.selectFrom('representations').selectAll().execute()).toEqual([]);
    // nor is anything left of an account that only the offer made
    const left = rig.store.sql.selectFrom('accounts').select('id').where('email', '=', 'withdrawn@example.org');
    expect(await left.execute()).toEqual([]);
    await pass(rig, 10 * day);
    expect(await rows()).toEqual({ ...before, withdrawn: ['', '', true], expired: ['', '', true] });
  });
});
