// Where keys come from: YAML for content keys when it declares any, else the store; the keys.json of earlier versions moves there.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openContext } from '../../../gateway/control/node/open-context.ts';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { memoryLogger, testConfig } from '../../support/rigs/control.ts';

type ContextOptions = Parameters<typeof openContext>[0];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-ring-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const declared: SigningKey = {
  id: 'yaml',
  algorithm: 'HS256',
  purpose: 'content',
  state: 'signing',
  secret: new Uint8Array(32).fill(1),
};

/** Makes the ring. @returns the ids of its keys and the lines for the operator; the store is closed again */
async function openRing(changes: Partial<ContextOptions> = {}) {
  const config = testConfig({ dataDir: folder, store: { kind: 'sqlite', file: join(folder, 'latchkey.db') } });
  const opened = await openContext({
    config: () => config,
    declaredKeys: [],
    clock: { epochSeconds: () => 1_800_000_000, monotonicMs: () => 0 },
    logger: memoryLogger().logger,
    confirm: () => Promise.resolve(),
    wakeOutbox: () => undefined,
    ...changes,
  });
  if (opened.kind === 'refused') return opened;
  const { ring, notes } = opened;
  await opened.close();
  const content = ring.keys.filter((key) => key.purpose === 'content').map((key) => key.id);
  const internal = ring.keys.filter((key) => key.purpose === 'internal').map((key) => key.id);
  return { kind: opened.kind, content, internal, notes };
}

test('the first start makes and reports a content key, an internal key and a master key; the next start finds them', async () => {
  const first = await openRing();
  expect(first).toMatchObject({ content: [expect.any(String)], internal: [expect.any(String)] });
  expect('notes' in first && first.notes.join('\n')).toMatch(
    /a master key was made in .*master\.key[\s\S]*a content key was made: k_/,
  );
  expect(await openRing({ missing: 'refuse' })).toEqual({ ...first, notes: [] });
});

test('content keys that YAML declares replace those of the store, and the stored keys are kept', async () => {
  const first = await openRing();
  const withYaml = await openRing({ declaredKeys: [declared] });
  expect(withYaml).toMatchObject({ content: ['yaml'], internal: 'internal' in first ? first.internal : [] });
  expect(await openRing()).toMatchObject({ content: 'content' in first ? first.content : [] });
});

test('when YAML declares content keys, a new store gets an internal key and no content key', async () => {
  await openRing({ declaredKeys: [declared] });
  expect(await openRing({ missing: 'refuse' })).toMatchObject({ content: [], internal: [expect.any(String)] });
});

test('the keys.json of an earlier version moves into the store, once', async () => {
  mkdirSync(folder, { recursive: true });
  const id = 'k_of-before';
  const secret = Buffer.alloc(32, 7).toString('base64url');
  const old = { id, algorithm: 'HS256', purpose: 'content', state: 'signing', secret };
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ version: 1, keys: [old] }), { mode: 0o600 });
  const first = await openRing();
  expect(first).toMatchObject({ content: [id] });
  expect('notes' in first && first.notes.join('\n')).toContain('are in the store now');
  expect(existsSync(join(folder, 'keys.json'))).toBe(false);
  expect(await openRing()).toMatchObject({ content: [id], notes: [] });
});

test('when the master key is missing the start is refused, and no new master key is made', async () => {
  await openRing();
  rmSync(join(folder, 'master.key'));
  expect(await openRing()).toMatchObject({ kind: 'refused', problem: expect.stringContaining('master.key') });
  expect(existsSync(join(folder, 'master.key'))).toBe(false);
});
