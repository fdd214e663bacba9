// The log's own time decides what is old, and no wall clock does. Tried with clocks 40 days ahead and 40 days behind, at one
// start and at the next, on one node and on two.

import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openEngine } from '../../../gateway/store/engine/open-store.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { pruneChanges } from '../../../gateway/store/rows/change-log.ts';
import { findHorizon } from '../../../gateway/store/rows/log-time.ts';
import { withoutFirstHour, withoutSharedKeys } from '../../support/store/earlier-tables.ts';
import {
  describeEngines,
  makeClock,
  makeDatabase,
  makeWrongClock,
  openEmpty,
  openNode,
  silent,
  type TestClock,
} from '../../support/store/stores.ts';

const day = 24 * 3600;
const start = 1_800_000_000;

const revoke = async (store: Store, node: string): Promise<void> => {
  await store.write((unit) => unit.append({ kind: node.includes(':') ? 'outside' : 'revoke', node }));
};
const prune = async (store: Store, life?: number): Promise<number> =>
  (await store.write((unit) => pruneChanges(unit, life))).value;
const horizon = async (store: Store, seconds: number) =>
  (await store.write((unit) => findHorizon(unit, seconds))).value;
const kept = async (store: Store) =>
  (await store.readRevocations()).revocations.map(({ node, at }) => [node, at - start] as const);

/** Hours of a node that runs: each has a unit, as pruning writes one every ten minutes. */
async function run(store: Store, clock: TestClock, days: number): Promise<void> {
  for (let passed = 0; passed < days * 24; passed += 6) {
    clock.now += 6 * 3600;
    await store.write(async () => undefined);
  }
}

/** Takes the third migration back, and the one after it. */
const downgrade = [
  'delete from schema_migrations where number > 2',
  ...withoutSharedKeys,
  ...withoutFirstHour,
  'drop table log_marks',
  ...['log_time', 'newest_at', 'hour_ahead', 'ahead', 'marked_at', 'lowest_clock'].map(
    (column) => `alter table log_position drop column ${column}`,
  ),
];

