// Lets passwords be hashed with the processor time that other work leaves. Node hashes on the threads of its pool, a few at a time, each for
// tens of milliseconds; at normal priority these threads delay the requests that are served. Linux keeps a priority for each
// thread and accepts a thread's id in place of a process id (setpriority(2)); on other systems nothing is done.

import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { getPriority, setPriority } from 'node:os';

/** About a tenth of the processor's time while other threads want it, and all of it while none does. */
const niceness = 10;
const threads = '/proc/self/task';

/** Lowers the priority of the pool's threads. Nothing depends on this: where it is not possible, nothing happens. */
export async function lowerWorkerPriority(): Promise<void> {
  try {
    // The pool starts its threads with the first work.
    await stat(threads);
    const lower = Math.min(getPriority() + niceness, 19);
    for (const id of readdirSync(threads)) {
      if (readFileSync(`${threads}/${id}/comm`, 'utf8').trim() === 'libuv-worker') setPriority(Number(id), lower);
    }
  } catch {
    // Another system, or a system that does not allow it.
  }
}
