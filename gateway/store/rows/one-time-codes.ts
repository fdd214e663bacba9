// Codes that are spent once. The caller makes selector and secret, and hands in the secret's digest; the secret is never here.
// Spending is one conditional statement, and its row count is the verdict: nothing is decided on a prior read.

import type { Selectable } from 'kysely';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql, Unit } from '../port/store.ts';
import type { OneTimeCodesTable } from '../port/tables.ts';

export type CodePurpose = OneTimeCodesTable['purpose'];

type CodeRow = Selectable<OneTimeCodesTable>;

interface NewCode {
  /** Finds the row; random, and no secret. */
  readonly selector: string;
  /** SHA-256 of the secret half, base64url. */
  readonly digest: string;
  readonly purpose: CodePurpose;
  readonly accountId: string | null;
  /** What the purpose needs; no secrets. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly expiresAt: EpochSeconds;
}

export interface SpentCode {
  readonly kind: 'spent';
  readonly accountId: string | null;
  /** As it was handed in, after JSON; NOT checked against the purpose's form. */
  readonly details: unknown;
  readonly createdAt: EpochSeconds;
}

/** @throws when the selector is there already */
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
    })
    .execute();
}

/** @returns `refused` for an unknown, wrong, expired or spent code, and for one of another purpose: nobody is told which */
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
    .returning(['account_id', 'details', 'created_at'])
    .executeTakeFirst();
  if (row === undefined) return { kind: 'refused' };
  return { kind: 'spent', accountId: row.account_id, details: JSON.parse(row.details), createdAt: row.created_at };
}

/** A code as it is stored; NOT checked for its digest, its end or whether it was spent. null for none. */
export async function findCode(sql: Sql, selector: string): Promise<CodeRow | null> {
  return (
    (await sql.selectFrom('one_time_codes').selectAll().where('selector', '=', selector).executeTakeFirst()) ?? null
  );
}

/** What `spendCode` would give for a code at this moment; spends nothing. null for a code that it would refuse. */
export async function findOpenCode(
  unit: Unit,
  code: Pick<NewCode, 'selector' | 'digest' | 'purpose'>,
): Promise<Pick<SpentCode, 'accountId' | 'details'> | null> {
  const row = await unit.sql
    .selectFrom('one_time_codes')
    .select(['details', 'account_id'])
    .where('selector', '=', code.selector)
    .where('digest', '=', code.digest)
    .where('purpose', '=', code.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', unit.now)
    .executeTakeFirst();
  return row === undefined ? null : { accountId: row.account_id, details: JSON.parse(row.details) };
}

/**
 * Ends an account's open codes, of one purpose or of all: a new mail makes the old one's link void.
 *
 * @param exceptSelector  of the one that stays
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

/** Takes a code back in the unit that wrote it. */
export async function removeCode(unit: Unit, selector: string): Promise<void> {
  await unit.sql.deleteFrom('one_time_codes').where('selector', '=', selector).execute();
}

/** Forgets all codes of an account and a purpose but the newest, spent or not: whoever makes codes in a loop fills no table. */
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
