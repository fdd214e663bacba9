// A use case whose change may not be enforced yet gets StoreAway, and is never told that the change was made.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openContext } from '../../../gateway/control/node/open-context.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { memoryLogger, testConfig } from '../../support/rigs/control.ts';

test('a durable revocation that cannot be confirmed is answered as StoreAway, neither as success nor as an internal error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-context-'));
  const config = testConfig({ dataDir: folder, store: { kind: 'sqlite', file: join(folder, 'latchkey.db') } });
  const opened = await openContext({
    config: () => config,
    declaredKeys: [],
    clock: { epochSeconds: () => 1_800_000_000, monotonicMs: () => 0 },
    logger: memoryLogger().logger,
    confirm: () => Promise.reject(new Error('the change log could not be read')),
    wakeOutbox: () => undefined,
  });
  if (opened.kind === 'refused') throw new Error(opened.problem);
  const { context, close } = opened;
  onTestFinished(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });
  const revoke = context.write((unit) => unit.append({ kind: 'revoke', node: 'se_1' }));
  await expect(revoke).rejects.toBeInstanceOf(StoreAway);
  // nobody has to hear of this one
  expect((await context.write(async () => 'done')).value).toBe('done');
});
