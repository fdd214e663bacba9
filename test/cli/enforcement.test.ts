// An edge that does not act on a revocation in time is ended, and only then is the revocation answered, also while other edges start.
// Real processes: a stopped edge still has its listener, and may be woken at any time to serve with what it knew.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { edgeRole } from '../../gateway/cli/serve/role.ts';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { askAdmin } from '../support/clients/admin-client.ts';
import { isAlive, makeServeRig, type ServeProcess, type ServeRig, type ServeStart } from '../support/rigs/serve-rig.ts';

let rig: ServeRig;
let starting: Promise<ServeStart>;
let account: string;
/** The edge that became ready first. */
const first = Promise.withResolvers<number>();

/**
 * What edges run before anything else: the second one to begin stops itself before it does, and once more when it has its
 * snapshot and is about to say what it acts on; each time until somebody lets it go on.
 */
const holdSecond = `
import { subscribe } from 'node:diagnostics_channel';
import { mkdirSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const isMine = (name) => {
  try {
    mkdirSync(new URL(name, import.meta.url));
    return true;
  } catch {
    return false;
  }
};
if (isMainThread && process.argv[2] === '${edgeRole}' && !isMine('first') && isMine('second')) {
  const hold = (name) => {
    writeFileSync(new URL(name, import.meta.url), String(process.pid));
    process.kill(process.pid, 'SIGSTOP');
  };
  let isFirst = true;
  subscribe('undici:request:create', ({ request }) => {
    if (request.path === '/applied' && isFirst) {
      isFirst = false;
      hold('held-with-snapshot');
    }
  });
  hold('held');
}
`;

beforeAll(async () => {
  rig = await makeServeRig((_request, response) => response.end('ok'));
  const hold = join(rig.folder, 'hold.mjs');
  writeFileSync(hold, holdSecond);
  starting = rig.start({
    env: { NODE_OPTIONS: `--import=${pathToFileURL(hold)}` },
    onLog: ({ role, pid, msg }) => {
      if (role === 'edge' && msg === 'the edge is ready') first.resolve(Number(pid));
    },
  });
});
afterAll(() => rig?.clear());

async function ask(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<unknown> {
  const answer = await askAdmin(join(rig.folder, 'data'), method, path, body);
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Stops an edge, disables the account, and sees that the edge is gone when that is answered. @returns how long it took */
async function disableWithStopped(edge: number): Promise<number> {
  process.kill(edge, 'SIGSTOP');
  const before = monotonicMs();
  const isAliveAtAnswer = ask('PATCH', `accounts/${account}`, { state: 'disabled' }).then(() => isAlive(edge));
  expect(await isAliveAtAnswer).toBe(false);
  return monotonicMs() - before;
}

async function startedGateway(): Promise<ServeProcess> {
  const started = await starting;
  if (started.kind === 'ended') throw new Error(`serve ended: ${started.stderr}`);
  return started;
}

test('while another edge is starting, an edge that is ended on order is started again, and the start goes on', async () => {
  const edge = await first.promise;
  const held = await heldEdge('held');
  ({ account } = (await ask('POST', 'accounts', { email: 'ann@example.org', invited: false })) as { account: string });
  // nobody waits for the one that is held: it has not begun, and will begin with what was done here
  await disableWithStopped(edge);
  goOn(held);

  // once it has begun it is waited for, also before its first word
  await heldEdge('held-with-snapshot');
  let goesOn = false;
  const answered = ask('PATCH', `accounts/${account}`, { state: 'active' }).then(() => goesOn || !isAlive(held));
  await expect.poll(() => ask('GET', `accounts/${account}`)).toMatchObject({ state: 'active' });
  goesOn = true;
  goOn(held);
  expect(await answered).toBe(true);

  const serve = await startedGateway();
  expect(serve.log()).toContainEqual(expect.objectContaining({ msg: 'a process ended and is started again' }));
}, 120_000);

test('a stopped edge is killed and replaced, and the answer comes after its end', async () => {
  const serve = await startedGateway();
  const edges = serve.pids('edge');
  // No edge is ended before its time is over.
  expect(await disableWithStopped(edges.at(-1) ?? -1)).toBeGreaterThan(1900);
  await expect.poll(() => serve.pids('edge').length).toBe(edges.length + 1);
  expect(serve.log()).toContainEqual(
    expect.objectContaining({
      role: 'control',
      reason: 'silent',
      msg: 'an edge said nothing while a revocation waited for it and is ended',
    }),
  );
  // The revocation does not wait for the edge that is gone.
  await ask('PATCH', `accounts/${account}`, { state: 'active' });
}, 120_000);

/** On a slow machine it may have been ended meanwhile, and then that was the answer. */
function goOn(edge: number): void {
  try {
    process.kill(edge, 'SIGCONT');
  } catch {
    // gone
  }
}

/** The id of the edge that stopped itself there. */
async function heldEdge(name: string): Promise<number> {
  const file = join(rig.folder, name);
  await expect.poll(() => readNumber(file)).toBeGreaterThan(0);
  return readNumber(file);
}

/** The number that a file says; 0 while it says none. */
function readNumber(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}
