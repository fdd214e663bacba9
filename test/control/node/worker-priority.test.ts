// Threads that hash passwords yield to all other work, on systems with priorities of threads.

import { execFileSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const module = pathToFileURL(
  new URL('../../../gateway/control/node/worker-priority.ts', import.meta.url).pathname,
).href;

/** A process of its own: the priority of a thread that was lowered cannot be raised again. */
const script = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { getPriority } from 'node:os';
  const { lowerWorkerPriority } = await import(${JSON.stringify(module)});
  const before = getPriority();
  await lowerWorkerPriority();
  const workers = [], others = [];
  for (const id of readdirSync('/proc/self/task')) {
    const name = readFileSync('/proc/self/task/' + id + '/comm', 'utf8').trim();
    (name === 'libuv-worker' ? workers : others).push(getPriority(Number(id)) - before);
  }
  process.stdout.write(JSON.stringify({ workers, others: [...new Set(others)] }));
`;

test.skipIf(process.platform !== 'linux')(
  'the threads of the pool get a low priority, and all other threads keep theirs',
  () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(JSON.parse(said)).toEqual({ workers: [10, 10, 10, 10], others: [0] });
  },
);
