// Acknowledged units survive a crash: of the process that holds the file, and of PostgreSQL under running nodes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkStore } from '../../../gateway/store/files/check-store.ts';
import { type Store, StoreAway } from '../../../gateway/store/port/store.ts';
import {
  createDatabase,
  killPostgres,
  postgresMissing,
  removePostgres,
  restartPostgres,
  startPostgres,
} from '../../support/store/postgres.ts';
import { postgresTemplate } from '../../support/store/shared-postgres.ts';
import { makeDatabase, openNode } from '../../support/store/stores.ts';

const writer = join(import.meta.dirname, '..', '..', 'support', 'store', 'journal-writer.ts');

/** Everything acknowledged is there under the number it was told, and row and change are there together or not at all. */
async function compare(store: Store, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const { epoch } = await store.readPosition();
  const changes = await store.sql.selectFrom('changes').select(['seq', 'node']).where('epoch', '=', epoch).execute();
  const numbers = new Map(changes.map(({ seq, node }) => [node, seq]));
  const lost = [...acknowledged].filter(([name, seq]) => numbers.get(name) !== seq);
  expect(lost).toEqual([]);
  const marks = await store.sql.selectFrom('store_marks').select('name').execute();
  expect(marks.map(({ name }) => name).sort()).toEqual([...numbers.keys()].sort());
  expect(await checkStore(store, null)).toEqual([]);
}

describe('crashes', () => {
  test('kill -9 of the process that writes to SQLite loses no acknowledged unit', async () => {
    const settings = await makeDatabase('sqlite');
    const acknowledged = new Map<string, number>();
    for (const round of ['a', 'b', 'c']) {
      const child = spawn(process.execPath, [writer, JSON.stringify(settings), round], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      let toHear = 300 + round.charCodeAt(0);
      for await (const piece of child.stdout) {
        text += piece;
        if (text.length / 8 > toHear) {
          toHear = Number.POSITIVE_INFINITY;
          child.kill('SIGKILL');
        }
      }
      if (child.signalCode === null) await once(child, 'exit');
      expect(child.signalCode).toBe('SIGKILL');
      for (const line of text.split('\n').slice(0, -1)) {
        const [name = '', seq] = line.split(' ');
        acknowledged.set(name, Number(seq));
      }
    }
    expect(acknowledged.size).toBeGreaterThan(500);
    await compare(await openNode(settings), acknowledged);
  });

  test('kill -9 of PostgreSQL loses no acknowledged unit; its nodes refuse meanwhile and reconnect by themselves', async (context) => {
    const missing = postgresMissing();
    if (missing !== null) context.skip(missing);
    let server = await startPostgres({ template: await postgresTemplate(), fsync: 'on' });
    onTestFinished(() => removePostgres(server));
    const settings = { kind: 'postgres', url: await createDatabase(server, 'crash') } as const;
    const nodes = await Promise.all([openNode(settings), openNode(settings)]);
    const acknowledged = new Map<string, number>();
    let isOver = false;
    let away = 0;
    const clients = Array.from({ length: 8 }, async (_, client) => {
      const node = nodes[client % nodes.length];
      for (let number = 0; !isOver && node !== undefined; number++) {
        const name = `${client}.${number}`;
        try {
          const written = await node.write(async (unit) => {
            await unit.sql.insertInto('store_marks').values({ name, value: '' }).execute();
            return unit.append({ kind: 'touch', node: name });
          });
          acknowledged.set(name, written.value);
        } catch (error) {
          if (!(error instanceof StoreAway)) throw error;
          away += 1;
          // while PostgreSQL is away, each unit is refused at once
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    });
    for (let round = 1; round <= 2; round++) {
      const goal = acknowledged.size + 40;
      await expect.poll(() => acknowledged.size, { interval: 5 }).toBeGreaterThan(goal);
      await killPostgres(server);
      const awayGoal = away + 4;
      await expect.poll(() => away, { interval: 5 }).toBeGreaterThan(awayGoal);
      await expect(nodes[0]?.readPosition()).rejects.toBeInstanceOf(StoreAway);
      server = await restartPostgres(server, { fsync: 'on' });
    }
    const goal = acknowledged.size + 40;
    await expect.poll(() => acknowledged.size, { interval: 5 }).toBeGreaterThan(goal);
    isOver = true;
    await Promise.all(clients);
    for (const node of nodes) await compare(node, acknowledged);
    // the connection that listens reconnected as well
    let woken = 0;
    nodes[1]?.onWake(() => {
      woken += 1;
    });
    await expect
      .poll(async () => {
        await nodes[0]?.write((unit) => unit.append({ kind: 'touch', node: 'after' }));
        return woken;
      })
      .toBeGreaterThan(0);
  });
});
