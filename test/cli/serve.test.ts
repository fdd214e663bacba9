// `latchkey serve` from the outside: its start, the failures that it survives, and its end.
// Real processes, which are killed by kill -9. The tests of one gateway run in order, and each continues with the state of the test before.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, get, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlive, makeServeRig, portOf, type ServeProcess, type ServeRig } from '../support/rigs/serve-rig.ts';
import { runCommand } from '../support/run/run-command.ts';

let rig: ServeRig;
/** Answers of the upstream that wait for the test: requests for /slow. */
const held: ServerResponse[] = [];
const wait = { interval: 50 };

async function makeRig(): Promise<void> {
  rig = await makeServeRig((request, response) => {
    if (request.url === '/slow') held.push(response);
    else response.end('from the upstream');
  });
}

async function clearRig(): Promise<void> {
  for (const response of held.splice(0)) response.destroy();
  await rig.clear();
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One request on a connection of its own; status 0 when there was no answer. */
function ask(port: number, path = '/'): Promise<Answer> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', () => resolve({ status: 0, text }));
    });
    request.on('error', () => resolve({ status: 0, text: '' }));
  });
}

async function readiness(gateway: ServeProcess): Promise<number> {
  return (await ask(gateway.operationsPort, '/readyz')).status;
}

describe('a gateway with two edges, from its start to its end', () => {
  let gateway: ServeProcess;

  beforeAll(async () => {
    await makeRig();
    gateway = await rig.startReady();
  });
  afterAll(clearRig);

  test('says in one line where it listens, and serves', async () => {
    expect(JSON.parse(gateway.stdout())).toEqual({
      ready: true,
      listeners: [{ host: '127.0.0.1', port: gateway.port }],
      operations: { host: '127.0.0.1', port: gateway.operationsPort },
      pid: gateway.child.pid,
    });
    expect(await ask(gateway.port)).toEqual({ status: 200, text: 'from the upstream' });
    expect(await readiness(gateway)).toBe(200);
    expect([gateway.pids('control').length, gateway.pids('edge').length]).toEqual([1, 2]);
  });

  test('says that it made a key, and no secret is in a log, an argument or the environment', async () => {
    expect(gateway.stderr()).toContain('a content key was made');
    const secret = readFileSync(`${rig.folder}/data/master.key`, 'utf8').trim();
    expect(secret.length).toBeGreaterThan(40);
    expect(gateway.stderr() + gateway.stdout()).not.toContain(secret);
    if (!existsSync('/proc/self/environ')) return;
    for (const pid of [gateway.child.pid, ...gateway.pids('control'), ...gateway.pids('edge')]) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain(secret);
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain(secret);
    }
  });

  test('a second serve on the same data folder is refused, and the first goes on', async () => {
    const second = await rig.start();
    expect(second).toMatchObject({ kind: 'ended', code: 1 });
    expect(second.stderr).toContain('held by another latchkey');
    expect(second.stderr).toContain('--data-dir');
    expect((await ask(gateway.port)).status).toBe(200);
  });

  test('when control is killed with -9 the edges go on serving and find its successor', async () => {
    const keysBefore = (await ask(gateway.port, '/.latchkey/jwks.json')).text;
    const edges = gateway.pids('edge');
    const before = gateway.pids('control');
    process.kill(before.at(-1) ?? 0, 'SIGKILL');
    expect((await ask(gateway.port)).status).toBe(200);
    await expect.poll(() => gateway.pids('control').length, wait).toBe(before.length + 1);
    await expect.poll(() => readiness(gateway), wait).toBe(200);
    expect(edges.every(isAlive)).toBe(true);
    const sorted = (text: string): unknown[] =>
      JSON.parse(text)
        .keys.map((key: { kid: string }) => key.kid)
        .sort();
    expect(sorted((await ask(gateway.port, '/.latchkey/jwks.json')).text)).toEqual(sorted(keysBefore));
  });

  test('an edge killed with -9 is replaced while the other serves', async () => {
    const before = gateway.pids('edge');
    process.kill(before[0] ?? 0, 'SIGKILL');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(gateway.port)));
    // A connection that the dead edge had already taken is lost; the port itself never refuses.
    expect(answers.filter((answer) => answer.status === 200).length).toBeGreaterThan(15);
    await expect.poll(() => gateway.pids('edge').length, wait).toBe(before.length + 1);
    await expect.poll(() => readiness(gateway), wait).toBe(200);
    expect(isAlive(before[1] ?? 0)).toBe(true);
    expect(gateway.log().find((line) => line.edge === 'e1.2' || line.edge === 'e2.2')).toBeDefined();
  });

  test('SIGHUP applies a good file to new requests, and changes nothing for a bad file', async () => {
    const metricsAfterRequest = async (): Promise<string> => {
      await ask(gateway.port);
      return (await ask(gateway.operationsPort, '/metrics')).text;
    };
    rig.configure({ routeName: 'renamed', edges: 3 });
    gateway.child.kill('SIGHUP');
    await expect.poll(() => gateway.stderr(), wait).toContain('the configuration was reloaded');
    expect(gateway.stderr()).toContain('"needsRestart":["edges"]');
    await expect.poll(metricsAfterRequest, wait).toContain('latchkey_requests_total{route="renamed"');
    writeFileSync(rig.file, 'routes: nonsense');
    gateway.child.kill('SIGHUP');
    await expect.poll(() => gateway.stderr(), wait).toContain('nothing changed');
    expect((await ask(gateway.port)).status).toBe(200);
    // A control that starts anew has the last good file, not the bad one.
    const before = gateway.pids('control');
    process.kill(before.at(-1) ?? 0, 'SIGKILL');
    await expect.poll(() => gateway.pids('control').length, wait).toBe(before.length + 1);
    await expect.poll(() => readiness(gateway), wait).toBe(200);
    expect((await ask(gateway.port)).status).toBe(200);
  });

  test('a request that is running at SIGTERM is finished, new connections are refused, and all processes end', async () => {
    const pids = [...gateway.pids('control'), ...gateway.pids('edge')];
    const running = ask(gateway.port, '/slow');
    await expect.poll(() => held.length, wait).toBe(1);
    gateway.child.kill('SIGTERM');
    await expect.poll(async () => (await ask(gateway.port)).status, wait).toBe(0);
    held[0]?.end('finished');
    expect(await running).toEqual({ status: 200, text: 'finished' });
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
  });
});

