// A backup of one engine restores into the other engine, whole or not at all, and everything given out before the restore ends.

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { passwordPasses } from '../../../gateway/core/model/change.ts';
import { knownMigration, oldestFittingMigration } from '../../../gateway/store/engine/migrations.ts';
import { backupStore } from '../../../gateway/store/files/backup.ts';
import { checkStore } from '../../../gateway/store/files/check-store.ts';
import { restoreStore } from '../../../gateway/store/files/restore.ts';
import type { StoreSettings } from '../../../gateway/store/port/engine.ts';
import type { Store } from '../../../gateway/store/port/store.ts';
import { insertSigningKey, listSigningKeys } from '../../../gateway/store/rows/signing-keys.ts';
import { makeSealer, type Sealer } from '../../../gateway/store/seal/sealing.ts';
import { markCredentialKeyRemoved } from '../../../gateway/store/sharing/credentials.ts';
import { moveShare } from '../../../gateway/store/sharing/shares.ts';
import { fillKeys } from '../../support/store/fill-keys.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import {
  describeEngines,
  type EngineName,
  makeClock,
  makeDatabase,
  openEmpty,
  openNode,
  silent,
} from '../../support/store/stores.ts';

const other: Record<EngineName, EngineName> = { sqlite: 'postgres', postgres: 'sqlite' };
const sealer = makeSealer(randomBytes(32));
const label = 'Ferien \u2028 "ä" \\ \u{1F3D6}';

function makeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'backup');
}

