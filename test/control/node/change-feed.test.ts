// What the feed tells edges about the change log, in which order, and what it does not tell while the log cannot be read.

import { afterEach, expect, test } from 'vitest';
import { ChangeFeed } from '../../../gateway/control/node/change-feed.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import type { FeedMessage } from '../../../gateway/wire/feed.ts';
import { memoryLogger } from '../../support/rigs/control.ts';
import { MemoryLog } from '../../support/rigs/memory-log.ts';

type ChangeFeedOptions = ConstructorParameters<typeof ChangeFeed>[0];

const opened: ChangeFeed[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((feed) => feed.close()));
});

/** A feed that never polls, unless a test asks for it. */
function startFeed(log: MemoryLog, options: Partial<ChangeFeedOptions> = {}) {
  const sent: FeedMessage[] = [];
  const clock = { now: 1000, monotonicMs: () => clock.now, epochSeconds };
  const { logger, said } = memoryLogger();
  const feed = new ChangeFeed({
    source: log,
    clock,
    logger,
    broadcast: (message) => sent.push(message),
    onRead: () => undefined,
    onKeys: () => Promise.resolve(),
    pollMs: 1_000_000,
    ...options,
  });
  opened.push(feed);
  return { feed, sent, clock, said };
}

test('an edge gets the whole index first, then each change once, in order', async () => {
  const log = new MemoryLog();
  log.revoke('ac_1');
  const { feed, sent } = startFeed(log);
  expect([feed.index(), feed.beat()]).toEqual([null, null]);
  await feed.look();
  log.revoke('ac_2', 'ac_3');
  await feed.reach(log.position);
  log.append({ kind: 'touch', node: 'co_a' });
  await feed.reach(log.position);
  expect(sent).toMatchObject([
    { kind: 'index', index: { epoch: 'e1', seq: 1, revocations: [{ node: 'ac_1' }] } },
    { kind: 'changes', epoch: 'e1', seq: 3, changes: [{ node: 'ac_2' }, { node: 'ac_3' }] },
    { kind: 'changes', epoch: 'e1', seq: 4, changes: [{ kind: 'touch' }] },
  ]);
  expect(feed.index()).toMatchObject({ seq: 4, revocations: [{ node: 'ac_1' }, { node: 'ac_2' }, { node: 'ac_3' }] });
});

test('a long list of changes is read to its end before the index counts as fresh', async () => {
  const log = new MemoryLog();
  log.perRead = 2;
  let fresh = -1;
  const { feed, sent } = startFeed(log, { onRead: () => (fresh = sent.length) });
  await feed.look();
  log.revoke('a', 'b', 'c', 'd', 'e');
  await feed.look();
  expect(sent.map((message) => (message.kind === 'changes' ? message.changes.length : message.kind))).toEqual([
    'index',
    2,
    2,
    1,
  ]);
  expect(fresh).toBe(4);
});

test('an edge that starts is not told of nodes that no token can hang on any more', async () => {
  const log = new MemoryLog();
  log.append({ kind: 'revoke', node: 'ac_1' }, { kind: 'outside', node: 'sub:u' });
  log.age(60);
  const nodesAfter = async (seconds: number) => {
    const { feed } = startFeed(log, { keepSeconds: () => seconds });
    await feed.look();
    return feed.index()?.revocations.map(({ node }) => node);
  };
  expect([await nodesAfter(60), await nodesAfter(59)]).toEqual([['ac_1', 'sub:u'], ['sub:u']]);
});

test('a control that runs for months keeps only revocations that still count, for outside tokens as well', async () => {
  const log = new MemoryLog();
  const { feed, clock } = startFeed(log, { keepSeconds: () => 3600 });
  const nodesAfter = async (seconds: number) => {
    log.age(seconds);
    clock.now += 600_000;
    await feed.look();
    return feed.index()?.revocations.map(({ node }) => node);
  };
  log.append({ kind: 'revoke', node: 'ac_1' }, { kind: 'outside', node: 'sub:u' });
  await feed.look();
  expect(await nodesAfter(34 * 86_400)).toEqual(['sub:u']);
  expect(await nodesAfter(2 * 86_400)).toEqual([]);
});

test('no wall clock makes the feed forget: a clock that is set 40 days ahead, or back, changes nothing', async () => {
  const log = new MemoryLog();
  log.append({ kind: 'revoke', node: 'ac_1' }, { kind: 'outside', node: 'sub:u' });
  for (const wrongBy of [40 * 86_400, -40 * 86_400]) {
    const clock = { monotonicMs: () => 0, epochSeconds: () => 1_800_000_000 + wrongBy };
    const { feed } = startFeed(log, { clock, keepSeconds: () => 3600 });
    await feed.look();
    expect(feed.index()?.revocations).toHaveLength(2);
  }
});

test('a second revocation by a node whose clock is behind never shortens the first', async () => {
  const log = new MemoryLog();
  const { feed } = startFeed(log);
  log.append({ kind: 'outside', node: 'sub:u' });
  await feed.look();
  log.now -= 86_400;
  log.append({ kind: 'outside', node: 'sub:u' });
  await feed.look();
  expect(feed.index()?.revocations).toMatchObject([{ node: 'sub:u', seq: 2, at: 1_800_000_000 }]);
});