describe('a gateway with one edge and an access log', () => {
  let gateway: ServeProcess;
  let path: string;

  beforeAll(async () => {
    await makeRig();
    path = `${rig.folder}/access.log`;
    rig.configure({ edges: 1, more: `logs:\n  access: ${path}` });
    gateway = await rig.startReady();
  });
  afterAll(clearRig);

  test('SIGUSR1 opens the access log again after a rotation, and starts no debugger', async () => {
    await ask(gateway.port, '/before');
    await expect.poll(() => readFileSync(path, 'utf8'), wait).toContain('/before');
    renameSync(path, `${path}.1`);
    gateway.child.kill('SIGUSR1');
    await expect.poll(() => existsSync(path), wait).toBe(true);
    await ask(gateway.port, '/after');
    await expect.poll(() => readFileSync(path, 'utf8'), wait).toContain('/after');
    expect(readFileSync(`${path}.1`, 'utf8')).not.toContain('/after');
    for (const pid of [...gateway.pids('control'), ...gateway.pids('edge')]) process.kill(pid, 'SIGUSR1');
    expect((await ask(gateway.port)).status).toBe(200);
    expect(await readiness(gateway)).toBe(200);
  });

  test('no process outlives a supervisor that was killed with -9', async () => {
    const pids = [...gateway.pids('control'), ...gateway.pids('edge')];
    gateway.child.kill('SIGKILL');
    await gateway.ended;
    await expect.poll(() => pids.filter(isAlive), wait).toEqual([]);
    expect(gateway.stderr()).not.toContain('Debugger');
    // The folder is free again at once.
    gateway = await rig.startReady();
  });

  test('a second signal ends everything at once', async () => {
    const pids = [...gateway.pids('control'), ...gateway.pids('edge')];
    const running = ask(gateway.port, '/slow');
    await expect.poll(() => held.length, wait).toBe(1);
    gateway.child.kill('SIGTERM');
    await expect.poll(() => gateway.stderr(), wait).toContain('stopping');
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 143, signal: null });
    expect(await running).toEqual({ status: 0, text: '' });
    await expect.poll(() => pids.filter(isAlive), wait).toEqual([]);
  });
});

describe('a start that fails', () => {
  beforeAll(makeRig);
  afterAll(clearRig);

  test('prints every problem of a bad file and does not start', async () => {
    writeFileSync(rig.file, 'listeners: 5\nroutes: nonsense\nunheard_of: 1\n');
    const end = await rig.start();
    expect(end).toMatchObject({ kind: 'ended', code: 1, stdout: '' });
    for (const name of ['listeners', 'routes', 'unheard_of']) expect(end.stderr).toContain(name);
  });

  test('ends at a users file that cannot be parsed', async () => {
    writeFileSync(`${rig.folder}/users`, 'nonsense\n');
    rig.configure({ more: 'users_file: ./users' });
    const end = await rig.start();
    expect(end).toMatchObject({ kind: 'ended', code: 1 });
    expect(end.stderr).toContain('line 1');
  });

  test('names a listener or operations address in use with its place in the file, and leaves no process running', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${portOf(taken)}`;
    rig.configure({ listen: address });
    const first = await rig.start();
    expect(first).toMatchObject({ kind: 'ended', code: 1 });
    expect(first.stderr).toContain(
      `listeners[0].address: ${address} is in use (stop the other program or choose another port)`,
    );
    rig.configure({ operations: address });
    const second = await rig.start();
    expect(second).toMatchObject({ kind: 'ended', code: 1 });
    expect(second.stderr).toContain(`operations.address: ${address} is in use`);
    await new Promise((resolve) => taken.close(resolve));
  });

  test('in an internal role explains the role and does nothing', async () => {
    const main = new URL('../../gateway/main.ts', import.meta.url).pathname;
    for (const role of ['__control', '__edge']) {
      const end = await runCommand(process.execPath, [main, role]);
      expect(end).toMatchObject({ code: 1, stderr: `${role} is started by latchkey serve, not by hand\n` });
    }
  });
});