/** Links with 0, 1 and 2 of two claims taken, a session, a code, a mail that waits, and an outside token that is revoked. */
async function fill(store: Store, withSealer: Sealer): Promise<void> {
  const at = 1_800_000_000;
  await store.write(async (unit) => {
    const { sql } = unit;
    await insertSigningKey(unit, withSealer, {
      ...{ id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing' },
      secret: new Uint8Array(32).fill(7),
    });
    await sql
      .insertInto('access_keys')
      .values({ id: 'ak_1', owner_id: 'ac_0', collection: 'c', created_at: at, revoked_at: null })
      .execute();
    for (const claims of [0, 1, 2]) {
      await sql
        .insertInto('links')
        .values({
          ...{
            id: `li_${claims}`,
            access_key_id: 'ak_1',
            secret_digest: 'd',
            owner_id: 'ac_0',
            collection: 'c',
            host: 'h',
          },
          ...{ path: '/', label, claims_allowed: 2, claims_used: claims, claim_from_at: null, claim_until_at: null },
          ...{
            access_until_at: null,
            methods: null,
            notify_members: 0,
            created_at: at,
            revoked_at: null,
            revoked_by: null,
          },
        })
        .execute();
    }
    for (const account of [0, 1]) {
      await sql
        .insertInto('accounts')
        .values({
          ...{ id: `ac_${account}`, email: `a${account}@example.org`, email_verified_at: at, password_hash: null },
          ...{ display_name: '', groups: '[]', role: 'user', state: 'active', created_at: at },
        })
        .execute();
    }
    for (const [link, account] of [
      [1, 0],
      [2, 0],
      [2, 1],
    ]) {
      await sql
        .insertInto('members')
        .values({
          ...{ id: `me_${link}${account}`, link_id: `li_${link}`, account_id: `ac_${account}`, access_key_id: 'ak_1' },
          ...{
            collection: 'c',
            host: 'h',
            path: '/',
            device_id: null,
            claimed_at: at,
            last_seen_at: null,
            revoked_at: null,
          },
        })
        .execute();
    }
    await sql
      .insertInto('devices')
      .values({
        ...{ id: 'dv_1', account_id: 'ac_0', browser_selector: 'b', browser_digest: 'd', name: '', user_agent: '' },
        ...{ created_at: at, last_seen_at: at, ended_at: null },
      })
      .execute();
    await sql
      .insertInto('sessions')
      .values({
        ...{ id: 'se_1', account_id: 'ac_0', device_id: 'dv_1', created_at: at, last_seen_at: at, expires_at: at + 9 },
        ended_at: null,
      })
      .execute();
    await sql
      .insertInto('one_time_codes')
      .values({
        ...{ selector: 's', digest: 'd', purpose: 'mail-code', account_id: null, details: '{}', created_at: at },
        ...{ expires_at: at + 9, used_at: null },
        carried_sealed: withSealer.seal({ table: 'one_time_codes', row: 's', column: 'carried_sealed' }, 'way'),
      })
      .execute();
    await sql
      .insertInto('outbox')
      .values({
        ...{ id: 'ms_1', kind: 'invitation', account_id: null, created_at: at, attempts: 0, next_attempt_at: at },
        body_sealed: withSealer.seal({ table: 'outbox', row: 'ms_1', column: 'body_sealed' }, 'mail'),
        ...{ leased_until_at: 0, delivered_at: null, given_up_at: null, last_problem: null },
      })
      .execute();
    await fillKeys(sql, at, withSealer);
    await unit.append({ kind: 'revoke', node: 'ac_9' });
    await unit.append({ kind: 'outside', node: 'jti:a' });
  });
}

const restore = (settings: StoreSettings, file: string, over: 'empty' | 'everything' = 'empty') =>
  restoreStore({ settings, file, over, clock: makeClock(1_800_001_000), logger: silent });

describeEngines('backup', (engine) => {
  test('a backup restores into the other engine under a new epoch, and everything given out before ends', async (context) => {
    const missing = postgresMissing();
    if (missing !== null) context.skip(missing);
    const { store } = await openEmpty(engine);
    await fill(store, sealer);
    expect(await checkStore(store, sealer)).toEqual([]);
    const before = await store.readPosition();
    const file = makeFile();
    expect(await backupStore({ store, file, clock: makeClock() })).toMatchObject({
      kind: 'written',
      rows: 23,
      position: before,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const target = await makeDatabase(other[engine]);
    const restored = await restore(target, file);
    expect(restored).toMatchObject({
      kind: 'restored',
      from: { engine, ...before },
      rows: 23,
      ended: { sessions: 1, codes: 1, links: 1, narrowed_links: 1, messages: 1, shares: 1, narrowed_shares: 1 },
      shares_held: 2,
      back_in_force: null,
    });
    const after = await openNode(target);
    expect(await checkStore(after, sealer)).toEqual([]);
    const position = await after.readPosition();
    expect(position.epoch).not.toBe(before.epoch);
    expect(await after.readChanges(before)).toEqual({ kind: 'restart' });
    const { revocations } = await after.readRevocations();
    // passes for passwords hold under any epoch, so a change of their own ends those from before the restore
    expect(revocations.map(({ kind, node, at: since }) => [kind, node, since]).slice(-1)).toEqual([
      ['outside', passwordPasses, 1_800_001_000],
    ]);
    expect(revocations.map(({ node }) => node)).toEqual(['jti:a', passwordPasses]);
    const links = await after.sql.selectFrom('links').selectAll().orderBy('id').execute();
    expect(links.map(({ label: kept, revoked_by, claim_until_at }) => [kept, revoked_by, claim_until_at])).toEqual([
      [label, 'system', null],
      [label, null, 1_800_000_999],
      [label, null, null],
    ]);
    expect((await after.sql.selectFrom('members').select('id').execute()).length).toBe(3);
    expect(await after.sql.selectFrom('sessions').select('ended_at').execute()).toEqual([{ ended_at: 1_800_001_000 }]);
    expect(await after.sql.selectFrom('outbox').select('body_sealed').execute()).toEqual([{ body_sealed: null }]);
    // shared keys that were accepted are held like memberships; offers, uses that may have been spent, and what lasts an hour end
    const shares = await after.sql.selectFrom('shares').selectAll().orderBy('id').execute();
    expect(shares.map(({ state, uses_left, secret_sealed }) => [state, uses_left, secret_sealed])).toEqual([
      ['accepted', null, null],
      ['accepted', 0, null],
      ['withdrawn', null, null],
    ]);
    for (const table of ['share_requests', 'representations'] as const) {
      expect(await after.sql.selectFrom(table).selectAll().execute()).toEqual([]);
    }
    expect((await listSigningKeys(after.sql, sealer))[0]?.secret).toEqual(new Uint8Array(32).fill(7));
    // the audit list continues behind the entries of the backup
    expect((await after.sql.selectFrom('audit').select('action').execute()).map(({ action }) => action)).toEqual([
      'store.restored',
    ]);
  });

  test('a store that is not empty is replaced only by force, and keeps its revocations of outside tokens', async () => {
    const { store, settings } = await openEmpty(engine);
    await fill(store, sealer);
    const file = makeFile();
    await backupStore({ store, file, clock: makeClock() });
    await store.write(async (unit) => {
      await moveShare(unit.sql, 'sh_2', 'revoke', 'ac_1', unit.now);
      await markCredentialKeyRemoved(unit.sql, 'dk_1', 'operator', unit.now);
      await unit.append({ kind: 'outside', node: 'jti:later' });
      await unit.sql.updateTable('accounts').set({ display_name: 'later' }).execute();
    });
    await store.close();
    expect(await restore(settings, file)).toMatchObject({
      kind: 'refused',
      problem: expect.stringContaining('not empty'),
    });
    // the store that is replaced knows what had ended since, and the restore says what holds again
    expect(await restore(settings, file, 'everything')).toMatchObject({
      kind: 'restored',
      shares_held: 2,
      back_in_force: { credentials: [], keys: ['dk_1'], shares: ['sh_2'] },
    });
    const after = await openNode(settings);
    const names = await after.sql.selectFrom('accounts').select('display_name').execute();
    expect(names).toEqual([{ display_name: '' }, { display_name: '' }]);
    const { revocations } = await after.readRevocations();
    expect(revocations.map(({ node }) => node).sort()).toEqual([passwordPasses, 'jti:a', 'jti:later']);
    // numbers that the database gives continue behind the restored ones
    await after.write((unit) =>
      unit.sql
        .insertInto('audit')
        .values({ at: 1, actor: 'system', action: 'a', subject: 's', details: '{}', request_id: null })
        .execute(),
    );
    expect(await checkStore(after, sealer)).toEqual([]);
  });

  test('each restore of the same backup begins another epoch', async () => {
    const { store } = await openEmpty(engine);
    const file = makeFile();
    await backupStore({ store, file, clock: makeClock() });
    const target = await makeDatabase('sqlite');
    const first = await restore(target, file);
    const second = await restore(target, file, 'everything');
    expect(first.kind === 'restored' && second.kind === 'restored' && first.epoch !== second.epoch).toBe(true);
  });

  test('the check names references to missing rows, counts that do not add up, and sealed texts that do not open', async () => {
    const { store } = await openEmpty(engine);
    await fill(store, sealer);
    await store.write(async ({ sql }) => {
      await sql.updateTable('links').set({ claims_used: 3 }).where('id', '=', 'li_1').execute();
      await sql.deleteFrom('accounts').where('id', '=', 'ac_1').execute();
      await sql.deleteFrom('devices').execute();
      await sql.updateTable('log_position').set({ seq: 9 }).execute();
      await sql.updateTable('shares').set({ uses_left: 4 }).where('id', '=', 'sh_2').execute();
      await sql.updateTable('shares').set({ depth: 2, giver_id: 'ac_0' }).where('id', '=', 'sh_3').execute();
      await sql.updateTable('shares').set({ first_mail_at: null }).where('id', '=', 'sh_1').execute();
    });
    const problems = await checkStore(store, makeSealer(randomBytes(32)));
    expect(problems.map(({ problem }) => problem)).toEqual([
      'the log ends at 9, its last change is 3',
      'members whose account does not exist: me_21',
      'links whose count of claims is not that of their members: li_1',
      'links claimed more often than allowed: li_1',
      'sessions whose account or device does not exist: se_1',
      'shares whose giver or recipient does not exist: sh_1, sh_2',
      'shares of another key than their parent, or not one below it: sh_3',
      'shares given by somebody who did not hold the key: sh_3',
      'shares with more uses left than allowed, or fewer than none: sh_2',
      'shares that were accepted before their first message was handed over: sh_1',
      expect.stringContaining('keys.secret_sealed of k1 does not open'),
      expect.stringContaining('outbox.body_sealed of ms_1 does not open'),
      expect.stringContaining('one_time_codes.carried_sealed of s does not open'),
      expect.stringContaining('shares.secret_sealed of sh_3 does not open'),
    ]);
    await store.write(async ({ sql }) => {
      await sql.deleteFrom('shares').where('id', '=', 'sh_1').execute();
      await sql.deleteFrom('credential_keys').execute();
      await sql.deleteFrom('accounts').execute();
      await sql.updateTable('share_requests').set({ share_id: 'sh_none' }).execute();
    });
    expect((await checkStore(store, null)).map(({ problem }) => problem)).toEqual(
      expect.arrayContaining([
        'credentials whose account does not exist: cd_1',
        'shares whose key does not exist: sh_2, sh_3',
        'shares whose parent does not exist: sh_2, sh_3',
        'requests for shares that do not exist: rq_1',
        expect.stringContaining('representations of keys or shares that do not exist'),
      ]),
    );
  });
});

describe('a file that is not a whole backup', () => {
  test.each<[string, (lines: string[]) => string[]]>([
    ['its end is cut off', (lines) => lines.slice(0, -1)],
    ['a row is missing', (lines) => lines.filter((line) => !line.includes('"me_10"'))],
    ['a letter was changed', (lines) => lines.map((line) => line.replace('a0@example.org', 'b0@example.org'))],
    ['something stands behind it', (lines) => [...lines, '{}']],
    ['it is empty', () => []],
    ['it is another file', () => ['hello']],
  ])('%s is refused, and the store stays as it was', async (_, change) => {
    const { store } = await openEmpty('sqlite');
    await fill(store, sealer);
    const file = makeFile();
    await backupStore({ store, file, clock: makeClock() });
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    writeFileSync(
      file,
      change(lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const settings = await makeDatabase('sqlite');
    const target = await openNode(settings);
    const before = await target.readPosition();
    expect(await restore(settings, file, 'everything')).toMatchObject({ kind: 'refused' });
    expect(await target.readPosition()).toEqual(before);
    expect(await target.sql.selectFrom('accounts').selectAll().execute()).toEqual([]);
  });

  test('a backup of an unknown version is refused, and one of an earlier version whose rows fit is restored', async () => {
    const { store } = await openEmpty('sqlite');
    await fill(store, sealer);
    const file = makeFile();
    await backupStore({ store, file, clock: makeClock() });
    const written = readFileSync(file, 'utf8');
    const asOf = (migration: number): void => {
      const text = written.replace(`"migration":${knownMigration}`, `"migration":${migration}`);
      const body = text.slice(0, text.lastIndexOf('\n{"end"') + 1);
      const sha256 = createHash('sha256').update(body).digest('base64url');
      writeFileSync(file, `${body}${JSON.stringify({ end: true, rows: 23, sha256 })}\n`);
    };
    const target = await makeDatabase('sqlite');
    for (const migration of [knownMigration + 1, oldestFittingMigration - 1]) {
      asOf(migration);
      expect(await restore(target, file)).toMatchObject({ kind: 'refused' });
    }
    asOf(knownMigration + 1);
    expect(await restore(target, file)).toMatchObject({ problem: expect.stringContaining('has migration') });
    asOf(oldestFittingMigration);
    expect(await restore(target, file)).toMatchObject({ kind: 'restored', rows: 23 });
    expect(await checkStore(await openNode(target), sealer)).toEqual([]);
  });

  test('a missing backup, or a folder in its place, is refused in words', async () => {
    const settings = await makeDatabase('sqlite');
    const missing = {
      kind: 'refused',
      problem: '/nowhere/at/all cannot be read: ENOENT',
      hint: expect.stringContaining('backup'),
    };
    expect(await restore(settings, '/nowhere/at/all')).toMatchObject(missing);
    expect(await restore(settings, '/')).toMatchObject({ problem: '/ cannot be read: EISDIR' });
  });

  test('a backup to a place that cannot be written is refused', async () => {
    const { store } = await openEmpty('sqlite');
    const result = await backupStore({ store, file: '/nowhere/at/all', clock: makeClock() });
    expect(result).toMatchObject({ kind: 'refused', problem: expect.stringContaining('ENOENT') });
  });
});
