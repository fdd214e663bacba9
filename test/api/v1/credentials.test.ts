// Credentials over `v1`: for administrators and the operator alone.

import { expect, test } from 'vitest';
import { makePortal } from '../../support/rigs/portal-rig.ts';

const v1 = '/.latchkey/v1';

test('an administrator issues a credential with a picture, hangs a key on it, and ends both', async () => {
  const portal = await makePortal();
  await portal.addAccount('root@example.org', 'admin');
  const anna = await portal.addAccount('anna@example.org');
  const [admin, user] = [portal.visitor(), portal.visitor()];
  await admin.signIn('root@example.org');
  await user.signIn('anna@example.org');
  const bytes = Buffer.alloc(64 * 1024);
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).copy(bytes);
  const picture = `data:image/png;base64,${bytes.toString('base64')}`;
  const body = { account: 'anna@example.org', name: 'Staff card', issuer: 'Hillside', picture };
  expect((await user.json('POST', `${v1}/credentials`, body)).status).toBe(403);
  const made = await admin.json('POST', `${v1}/credentials`, { ...body, valid_until_at: '2999-01-01T00:00:00Z' });
  expect(made.status).toBe(201);
  const credential = JSON.parse(made.text);
  expect(credential).toMatchObject({ account: anna, email: 'anna@example.org', state: 'in-force', keys: 0, picture });
  const keys = `${v1}/credentials/${credential.id}/keys`;
  const added = await admin.json('POST', keys, { name: 'film', collection: 'summer', path: 'film/' });
  expect([added.status, JSON.parse(added.text)]).toMatchObject([
    201,
    { credential: credential.id, clean_url: 'http://media.localhost:8080/vod/summer/film/', methods: null },
  ]);
  const key = JSON.parse(added.text).id;
  expect(JSON.parse((await admin.json('GET', keys)).text).keys).toHaveLength(1);
  expect(JSON.parse((await admin.json('GET', `${v1}/credentials?search=hill`)).text)).toMatchObject({
    ...{ credentials: [{ id: credential.id, keys: 1 }], next: null },
  });
  expect(JSON.parse((await admin.json('GET', `${v1}/credentials/${credential.id}`)).text).name).toBe('Staff card');
  for (const path of ['credentials', `credentials/${credential.id}`, `credentials/${credential.id}/keys`]) {
    expect((await user.json('GET', `${v1}/${path}`)).status).toBe(403);
  }

  const mine = JSON.parse((await user.json('GET', `${v1}/me/keys`)).text);
  expect(mine).toMatchObject({ keys: [{ id: key, share: null, given_by: null, state: 'open' }], next: null });
  expect(mine.keys[0].credential).toEqual({ name: 'Staff card', issuer: 'Hillside', picture });
  expect(JSON.parse((await user.json('GET', `${v1}/me/credentials`)).text).credentials).toEqual([
    {
      ...{ id: credential.id, name: 'Staff card', issuer: 'Hillside', picture, given_by: null },
      ...{ valid_from_at: null, valid_until_at: credential.valid_until_at },
    },
  ]);
  expect(JSON.parse((await user.json('GET', `${v1}/access`)).text).entries).toMatchObject([
    { kind: 'key', grant: key, label: 'film', given_by: null, until_at: credential.valid_until_at },
  ]);
  expect(JSON.parse((await admin.json('GET', `${v1}/me/keys`)).text)).toEqual({ keys: [], next: null });

  const people = await admin.json('GET', `${v1}/collections/summer/people`);
  expect(JSON.parse(people.text)).toMatchObject({
    ...{ owners: [{ email: 'owner@example.org', account: null, collection: 'summer' }], next: null },
    people: [{ id: key, kind: 'own-key', account: anna, email: 'anna@example.org', path: '/vod/summer/film/' }],
  });
  expect((await user.json('GET', `${v1}/collections/summer/people`)).status).toBe(403);
  expect((await admin.json('GET', `${v1}/collections/winter/people`)).status).toBe(404);

  const refusals = [
    ['credentials', { ...body, account: 'nobody@example.org' }, 404, 'unknown'],
    ['credentials', { ...body, name: '' }, 422, 'bad-label'],
    ['credentials', { ...body, issuer: 'x'.repeat(121) }, 422, 'bad-issuer'],
    ['credentials', { ...body, picture: 'data:text/html;base64,AAAA' }, 422, 'bad-picture'],
    ['credentials', { ...body, valid_until_at: 1 }, 422, 'bad-window'],
    ['credentials', { ...body, more: 1 }, 400, 'bad-input'],
    ['credentials/cd_none/keys', { name: 'x', collection: 'summer' }, 404, 'unknown'],
    [`credentials/${credential.id}/keys`, { name: 'x', collection: 'winter' }, 404, 'unknown'],
    [`credentials/${credential.id}/keys`, { name: 'x', collection: 'summer', path: '/' }, 422, 'bad-path'],
    [`credentials/${credential.id}/keys`, { name: 'x', collection: 'summer', methods: ['get'] }, 422, 'bad-methods'],
    ['credentials/cd_none/withdraw', undefined, 404, 'unknown'],
    ['credential-keys/dk_none/remove', undefined, 404, 'unknown'],
  ] as const;
  for (const [path, sent, status, reason] of refusals) {
    const refused = await admin.json('POST', `${v1}/${path}`, sent);
    expect([path, refused.status, JSON.parse(refused.text).reason]).toEqual([path, status, reason]);
  }

  for (const [path, wasLive] of [
    [`credential-keys/${key}/remove`, true],
    [`credential-keys/${key}/remove`, false],
    [`credentials/${credential.id}/withdraw`, true],
    [`credentials/${credential.id}/withdraw`, false],
  ] as const) {
    expect((await user.json('POST', `${v1}/${path}`)).status).toBe(403);
    expect(JSON.parse((await admin.json('POST', `${v1}/${path}`)).text)).toEqual({ was_live: wasLive });
  }
  const late = await admin.json('POST', keys, { name: 'film', collection: 'summer' });
  expect([late.status, JSON.parse(late.text).reason]).toEqual([409, 'withdrawn']);
});