describeEngines('log time', (engine) => {
  test.each([40 * day, -40 * day])('a start with a clock that is %i s wrong forgets nothing', async (wrongBy) => {
    const { store, settings, clock } = await openEmpty(engine);
    await revoke(store, 'li_1');
    await revoke(store, 'jti:x');
    clock.now += 3600;
    await store.close();
    const wrong = makeClock(clock.now);
    wrong.wrongBy = wrongBy;
    const next = await openNode(settings, { clock: wrong });
    for (const life of [undefined, 2 * 3600]) expect(await prune(next, life)).toBe(0);
    wrong.now += 600;
    await revoke(next, 'li_2');
    expect(await prune(next)).toBe(0);
    await next.close();
    // and with the clock set right again
    const right = await openNode(settings, { clock: makeClock(wrong.now + 60) });
    expect(await prune(right)).toBe(0);
    expect((await kept(right)).map(([node]) => node)).toEqual(['li_1', 'jti:x', 'li_2']);
  });

  test('a clock that jumps while the node runs forgets nothing', async () => {
    const { store, clock } = await openEmpty(engine);
    await revoke(store, 'li_1');
    for (const wrongBy of [40 * day, -40 * day, 0, 400 * day]) {
      clock.wrongBy = wrongBy;
      clock.now += 7200;
      expect(await prune(store)).toBe(0);
      expect(await horizon(store, day)).toBeNull();
    }
  });

  test('time in which no node has the store open does not count, and time in which nodes have it open counts once', async () => {
    const { store, settings, clock } = await openEmpty(engine);
    await revoke(store, 'li_1');
    await run(store, clock, 1);
    await store.close();
    const later = makeClock(clock.now + 100 * day);
    const again = await openNode(settings, { clock: later });
    const other = engine === 'postgres' ? await openNode(settings, { clock: later }) : null;
    const before = again.logTime();
    await again.write(async () => undefined);
    await other?.write(async () => undefined);
    later.now += 33 * day;
    await again.write(async () => undefined);
    await other?.write(async () => undefined);
    // each node that stops may lose a minute of log time
    expect(before - start).toBeGreaterThanOrEqual(day - 60);
    expect(again.logTime() - before).toBe(33 * day);
    expect(other?.logTime() ?? again.logTime()).toBe(again.logTime());
    expect(await prune(again)).toBe(0);
    later.now += 2 * day;
    expect(await prune(again)).toBe(1);
  });

  test('a node that runs for the whole retention forgets what is older, and nothing younger', async () => {
    const { store, clock } = await openEmpty(engine);
    await revoke(store, 'li_1');
    await run(store, clock, 3);
    await revoke(store, 'li_2');
    await run(store, clock, 3);
    expect(await prune(store, 5 * day)).toBe(1);
    expect((await kept(store)).map(([node]) => node)).toEqual(['li_2']);
    expect(await store.readAgedSeq(2 * day)).toBe(2);
    expect(await store.readAgedSeq(5 * day)).toBe(1);
    expect(await store.readAgedSeq(7 * day)).toBe(0);
  });

  test('a row is old when every clock since was later than what it says', async () => {
    const { store, clock } = await openEmpty(engine);
    await run(store, clock, 10);
    const usual = await horizon(store, 5 * day);
    expect(clock.now - (usual?.before ?? 0)).toBe(5 * day);
    // a node whose clock is 40 days behind writes rows that look old to all other nodes
    clock.wrongBy = -40 * day;
    await store.write(async () => undefined);
    clock.wrongBy = 0;
    await run(store, clock, 1);
    expect(clock.now - ((await horizon(store, 5 * day))?.before ?? 0)).toBeGreaterThan(40 * day);
    await run(store, clock, 6);
    expect(clock.now - ((await horizon(store, 5 * day))?.before ?? 0)).toBe(5 * day);
    // a node whose clock is ahead makes nothing old
    clock.wrongBy = 40 * day;
    await store.write(async () => undefined);
    expect(clock.now - ((await horizon(store, 5 * day))?.before ?? 0)).toBeGreaterThanOrEqual(5 * day);
  });

  test('a node a day behind that revokes again takes nothing back, and its revocations reach everything made until now', async () => {
    const { store, settings, clock } = await openEmpty(engine);
    await revoke(store, 'sub:anna');
    clock.now += 3600;
    await store.write(async () => undefined);
    const second = async (wrongBy: number, ...nodes: string[]) => {
      const node = await openNode(settings, { clock: makeWrongClock(clock, wrongBy) });
      for (const revoked of nodes) await revoke(node, revoked);
      await node.close();
    };
    await second(-day, 'sub:anna', 'sub:ben');
    // the log's time went on since it was told of the first one
    expect(await kept(store)).toEqual([
      ['sub:anna', 3600],
      ['sub:ben', 3600],
    ]);
    await second(-40 * day, 'sub:carl');
    expect((await kept(store)).at(-1)).toEqual(['sub:carl', 3600]);
  });

  test('the time of changes never goes back, whatever the clock of the node that appends', async () => {
    const { store, settings, clock } = await openEmpty(engine);
    const { epoch } = await store.readPosition();
    for (const wrongBy of [0, -40 * day, 3600, 0, 40 * day, -day, 0]) {
      const node = await openNode(settings, { clock: makeWrongClock(clock, wrongBy) });
      await revoke(node, 'sub:anna');
      await node.close();
      clock.now += 7200;
    }
    const read = await store.readChanges({ epoch, seq: 0 });
    const times = read.kind === 'changes' ? read.changes.map(({ at }) => at) : [];
    expect(times).toHaveLength(7);
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });

  test('a clock that was ahead at one start does not keep the time of changes ahead for ever', async () => {
    const { store, clock } = await openEmpty(engine);
    clock.wrongBy = 40 * day;
    await revoke(store, 'sub:first');
    clock.wrongBy = 0;
    clock.now += 60;
    await revoke(store, 'sub:second');
    const ahead = async () => Math.max(...(await kept(store)).map(([, at]) => at)) - (clock.now - start);
    expect(await ahead()).toBe(40 * day);
    for (let week = 0; week < 7; week++) {
      await run(store, clock, 7);
      await revoke(store, `sub:week-${week}`);
    }
    expect(await ahead()).toBe(0);
  });

  test('in a store of an earlier version nothing is old at first', async () => {
    const settings = await makeDatabase(engine);
    const clock = makeClock();
    const store = await openNode(settings, { clock });
    await revoke(store, 'li_1');
    await store.close();
    // as the earlier version left the tables
    const bare = await openEngine(settings, { logger: silent });
    if ('away' in bare) throw new Error(bare.problem);
    for (const statement of downgrade) await sql.raw(statement).execute(bare.writer);
    await bare.close();
    clock.now += 100 * day;
    clock.wrongBy = -300 * day;
    const updated = await openNode(settings, { clock });
    expect(await prune(updated)).toBe(0);
    expect(await horizon(updated, day)).toBeNull();
    await revoke(updated, 'sub:anna');
    expect((await kept(updated)).at(-1)).toEqual(['sub:anna', 0]);
    await run(updated, clock, 36);
    expect(await prune(updated)).toBe(2);
  });
});
