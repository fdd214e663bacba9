// Codes that are spent once. The caller makes selector and secret and passes the secret's digest; this file never sees the secret.
// Spending is one conditional statement whose row count is the verdict: no earlier read decides.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { OneTimeCodesTable } from '../port/tables.ts';

export type CodePurpose = OneTimeCodesTable['purpose'];

type CodeRow = Selectable<OneTimeCodesTable>;

interface NewCode {
  /** Finds the row. Random, but no secret. */
  readonly selector: string;
  /** SHA-256 of the secret half, base64url. */
  readonly digest: string;
  readonly purpose: CodePurpose;
  readonly accountId: string | null;
  /** Data that the purpose needs; no secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly expiresAt: EpochSeconds;
  /** What the code leads to, sealed to `carried_sealed` of this row. Default: nothing. */
  readonly carriedSealed?: string | null;
  /** For a code that is typed as digits; the rows of these codes are found by `mailboxDigest` too. */
  readonly digits?: { readonly digest: string; readonly tries: number; readonly mailboxDigest: string };
}

export interface SpentCode {
  readonly kind: 'spent';
  readonly accountId: string | null;
  /** The parsed JSON of the details; NOT checked against the shape that the purpose needs. */
  readonly details: unknown;
  readonly createdAt: EpochSeconds;
  /** What the code leads to, still sealed. */
  readonly carriedSealed: string | null;
}

/** Writes a code. @throws when a code has this selector already */
export async function insertCode(unit: Unit, code: NewCode): Promise<void> {
  await unit.sql
    .insertInto('one_time_codes')
    .values({
      selector: code.selector,
      digest: code.digest,
      purpose: code.purpose,
      account_id: code.accountId,
      details: JSON.stringify(code.details),
      created_at: unit.now,
      expires_at: code.expiresAt,
      used_at: null,
      digits_digest: code.digits?.digest ?? null,
      tries_left: code.digits?.tries ?? null,
      mailbox_digest: code.digits?.mailboxDigest ?? null,
      carried_sealed: code.carriedSealed ?? null,
    })
    .execute();
}

/**
 * Spends a code.
 *
 * @returns `refused` for a code that is unknown, wrong, expired, spent or of another purpose; which of these is not told
 */
