// What the keys of an account come to when the account is blocked, let back in, or deleted. Rows are changed or read here; what edges are
// told of it is appended by control/keys/end-account-keys.ts.

import { sql as raw } from 'kysely';
import { type ShareState, shareTransitions } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

/**
 * The accepted shares of keys of other accounts that an account gave on. What hangs on its own credentials is not among them: all of that
 * names the credential.
 */
export async function findGivenOn(sql: Sql, accountId: string): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('shares as s')
    .innerJoin('credential_keys as k', 'k.id', 's.key_id')
    .innerJoin('credentials as c', 'c.id', 'k.credential_id')
    .select('s.id')
    .where('s.giver_id', '=', accountId)
    .where('s.state', '=', 'accepted')
    .where('c.account_id', '<>', accountId)
    .orderBy('s.id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Names of the collections that keys open which an account has by its own credentials, or has given on. */
export async function findCollectionsOfGiver(sql: Sql, accountId: string): Promise<readonly string[]> {
  const { rows } = await raw<{ collection: string }>`
    select k.collection as collection from credential_keys k join credentials c on c.id = k.credential_id
      where c.account_id = ${accountId}
    union
    select k.collection from shares s join credential_keys k on k.id = s.key_id
      where s.giver_id = ${accountId} and s.state = 'accepted'
    order by 1`.execute(sql);
  return rows.map(({ collection }) => collection);
}

/** A share that ended with an account. */
export interface EndedShare {
  readonly id: string;
  readonly event: 'revoke' | 'withdraw' | 'leave' | 'decline';
}

/** Ends every share that an account gave, and every share that was sent to it or that it holds. @param by  the actor's text */
export async function endSharesOf(
  sql: Sql,
  accountId: string,
  by: string,
  now: EpochSeconds,
): Promise<readonly EndedShare[]> {
  const ended: EndedShare[] = [];
  const parts = [
    ['revoke', 'giver_id'],
    ['withdraw', 'giver_id'],
    ['leave', 'account_id'],
    ['decline', 'account_id'],
  ] as const;
  for (const [event, side] of parts) {
    const { from, to } = shareTransitions[event];
    const rows = await sql
      .updateTable('shares')
      .set({ state: to, ended_at: now, ended_by: by, secret_sealed: null })
      .where(side, '=', accountId)
      .where('state', 'in', [...(from satisfies readonly ShareState[])])
      .returning('id')
      .execute();
    ended.push(...rows.map(({ id }) => ({ id, event })));
  }
  return ended;
}

/** Forgets what shares, credentials, representations and blocks hold of a person. Ids and states stay, so that chains and history do. */
export async function eraseSharesOf(sql: Sql, accountId: string, mailboxDigest: string): Promise<void> {
  await sql.updateTable('shares').set({ email: '' }).where('account_id', '=', accountId).execute();
  await sql.updateTable('shares').set({ words: '' }).where('giver_id', '=', accountId).execute();
  await sql.updateTable('credentials').set({ picture: null }).where('account_id', '=', accountId).execute();
  await sql.deleteFrom('representations').where('account_id', '=', accountId).execute();
  await sql
    .deleteFrom('share_blocks')
    .where((is) => is.or([is('giver_id', '=', accountId), is('mailbox_digest', '=', mailboxDigest)]))
    .execute();
}

/** Ids of the shares that an account accepted at an address and that are not over. */
export async function findAcceptedAt(sql: Sql, accountId: string, email: string): Promise<readonly string[]> {
  const rows = await sql
    .selectFrom('shares')
    .select('id')
    .where('account_id', '=', accountId)
    .where('state', 'in', ['accepted', 'disabled'])
    .where('email', '=', email)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Whether anything that was offered to an address waits there. */
export async function hasPendingAt(sql: Sql, email: string): Promise<boolean> {
  const row = await sql
    .selectFrom('shares')
    .select('id')
    .where('email', '=', email)
    .where('state', '=', 'pending')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