test('the poll finds changes when no wake comes', async () => {
  const log = new MemoryLog();
  log.wakes = false;
  const { feed, sent } = startFeed(log, { pollMs: 20 });
  await feed.look();
  log.revoke('ac_1');
  await expect.poll(() => sent.length, { interval: 5 }).toBe(2);
  expect(sent[1]).toMatchObject({ kind: 'changes', seq: 1 });
});

test('while the log cannot be read nothing counts as fresh, and the failure is logged once', async () => {
  const log = new MemoryLog();
  const { feed, clock, said } = startFeed(log);
  await feed.look();
  clock.now += 300;
  log.isAway = true;
  await feed.look();
  await feed.look();
  expect(feed.beat()).toMatchObject({ readAgeMs: 300 });
  expect(said().match(/cannot be read/g)).toHaveLength(1);
  log.isAway = false;
  await feed.look();
  expect(feed.beat()).toMatchObject({ readAgeMs: 0 });
  expect(said()).toContain('can be read again');
});

test('a log that was never read gives no index, and the whole index is sent once the log can be read', async () => {
  const log = new MemoryLog();
  log.isAway = true;
  const { feed, sent } = startFeed(log);
  await feed.look();
  expect([feed.index(), feed.beat(), sent]).toEqual([null, null, []]);
  log.isAway = false;
  await feed.look();
  expect(sent).toMatchObject([{ kind: 'index' }]);
});

test('freshness counts from the beginning of a read, not from its end', async () => {
  const log = new MemoryLog();
  const { feed, clock } = startFeed(log);
  const read = log.readChanges;
  await feed.look();
  Object.assign(log, {
    readChanges: (after: Parameters<typeof read>[0]) => {
      clock.now += 40;
      return read(after);
    },
  });
  await feed.look();
  expect(feed.beat()).toMatchObject({ readAgeMs: 40 });
});

test('after a restore the whole index is sent again, and waits for an earlier place end', async () => {
  const log = new MemoryLog();
  log.revoke('ac_1', 'ac_2');
  const { feed, sent } = startFeed(log);
  await feed.look();
  const reached = feed.reach({ epoch: 'e1', seq: 9 });
  log.restore('e2', ['ac_9']);
  await reached;
  expect(sent.at(-1)).toMatchObject({ kind: 'index', index: { epoch: 'e2', seq: 1, revocations: [{ node: 'ac_9' }] } });
});

test('a revocation right after a restore counts as sent only once it was sent, even when its epoch was not seen before', async () => {
  const log = new MemoryLog();
  const { feed, sent } = startFeed(log);
  log.revoke('ac_1', 'ac_2');
  await feed.look();
  // another node restored: nobody wakes this one, and it follows what was before until it looks
  log.wakes = false;
  log.restore('e2');
  await feed.reach(log.revoke('ac_9'));
  expect(sent.at(-1)).toMatchObject({ kind: 'index', index: { epoch: 'e2', revocations: [{ node: 'ac_9' }] } });
});

test('a read that had begun before the restore says nothing about a place behind it', async () => {
  const log = new MemoryLog();
  const { feed, sent } = startFeed(log);
  await feed.look();
  log.wakes = false;
  // the log is asked in this turn, and what it said of the epoch before comes in a later one
  const looked = feed.look();
  log.restore('e2');
  const reached = feed.reach(log.revoke('ac_9'));
  await looked;
  await reached;
  expect(sent.at(-1)).toMatchObject({ kind: 'index', index: { epoch: 'e2', revocations: [{ node: 'ac_9' }] } });
});

test('edges have new keys before they are told the place of the key change in the log', async () => {
  const log = new MemoryLog();
  const order: string[] = [];
  const { feed } = startFeed(log, {
    onKeys: async () => {
      await Promise.resolve();
      order.push('keys');
    },
    broadcast: (message) => order.push(message.kind),
  });
  await feed.look();
  await feed.reach(log.append({ kind: 'keys', node: 'keys' }, { kind: 'revoke', node: 'ky_k1' }));
  expect(order).toEqual(['keys', 'index', 'keys', 'changes']);
});

test('after a restore the keys are read anew before the index is sent', async () => {
  const log = new MemoryLog();
  const order: string[] = [];
  const { feed } = startFeed(log, {
    onKeys: async () => {
      await Promise.resolve();
      order.push('keys');
    },
    broadcast: (message) => order.push(message.kind),
  });
  await feed.look();
  order.length = 0;
  log.restore('e2');
  await feed.reach({ epoch: 'e1', seq: 9 });
  expect(order.slice(0, 2)).toEqual(['keys', 'index']);
});

test('waiting for a place of the log fails when the log cannot be read in time', async () => {
  const log = new MemoryLog();
  const { feed } = startFeed(log, { reachMs: 20 });
  await feed.look();
  log.isAway = true;
  await expect(feed.reach(log.revoke('ac_1'))).rejects.toThrow('could not be read');
});
