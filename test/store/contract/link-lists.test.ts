// Lists of links: newest first, in pages that begin at a place of the list, for one collection, several and all of them.
// On SQLite the plan as well: no page sorts all links, or walks over the links before it.

import { SqliteQueryCompiler, sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Store } from '../../../gateway/store/port/store.ts';
import { type LinkCursor, listLinks } from '../../../gateway/store/rows/links.ts';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

const at = 1_800_000_000;

/** Twelve links of three collections, in three moments. */
async function fill(store: Store): Promise<void> {
  const rows = Array.from({ length: 12 }, (_, index) => ({
    ...{ id: `li_${String(index * 7).padStart(2, '0')}`, access_key_id: 'ak_1', secret_digest: 'd', owner_id: 'ac_1' },
    ...{ collection: `c${index % 3}`, host: 'h', path: '/', label: '', claims_allowed: 1, claims_used: 0 },
    ...{ claim_from_at: null, claim_until_at: null, access_until_at: null, methods: null, notify_members: 0 },
    ...{ created_at: at + ((index % 4) >> 1) + (index > 5 ? 1 : 0), revoked_at: null, revoked_by: null },
  }));
  await store.write((unit) => unit.sql.insertInto('links').values(rows).execute());
}

/** The ids of a list, read in pages of two. */
async function readAll(store: Store, collections: readonly string[] | null): Promise<string[]> {
  const ids: string[] = [];
  let before: LinkCursor | null = null;
  for (;;) {
    const page = await listLinks(store.sql, collections, before, 2);
    const last = page.at(-1);
    if (last === undefined) return ids;
    ids.push(...page.map(({ id }) => id));
    before = { createdAt: last.created_at, id: last.id };
  }
}

describeEngines('lists of links', (engine) => {
  test('links come newest first, in pages without a gap, even when many were made in the same second', async () => {
    const { store } = await openEmpty(engine);
    await fill(store);
    const rows = await store.sql.selectFrom('links').select(['id', 'created_at', 'collection']).execute();
    const newestFirst = rows.sort((left, right) => right.created_at - left.created_at || (left.id < right.id ? 1 : -1));
    for (const collections of [null, ['c1'], ['c0', 'c2'], ['c9'], []]) {
      const wanted = newestFirst.filter(({ collection }) => collections?.includes(collection) ?? true);
      expect(await readAll(store, collections)).toEqual(wanted.map(({ id }) => id));
    }
  });
});

test('a page of all links, or of one collection, is read from an index, starting at its place', async () => {
  const { store } = await openEmpty('sqlite');
  const texts: string[] = [];
  const watched = store.sql.withPlugin({
    transformQuery: ({ node, queryId }) => {
      texts.push(new SqliteQueryCompiler().compileQuery(node, queryId).sql);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const planOf = async (collections: readonly string[] | null, before: LinkCursor | null): Promise<string[]> => {
    texts.length = 0;
    await listLinks(watched, collections, before, 100);
    const plans = await Promise.all(
      texts.map((text) => sql<{ detail: string }>`explain query plan ${sql.raw(text)}`.execute(store.sql)),
    );
    return plans.flatMap(({ rows }) => rows.map(({ detail }) => detail));
  };
  const middle = { createdAt: at, id: 'li_00' };
  expect(await planOf(null, null)).toEqual(['SCAN links USING INDEX links_created']);
  expect(await planOf(null, middle)).toEqual(['SEARCH links USING INDEX links_created ((created_at,id)<(?,?))']);
  expect(await planOf(['c1'], null)).toEqual(['SEARCH links USING INDEX links_collection (collection=?)']);
  expect(await planOf(['c1'], middle)).toEqual([
    'SEARCH links USING INDEX links_collection (collection=? AND (created_at,id)<(?,?))',
  ]);
});
