// A node whose control stands still, or whose database is out of reach, serves by its last knowledge for as long as the route allows,
// then answers 503, and recovers by itself. Another node is not affected. Whole nodes run as processes.

import { expect, onTestFinished, test } from 'vitest';
import type { NodeBrowser } from '../../support/clients/node-browser.ts';
import { stalePath, steadyPath } from '../../support/rigs/node-config.ts';
import { NodeRig, type RigNode } from '../../support/rigs/node-rig.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { PostgresRelay } from '../../support/store/postgres-relay.ts';
import { makeSharedDatabase } from '../../support/store/shared-postgres.ts';
import { NodeTraffic } from './node-traffic.ts';

/** How old the knowledge of a node may be that is cut off. */
const staleMs = 2000;

/** A player with a token, a member with a pass only, and a token that cannot be revoked. */
function trafficOf(rig: NodeRig, node: RigNode, pass: string): NodeTraffic {
  const { mediaOrigin } = rig;
  return new NodeTraffic(node.pool, {
    token: { url: `${mediaOrigin}${stalePath}a.ts`, fields: { authorization: `Bearer ${rig.token(stalePath)}` } },
    pass: { url: `${mediaOrigin}${stalePath}summer/a.ts`, fields: { cookie: `latchkey_pass=${pass}` } },
    steady: { url: `${mediaOrigin}${steadyPath}a.ts`, fields: { authorization: `Bearer ${rig.token(steadyPath)}` } },
  });
}

/** Makes the first person a member. @returns their pass */
async function claimPass(rig: NodeRig): Promise<string> {
  const member = rig.person(0);
  await Promise.all([rig.signIn(rig.owner), rig.signIn(member)]);
  const link = await rig.makeLink(1);
  await member.browser.claim(link.url);
  const pass = member.browser.cookie('latchkey_pass', link.folder);
  if (pass === null) throw new Error('no pass was given');
  return pass;
}

/** A scrape waits this long for an edge that does not report, and then says what that edge reported before. */
const scrapeMs = 500;

/**
 * Asked right before a fault. @returns by `performance.now()`, until when the node knows enough at least: its edge says how old
 * its knowledge is as of some moment after the question, and what it hears later moves the end on and never back
 */
async function knowsUntil(node: RigNode): Promise<number> {
  for (;;) {
    const askedMs = performance.now();
    const ageMs = await ageOf(node);
    // a control that has just started may not have heard of its edge yet
    if (Number.isNaN(ageMs)) continue;
    expect(ageMs).toBeGreaterThanOrEqual(0);
    // only then it is certain that the edge was asked
    if (performance.now() - askedMs < scrapeMs / 2) return askedMs - ageMs + staleMs;
  }
}

/** How old the knowledge of the node's edge is; NaN when no edge has said. */
async function ageOf(node: RigNode): Promise<number> {
  const text = await (await fetch(`${node.process.operations}/metrics`)).text();
  return 1000 * Number(/^latchkey_revocation_index_age_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1]);
}

/**
 * Between a fault and its end: no failed request within the budget, then only refusals that say so, but for what never goes stale.
 * By `performance.now()`: the node knows enough until `knownUntilMs` at least, and nothing that it knows is of later than `faultMs`.
 */
async function expectStaleness(traffic: NodeTraffic, knownUntilMs: number, faultMs: number): Promise<void> {
  const kinds = ['token', 'pass'] as const;
  const endMs = faultMs + staleMs;
  await expect.poll(() => kinds.every((kind) => (traffic.last(kind)?.atMs ?? 0) > endMs), { interval: 20 }).toBe(true);
  for (const kind of kinds) {
    const refused = traffic.seen(kind).filter(({ status }) => status !== 200);
    expect(refused.every(({ status, retryAfter }) => status === 503 && Number(retryAfter) >= 1)).toBe(true);
    expect(refused[0]?.answeredMs).toBeGreaterThan(knownUntilMs);
    expect(traffic.seen(kind).filter(({ atMs, status }) => atMs > endMs && status === 200)).toEqual([]);
  }
  expect(traffic.seen('steady').every(({ status }) => status === 200)).toBe(true);
}

async function expectRecovery(traffic: NodeTraffic): Promise<void> {
  await expect
    .poll(() => traffic.last('token')?.status === 200 && traffic.last('pass')?.status === 200, { interval: 20 })
    .toBe(true);
  expect(traffic.seen('steady').every(({ status }) => status === 200)).toBe(true);
}

/** Pages and orders work as before. */
async function expectPages(rig: NodeRig, browser: NodeBrowser): Promise<void> {
  await expect.poll(async () => (await browser.open(`${rig.portalOrigin}/.latchkey/`)).status).toBe(200);
}

test('while control stands still, requests pass until the knowledge is too old, then get 503 with Retry-After, and pass again afterwards', async () => {
  const rig = await NodeRig.start({ stores: ['sqlite'], people: 1, staleness: [`${staleMs}ms`] });
  onTestFinished(() => rig.close());
  const node = rig.node(0);
  const traffic = trafficOf(rig, node, await claimPass(rig));
  onTestFinished(() => traffic.stop());
  await traffic.start();

  // one that dies is replaced; until then it is as below
  expect(node.process.signal('control', 'SIGKILL')).toBe(true);
  await expectPages(rig, rig.owner.browser);
  expect(traffic.failed().filter(({ status }) => status !== 503)).toEqual([]);
  await expectRecovery(traffic);

  const knownUntilMs = await knowsUntil(node);
  traffic.clear();
  expect(node.process.signal('control', 'SIGSTOP')).toBe(true);
  await expectStaleness(traffic, knownUntilMs, performance.now());
  expect(node.process.signal('control', 'SIGCONT')).toBe(true);
  await expectRecovery(traffic);
  await expectPages(rig, rig.owner.browser);
});

test('a node that is cut off from PostgreSQL does the same, while the other node goes on serving', async (context) => {
  const missing = postgresMissing();
  if (missing !== null) context.skip(missing);
  const direct = await makeSharedDatabase();
  const relay = await PostgresRelay.start(direct);
  onTestFinished(() => relay.close());
  const rig = await NodeRig.start({
    stores: [direct, relay.urlFor(direct)],
    directStore: direct,
    people: 1,
    // the other one shows that it was not cut off by what it still hears, below
    staleness: ['1d', `${staleMs}ms`],
  });
  onTestFinished(() => rig.close());
  const pass = await claimPass(rig);
  const [whole, cut] = [rig.node(0), rig.node(1)].map((node) => trafficOf(rig, node, pass));
  if (whole === undefined || cut === undefined) throw new Error('two nodes');
  onTestFinished(async () => {
    await Promise.all([whole.stop(), cut.stop()]);
  });
  await Promise.all([whole.start(), cut.start()]);

  for (const how of ['reset', 'silence'] as const) {
    const knownUntilMs = await knowsUntil(rig.node(1));
    cut.clear();
    relay.cut(how);
    await expectStaleness(cut, knownUntilMs, performance.now());
    relay.heal();
    await expectRecovery(cut);
    await expectPages(rig, rig.owner.browser.through(rig.node(1).pool));
  }
  expect(whole.failed()).toEqual([]);
  await expect.poll(() => ageOf(rig.node(0))).toBeLessThan(staleMs);
});
