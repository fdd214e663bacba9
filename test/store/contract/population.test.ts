// How many accounts, sessions, links and shares there are, on both engines: links by the very rule that judges one link.

import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { registerPopulationMetrics } from '../../../gateway/control/accounts/population-metrics.ts';
import { type LinkState, linkState } from '../../../gateway/core/model/link.ts';
import { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { makeContext } from '../../support/rigs/control-context.ts';
import { fillKeys } from '../../support/store/fill-keys.ts';
import { describeEngines } from '../../support/store/stores.ts';

describeEngines('population', (engine) => {
  test('accounts, sessions, links and shares are counted by state, once a minute', async () => {
    const { context, store, clock } = await makeContext({ engine });
    const now = clock.now;
    let made = 0;
    const account = async (state: 'active' | 'disabled' | 'deleted', verifiedAt: number | null) => {
      made++;
      const row = { id: `a${made}`, email: `p${made}@example.org`, email_verified_at: verifiedAt, password_hash: null };
      const rest = { display_name: '', groups: '[]', role: 'user', state, created_at: now } as const;
      await context.store.write(async ({ sql }) =>
        sql
          .insertInto('accounts')
          .values({ ...row, ...rest })
          .execute(),
      );
    };
    await store.write(({ sql }) => fillKeys(sql, now, makeSealer(Buffer.alloc(32))));
    for (const state of ['active', 'active', 'disabled', 'deleted'] as const) await account(state, now);
    await account('active', null);
    const moments = [null, now - 1, now, now + 1];
    const expected = new Map<LinkState, number>();
    await context.store.write(async ({ sql }) => {
      await sql
        .insertInto('access_keys')
        .values({ id: 'k', owner_id: 'a1', collection: 'c', created_at: now, revoked_at: null })
        .execute();
      let at = 0;
      for (const claimFromAt of moments) {
        for (const claimUntilAt of moments) {
          for (const accessUntilAt of moments) {
            for (const [claimsUsed, revokedAt] of [
              [0, null],
              [1, null],
              [0, now],
            ] as const) {
              const terms = { claimsAllowed: 1, claimsUsed, claimFromAt, claimUntilAt, accessUntilAt, revokedAt };
              const state = linkState(terms, now);
              expected.set(state, (expected.get(state) ?? 0) + 1);
              await sql
                .insertInto('links')
                .values({
                  ...{ id: `l${at++}`, access_key_id: 'k', secret_digest: `d${at}`, owner_id: 'a1', collection: 'c' },
                  ...{ host: 'h', path: '/', label: '', claims_allowed: 1, claims_used: claimsUsed, methods: null },
                  ...{ claim_from_at: claimFromAt, claim_until_at: claimUntilAt, access_until_at: accessUntilAt },
                  ...{
                    notify_members: 0,
                    created_at: now,
                    revoked_at: revokedAt,
                    revoked_by: null,
                    revoked_with: null,
                  },
                })
                .execute();
            }
          }
        }
      }
    });
    const registry = new Registry();
    registerPopulationMetrics(registry, store, clock);
    const text = await registry.metrics();
    expect([...expected.keys()]).toHaveLength(6);
    for (const [state, count] of Object.entries({ pending: 1, accepted: 2, revoked: 0 })) {
      expect(text).toContain(`latchkey_shares{state="${state}"} ${count}`);
    }
    for (const [state, count] of expected) expect(text).toContain(`latchkey_links{state="${state}"} ${count}`);
    for (const [state, count] of Object.entries({ active: 2, unverified: 1, disabled: 1, deleted: 1 })) {
      expect(text).toContain(`latchkey_accounts{state="${state}"} ${count}`);
    }
    expect(text).toMatch(/^latchkey_sessions 0$/m);
    await account('active', now);
    expect(await registry.metrics()).toBe(text);
    clock.now += 60;
    expect(await registry.metrics()).toContain('latchkey_accounts{state="active"} 3');
  });
});