export async function spendCode(
  unit: Unit,
  code: Pick<NewCode, 'selector' | 'digest' | 'purpose'>,
): Promise<SpentCode | { readonly kind: 'refused' }> {
  const row = await unit.sql
    .updateTable('one_time_codes')
    .set({ used_at: unit.now })
    .where('selector', '=', code.selector)
    .where('digest', '=', code.digest)
    .where('purpose', '=', code.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', unit.now)
    .returning(['account_id', 'details', 'created_at', 'carried_sealed'])
    .executeTakeFirst();
  return row === undefined ? { kind: 'refused' } : toSpent(row);
}

function toSpent(row: Pick<CodeRow, 'account_id' | 'details' | 'created_at' | 'carried_sealed'>): SpentCode {
  return {
    kind: 'spent',
    accountId: row.account_id,
    details: JSON.parse(row.details),
    createdAt: row.created_at,
    carriedSealed: row.carried_sealed,
  };
}

/**
 * Takes one of the tries of a code that is typed as digits, before the digits are looked at. One conditional statement: of many guesses
 * at once, as many as there are tries get an answer.
 *
 * @returns null for a code that is unknown, expired, spent, or has no try left
 */
export async function takeTry(
  unit: Unit,
  selector: string,
): Promise<{ readonly digitsDigest: string; readonly triesLeft: number } | null> {
  const row = await unit.sql
    .updateTable('one_time_codes')
    .set(({ eb }) => ({ tries_left: eb('tries_left', '-', 1) }))
    .where('selector', '=', selector)
    .where('tries_left', '>', 0)
    .where('used_at', 'is', null)
    .where('expires_at', '>', unit.now)
    .returning(['digits_digest', 'tries_left'])
    .executeTakeFirst();
  return row === undefined ? null : { digitsDigest: row.digits_digest ?? '', triesLeft: row.tries_left ?? 0 };
}

/** Spends a code by its digits, in the unit that took one of its tries; the row count is the verdict. */
export async function spendByDigits(
  unit: Unit,
  selector: string,
  digitsDigest: string,
): Promise<SpentCode | { readonly kind: 'refused' }> {
  const row = await unit.sql
    .updateTable('one_time_codes')
    .set({ used_at: unit.now })
    .where('selector', '=', selector)
    .where('digits_digest', '=', digitsDigest)
    .where('used_at', 'is', null)
    .where('expires_at', '>', unit.now)
    .returning(['account_id', 'details', 'created_at', 'carried_sealed'])
    .executeTakeFirst();
  return row === undefined ? { kind: 'refused' } : toSpent(row);
}

/** Removes the open codes that were mailed to an address, but one: the newest mail counts. */
export async function endMailboxCodes(unit: Unit, mailboxDigest: string, exceptSelector: string): Promise<void> {
  await unit.sql
    .deleteFrom('one_time_codes')
    .where('mailbox_digest', '=', mailboxDigest)
    .where('used_at', 'is', null)
    .where('selector', '<>', exceptSelector)
    .execute();
}

/** A code as it is stored; null for an unknown selector. NOT checked: its digest, its end, and whether it was spent. */
export async function findCode(sql: Sql, selector: string): Promise<CodeRow | null> {
  return (
    (await sql.selectFrom('one_time_codes').selectAll().where('selector', '=', selector).executeTakeFirst()) ?? null
  );
}

/** The answer that `spendCode` would give at this moment, without spending the code; null for a code that would be refused. */
export async function findOpenCode(
  unit: Unit,
  code: Pick<NewCode, 'selector' | 'digest' | 'purpose'>,
): Promise<(Pick<SpentCode, 'accountId' | 'details'> & { readonly expiresAt: EpochSeconds }) | null> {
  const row = await unit.sql
    .selectFrom('one_time_codes')
    .select(['details', 'account_id', 'expires_at'])
    .where('selector', '=', code.selector)
    .where('digest', '=', code.digest)
    .where('purpose', '=', code.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', unit.now)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { accountId: row.account_id, details: JSON.parse(row.details), expiresAt: row.expires_at };
}

/**
 * Ends an account's open codes, of one purpose or of all: once a new mail is sent, codes of earlier mails no longer work.
 *
 * @param exceptSelector  selector of a code that stays
 * @returns how many
 */
export async function endCodes(
  unit: Unit,
  accountId: string,
  purpose?: CodePurpose,
  exceptSelector?: string,
): Promise<number> {
  let query = unit.sql.deleteFrom('one_time_codes').where('account_id', '=', accountId).where('used_at', 'is', null);
  if (purpose !== undefined) query = query.where('purpose', '=', purpose);
  if (exceptSelector !== undefined) query = query.where('selector', '<>', exceptSelector);
  return Number((await query.executeTakeFirst()).numDeletedRows);
}

/** Whether an account has a code of a purpose that could be spent now. */
export async function hasOpenCode(unit: Unit, accountId: string, purpose: CodePurpose): Promise<boolean> {
  const row = await unit.sql
    .selectFrom('one_time_codes')
    .select('selector')
    .where('account_id', '=', accountId)
    .where('purpose', '=', purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', unit.now)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Removes a code in the unit that wrote it. */
export async function removeCode(unit: Unit, selector: string): Promise<void> {
  await unit.sql.deleteFrom('one_time_codes').where('selector', '=', selector).execute();
}

/**
 * Removes all codes of an account and a purpose but the `kept` newest, spent or not, so that codes made in a loop fill no table.
 */
export async function endCodesBeyond(unit: Unit, accountId: string, purpose: CodePurpose, kept: number): Promise<void> {
  const old = await unit.sql
    .selectFrom('one_time_codes')
    .select('selector')
    .where('account_id', '=', accountId)
    .where('purpose', '=', purpose)
    .orderBy('created_at', 'desc')
    .orderBy('selector')
    .limit(100)
    .offset(kept)
    .execute();
  if (old.length === 0) return;
  await unit.sql
    .deleteFrom('one_time_codes')
    .where(
      'selector',
      'in',
      old.map(({ selector }) => selector),
    )
    .execute();
}

/** Drops codes that expired before a moment, spent or not. @returns how many; `limit` of them means: there may be more */
export async function pruneCodes(unit: Unit, before: EpochSeconds, limit = 10_000): Promise<number> {
  const old = await unit.sql
    .deleteFrom('one_time_codes')
    .where('selector', 'in', (nested) =>
      nested.selectFrom('one_time_codes').select('selector').where('expires_at', '<', before).limit(limit),
    )
    .executeTakeFirst();
  return Number(old.numDeletedRows);
}
