// A gateway whose store cannot be written, because its disk is full or another program locks it: what its operator sees, what goes
// on, and that it comes back by itself. The full disk is a small file system of the test's own; without root that one skips.

import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { askRaw, requestText } from '../support/clients/raw-client.ts';
import { makeServeRig, replaceFile } from '../support/rigs/serve-rig.ts';
import { runLatchkey } from '../support/run/run-latchkey.ts';
import { mountSmallDisk } from '../support/store/small-disk.ts';

const wait = { interval: 100, timeout: 20_000 };

test('a full disk is named in readiness, metrics, log and commands; traffic goes on, and free space mends it', async (context) => {
  const disk = mountSmallDisk(16_384);
  if (typeof disk === 'string') return context.skip(disk);
  const rig = await makeServeRig((_request, response) => response.end('from the upstream'));
  try {
    const config = {
      listeners: [{ address: '127.0.0.1:0' }],
      operations: { address: '127.0.0.1:0' },
      data_dir: join(disk.path, 'data'),
      edges: 1,
      upstreams: { web: { servers: [`http://127.0.0.1:${rig.upstreamPort}`] } },
      routes: [{ name: 'open', path: '/', upstream: 'web', accept: ['anyone'] }],
      limits: { max_event_loop_delay: '1d' },
    };
    replaceFile(rig.file, JSON.stringify(config));
    const gateway = await rig.startReady();
    const operations = async (path: string) => {
      const { status, body } = await askRaw(gateway.operationsPort, requestText('GET', path, ['Host: localhost']));
      return { status, text: body.toString() };
    };
    const revoke = () => runLatchkey(['token', 'revoke', '--config', rig.file, '--sub', `anna-${'x'.repeat(200)}`]);
    await expect.poll(async () => (await operations('/readyz')).status, wait).toBe(200);
    expect((await operations('/readyz')).text).toContain('"store":{"status":"ok"}');

    disk.fill();
    let refused = await revoke();
    for (let at = 0; refused.code === 0 && at < 50; at++) refused = await revoke();
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('the disk is full') });
    expect(refused.stderr).toContain('make room');
    await expect.poll(async () => (await operations('/readyz')).status, wait).toBe(503);
    expect((await operations('/readyz')).text).toContain('"cause":"disk-full"');
    expect((await operations('/readyz?exclude=store')).status).toBe(200);
    expect((await operations('/livez')).status).toBe(200);
    const metrics = (await operations('/metrics')).text;
    expect(metrics).toContain('latchkey_store_writable 0');
    expect(metrics).toMatch(/latchkey_store_failures_total\{cause="disk-full"\} [1-9]/);
    expect(gateway.stderr()).toContain('"problem":"the disk is full');
    expect((await askRaw(gateway.port, requestText('GET', '/'))).status).toBe(200);

    disk.free();
    await expect.poll(async () => (await operations('/readyz')).status, wait).toBe(200);
    expect((await operations('/metrics')).text).toContain('latchkey_store_writable 1');
    expect((await revoke()).code).toBe(0);
  } finally {
    await rig.clear();
  }
});

test('a start with a store that another program has locked ends, and the message names the lock and the remedy', async () => {
  const rig = await makeServeRig((_request, response) => response.end('from the upstream'));
  let other: DatabaseSync | null = null;
  try {
    const { child } = await rig.startReady();
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
    other = new DatabaseSync(join(rig.folder, 'data', 'latchkey.db'));
    other.exec('begin immediate');
    const started = await rig.start();
    expect(started).toMatchObject({ kind: 'ended', code: 1 });
    const { stderr } = started as { readonly stderr: string };
    expect(stderr).toMatch(
      /error: the store cannot be used: another process holds its lock .*\(see which other program/,
    );
    expect(stderr).not.toContain('"stack"');
  } finally {
    other?.close();
    await rig.clear();
  }
});
