// Attacks by time: a node starts with a clock that is 40 days wrong and does its housekeeping. Revoked tokens stay revoked,
// guesses stay counted, and no rows are deleted.

import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { pruneExpired } from '../../../gateway/control/sessions/prune-expired.ts';
import { signIn } from '../../../gateway/control/sessions/sign-in.ts';
import { revokeOutside } from '../../../gateway/control/signing-keys/revoke-outside.ts';
import { RevocationIndex } from '../../../gateway/core/decision/state/revocation-index.ts';
import { mintToken, type VerifiedToken, verifyToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import type { TokenType } from '../../../gateway/core/token/token-kinds.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import type { Tables } from '../../../gateway/store/port/tables.ts';
import { appendAudit } from '../../../gateway/store/rows/audit.ts';
import { browser, makeContext, type TestContext } from '../../support/rigs/control-context.ts';
import { describeEngines, makeWrongClock } from '../../support/store/stores.ts';

const day = 86_400;
const password = 'tall ships sail at dawn';
const operator = { kind: 'operator' } as const;
const tables = [
  'changes',
  'sessions',
  'devices',
  'one_time_codes',
  'throttles',
  'accounts',
  'audit',
  'outbox',
] as const satisfies readonly (keyof Tables)[];

async function countRows(store: Store): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables)
    counts[table] = (await store.sql.selectFrom(table).select(sql<number>`1`.as('one')).execute()).length;
  return counts;
}

const ring = buildKeyRing([
  { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: Buffer.alloc(32, 1) },
]);

function token(claims: object, type: TokenType, iat: number): VerifiedToken {
  const key = ring.find('k1');
  if (key === undefined) throw new Error('no key');
  const result = verifyToken(mintToken({ exp: iat + day, iat, ...claims }, { key, type }), ring);
  if (result.kind === 'refused') throw new Error(result.detail);
  return result;
}

/** The verdict of an edge that starts now about an earlier outside token, and about a pass that hangs on a link. */
async function verdicts(site: TestContext, iat: number): Promise<boolean[]> {
  const index = new RevocationIndex();
  const { position, revocations } = await site.store.readRevocations();
  index.replace(position, revocations);
  const pass = token({ n: ['li_gone'], v: [position.epoch, 0] }, 'pass', iat);
  return [pass, token({ sub: 'anna', jti: 'x' }, 'outside', iat)].map((one) => index.isRevoked(one));
}

describeEngines('a node with a wrong clock', (engine) => {
  test.each([40 * day, -40 * day])(
    'with a clock that is %i s off, housekeeping deletes nothing and revives no token',
    async (wrongBy) => {
      const site = await makeContext({ engine, yaml: 'accounts: { registration: open }' });
      const { context, clock } = site;
      await createAccount(context, operator, { email: 'anna@example.org', invited: false, password });
      await createAccount(context, operator, { email: 'ben@example.org', invited: true });
      await signIn(context, { ...browser, email: 'anna@example.org', password });
      await signIn(context, { ...browser, email: 'anna@example.org', password: 'wrong and long enough' });
      const iat = clock.now;
      await context.write((unit) => unit.append({ kind: 'revoke', node: 'li_gone' }));
      await context.write((unit) => appendAudit(unit, { actor: 'system', action: 'link.revoked', subject: 'li_gone' }));
      await revokeOutside(context, operator, { claim: 'sub', value: 'anna' });
      const before = await countRows(site.store);
      expect(await verdicts(site, iat)).toEqual([true, true]);

      const other = await makeContext({ like: site, clock: makeWrongClock(clock, wrongBy) });
      for (let turn = 0; turn < 5; turn++) {
        clock.now += 600;
        await pruneExpired(other.context);
      }
      expect(await countRows(site.store)).toEqual(before);
      // and again what is revoked already, with that clock
      await revokeOutside(other.context, operator, { claim: 'sub', value: 'anna' });
      clock.now += 600;
      await pruneExpired(site.context);
      expect(await verdicts(site, iat)).toEqual([true, true]);
      expect(await verdicts(site, clock.now - 700)).toEqual([true, true]);
    },
  );

  test('a session that was idle for a week stays ended when the clock is set back, and no other session ends by a clock', async () => {
    const site = await makeContext({ engine, yaml: 'accounts: { registration: open }' });
    const { context, clock } = site;
    await createAccount(context, operator, { email: 'anna@example.org', invited: false, password });
    const running = async () =>
      (await site.store.sql.selectFrom('sessions').select('id').where('ended_at', 'is', null).execute()).map(
        ({ id }) => id,
      );
    await signIn(context, { ...browser, email: 'anna@example.org', password });
    const [idle] = await running();
    clock.now += 5 * day;
    await signIn(context, { ...browser, email: 'anna@example.org', password });
    const other = await makeContext({ like: site, clock: makeWrongClock(clock, 40 * day) });
    clock.now += 600;
    await pruneExpired(other.context);
    expect(await running()).toHaveLength(2);
    clock.now += 2 * day + 7200;
    await pruneExpired(context);
    expect(await running()).toEqual([expect.not.stringMatching(`^${idle}$`)]);
  });
});
