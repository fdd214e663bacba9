// Every list that knows tables has each table, or an excuse for it: backup, restore, sealing, check, export, deletion, pruning. A new table
// fails this test in every list until the list has it or says here why not. `growth.test.ts` names the bound of each table.

import type { KyselyPlugin } from 'kysely';
import { expect, test } from 'vitest';
import { deleteAccount } from '../../gateway/control/accounts/delete-account.ts';
import type { ControlContext } from '../../gateway/control/context/control-context.ts';
import { revokeLink } from '../../gateway/control/links/revoke-link.ts';
import { beginWalks, pruneExpired } from '../../gateway/control/sessions/prune-expired.ts';
import { digestOf } from '../../gateway/core/model/digest.ts';
import { backedUpTables } from '../../gateway/store/files/backup.ts';
import { checkStore } from '../../gateway/store/files/check-store.ts';
import { endedByRestore } from '../../gateway/store/files/restore.ts';
import type { Sql, Store } from '../../gateway/store/port/store.ts';
import type { Tables } from '../../gateway/store/port/tables.ts';
import { readAccountRows } from '../../gateway/store/rows/account-export.ts';
import { forgetOldMail } from '../../gateway/store/rows/outbox.ts';
import { sealedColumns } from '../../gateway/store/rows/sealed-columns.ts';
import { makeSealer } from '../../gateway/store/seal/sealing.ts';
import { addAccount, makeLink, operator } from '../support/rigs/link-rig.ts';
import { makeShareRig } from '../support/rigs/share-rig.ts';

type Table = keyof Tables;
type Excuses = Readonly<Partial<Record<Table, string>>>;

const log = 'the log and its marks: facts about nodes, and no rows that others name';
const noPerson = 'holds nothing about a person';

/** By list: tables that it leaves out, and why. */
const excuses = {
  backup: {
    log_position: 'the head of the backup has the place of the log',
    log_marks: 'marks name places of an epoch, and a restore begins another one',
    share_requests: 'last fifteen minutes, and end with a restore',
    representations: 'last an hour, and end with a restore',
  },
  restore: {
    log_position: 'moved to the new epoch, never emptied',
    log_marks: 'marks name places of the former epoch, and are deleted with it',
  },
  sealing: {},
  check: {
    store_marks: 'single facts, none of which names a row',
    log_marks: log,
    throttles: 'counts of guesses by digest, which name no row',
    audit: 'names what may be gone by now, on purpose',
    share_blocks: 'names a giver who may be gone by now, and opens nothing',
  },
  export: {
    log_position: noPerson,
    log_marks: noPerson,
    changes: 'names nodes by their ids; what happened to them stands in the audit list, which is in the export',
    store_marks: noPerson,
    keys: noPerson,
    accounts: 'the row itself is read by its use case, export-account.ts',
    throttles: 'counts by digest, which cannot be told to be of this person',
    access_keys: 'one for each link, with nothing that the link does not say',
  },
  deletion: {
    log_position: noPerson,
    log_marks: noPerson,
    store_marks: noPerson,
    keys: noPerson,
    credential_keys: 'end with their credential, and hold nothing about a person',
    share_requests: 'hold no person, and end within fifteen minutes; the share that they ask for has ended',
  },
  pruning: {
    log_position: 'one row',
    store_marks: 'a fixed set of names',
    keys: 'retired ones stay, since their ids must not come again',
    access_keys: 'stay with their links',
    members: 'stay with their links, for the history of who came in',
    credentials: 'withdrawn ones stay, since shares and the log name them',
    credential_keys: 'removed ones stay, since shares and the log name them',
    share_blocks: 'one for an address and a giver; they count for ever, or until they are taken back',
  },
} as const satisfies Readonly<Record<string, Excuses>>;

type List = keyof typeof excuses;

test('backup, restore, sealing, check, export, deletion and pruning have every table, or an excuse for it', async () => {
  const rig = await makeShareRig('sqlite');
  const { store, context, owner } = rig;
  const tables = (await store.sql.introspection.getTables())
    .map(({ name }) => name)
    .filter((name): name is Table => name !== 'schema_migrations')
    .sort();
  const columns = (await store.sql.introspection.getTables()).flatMap(({ name, columns: all }) =>
    all.filter((column) => column.name.endsWith('_sealed')).map((column) => `${name}.${column.name}`),
  );
  expect(sealedColumns.map(({ table, column }) => `${table}.${column}`).sort()).toEqual(columns.sort());
  const unsealed = tables.filter((table) => !columns.some((column) => column.startsWith(`${table}.`)));

  // what is forgotten only where there is something of it
  await addAccount(rig, { isVerified: false });
  const { link } = await makeLink(rig, { collection: 'cam' }, operator);
  await revokeLink(context, operator, link.id, null);

  // what is seen is what each of them says to the store, not what its source looks like
  const has: Record<List, ReadonlySet<string>> = {
    backup: new Set(backedUpTables),
    restore: new Set([...backedUpTables, ...endedByRestore]),
    sealing: new Set([...sealedColumns.map(({ table }) => table), ...unsealed]),
    check: await namedBy(store, (sql) => checkStore({ engine: 'sqlite', sql }, makeSealer(Buffer.alloc(32)))),
    export: await namedBy(store, (sql) => readAccountRows(sql, owner.accountId, digestOf(owner.email))),
    deletion: await writtenBy(rig.store, (write) => deleteAccount({ ...context, write }, operator, owner)),
    pruning: await writtenBy(rig.store, async (write) => {
      const walks = beginWalks();
      for (let round = 0; round < 40; round++) {
        rig.clock.now += 15 * 86_400;
        await pruneExpired({ ...context, write }, walks);
      }
      await write((unit) => forgetOldMail(unit, unit.now));
    }),
  };
  for (const list of Object.keys(excuses) as List[]) {
    const excused: Excuses = excuses[list];
    const missing = tables.filter((table) => !has[list].has(table) && excused[table] === undefined);
    expect(missing, `${list} neither has nor excuses these tables`).toEqual([]);
    const needless = Object.keys(excused).filter(
      (table) => has[list].has(table) || !tables.some((one) => one === table),
    );
    expect(needless, `${list} has these tables, so it needs no excuse for them`).toEqual([]);
  }
});

/** Tables that the statements of some work name. */
async function namedBy(store: Pick<Store, 'sql'>, work: (sql: Sql) => Promise<unknown>): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  await work(store.sql.withPlugin(recorder(store.sql, names)));
  return names;
}

/** Tables that the units of some work change. */
async function writtenBy(
  store: Store,
  work: (write: ControlContext['write']) => Promise<unknown>,
): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  await work((unitWork) =>
    store.write((unit) => {
      const sql = unit.sql.withPlugin(recorder(unit.sql, names, /^\s*(?:insert|update|delete)\b/i));
      const append: typeof unit.append = (change) => {
        names.add('changes');
        return unit.append(change);
      };
      return unitWork({ ...unit, append, sql });
    }),
  );
  return names;
}

function recorder(sql: Sql, names: Set<string>, only = /^/): KyselyPlugin {
  const compiler = sql.withoutPlugins().getExecutor();
  return {
    transformQuery({ node, queryId }) {
      const text = compiler.compileQuery(node, queryId).sql;
      if (!only.test(text)) return node;
      const changed = only.source === '^' ? text : (/^\s*\w+ (?:into |from )?"?\w+"?/i.exec(text)?.[0] ?? '');
      for (const [, name = ''] of changed.matchAll(/\b(?:from|join|into|update)\s+"?(\w+)"?/gi)) names.add(name);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}
