// Several writers at once: one-time things are spent once, the log has no gaps, and many units share a commit. Nodes that share a
// store are notified of each other's commits, and find them by polling when notifications are lost.

import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../../gateway/store/port/store.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { describeEngines, makeDatabase, openEmpty, openNode } from '../../support/store/stores.ts';

/** Takes one of `allowed`, by one conditional statement; a counter in place of a link. */
const take = (store: Store, allowed: number) =>
  store.write(async (unit) => {
    const { numUpdatedRows } = await unit.sql
      .updateTable('throttles')
      .set((column) => ({ failures: column('failures', '+', 1) }))
      .where('kind', '=', 'link')
      .where('failures', '<', allowed)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  });

async function makeCounter(store: Store): Promise<void> {
  await store.write((unit) =>
    unit.sql
      .insertInto('throttles')
      .values({ kind: 'link', key_digest: '', failures: 0, first_at: 0, last_at: 0, blocked_until_at: 0 })
      .execute(),
  );
}

/** Nodes on one database; on SQLite there is one, for one process holds the file. */
async function openFleet(engine: 'sqlite' | 'postgres', size: number): Promise<Store[]> {
  const settings = await makeDatabase(engine);
  return Promise.all(Array.from({ length: engine === 'sqlite' ? 1 : size }, () => openNode(settings)));
}

describeEngines('many at once', (engine) => {
  test('of 64 conditional updates for 3 places, over all nodes, exactly 3 succeed', async () => {
    const nodes = await openFleet(engine, 2);
    const [first] = nodes;
    if (first === undefined) throw new Error('no node');
    await makeCounter(first);
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, at) => take(nodes[at % nodes.length] ?? first, 3)),
    );
    expect(results.filter(({ value }) => value).length).toBe(3);
    expect((await first.sql.selectFrom('throttles').select('failures').execute())[0]?.failures).toBe(3);
  });

  test('no update is lost between a read and a write of one unit', async () => {
    const nodes = await openFleet(engine, 2);
    const [first] = nodes;
    if (first === undefined) throw new Error('no node');
    await makeCounter(first);
    await Promise.all(
      Array.from({ length: 60 }, (_, at) =>
        (nodes[at % nodes.length] ?? first).write(async ({ sql: unit }) => {
          const { failures } = await unit.selectFrom('throttles').select('failures').executeTakeFirstOrThrow();
          await unit
            .updateTable('throttles')
            .set({ failures: failures + 1 })
            .execute();
        }),
      ),
    );
    expect((await first.sql.selectFrom('throttles').select('failures').execute())[0]?.failures).toBe(60);
  });

  test('a reader that polls beside writers on all nodes sees every number once, in order', async () => {
    const nodes = await openFleet(engine, 3);
    const [first] = nodes;
    if (first === undefined) throw new Error('no node');
    let place = await first.readPosition();
    const seen: number[] = [];
    let isWriting = true;
    const reading = (async () => {
      for (;;) {
        const isLast = !isWriting;
        const read = await first.readChanges(place);
        if (read.kind === 'restart') throw new Error('the log has a hole');
        seen.push(...read.changes.map(({ seq }) => seq));
        place = read.position;
        if (isLast) return;
        await wait(1);
      }
    })();
    const perNode = 60;
    await Promise.all(
      nodes.flatMap((node, at) =>
        Array.from({ length: perNode }, (_, number) =>
          node
            .write(async (unit) => {
              await unit.append({ kind: 'touch', node: `${at}` });
              if (number % 5 === 4) throw new Error('undone');
              if (number % 7 === 0) await unit.append({ kind: 'revoke', node: `${at}` });
            })
            .catch(() => {}),
        ),
      ),
    );
    isWriting = false;
    await reading;
    const { seq } = await first.readPosition();
    expect(seq).toBeGreaterThan(nodes.length * perNode * 0.7);
    expect(seen).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
  });

  test('200 units that come together are made durable by a few commits', async () => {
    const { store, settings } = await openEmpty(engine, { limits: { maxBatchMs: 10_000 } });
    const writeAll = () =>
      Promise.all(
        Array.from({ length: 200 }, (_, at) => store.write((unit) => unit.append({ kind: 'touch', node: `n${at}` }))),
      );
    if (settings.kind === 'sqlite') {
      const before = countCommits(`${settings.file}-wal`);
      await writeAll();
      expect(countCommits(`${settings.file}-wal`) - before).toBeLessThanOrEqual(2);
      return;
    }
    await writeAll();
    await store.close();
    const reader = await openNode(settings);
    // One update of the log's row is one commit; the server counts them when a connection ends.
    const count = async () => {
      const { rows } = await sql<{ updates: number }>`
        select pg_stat_get_tuples_updated('log_position'::regclass) as updates`.execute(reader.sql);
      return rows[0]?.updates ?? 0;
    };
    await expect.poll(count).toBeGreaterThan(0);
    expect(await count()).toBeLessThanOrEqual(2);
  });
});

describe('nodes of a fleet', () => {
  test('are notified of a commit on another node, and find it by polling when every notification is lost', async (context) => {
    const missing = postgresMissing();
    if (missing !== null) context.skip(missing);
    const settings = await makeDatabase('postgres');
    const writer = await openNode(settings);
    const hearing = await openNode(settings);
    const deaf = await openNode(settings, { dropNotifications: true });
    const start = await writer.readPosition();
    let heard = 0;
    let deafHeard = 0;
    hearing.onWake(() => {
      heard += 1;
    });
    deaf.onWake(() => {
      deafHeard += 1;
    });
    await expect
      .poll(async () => {
        // the first commits may come before the other node listens
        await writer.write((unit) => unit.append({ kind: 'revoke', node: 'ac_1' }));
        return heard;
      })
      .toBeGreaterThan(1);
    expect(deafHeard).toBe(0);
    const read = await deaf.readChanges(start);
    expect(read.kind === 'changes' && read.changes[0]?.node).toBe('ac_1');
  });

  test('a node that stops in the middle of a unit loses the log to the other nodes within seconds', async (context) => {
    const missing = postgresMissing();
    if (missing !== null) context.skip(missing);
    const settings = await makeDatabase('postgres');
    const stopped = await openNode(settings, { limits: { unitDeadlineMs: 60_000 } });
    const other = await openNode(settings);
    let letGo = (): void => {};
    const begun = Promise.withResolvers<void>();
    const hanging = stopped
      .write(async (unit) => {
        await unit.append({ kind: 'touch', node: 'stopped' });
        begun.resolve();
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      })
      .catch((error) => error);
    await begun.promise;
    const written = await other.write((unit) => unit.append({ kind: 'touch', node: 'other' }));
    expect(written.position.seq).toBe(1);
    letGo();
    expect(await hanging).toMatchObject({ code: 'STORE_AWAY' });
    expect((await stopped.write((unit) => unit.append({ kind: 'touch', node: 'again' }))).position.seq).toBe(2);
  });
});

/** Commits in a write-ahead log: frames that carry the database's size. https://www.sqlite.org/fileformat2.html#walformat */
function countCommits(file: string): number {
  const wal = readFileSync(file);
  if (wal.length < 32) return 0;
  const pageBytes = wal.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + 24 + pageBytes <= wal.length; at += 24 + pageBytes) {
    const isCurrent = wal.subarray(at + 8, at + 16).equals(wal.subarray(16, 24));
    if (isCurrent && wal.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}
