// Lets passwords be hashed with what others leave of the machine. Node does that on the threads of its pool, a few at a time, each for
// tens of milliseconds; with the priority of everything else they delay the requests that are served. Linux keeps a priority for each
// thread and takes a thread's id where it takes a process's (setpriority(2)); elsewhere nothing is done.

import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/** About a tenth of the processor's time where others want it; all of it where nothing else does. */
const niceness = 10;
const threads = '/proc/self/task';

/** Lowers the priority of the pool's threads. Nothing depends on it: where it is not possible it is not done. */
export async function lowerWorkerPriority(): Promise<void> {
  try {
    // the threads come with the first work for them
    await stat(threads);
    const lower = Math.min(getPriority() + niceness, 19);
    for (const id of readdirSync(threads)) {
      if (readFileSync(`${threads}/${id}/comm`, 'utf8').trim() === 'libuv-worker') setPriority(Number(id), lower);
    }
  } catch {
    // another system, or one that allows it not
  }
}
