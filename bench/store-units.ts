// Measures how many small units of work a second the store makes durable, on both engines, and how long each unit waits for that.
// Usage: node bench/store-units.ts [seconds per line]. With 1, 32 and 256 callers; starts a PostgreSQL of its own with fsync on.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openStore } from '../gateway/store/engine/open-store.ts';
import type { StoreSettings } from '../gateway/store/port/engine.ts';
import { createDatabase, postgresMissing, removePostgres, startPostgres } from '../test/support/store/postgres.ts';

const milliseconds = 1000 * Number(process.argv[2] ?? 3);

async function measure(settings: StoreSettings, callers: number): Promise<void> {
  const store = await openStore({
    settings,
    clock: { epochSeconds: () => Math.floor(Date.now() / 1000) },
    logger: pino({ level: 'silent' }),
  });
  if ('kind' in store) throw new Error(store.problem);
  const waits: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let now = performance.now(); now - began < milliseconds; ) {
        // about the size of a claim or a revocation: one change in the log
        await store.write((unit) => unit.append({ kind: 'revoke', node: 'me_AAAAAAAAAAAAAAAAAAAAAA' }));
        const done = performance.now();
        waits.push(done - now);
        now = done;
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  waits.sort((left, right) => left - right);
  const percentile = (share: number) => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(1);
  const rate = Math.round(waits.length / seconds);
  console.log(
    `${settings.kind} ${callers} callers: ${rate} units/s, p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms`,
  );
  await store.close();
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
for (const callers of [1, 32, 256]) await measure({ kind: 'sqlite', file: join(folder, 'bench.db') }, callers);
rmSync(folder, { recursive: true });

const missing = postgresMissing();
if (missing !== null) {
  console.log(`skipped: ${missing}`);
} else {
  const server = await startPostgres({ fsync: 'on' });
  const url = await createDatabase(server, 'bench');
  for (const callers of [1, 32, 256]) await measure({ kind: 'postgres', url }, callers);
  await removePostgres(server);
}
