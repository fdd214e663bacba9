// Compares a store and the edges in front of it with the journal: acknowledged changes are there and in force, changes that nobody asked
// for are not there, nothing was counted twice, and the store is consistent. Reads only.

import { setTimeout as pause } from 'node:timers/promises';
import { checkStore } from '../../../gateway/store/files/check-store.ts';
import type { NodeBrowser } from '../../support/clients/node-browser.ts';
import type { NodeRig } from '../../support/rigs/node-rig.ts';
import type { KillClients } from './kill-clients.ts';
import { type KillJournal, type LinkFacts, mayEnter, type Standing } from './kill-journal.ts';

/** Doors that are tried at a time. */
const atOnce = 8;
/** Until a node that is up has to answer, and knows what was done at another one. */
const answerMs = 120_000;

interface MemberRow {
  readonly link_id: string;
  readonly account_id: string;
  readonly revoked_at: number | null;
}

/** @returns what is wrong in the store; empty when all is well */
export async function checkRows(rig: NodeRig, journal: KillJournal): Promise<string[]> {
  return await rig.withStore(async ({ store, sealing }) => {
    const problems: string[] = [];
    // one snapshot: a question that got no answer may still be worked on
    const { links, members } = await store.sql
      .transaction()
      .setIsolationLevel('repeatable read')
      .setAccessMode('read only')
      .execute(async (sql) => ({
        links: await sql.selectFrom('links').select(['id', 'claims_allowed', 'claims_used', 'revoked_at']).execute(),
        members: await sql.selectFrom('members').select(['link_id', 'account_id', 'revoked_at']).execute(),
      }));
    const rows = new Map(links.map((link) => [link.id, link]));
    const byLink = Map.groupBy(members, (member) => member.link_id);
    for (const facts of journal.links.values()) {
      const row = rows.get(facts.id);
      if (row === undefined) {
        problems.push(`${facts.id} is lost`);
        continue;
      }
      const bound = byLink.get(facts.id) ?? [];
      if (row.claims_allowed !== facts.allowed) problems.push(`${facts.id} is for ${row.claims_allowed}`);
      if (row.claims_used !== bound.length) problems.push(`${facts.id} counts ${row.claims_used} of ${bound.length}`);
      if (bound.length > facts.allowed) problems.push(`${facts.id} let in ${bound.length} of ${facts.allowed}`);
      if (facts.isFull && bound.length < facts.allowed) problems.push(`${facts.id} was called full and is not`);
      if (!fits(row.revoked_at, facts.revoked)) problems.push(`${facts.id}: revocation ${facts.revoked}`);
      problems.push(...checkMembers(rig, facts, bound));
    }
    const found = await checkStore(store, sealing);
    return [...problems, ...found.map(({ check, problem }) => `store check: ${check}: ${problem}`)];
  });
}

function checkMembers(rig: NodeRig, facts: LinkFacts, bound: readonly MemberRow[]): string[] {
  const problems: string[] = [];
  const rows = new Map(bound.map((member) => [member.account_id, member]));
  if (rows.size !== bound.length) problems.push(`${facts.id} counted somebody twice`);
  for (const [person, claim] of facts.claims) {
    const { accountId } = rig.person(person);
    const row = rows.get(accountId);
    rows.delete(accountId);
    if (row === undefined) {
      if (claim === 'done') problems.push(`${facts.id}: the claim of person ${person} is lost`);
      continue;
    }
    const revoked = facts.membersRevoked.get(person) ?? 'none';
    if (!fits(row.revoked_at, revoked)) problems.push(`${facts.id}: person ${person}: revocation ${revoked}`);
  }
  for (const stranger of rows.keys()) problems.push(`${facts.id} has ${stranger}, who never claimed it`);
  return problems;
}

function fits(revokedAt: number | null, standing: Standing): boolean {
  if (standing === 'tried') return true;
  return (revokedAt !== null) === (standing === 'done');
}

/** Tries every door by every node. @returns who got in and must not, and who must and did not */
export async function checkDoors(rig: NodeRig, journal: KillJournal, clients: KillClients): Promise<string[]> {
  const problems: string[] = [];
  const tries = [...journal.links.values()].flatMap((facts) =>
    [...facts.claims.keys()].flatMap((person) => rig.nodes.map((_node, node) => ({ facts, person, node }))),
  );
  const tryNext = async (): Promise<void> => {
    for (let next = tries.pop(); next !== undefined; next = tries.pop()) {
      const { facts, person, node } = next;
      const may = mayEnter(facts, person);
      const folder = clients.links.get(facts.id)?.folder;
      if (may === 'unknown' || folder === undefined) continue;
      // behind the node that acknowledged it is in force; between nodes it takes up to a second
      const isStrict = rig.nodes.length === 1 || clients.revokedAt.get(`${facts.id} ${person}`) === node;
      const browser = rig.person(person).browser.through(rig.node(node).pool);
      const status = await tryDoor(browser, `${folder}a.ts`, may === 'yes' ? 200 : 403, isStrict);
      if (status !== null) problems.push(`${facts.id}: person ${person} at node ${node}: ${may}, but ${status}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, tryNext));
  return problems;
}

/** @returns null for what was expected; else what came last */
async function tryDoor(
  browser: NodeBrowser,
  url: string,
  expected: 200 | 403,
  isStrict: boolean,
): Promise<number | string | null> {
  const deadline = performance.now() + answerMs;
  for (;;) {
    const status = await browser.fetch(url).then(
      (answer) => answer.status,
      (error: unknown) => String(error),
    );
    if (status === expected) return null;
    const isAnswer = typeof status === 'number' && status < 500;
    if ((isAnswer && isStrict) || performance.now() > deadline) return status;
    await pause(20);
  }
}
