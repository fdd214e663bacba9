// A revocation at one node also ends access at the other node: the pass, the membership, and a running download. This holds when the
// database notifies that node of nothing, so that only its own poll of the change log is left. Whole nodes run as processes.

import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { Metronome } from '../../support/clients/metronome.ts';
import type { BrowserAnswer } from '../../support/clients/node-browser.ts';
import { NodeRig } from '../../support/rigs/node-rig.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { PostgresRelay } from '../../support/store/postgres-relay.ts';
import { makeSharedDatabase } from '../../support/store/shared-postgres.ts';

/** From the answer to the owner until nothing passes at the other node; without the time in which the machine stood still. */
const limitMs = 1000;

/** Asks until there is an answer: an edge that the machine gave no time to act is ended, and connections with it. */
async function answered(ask: () => Promise<BrowserAnswer>): Promise<BrowserAnswer> {
  for (;;) {
    const answer = await ask().catch(() => null);
    if (answer !== null) return answer;
    await pause(10);
  }
}

test('a revocation at one node ends downloads and passes at the other node within a second, even when every NOTIFY is lost', async (context) => {
  const missing = postgresMissing();
  if (missing !== null) context.skip(missing);
  const direct = await makeSharedDatabase();
  const relay = await PostgresRelay.start(direct);
  onTestFinished(() => relay.close());
  const rig = await NodeRig.start({ stores: [direct, relay.urlFor(direct)], directStore: direct, people: 2 });
  onTestFinished(() => rig.close());
  await Promise.all([rig.owner, ...rig.people].map((person) => rig.signIn(person)));

  for (const [number, isDeaf] of [false, true].entries()) {
    relay.dropNotifications = isDeaf;
    const link = await rig.makeLink(1, `f${number}`);
    const { browser, accountId } = rig.person(number);
    // of the node that the owner speaks to, and of the other one
    const [near, far] = [browser.through(rig.node(0).pool), browser.through(rig.node(1).pool)];
    expect((await near.claim(link.url)).location).toBe(new URL(link.folder).pathname);
    // the other node knows the member once it has heard of the claim
    await expect.poll(async () => (await far.fetch(`${link.folder}a.ts`)).status, { interval: 10 }).toBe(200);
    const download = await far.stream(`${link.folder}endless`);
    expect(download.status).toBe(200);
    const lostBefore = relay.dropped;

    const listed = await rig.order(`links/${link.id}/members`, { method: 'GET' });
    const { members }: { members: readonly { id: string; account: string }[] } = JSON.parse(listed.text);
    expect(members.map(({ account }) => account)).toEqual([accountId]);
    const metronome = new Metronome();
    const path = number === 0 ? `members/${members[0]?.id}/revoke` : `links/${link.id}/revoke`;
    expect((await answered(() => rig.order(path))).status).toBe(200);
    const revokedMs = performance.now();
    // the node that answered lets nothing pass from now on
    expect((await answered(() => near.fetch(`${link.folder}a.ts`))).status).toBe(403);

    const passesUntil = async (): Promise<number> => {
      for (let passedMs = revokedMs; ; ) {
        const atMs = performance.now();
        const { status } = await answered(() => far.fetch(`${link.folder}a.ts`));
        if (status === 403) return passedMs;
        expect(status).toBe(200);
        passedMs = atMs;
      }
    };
    const [passedMs, endedMs] = await Promise.all([passesUntil(), download.ended]);
    const { lostMs } = metronome;
    metronome.stop();
    expect(Math.max(passedMs, endedMs) - revokedMs - lostMs).toBeLessThan(limitMs);
    expect(relay.dropped > lostBefore).toBe(isDeaf);
    // whatever they show again, and wherever
    expect((await answered(() => far.openOnce(link.url))).status).toBe(410);
  }
});
