// Shares over `v1`, as scripts of givers use them.

import { expect, test } from 'vitest';
import { insertCredential, insertCredentialKey } from '../../../gateway/store/sharing/credentials.ts';
import { makePortal, type PortalRig, type Visitor } from '../../support/rigs/portal-rig.ts';

const keyId = 'dk_key0000000000000000001';
const owner = 'owner@example.org';

async function makeSite(): Promise<{ readonly portal: PortalRig; readonly giver: Visitor }> {
  const portal = await makePortal();
  const accountId = await portal.addAccount(owner);
  await portal.store.write(async ({ sql, now }) => {
    await insertCredential(sql, {
      ...{ id: 'cd_card000000000000000001', account_id: accountId, name: 'Staff card', issuer: 'Hillside' },
      ...{ picture: null, valid_from_at: null, valid_until_at: null, created_at: now, created_by: 'operator' },
      ...{ withdrawn_at: null, withdrawn_by: null },
    });
    await insertCredentialKey(sql, {
      ...{ id: keyId, credential_id: 'cd_card000000000000000001', name: 'Front door', collection: 'summer' },
      ...{ host: 'media.localhost', path: '/vod/summer/', methods: null, needs_second_factor: 0, created_at: now },
      ...{ created_by: 'operator', removed_at: null, removed_by: null },
    });
  });
  const giver = portal.visitor();
  await giver.signIn(owner);
  return { portal, giver };
}

const v1 = async (visitor: Visitor, method: string, path: string, body?: unknown) => {
  const answer = await visitor.json(method, `/.latchkey/v1/${path}`, body);
  return { status: answer.status, retryAfter: answer.headers['retry-after'], body: JSON.parse(answer.text || 'null') };
};

test('a key is offered, listed, and read by its giver; other people find nothing', async () => {
  const { portal, giver } = await makeSite();
  const shares = `me/keys/${keyId}/shares`;
  const made = await v1(giver, 'POST', shares, {
    ...{ email: 'mina@example.org', message: 'for the cat', usable_until_at: '2099-01-01T00:00:00Z' },
    creation_key: 'k1',
  });
  expect([made.status, made.body]).toMatchObject([
    201,
    {
      ...{ state: 'pending', email: 'mina@example.org', given_by: { name: owner }, words: 'for the cat', mail: null },
      ...{ usable_until_at: 4_070_908_800, uses_allowed: null, reshare_depth: 0, accepted_at: null },
      key: { id: keyId, name: 'Front door', credential: { name: 'Staff card', issuer: 'Hillside' } },
    },
  ]);
  const refusals = [
    [{ email: 'mina@example.org', creation_key: 'k1' }, 409, 'made-before'],
    [{ email: 'mina@example.org' }, 409, 'shared-already'],
    [{ email: owner }, 409, 'yours-already'],
    [{ email: 'nothing' }, 422, 'bad-address'],
    [{ email: 'joe@example.org', reshare_depth: 1 }, 422, 'bad-depth'],
    [{ email: 'joe@example.org', uses_allowed: 0 }, 422, 'bad-uses'],
    [{ email: 'joe@example.org', message: 'x'.repeat(301) }, 422, 'words-too-long'],
    [{ email: 'joe@example.org', usable_until_at: 1 }, 422, 'bad-window'],
    [{ email: 'joe@example.org', more: 1 }, 400, 'bad-input'],
  ] as const;
  for (const [body, status, reason] of refusals)
    expect(await v1(giver, 'POST', shares, body)).toMatchObject({ status, body: { reason } });
  expect(await v1(giver, 'GET', 'me/shares?direction=given')).toMatchObject({
    body: { shares: [made.body], next: null },
  });
  expect(await v1(giver, 'GET', 'me/shares?direction=got')).toMatchObject({ body: { shares: [] } });
  expect(await v1(giver, 'GET', 'me/shares')).toMatchObject({ body: { shares: [{ ...made.body, reader: 'giver' }] } });
  expect(await v1(giver, 'GET', `shares/${made.body.id}`)).toMatchObject({ status: 200, body: made.body });
  expect(await v1(giver, 'GET', `shares/${made.body.id}/shares`)).toMatchObject({ body: { shares: [], next: null } });

  const on = (event: string, body?: unknown) => v1(giver, 'POST', `shares/${made.body.id}/${event}`, body);
  expect(await on('resend')).toMatchObject({ status: 429, body: { reason: 'too-many' } });
  expect(await on('change', { uses_allowed: 4 })).toMatchObject({ status: 200, body: { uses_left: 4 } });
  expect(await on('change', { uses_allowed: 0 })).toMatchObject({ status: 422, body: { reason: 'bad-uses' } });
  for (const event of ['revoke', 'disable', 'enable'])
    expect(await on(event)).toMatchObject({ status: 409, body: { reason: 'wrong-state' } });
  expect(await on('withdraw')).toMatchObject({ status: 200, body: { state: 'withdrawn' } });
  expect(await on('withdraw')).toMatchObject({ status: 200, body: { state: 'withdrawn' } });
  expect(await on('change', { uses_allowed: 4 })).toMatchObject({ status: 409, body: { reason: 'wrong-state' } });

  await portal.addAccount('joe@example.org');
  const joe = portal.visitor();
  await joe.signIn('joe@example.org');
  expect(await v1(joe, 'GET', `shares/${made.body.id}`)).toMatchObject({ status: 404 });
  expect(await v1(joe, 'GET', `shares/${made.body.id}/shares`)).toMatchObject({ status: 404 });
  expect(await v1(joe, 'POST', `shares/${made.body.id}/revoke`)).toMatchObject({ status: 404 });
  expect(await v1(joe, 'POST', shares, { email: 'a@example.org' })).toMatchObject({ status: 404 });
  expect(await v1(portal.visitor(), 'GET', 'me/shares')).toMatchObject({ status: 401 });
  portal.configure((config) => ({ ...config, mail: null }));
  expect(await v1(giver, 'POST', shares, { email: 'a@example.org' })).toMatchObject({
    ...{ status: 409, body: { reason: 'no-mail' } },
  });
});

test('beyond the rate of a giver 429 says how long to wait', async () => {
  const { portal, giver } = await makeSite();
  portal.configure((config) => ({ ...config, sharing: { ...config.sharing, perSender: { count: 1, seconds: 600 } } }));
  const offer = (email: string) => v1(giver, 'POST', `me/keys/${keyId}/shares`, { email });
  expect((await offer('a@example.org')).status).toBe(201);
  const refused = await offer('b@example.org');
  expect(refused).toMatchObject({ status: 429, body: { reason: 'too-many' } });
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
});
