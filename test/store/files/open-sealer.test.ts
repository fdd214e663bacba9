// The master key of a store is made once and never again, and a wrong key is refused at the start.

import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSealer } from '../../../gateway/store/files/open-sealer.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { insertSigningKey } from '../../../gateway/store/rows/signing-keys.ts';
import { readMasterKey } from '../../../gateway/store/seal/master-key.ts';
import type { makeSealer } from '../../../gateway/store/seal/sealing.ts';
import { openEmpty } from '../../support/store/stores.ts';

const masterKey = new Uint8Array(32).map((_, at) => at);

describe('master key', () => {
  const makeFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-master-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };
  const addSigningKey = (store: Store, sealer: ReturnType<typeof makeSealer>) =>
    store.write((unit) =>
      insertSigningKey(unit, sealer, {
        ...{ id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing' },
        secret: new Uint8Array(32),
      }),
    );

  test('is made on the first run, mode 0600, and read from then on', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const first = await openSealer({ store, dataDir });
    const file = join(dataDir, 'master.key');
    expect(first).toMatchObject({ kind: 'opened', made: file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    if (first.kind === 'opened') await addSigningKey(store, first.sealer);
    expect(await openSealer({ store, dataDir })).toMatchObject({ kind: 'opened', made: null });
  });

  test('is never made anew once a store was sealed with one', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const first = await openSealer({ store, dataDir });
    rmSync(join(dataDir, 'master.key'));
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('does not exist'),
    });
    if (first.kind === 'opened') await addSigningKey(store, first.sealer);
    // even when the mark of the key is gone
    await store.write((unit) => unit.sql.deleteFrom('store_marks').execute());
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('1 sealed rows'),
    });
    expect(() => statSync(join(dataDir, 'master.key'))).toThrow();
  });

  test('a wrong key, from the file or given, is refused at the start, and the message does not show it', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    await openSealer({ store, dataDir });
    const key = new Uint8Array(randomBytes(32));
    const wrong = await openSealer({ store, dataDir, given: { key, name: 'LATCHKEY_MASTER_KEY' } });
    expect(wrong).toMatchObject({ kind: 'refused', problem: expect.stringContaining('LATCHKEY_MASTER_KEY') });
    expect(JSON.stringify(wrong)).not.toContain(Buffer.from(key).toString('base64url'));
    writeFileSync(join(dataDir, 'master.key'), Buffer.from(key).toString('base64url'));
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('is not the one'),
    });
  });

  test('a given key is used in place of the file, and no file is made', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const given = { key: masterKey, name: 'secrets.yaml' };
    expect(await openSealer({ store, dataDir, given })).toMatchObject({ kind: 'opened', made: null });
    expect(() => statSync(join(dataDir, 'master.key'))).toThrow();
  });

  test('a file that others can read, or that holds no key, is refused and left alone', async () => {
    const { store } = await openEmpty('sqlite');
    const dataDir = makeFolder();
    const file = join(dataDir, 'master.key');
    writeFileSync(file, `${Buffer.from(masterKey).toString('base64url')}\n`, { mode: 0o644 });
    chmodSync(file, 0o644);
    expect(await openSealer({ store, dataDir })).toMatchObject({
      kind: 'refused',
      hint: expect.stringContaining('chmod'),
    });
    writeFileSync(file, 'short\n');
    chmodSync(file, 0o600);
    expect(await openSealer({ store, dataDir })).toMatchObject({ kind: 'refused' });
    expect(readFileSync(file, 'utf8')).toBe('short\n');
  });

  test('is read as hex, base64 and base64url, and as nothing else', () => {
    const key = new Uint8Array(32).fill(0xfb);
    const file = join(makeFolder(), 'master.key');
    const read = (text: string) => {
      writeFileSync(file, text, { mode: 0o600 });
      return readMasterKey(file);
    };
    const bytes = Buffer.from(key);
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), `${bytes.toString('base64url')}\n`]) {
      expect(read(text)).toEqual({ kind: 'read', key });
    }
    const base64url = bytes.toString('base64url');
    for (const text of ['', bytes.toString('hex').slice(1), `${base64url.slice(0, -1)}9`, 'x'.repeat(32)]) {
      expect(read(text).kind).toBe('refused');
    }
  });
});
