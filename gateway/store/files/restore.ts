// Puts a backup into a store in one transaction: the whole backup or nothing. The file is read to its end before anything changes.
// A backup does not know what was revoked after it was made, so everything given out before the restore ends: a new epoch refuses
// all of latchkey's own tokens, and sessions, codes, unclaimed links, pending shares and waiting mails end. Rules: gateway/RULES.md "Restore".

import { sql, type Transaction } from 'kysely';
import { passwordPasses } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { errorCode } from '../disk/atomic-file.ts';
import { wakeChannel } from '../engine/group-commit.ts';
import { knownMigration, makeEpoch, migrate, oldestFittingMigration } from '../engine/migrations.ts';
import { type OpenStoreOptions, openEngine } from '../engine/open-store.ts';
import { type Engine, type RefusedStore, refuseStore, type StoreSettings } from '../port/engine.ts';
import type { Tables } from '../port/tables.ts';
import { type BackupOptions, backedUpTables } from './backup.ts';
import { BackupDamaged, type BackupHead, type BackupRow, readBackupLines } from './backup-file.ts';
import {
  countAccepted,
  type EndedKeys,
  endOffers,
  findBackInForce,
  readEndedKeys,
  type SharesRestored,
} from './restore-shares.ts';

/** Tables that no backup has and no restore leaves: what they hold lasts an hour at most. @testing */
export const endedByRestore = ['share_requests', 'representations'] as const satisfies readonly (keyof Tables)[];

interface RestoreOptions extends Pick<BackupOptions, 'file' | 'clock'>, Pick<OpenStoreOptions, 'logger'> {
  readonly settings: StoreSettings;
  /** `empty`: refuse a store that holds anything. `everything`: replace what is there. */
  readonly over: 'empty' | 'everything';
}

export interface Restored {
  readonly kind: 'restored';
  /** The head of the backup. */
  readonly from: BackupHead;
  readonly rows: number;
  readonly epoch: string;
  /** How many of each ended, for the operator to read; `narrowed_links` keep their members and take no more claims, `shares` are those nobody had accepted. */
  readonly ended: {
    readonly sessions: number;
    readonly codes: number;
    readonly links: number;
    readonly narrowed_links: number;
    readonly messages: number;
  } & SharesRestored;
  /** Accepted shares that hold. */
  readonly shares_held: number;
  /**
   * Ids of what the replaced store had ended and the backup has in force: it is in force again. Null where an empty store was filled, so
   * nobody knows.
   */
  readonly back_in_force: EndedKeys | null;
}

/** Restores. No latchkey may run on the store's data folder meanwhile. @throws StoreAway */
export async function restoreStore(options: RestoreOptions): Promise<Restored | RefusedStore> {
  const { file, settings, logger, over, clock } = options;
  const head = await verifyBackup(file);
  if (head.kind === 'refused') return head;
  const engine = await openEngine(settings, { logger, patient: true });
  if ('away' in engine) return engine;
  try {
    const ready = await migrate(engine, 'apply');
    if (ready.kind === 'refused') return ready;
    return await engine.writer.transaction().execute(async (transaction) => {
      await lockLog(engine, transaction);
      const filled = over === 'empty' ? await findFilled(transaction) : null;
      if (filled !== null) {
        return refuseStore(
          `the store is not empty: ${filled} has rows`,
          'use another store, or --force to replace all',
        );
      }
      const outside = await listOutside(transaction);
      const isReplaced = over === 'everything' && (await findFilled(transaction)) !== null;
      const endedKeys = isReplaced ? await readEndedKeys(transaction) : null;
      for (const table of [...backedUpTables, ...endedByRestore]) await transaction.deleteFrom(table).execute();
      const rows = await insertAll(transaction, file);
      const epoch = await beginEpoch(transaction, outside, clock.epochSeconds());
      const ended = {
        ...(await endWhatWasGiven(transaction, clock.epochSeconds())),
        ...(await endOffers(transaction, clock.epochSeconds())),
      };
      const shares_held = await countAccepted(transaction);
      const back_in_force = endedKeys === null ? null : await findBackInForce(transaction, endedKeys);
      await transaction
        .insertInto('audit')
        .values({
          at: clock.epochSeconds(),
          actor: 'operator',
          action: 'store.restored',
          subject: 'store',
          details: JSON.stringify({ backup_of: head.head.at, rows, ...ended }),
          request_id: null,
        })
        .execute();
      if (engine.kind === 'postgres') await sql`select pg_notify(${wakeChannel}, '')`.execute(transaction);
      return { kind: 'restored', from: head.head, rows, epoch, ended, shares_held, back_in_force } as const;
    });
  } catch (error) {
    if (error instanceof BackupDamaged) return refuseDamaged(file, error);
    throw error;
  } finally {
    await engine.close();
  }
}

/** Reads a backup to its end and keeps nothing. @returns its head, or why this program cannot restore it */
async function verifyBackup(
  file: string,
): Promise<{ readonly kind: 'whole'; readonly head: BackupHead; readonly rows: number } | RefusedStore> {
  let head: BackupHead | null = null;
  let rows = 0;
  try {
    for await (const line of readBackupLines(file)) {
      if (line.kind === 'head') head = line.head;
      if (line.kind === 'end') rows = line.rows;
    }
  } catch (error) {
    if (error instanceof BackupDamaged) return refuseDamaged(file, error);
    if (error instanceof Error && 'syscall' in error) {
      return refuseStore(`${file} cannot be read: ${errorCode(error)}`, 'name a file that store backup wrote');
    }
    throw error;
  }
  if (head === null) return refuseDamaged(file, new BackupDamaged('it is empty'));
  if (head.migration > knownMigration || head.migration < oldestFittingMigration) {
    return refuseStore(
      `${file} has migration ${head.migration}, and this program restores ${oldestFittingMigration} to ${knownMigration}`,
      'restore it with the latchkey that made it, then start the newer one on that store',
    );
  }
  return { kind: 'whole', head, rows };
}

