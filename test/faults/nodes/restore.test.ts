// A store that is restored from a backup, by the commands and with the gateway that runs on it: sessions and passes are over, members on
// the access list stay on it, and no claim counts twice. gateway/RULES.md "Restore". Rows and engines are tested in test/store/contract/backup.test.ts.

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { askAdmin } from '../../support/clients/admin-client.ts';
import { NodeRig, type RigLink, type RigPerson } from '../../support/rigs/node-rig.ts';
import { runLatchkey } from '../../support/run/run-latchkey.ts';

test('after a restore everybody has to sign in again, members are still members, and no claim of a link counts twice', async () => {
  const rig = await NodeRig.start({ stores: ['sqlite'], people: 3 });
  onTestFinished(() => rig.close());
  const home = join(rig.folder, 'n0');
  const file = join(rig.folder, 'backup.jsonl');
  const store = async (...args: string[]) => {
    const ran = await runLatchkey(['store', ...args, '--json', '--config', join(home, 'latchkey.yaml')]);
    expect(ran.code, ran.stderr).toBe(0);
    return JSON.parse(ran.stdout);
  };
  const [early, late, other] = [rig.person(0), rig.person(1), rig.person(2)];
  for (const person of [rig.owner, early, late, other]) await rig.signIn(person);
  const film = await rig.makeLink(2, 'film');
  const unclaimed = await rig.makeLink(1, 'unclaimed');
  expect(await present(early, film)).toBe(303);
  expect(await play(early, film)).toBe(200);

  await store('backup', file);

  // what the backup does not know
  expect(await present(late, film)).toBe(303);
  expect([await play(early, film), await play(late, film)]).toEqual([200, 200]);
  await rig.node(0).process.stop();
  expect(await store('restore', file, '--force')).toMatchObject({ ended: { links: 1, narrowed_links: 1 } });
  await rig.node(0).process.start();

  // passes and sessions of before are refused, at the content and at the portal
  const before = early.browser;
  expect(before.cookie('latchkey_pass', film.folder)).not.toBeNull();
  expect([await play(early, film), await play(late, film)]).toEqual([401, 401]);
  expect((await rig.order('links', { method: 'GET' })).status).toBe(401);

  for (const person of [rig.owner, early, late, other]) await signInAgain(rig, home, person);
  // on the list, with no token in any URL; who claimed after the backup is not
  expect([await play(early, film), await play(late, film)]).toEqual([200, 403]);
  // nobody comes in the place of somebody whom the backup does not know, until the owner says so
  expect(await present(late, film)).toBe(410);
  expect(await present(other, unclaimed)).toBe(410);
  expect((await rig.order(`links/${film.id}/reopen`, { body: { claim_until_at: null } })).status).toBe(200);
  expect(await present(early, film)).toBe(303);
  expect(await present(late, film)).toBe(303);
  expect(await present(other, film)).toBe(403);
  expect([await play(early, film), await play(late, film), await play(other, film)]).toEqual([200, 200, 403]);
  expect(JSON.parse((await rig.order(`links/${film.id}`, { method: 'GET' })).text)).toMatchObject({
    ...{ state: 'full', claims_allowed: 2, claims_used: 2 },
  });
  expect(await store('check')).toEqual({ holds: true, problems: [] });
}, 180_000);

/** @returns 303 for who is led on to the content, by whichever answer */
async function present({ browser }: RigPerson, link: RigLink): Promise<number> {
  const { status, location } = await browser.claim(link.url);
  return location === null ? status : 303;
}

async function play({ browser }: RigPerson, link: RigLink): Promise<number> {
  return (await browser.fetch(`${link.folder}a.ts`)).status;
}

/** By a new one-time link: those of before are void. */
async function signInAgain(rig: NodeRig, home: string, person: RigPerson): Promise<void> {
  const made = await askAdmin(join(home, 'data'), 'POST', `accounts/${person.accountId}/sign-in-link`, {});
  expect(made.status).toBe(201);
  const { url } = made.body as { url: string };
  await rig.signIn({ ...person, code: new URL(url).searchParams.get('code') ?? '' });
}
