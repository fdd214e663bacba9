// A process that writes to a store as fast as it can and says on stdout what was acknowledged; made to be killed.
// Arguments: the store's settings as JSON, and a name for this round.

import { writeSync } from 'node:fs';
import pino from 'pino';
import { openStore } from '../../../gateway/store/engine/open-store.ts';
import type { StoreSettings } from '../../../gateway/store/port/engine.ts';

const [settings = '', round = ''] = process.argv.slice(2);
const store = await openStore({
  settings: JSON.parse(settings) as StoreSettings,
  clock: { epochSeconds: () => Math.floor(performance.timeOrigin / 1000) },
  logger: pino({ level: 'silent' }),
});
if ('kind' in store) throw new Error(store.problem);

/** Writes a line whole. The pipe may be full and refuse to wait, where whoever reads is slower than whoever writes. */
function say(line: string): void {
  for (;;) {
    try {
      // short lines go into a pipe whole or not at all (POSIX write, PIPE_BUF)
      writeSync(1, line);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(room, 0, 0, 1);
    }
  }
}

const room = new Int32Array(new SharedArrayBuffer(4));
let next = 0;
await Promise.all(
  Array.from({ length: 20 }, async () => {
    for (;;) {
      const name = `${round}.${next++}`;
      const written = await store.write(async (unit) => {
        await unit.sql.insertInto('store_marks').values({ name, value: '' }).execute();
        return unit.append({ kind: 'touch', node: name });
      });
      // A system call and no stream: what was said stays said, however this process ends.
      say(`${name} ${written.value}\n`);
    }
  }),
);
