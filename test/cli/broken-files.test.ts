// TLS files that break under a running gateway while its control dies: no state is lost, and no problem is reported twice.
// The upstream speaks TLS, so that every answer shows what the edges verify it with.

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askRaw, requestText } from '../support/clients/raw-client.ts';
import { TestAuthority } from '../support/rigs/certificates.ts';
import { makeServeRig, portOf, replaceFile, type ServeProcess, type ServeRig } from '../support/rigs/serve-rig.ts';

const wait = { interval: 50 };
const looksMs = 50;
const old = new TestAuthority();
const renewed = new TestAuthority('the next authority');
const broken = 'no certificate any more';

let rig: ServeRig;
let upstream: Server;
let caFile: string;

beforeEach(async () => {
  rig = await makeServeRig((_request, response) => response.end());
  upstream = createServer(old.issue({ names: ['127.0.0.1'] }), (_request, response) => response.end('over TLS'));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  caFile = join(rig.folder, 'ca.pem');
  writeFileSync(caFile, old.cert);
  const app = { servers: [`https://127.0.0.1:${portOf(upstream)}`], tls: { ca_file: caFile } };
  const config = {
    listeners: [{ address: '127.0.0.1:0' }],
    operations: { address: '127.0.0.1:0' },
    data_dir: './data',
    edges: 1,
    reload: { interval: `${looksMs}ms` },
    upstreams: { app },
    routes: [{ name: 'open', path: '/', upstream: 'app', accept: ['anyone'] }],
  };
  // JSON is YAML
  writeFileSync(rig.file, JSON.stringify(config));
});
afterEach(async () => {
  await rig.clear();
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
});

function said(gateway: ServeProcess, text: string): number {
  return gateway.stderr().split(text).length - 1;
}

const problem = 'upstreams.app.tls.ca_file: ';

async function statusOf(gateway: ServeProcess): Promise<number> {
  return (await askRaw(gateway.port, requestText('GET', '/'))).status;
}

/** Kills control with -9. @param meanwhile  done before the next one can have started */
async function replaceControl(gateway: ServeProcess, meanwhile = (): void => undefined): Promise<void> {
  const before = gateway.pids('control');
  process.kill(before.at(-1) ?? 0, 'SIGKILL');
  meanwhile();
  await expect.poll(() => gateway.pids('control').length, wait).toBe(before.length + 1);
  await isReady(gateway);
}

async function isReady(gateway: ServeProcess): Promise<void> {
  const ask = () =>
    askRaw(gateway.operationsPort, requestText('GET', '/readyz', ['Host: localhost'])).then(({ status }) => status);
  await expect.poll(ask, wait).toBe(200);
}

test('a control that starts while the CA file of an upstream is broken goes on with the last good file', async () => {
  const gateway = await rig.startReady();
  expect(await statusOf(gateway)).toBe(200);
  replaceFile(caFile, broken);
  await expect.poll(() => said(gateway, problem), wait).toBe(1);
  await replaceControl(gateway);
  expect(await statusOf(gateway)).toBe(200);
  // an edge that starts now has what it verifies with from the new control alone
  const edges = gateway.pids('edge');
  process.kill(edges[0] ?? 0, 'SIGKILL');
  await expect.poll(() => gateway.pids('edge').length, wait).toBe(edges.length + 1);
  await isReady(gateway);
  expect(await statusOf(gateway)).toBe(200);
  // told once, by the control that died
  await new Promise((resolve) => setTimeout(resolve, looksMs * 6));
  expect([said(gateway, problem), said(gateway, 'control cannot start')]).toEqual([1, 0]);

  upstream.setSecureContext(renewed.issue({ names: ['127.0.0.1'] }));
  upstream.closeAllConnections();
  await expect.poll(() => statusOf(gateway), wait).toBe(502);
  replaceFile(caFile, renewed.cert);
  gateway.child.kill('SIGHUP');
  await expect.poll(() => statusOf(gateway), wait).toBe(200);
});

test('a file that changes while control is away is read by the next control, which reports it when broken and takes it when mended', async () => {
  const gateway = await rig.startReady();
  await replaceControl(gateway, () => replaceFile(caFile, broken));
  await expect.poll(() => said(gateway, problem), wait).toBe(1);
  expect(await statusOf(gateway)).toBe(200);
  await replaceControl(gateway, () => replaceFile(caFile, renewed.cert));
  await expect.poll(() => said(gateway, 'the configuration was reloaded'), wait).toBe(1);
  upstream.setSecureContext(renewed.issue({ names: ['127.0.0.1'] }));
  upstream.closeAllConnections();
  await expect.poll(() => statusOf(gateway), wait).toBe(200);
  expect(said(gateway, problem)).toBe(1);
});
