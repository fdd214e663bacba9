// Many people open one link at the same moment: exactly as many get in as the link allows, and the others are told that it is full.
// Whole nodes as processes, on both stores; with two nodes the claims come in at both.

import { expect, onTestFinished, test } from 'vitest';
import { NodeRig } from '../../support/rigs/node-rig.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { makeSharedDatabase } from '../../support/store/shared-postgres.ts';

const people = 64;
const claimsAllowed = 3;

test.for([
  ['SQLite with one node', 'sqlite', 1],
  ['PostgreSQL with two nodes', 'postgres', 2],
] as const)('64 people claim a link for 3 at once, on %s: exactly 3 get in', async ([, engine, nodes], context) => {
  const missing = engine === 'postgres' ? postgresMissing() : null;
  if (missing !== null) context.skip(missing);
  const store = engine === 'postgres' ? await makeSharedDatabase() : 'sqlite';
  const rig = await NodeRig.start({ stores: Array.from({ length: nodes }, () => store), people });
  onTestFinished(() => rig.close());
  await rig.signIn(rig.owner);
  await Promise.all(rig.people.map((person) => rig.signIn(person)));
  const link = await rig.makeLink(claimsAllowed);

  const answers = await Promise.all(rig.people.map(({ browser }) => browser.claim(link.url)));

  const granted = answers.flatMap(({ location }, index) => (location === '/vod/summer/' ? [rig.people[index]] : []));
  expect(granted.length).toBe(claimsAllowed);
  expect(answers.filter(({ status }) => status === 403).length).toBe(people - claimsAllowed);
  // at whichever node: who is in is in, who is not is not
  for (let index = 0; index < nodes; index++) {
    const { pool } = rig.node(index);
    const fetched = await Promise.all(
      rig.people.map(async (person) =>
        (await person.browser.through(pool).fetch(`${link.folder}a.ts`)).status === 200 ? [person] : [],
      ),
    );
    expect(fetched.flat()).toEqual(granted);
  }
  await rig.withStore(async ({ store: { sql } }) => {
    const members = await sql.selectFrom('members').select('account_id').where('link_id', '=', link.id).execute();
    expect(members.map((row) => row.account_id).sort()).toEqual(granted.map((person) => person?.accountId).sort());
    const row = await sql.selectFrom('links').select('claims_used').where('id', '=', link.id).executeTakeFirst();
    expect(row?.claims_used).toBe(claimsAllowed);
  });
});
