// The replacement of an edge, with small processes in place of edges: when a successor ends before it is ready, the reason decides what follows.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EdgeSlot } from '../../gateway/cli/serve/edge-slot.ts';
import { memoryLogger } from '../support/rigs/control.ts';

/** Ready at once, unless it is the first successor, which never is; goes when told to drain. */
const edge = `
process.on('message', ({ type }) => type === 'drain' && process.exit(0));
if (process.argv[2] !== 'e1.2') process.send({ type: 'edge-ready', listening: [] });
`;

let folder: string;
let processes: Map<string, ChildProcess>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-slot-'));
  writeFileSync(join(folder, 'edge.mjs'), edge);
  processes = new Map();
});
afterEach(() => {
  for (const child of processes.values()) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A slot whose edge is ready, and the successor that is starting. */
async function startReplacing(endedOnOrder: readonly string[]) {
  const { logger } = memoryLogger();
  const slot = new EdgeSlot({
    slot: 1,
    spawn: (edgeId) => {
      const child = fork(join(folder, 'edge.mjs'), [edgeId]);
      processes.set(edgeId, child);
      return child;
    },
    onCannotListen: () => undefined,
    onCannotStart: () => undefined,
    onReady: () => undefined,
    onExit: () => false,
    wasEndedOnOrder: (edgeId) => endedOnOrder.includes(edgeId),
    logger,
  });
  await slot.start();
  const replaced = slot.replace(60_000);
  return { slot, replaced };
}

test('a successor that control had ended is started again, and the replacement goes on', async () => {
  const { slot, replaced } = await startReplacing(['e1.2']);
  processes.get('e1.2')?.kill('SIGKILL');
  expect(await replaced).toBe(true);
  expect([...processes.keys()]).toEqual(['e1', 'e1.2', 'e1.3']);
  expect(processes.get('e1')?.exitCode).toBe(0);
  slot.stop();
});

test('a successor that ends by itself ends the replacement, and the old edge stays', async () => {
  const { slot, replaced } = await startReplacing([]);
  processes.get('e1.2')?.kill('SIGKILL');
  expect(await replaced).toBe(false);
  expect([...processes.keys()]).toEqual(['e1', 'e1.2']);
  expect(processes.get('e1')?.exitCode).toBeNull();
  slot.stop();
});
