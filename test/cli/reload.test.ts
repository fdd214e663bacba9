// Reloads without a signal: good and bad files that change; and logs that move.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askRaw, requestText } from '../support/clients/raw-client.ts';
import { makeServeRig, replaceFile, type ServeProcess, type ServeRig } from '../support/rigs/serve-rig.ts';

const wait = { timeout: 30_000, interval: 50 };
let rig: ServeRig;
let gateway: ServeProcess;

/** A key and a log that the gateway begins with, and how often it looks at its files. */
const settings = (log: string): string =>
  [
    `common_keys: [{ id: k1, secret_file: ${secretFile()}, state: signing }]`,
    'reload: { interval: 50ms }',
    `logs: { access: ${join(rig.folder, log)} }`,
  ].join('\n');
const secretFile = (): string => join(rig.folder, 'k1');

beforeAll(async () => {
  rig = await makeServeRig((_request, response) => response.end('from the upstream'));
  writeFileSync(secretFile(), 'the-first-secret-of-the-key-0123456789', { mode: 0o600 });
  rig.configure({ edges: 1, more: settings('first.log') });
  gateway = await rig.startReady();
});
afterAll(() => rig.clear());

function said(text: string): number {
  return gateway.stderr().split(text).length - 1;
}

test('a changed configuration or key is read without a signal; a bad file changes nothing and is reported once', async () => {
  rig.configure({ edges: 1, routeName: 'renamed', more: settings('first.log') });
  await expect.poll(() => said('the configuration was reloaded'), wait).toBe(1);
  replaceFile(secretFile(), 'the-second-secret-of-the-key-012345678');
  await expect.poll(() => said('the configuration was reloaded'), wait).toBe(2);

  replaceFile(rig.file, 'routes: nonsense');
  await expect.poll(() => said('nothing changed'), wait).toBe(1);
  // ten looks later
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said('nothing changed')).toBe(1);
  expect((await askRaw(gateway.port, requestText('GET', '/'))).status).toBe(200);
});

test('a new path for a log takes new edges and no restart', async () => {
  const [first, second] = [join(rig.folder, 'first.log'), join(rig.folder, 'second.log')];
  await askRaw(gateway.port, requestText('GET', '/before'));
  await expect.poll(() => readFileSync(first, 'utf8'), wait).toContain('/before');
  rig.configure({ edges: 1, more: settings('second.log') });
  gateway.child.kill('SIGHUP');
  await expect.poll(() => said('all edges were replaced'), wait).toBe(1);
  await askRaw(gateway.port, requestText('GET', '/after'));
  await expect.poll(() => existsSync(second) && readFileSync(second, 'utf8').includes('/after'), wait).toBe(true);
});
