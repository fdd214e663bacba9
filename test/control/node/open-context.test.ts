// What a use case is told of a change whose enforcement is not known: what StoreAway says, and never that it was done.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openContext } from '../../../gateway/control/node/open-context.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { memoryLogger, testConfig } from '../../support/rigs/control.ts';

test('a revocation that is durable and cannot be confirmed is no success, and no defect of ours either', async () => {
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
