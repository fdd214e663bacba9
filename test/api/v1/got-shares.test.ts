// Keys over `v1` as those use them who are offered one: ask, accept, say no, give back, block a sender.

import { expect, test } from 'vitest';
import { listAudit } from '../../../gateway/store/rows/audit.ts';
import { addKey } from '../../support/rigs/offer-rig.ts';
import { makePortal, password, type Visitor } from '../../support/rigs/portal-rig.ts';

const guest = 'nobody@example.org';
const newPassword = 'nine quiet harbours';

const v1 = async (visitor: Visitor, method: string, path: string, body?: unknown) => {
  const answer = await visitor.json(method, `/.latchkey/v1/${path}`, body);
  return { status: answer.status, body: JSON.parse(answer.text || 'null'), cookies: answer.cookies };
};

async function makeSite() {
  const portal = await makePortal();
  const key = await addKey(portal);
  return { portal, ...key };
}

test('a key is asked for by the message’s code and accepted by mailed digits; the answer signs in', async () => {
  const { portal, offer, digits } = await makeSite();
  const { shareId, code } = await offer(guest);
  const visitor = portal.visitor();
  const ask = (body: object) => v1(visitor, 'POST', `shares/${shareId}/request`, body);
  for (const token of [undefined, 'x', `${shareId}.${'A'.repeat(43)}`, code.slice(0, -1)])
    expect(await ask({ token })).toMatchObject({ status: 404, body: { reason: 'unknown' } });
  const asked = await ask({ token: code });
  expect(asked).toMatchObject({ status: 200, body: { needs: 'digits', expires_at: portal.clock.now + 900 } });
  const { request } = asked.body;
  const accept = (body: object) => v1(visitor, 'POST', 'shares/accept', { request, ...body });
  const right = { digits: await digits(guest), new_password: newPassword };
  for (const [body, status, reason] of [
    [{}, 400, 'bad-input'],
    [{ ...right, password }, 400, 'bad-input'],
    [{ password: newPassword }, 403, 'wrong-password'],
    [{ ...right, digits: '1' }, 422, 'digits'],
    [{ ...right, new_password: 'short' }, 422, 'password-too-short'],
    [{ ...right, request: 'x' }, 410, 'no-request'],
  ] as const)
    expect(await accept(body)).toMatchObject({ status, body: { reason } });
  const accepted = await accept(right);
  expect(accepted).toMatchObject({ status: 200, body: { share: shareId, signed_in: { account: /^ac_/ } } });
  expect(accepted.cookies.join()).toContain('latchkey=');
  expect(await v1(visitor, 'GET', 'me/keys')).toMatchObject({ body: { keys: [{ share: shareId }] } });
  expect(await accept(right)).toMatchObject({ status: 200, body: { share: shareId, signed_in: null } });
  expect(await ask({ token: code })).toMatchObject({ status: 410, body: { reason: 'over' } });

  const left = await v1(visitor, 'POST', `shares/${shareId}/leave`);
  expect(left).toMatchObject({ status: 200, body: { id: shareId, state: 'declined' } });
  expect(await v1(visitor, 'POST', `shares/${shareId}/leave`)).toMatchObject({ status: 200 });
  expect(await v1(visitor, 'GET', 'me/keys')).toMatchObject({ body: { keys: [] } });
  const changes = await portal.store.sql.selectFrom('changes').selectAll().where('node', '=', shareId).execute();
  expect(changes.map(({ kind }) => kind)).toEqual(['revoke']);
});

test('who has an account asks without a code, says no, gives nothing back of others, and blocks a sender', async () => {
  const { portal, offer, owner } = await makeSite();
  await portal.addAccount('anna@example.org');
  const [anna, stranger] = [portal.visitor(), portal.visitor()];
  await anna.signIn('anna@example.org');
  const { shareId } = await offer('anna@example.org');
  const on = (visitor: Visitor, event: string) =>
    v1(visitor, 'POST', `shares/${shareId}/${event}`, event === 'leave' ? undefined : {});
  expect(await on(stranger, 'decline')).toMatchObject({ status: 404 });
  expect(await on(anna, 'leave')).toMatchObject({ status: 409, body: { reason: 'wrong-state' } });
  const { request } = (await on(anna, 'request')).body;
  // a session that is there already is no proof
  expect(await v1(anna, 'POST', 'shares/accept', { request })).toMatchObject({ status: 400 });
  expect(await v1(anna, 'POST', 'shares/accept', { request, password: 'x' })).toMatchObject({ status: 403 });
  expect(await on(anna, 'decline')).toMatchObject({ status: 200, body: { state: 'declined' } });
  expect(await on(anna, 'decline')).toMatchObject({ status: 200, body: { state: 'declined' } });
  expect(await v1(anna, 'POST', 'shares/accept', { request, password })).toMatchObject({
    ...{ status: 410, body: { reason: 'over' } },
  });

  const second = await offer('anna@example.org');
  expect(await v1(stranger, 'POST', `shares/${second.shareId}/block-sender`, { token: 'x' })).toMatchObject({
    status: 404,
  });
  expect(await v1(anna, 'POST', `shares/${second.shareId}/block-sender`, {})).toMatchObject({
    ...{ status: 200, body: { id: owner.accountId, name: 'Olive' } },
  });
  expect(await v1(anna, 'GET', `shares/${second.shareId}`)).toMatchObject({ body: { state: 'declined' } });
  expect(await v1(anna, 'GET', 'me/blocked-senders')).toMatchObject({ body: { senders: [{ id: owner.accountId }] } });
  // the sender gets the same answer as before, no mail goes out, and the share's history does not say why
  const mails = (await portal.mails('anna@example.org')).length;
  const third = await offer('anna@example.org', { waits: true });
  expect((await portal.mails('anna@example.org')).length).toBe(mails);
  // twice is harmless, and noted once
  await v1(anna, 'POST', `shares/${second.shareId}/block-sender`, {});
  const blocks = await listAudit(portal.store.sql, { actions: ['share.sender-blocked'] });
  expect(blocks.entries).toHaveLength(1);
  const { entries } = await listAudit(portal.store.sql, { subject: second.shareId });
  expect(entries.map(({ action }) => action)).toEqual(['share.declined', 'share.created']);
  expect(await v1(anna, 'GET', `shares/${third.shareId}`)).toMatchObject({ status: 404 });
  const unblock = `me/blocked-senders/${owner.accountId}/unblock`;
  expect(await v1(anna, 'POST', unblock)).toMatchObject({ status: 204 });
  expect(await v1(anna, 'POST', unblock)).toMatchObject({ status: 404 });
});
