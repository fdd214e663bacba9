// The change log on both engines: numbers without holes, pages, places that are too old, and the revocations that an index starts
// from.

import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { ChangesRead, Store } from '../../../gateway/store/port/store.ts';
import { pruneChanges } from '../../../gateway/store/rows/change-log.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { describeEngines, openEmpty } from '../../support/store/stores.ts';

async function append(store: Store, ...nodes: string[]): Promise<void> {
  for (const node of nodes) {
    const kind = node.startsWith('jti:') ? 'outside' : node.startsWith('t') ? 'touch' : 'revoke';
    await store.write((unit) => unit.append({ kind, node }));
  }
}

const nodesOf = (read: ChangesRead) => (read.kind === 'changes' ? read.changes.map(({ node }) => node) : read.kind);

describeEngines('change log', (engine) => {
  test('a reader in pages sees each change once, in order, and where it stands after each page', async () => {
    const { store } = await openEmpty(engine, { changesPerRead: 3 });
    const { epoch } = await store.readPosition();
    await append(store, 'a', 't1', 'b', 'jti:x', 'a', 't2', 'c');
    const first = await store.readChanges({ epoch, seq: 0 });
    expect([nodesOf(first), first.kind === 'changes' && first.position]).toEqual([['a', 't1', 'b'], { epoch, seq: 3 }]);
    expect(nodesOf(await store.readChanges({ epoch, seq: 3 }))).toEqual(['jti:x', 'a', 't2']);
    expect(await store.readChanges({ epoch, seq: 6 })).toMatchObject({
      kind: 'changes',
      position: { epoch, seq: 7 },
      changes: [{ seq: 7, kind: 'revoke', node: 'c', at: 1_800_000_000 }],
    });
    expect(await store.readChanges({ epoch, seq: 7 })).toEqual({
      kind: 'changes',
      position: { epoch, seq: 7 },
      changes: [],
    });
  });

  test('a reader at a place of another epoch, or ahead of the log, has to restart', async () => {
    const { store } = await openEmpty(engine);
    await append(store, 'a');
    const { epoch } = await store.readPosition();
    expect(await store.readChanges({ epoch: 'another', seq: 0 })).toEqual({ kind: 'restart' });
    expect(await store.readChanges({ epoch, seq: 2 })).toEqual({ kind: 'restart' });
  });

  test('an index starts from the last revocation of each node, and from nothing else', async () => {
    const { store } = await openEmpty(engine);
    await append(store, 'a', 't1', 'b', 'jti:x', 'a', 't2');
    const { position, revocations } = await store.readRevocations();
    expect(position).toEqual(await store.readPosition());
    expect(revocations.map(({ seq, kind, node }) => [seq, kind, node])).toEqual([
      [3, 'revoke', 'b'],
      [4, 'outside', 'jti:x'],
      [5, 'revoke', 'a'],
    ]);
  });

  test('a reader before the pruned changes has to restart, and a reader behind them goes on', async () => {
    const { store, clock } = await openEmpty(engine);
    const { epoch } = await store.readPosition();
    await append(store, 'a', 'b', 'c');
    clock.now += 7200;
    await append(store, 'd', 'e');
    const pruned = await store.write((unit) => pruneChanges(unit, 3600));
    expect(pruned.value).toBe(3);
    for (const seq of [0, 1, 2]) expect(await store.readChanges({ epoch, seq })).toEqual({ kind: 'restart' });
    expect(nodesOf(await store.readChanges({ epoch, seq: 3 }))).toEqual(['d', 'e']);
    clock.now += 7200;
    await store.write((unit) => pruneChanges(unit, 3600));
    expect(await store.readChanges({ epoch, seq: 4 })).toEqual({ kind: 'restart' });
    expect(await store.readChanges({ epoch, seq: 5 })).toMatchObject({ kind: 'changes', changes: [] });
    await append(store, 'f');
    expect(nodesOf(await store.readChanges({ epoch, seq: 5 }))).toEqual(['f']);
  });

  test('pruning drops at most its limit in one unit, oldest first, and keeps 35 days by default', async () => {
    const { store, clock } = await openEmpty(engine);
    await append(store, 'a', 'b', 'c', 'd');
    clock.now += 35 * 24 * 3600;
    expect((await store.write((unit) => pruneChanges(unit))).value).toBe(0);
    clock.now += 1;
    expect((await store.write((unit) => pruneChanges(unit, undefined, 3))).value).toBe(3);
    expect((await store.write((unit) => pruneChanges(unit))).value).toBe(1);
  });

  test('a commit wakes a listener until it stops listening', async () => {
    const { store } = await openEmpty(engine);
    let wakes = 0;
    const stop = store.onWake(() => {
      wakes += 1;
    });
    await append(store, 'a');
    expect(wakes).toBeGreaterThan(0);
    stop();
    const before = wakes;
    await append(store, 'b');
    expect(wakes).toBe(before);
  });

  test('a node of a change has at most 300 characters', async () => {
    const { store } = await openEmpty(engine);
    await append(store, 'n'.repeat(300));
    await expect(append(store, 'n'.repeat(301))).rejects.toThrow('300');
    expect((await store.readPosition()).seq).toBe(1);
  });
});

test('the feed does not wait behind the read of a page when the database is slow', async (context) => {
  const missing = postgresMissing();
  if (missing !== null) context.skip(missing);
  const { store } = await openEmpty('postgres');
  await append(store, 'a');
  const { epoch } = await store.readPosition();
  const read = () => store.readChanges({ epoch, seq: 0 });
  await read();
  const pages = Array.from({ length: 12 }, async () => {
    await sql`select pg_sleep(0.7)`.execute(store.sql);
    return 'a page';
  });
  expect(await Promise.race([read(), ...pages])).toMatchObject({ kind: 'changes' });
  await Promise.all(pages);
});
