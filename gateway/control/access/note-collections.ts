// What the configuration says of collections is part of every access answer, so a change of it ends what was answered before:
// an owner who is none any more, a folder that moved, a collection that is gone. Noted at the start and at each reload.
// The store remembers what was in force last, so a change that was made while the gateway stood still counts as well.

import type { CollectionConfig } from '../../config/control-config.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import type { ControlContext } from '../control-context.ts';

const markName = 'collections';

/** @returns names of the collections whose passes and answers were ended. @throws StoreAway */
export async function noteCollections(context: ControlContext): Promise<readonly string[]> {
  const present = describe(context.config().collections);
  const { value } = await context.write(async (unit) => {
    const { sql } = unit;
    const row = await sql.selectFrom('store_marks').select('value').where('name', '=', markName).executeTakeFirst();
    const before = row === undefined ? null : readMark(row.value);
    const changed = before === null ? [] : Object.keys(before).filter((name) => before[name] !== present[name]);
    if (before !== null && changed.length === 0 && Object.keys(present).length === Object.keys(before).length)
      return [];
    for (const name of changed) await unit.append({ kind: 'revoke', node: collectionSubject(name) });
    // what is new was asked about in vain until now
    const added = before === null ? [] : Object.keys(present).filter((name) => before[name] === undefined);
    for (const name of added) await unit.append({ kind: 'touch', node: collectionSubject(name) });
    const mark = { name: markName, value: JSON.stringify(present) };
    await sql
      .insertInto('store_marks')
      .values(mark)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: mark.value }))
      .execute();
    return changed;
  });
  return value;
}

type Described = Readonly<Record<string, string>>;

function describe(collections: readonly CollectionConfig[]): Described {
  return Object.fromEntries(
    collections.map(({ name, host, path, owners }) => [name, JSON.stringify([host, path, [...owners].sort()])]),
  );
}

/** Written by this file, so it is taken as it stands. */
function readMark(text: string): Described {
  return JSON.parse(text) as Described;
}
