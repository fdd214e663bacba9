// Why the store cannot be used, in words: failures of SQLite, PostgreSQL, the network and the file system.

import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../gateway/store/engine/open-store.ts';
import {
  describeFailure,
  type FailureCause,
  failureCauses,
  GaveUp,
} from '../../../gateway/store/port/failure-cause.ts';
import { StoreAway } from '../../../gateway/store/port/store.ts';
import { postgresMissing } from '../../support/store/postgres.ts';
import { makeClock, makeDatabase, openEmpty, openNode, silent } from '../../support/store/stores.ts';

const sqlite = (errcode: number) => Object.assign(new Error('sqlite'), { code: 'ERR_SQLITE_ERROR', errcode });
const system = (code: string) => Object.assign(new Error(`${code}: failed`), { code });
const server = (code: string) => Object.assign(new pg.DatabaseError('said by the server', 1, 'error'), { code });

const rows: readonly (readonly [what: string, error: Error, cause: FailureCause])[] = [
  ['SQLITE_FULL', sqlite(13), 'disk-full'],
  ['SQLITE_IOERR_SHMSIZE', sqlite(4874), 'disk-full'],
  ['SQLITE_READONLY', sqlite(8), 'read-only'],
  ['SQLITE_READONLY_DBMOVED', sqlite(1032), 'read-only'],
  ['SQLITE_PERM', sqlite(3), 'no-permission'],
  ['SQLITE_BUSY', sqlite(5), 'locked'],
  ['SQLITE_BUSY_SNAPSHOT', sqlite(517), 'locked'],
  ['SQLITE_CORRUPT', sqlite(11), 'damaged'],
  ['SQLITE_NOTADB', sqlite(26), 'damaged'],
  ['SQLITE_IOERR_FSYNC', sqlite(1034), 'io-error'],
  ['SQLITE_NOMEM', sqlite(7), 'no-memory'],
  ['SQLITE_CANTOPEN', sqlite(14), 'cannot-open'],
  ['ENOSPC', system('ENOSPC'), 'disk-full'],
  ['EDQUOT', system('EDQUOT'), 'disk-full'],
  ['EROFS', system('EROFS'), 'read-only'],
  ['EACCES', system('EACCES'), 'no-permission'],
  ['EIO', system('EIO'), 'io-error'],
  ['EMFILE', system('EMFILE'), 'too-many-files'],
  ['ECONNREFUSED', system('ECONNREFUSED'), 'refused'],
  ['ENOTFOUND', system('ENOTFOUND'), 'unknown-host'],
  ['ECONNRESET', system('ECONNRESET'), 'disconnected'],
  ['a certificate of its own', system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls'],
  ['a server without TLS', new Error('The server does not support SSL connections'), 'tls'],
  ['a connection that broke', new Error('Connection terminated unexpectedly'), 'disconnected'],
  ['a connection that never came', new Error('timeout expired'), 'timeout'],
  ['disk_full', server('53100'), 'disk-full'],
  ['too_many_connections', server('53300'), 'too-many-connections'],
  ['out_of_memory', server('53200'), 'no-memory'],
  ['invalid_password', server('28P01'), 'login-refused'],
  ['invalid_authorization_specification', server('28000'), 'login-refused'],
  ['invalid_catalog_name', server('3D000'), 'no-database'],
  ['cannot_connect_now', server('57P03'), 'starting'],
  ['admin_shutdown', server('57P01'), 'starting'],
  ['read_only_sql_transaction', server('25006'), 'read-only'],
  ['insufficient_privilege', server('42501'), 'no-permission'],
  ['query_canceled', server('57014'), 'timeout'],
  ['lock_not_available', server('55P03'), 'locked'],
  ['io_error', server('58030'), 'io-error'],
  ['data_corrupted', server('XX001'), 'damaged'],
  ['connection_failure', server('08006'), 'disconnected'],
  ['too much that waits', new GaveUp('busy', 'more than 4096 units wait'), 'busy'],
  ['what nobody knows', new Error('hm'), 'other'],
];

describe('a failure of the store', () => {
  test.each(rows)('%s is named in words', (_, error, cause) => {
    const away = new StoreAway(new StoreAway(error));
    expect(away.failure.cause).toBe(cause);
    expect(failureCauses).toContain(cause);
    expect(away.failure.hint).not.toBe('');
    expect(away.message).toBe(`the store cannot be used: ${away.failure.words}`);
  });

  test("the words hold no password and nothing of the driver's message", () => {
    const error = Object.assign(new Error('connect to postgres://u:hunter2@db failed'), { code: 'ECONNREFUSED' });
    expect(JSON.stringify(describeFailure(error))).not.toMatch(/hunter2|postgres:/);
    expect(new StoreAway(error).message).not.toContain('hunter2');
  });
});

describe('PostgreSQL', () => {
  test('a read-only server, like a standby, is named as such, and writing goes on when it can be written again', async (context) => {
    const missing = postgresMissing();
    if (missing !== null) context.skip(missing);
    const { settings } = await openEmpty('postgres');
    const name = new URL(settings.kind === 'postgres' ? settings.url : '').pathname.slice(1);
    const admin = new pg.Client({ connectionString: settings.kind === 'postgres' ? settings.url : '' });
    await admin.connect();
    await admin.query(`alter database "${name}" set default_transaction_read_only = on`);
    const node = await openNode(settings, { migrations: 'check' });
    const refused = await node
      .write((unit) => unit.append({ kind: 'touch', node: 'a' }))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ failure: { cause: 'read-only', words: expect.stringContaining('25006') } });
    expect(node.health.cause).toBe('read-only');
    await node.close();
    await admin.query('set default_transaction_read_only = off');
    await admin.query(`alter database "${name}" set default_transaction_read_only = off`);
    await admin.end();
    const again = await openNode(settings);
    await again.write((unit) => unit.append({ kind: 'touch', node: 'a' }));
    expect(again.health.cause).toBeNull();
  });

  test.each([
    ['postgres://u:hunter2@127.0.0.1:1/d', 'nothing listens there'],
    ['postgres://u:hunter2@no-such-host.invalid/d', 'its host name is not found'],
  ])('%s is refused with the reason', async (url, words) => {
    const refused = await openStore({ settings: { kind: 'postgres', url }, clock: makeClock(), logger: silent });
    expect(refused).toMatchObject({ kind: 'refused', problem: expect.stringContaining(words), away: true });
    expect(JSON.stringify(refused)).not.toContain('hunter2');
  });

  test('a wrong password is named as the cause', async (context) => {
    const missing = postgresMissing();
    if (missing !== null) context.skip(missing);
    const settings = await makeDatabase('postgres');
    const url = (settings.kind === 'postgres' ? settings.url : '').replace('not%20a%20secret', 'hunter2');
    const refused = await openStore({ settings: { kind: 'postgres', url }, clock: makeClock(), logger: silent });
    expect(refused).toMatchObject({ problem: expect.stringContaining('user or password is refused'), away: false });
  });
});