async function lockLog(engine: Engine, transaction: Transaction<Tables>): Promise<void> {
  const row = transaction.selectFrom('log_position').select('seq').where('id', '=', 1);
  await (engine.kind === 'postgres' ? row.forUpdate() : row).execute();
}

async function findFilled(transaction: Transaction<Tables>): Promise<string | null> {
  for (const table of backedUpTables) {
    const row = await sql`select 1 from ${sql.table(table)} limit 1`.execute(transaction);
    if (row.rows.length > 0) return table;
  }
  return null;
}

/** Inserts in pages. The file's digest is checked once more at its end, since the file may have changed after `verifyBackup`. */
async function insertAll(transaction: Transaction<Tables>, file: string): Promise<number> {
  const known: ReadonlySet<string> = new Set(backedUpTables);
  let page: BackupRow[] = [];
  let pageTable = '';
  let rows = 0;
  const flush = async (): Promise<void> => {
    if (page.length > 0) await insertPage(transaction, pageTable, page);
    page = [];
  };
  for await (const line of readBackupLines(file)) {
    if (line.kind !== 'row') {
      await flush();
      if (line.kind === 'table' && !known.has(line.table)) throw new BackupDamaged('it names a table nobody knows');
      continue;
    }
    pageTable = line.table;
    page.push(line.row);
    rows += 1;
    if (page.length >= 100) await flush();
  }
  return rows;
}

async function insertPage(transaction: Transaction<Tables>, table: string, page: readonly BackupRow[]): Promise<void> {
  const columns = Object.keys(page[0] ?? {});
  const values = page.map((row) => sql`(${sql.join(columns.map((column) => row[column] ?? null))})`);
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(values)}`.execute(transaction);
}

interface OutsideChange {
  readonly node: string;
  readonly at: EpochSeconds;
}

async function listOutside(transaction: Transaction<Tables>): Promise<OutsideChange[]> {
  return transaction
    .selectFrom('changes')
    .select((column) => ['node', column.fn.max('at').as('at')])
    .where('kind', '=', 'outside')
    .groupBy('node')
    .execute();
}

/**
 * Begins a new epoch of the log. Outside tokens name no epoch, so their revocations are kept, from the backup and from the store
 * that it replaces. Passes for passwords hold under any epoch, since gateways with other stores accept them too; passes from
 * before the restore end by a change of their own. All other changes mean nothing under a new epoch.
 */
async function beginEpoch(
  transaction: Transaction<Tables>,
  replaced: readonly OutsideChange[],
  now: EpochSeconds,
): Promise<string> {
  const latest = new Map<string, EpochSeconds>();
  for (const { node, at } of [...replaced, ...(await listOutside(transaction))]) {
    latest.set(node, Math.max(at, latest.get(node) ?? at));
  }
  // with a clock that is behind, passes from before the restore must end as well
  const newestAt = Math.max(now, ...latest.values());
  latest.set(passwordPasses, newestAt);
  await transaction.deleteFrom('changes').execute();
  // marks name places of the former epoch
  await transaction.deleteFrom('log_marks').execute();
  const epoch = makeEpoch();
  const outside = [...latest].sort(([, left], [, right]) => left - right);
  for (const [index, [node, at]] of outside.entries()) {
    await transaction
      .insertInto('changes')
      .values({ epoch, seq: index + 1, kind: 'outside', node, at })
      .execute();
  }
  const begun = { epoch, seq: outside.length, newest_at: newestAt, marked_at: 0, hour_ahead: null, ahead: null };
  await transaction.updateTable('log_position').set(begun).where('id', '=', 1).execute();
  return epoch;
}

async function endWhatWasGiven(
  transaction: Transaction<Tables>,
  now: EpochSeconds,
): Promise<Omit<Restored['ended'], keyof SharesRestored>> {
  const sessions = await transaction
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  const codes = await transaction.deleteFrom('one_time_codes').executeTakeFirst();
  const links = await transaction
    .updateTable('links')
    .set({ revoked_at: now, revoked_by: 'system' })
    .where('revoked_at', 'is', null)
    .where('claims_used', '=', 0)
    .executeTakeFirst();
  // Claims that came after the backup are lost, so a link with claims left could let in more people than allowed: it takes no more
  // claims until its owner opens it again.
  const narrowed = await transaction
    .updateTable('links')
    .set({ claim_until_at: now - 1 })
    .where('revoked_at', 'is', null)
    .whereRef('claims_used', '<', 'claims_allowed')
    .where((column) => column.or([column('claim_until_at', 'is', null), column('claim_until_at', '>=', now)]))
    .executeTakeFirst();
  // Waiting mails hold codes that are void now, and may have been delivered since the backup.
  const messages = await transaction
    .updateTable('outbox')
    .set({ given_up_at: now, body_sealed: null, last_problem: 'the store was restored from a backup' })
    .where('delivered_at', 'is', null)
    .where('given_up_at', 'is', null)
    .executeTakeFirst();
  return {
    sessions: Number(sessions.numUpdatedRows),
    codes: Number(codes.numDeletedRows),
    links: Number(links.numUpdatedRows),
    narrowed_links: Number(narrowed.numUpdatedRows),
    messages: Number(messages.numUpdatedRows),
  };
}

function refuseDamaged(file: string, error: BackupDamaged): RefusedStore {
  return refuseStore(`${file} cannot be restored: ${error.message}`, 'take another backup; this one changed nothing');
}
