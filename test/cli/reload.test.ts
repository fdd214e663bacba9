// Reloads that nobody asks for by a signal: files that change, good ones and bad ones; and logs that move.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askRaw, requestText } from '../support/raw-client.ts';
import { makeServeRig, replaceFile, type ServeProcess, type ServeRig } from '../support/serve-rig.ts';

const wait = { interval: 50 };
let rig: ServeRig;

beforeEach(async () => {
  rig = await makeServeRig((_request, response) => response.end('from the upstream'));
});
afterEach(() => rig.clear());

function said(gateway: ServeProcess, text: string): number {
  return gateway.stderr().split(text).length - 1;
}

test('a changed file and a changed key are read without a signal; a bad one changes nothing and is told once', async () => {
  const secret = join(rig.folder, 'k1');
  const keys = `common_keys: [{ id: k1, secret_file: ${secret}, state: signing }]`;
  const watched = `${keys}\nreload: { interval: 50ms }`;
  writeFileSync(secret, 'the-first-secret-of-the-key-0123456789', { mode: 0o600 });
  rig.configure({ edges: 1, more: watched });
  const gateway = await rig.startReady();
  rig.configure({ edges: 1, routeName: 'renamed', more: watched });
  await expect.poll(() => said(gateway, 'the configuration was reloaded'), wait).toBe(1);
  replaceFile(secret, 'the-second-secret-of-the-key-012345678');
  await expect.poll(() => said(gateway, 'the configuration was reloaded'), wait).toBe(2);

  replaceFile(rig.file, 'routes: nonsense');
  await expect.poll(() => said(gateway, 'nothing changed'), wait).toBe(1);
  // ten looks later
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said(gateway, 'nothing changed')).toBe(1);
  expect((await askRaw(gateway.port, requestText('GET', '/'))).status).toBe(200);
});

test('logs that move take new edges, and no restart', async () => {
  const [first, second] = [join(rig.folder, 'first.log'), join(rig.folder, 'second.log')];
  rig.configure({ edges: 1, more: `logs: { access: ${first} }` });
  const gateway = await rig.startReady();
  await askRaw(gateway.port, requestText('GET', '/before'));
  await expect.poll(() => readFileSync(first, 'utf8'), wait).toContain('/before');
  rig.configure({ edges: 1, more: `logs: { access: ${second} }` });
  gateway.child.kill('SIGHUP');
  await expect.poll(() => said(gateway, 'all edges were replaced'), wait).toBe(1);
  await askRaw(gateway.port, requestText('GET', '/after'));
  await expect.poll(() => existsSync(second) && readFileSync(second, 'utf8').includes('/after'), wait).toBe(true);
});
