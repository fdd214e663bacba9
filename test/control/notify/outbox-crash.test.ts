// The outbox when a process dies, and when two nodes share it: no mail is lost, and no mail is delivered by both.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { startSmtp } from '../../support/peers/smtp.ts';
import { describeEngines, makeDatabase } from '../../support/store/stores.ts';
import { openOutboxRig, smtpTo } from './outbox-rig.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

test('after a kill -9 between delivery and mark the mail is sent again under its id, and no mail is lost', async () => {
  const rig = await openOutboxRig();
  closing.push(rig.close);
  for (const name of ['mina', 'olive', 'tom']) await rig.queue(`${name}@example.org`);
  let child: ChildProcess | null = null;
  // The worker is killed when the server has the first mail and has not confirmed it yet: the worst moment.
  const deadly = await startSmtp({ onReceived: () => child?.kill('SIGKILL') });
  closing.push(deadly.close);
  const script = fileURLToPath(new URL('./outbox-child.ts', import.meta.url));
  child = spawn(process.execPath, [script, join(rig.folder, 'latchkey.db'), String(deadly.port)], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
  expect(deadly.received.length).toBeGreaterThan(0);
  expect((await rig.rows()).every((row) => row.delivered_at === null)).toBe(true);

  const smtp = await startSmtp();
  closing.push(smtp.close);
  rig.start(smtpTo(smtp.port));
  await new Promise((resolve) => setImmediate(resolve));
  expect(smtp.received).toEqual([]);
  rig.pass(200);
  await rig.until((rows) => rows.every((row) => row.delivered_at !== null && row.attempts === 2));
  expect(smtp.received.map(({ to }) => to[0]).sort()).toEqual([
    'mina@example.org',
    'olive@example.org',
    'tom@example.org',
  ]);
  const again = new Set(smtp.received.map((mail) => mail.header('message-id')));
  for (const mail of deadly.received) expect(again.has(mail.header('message-id'))).toBe(true);
});

describeEngines('two nodes on one store', (engine) => {
  test('deliver each mail once', async () => {
    const settings = await makeDatabase(engine);
    const nodes = [await openOutboxRig(settings), await openOutboxRig(settings)] as const;
    const smtp = await startSmtp();
    closing.push(...nodes.map((node) => node.close), smtp.close);
    for (const node of nodes) node.start(smtpTo(smtp.port), { concurrency: 4, pollMs: 10 });
    await Promise.all(Array.from({ length: 30 }, (_, at) => nodes[at % 2]?.queue(`person${at}@example.org`)));
    await nodes[0].until((rows) => rows.length === 30 && rows.every((row) => row.delivered_at !== null));
    expect(smtp.received).toHaveLength(30);
    expect(new Set(smtp.received.map(({ to }) => to[0])).size).toBe(30);
    expect((await nodes[0].rows()).every((row) => row.body_sealed === null && row.attempts === 1)).toBe(true);
  });
});
