// Shares as people read them: one share with the names around it, and pages of lists, newest first. Reads only; who may see which share is
// asked in control/sharing.

import { type RawBuilder, sql as raw, type Selectable } from 'kysely';
import type { ShareStanding } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';
import type { SharesTable } from '../port/tables-sharing.ts';
import { findHeldShares } from './share-chains.ts';

/** A share, its key and credential, its giver, and whether a browser has an open request for it. */
export interface ListedShare extends ReadShare {
  /** Whether the key is held by it now: the share and everything above it is accepted and inside its window, and key and credential hold. */
  readonly isHeld: boolean;
}

interface ReadShare extends Selectable<SharesTable> {
  readonly keyName: string;
  readonly keyCollection: string;
  readonly credentialId: string;
  readonly credentialName: string;
  readonly credentialIssuer: string;
  /** The account that the credential belongs to. */
  readonly ownerId: string;
  /** Empty for none, and once the account was deleted. */
  readonly giverName: string;
  readonly giverEmail: string;
  /** 1: a browser has an open request. */
  readonly openRequest: number;
}

/** A place in a list, newest first. */
export interface ShareCursor {
  readonly createdAt: EpochSeconds;
  readonly id: string;
}

/** Which shares a list has. */
export interface ShareFilter {
  readonly of:
    | { readonly kind: 'given'; readonly accountId: string }
    /** Those that the account holds or held, and those that wait for its verified address and whose message was handed over. */
    | { readonly kind: 'got'; readonly accountId: string; readonly email: string }
    /** The two together. */
    | { readonly kind: 'both'; readonly accountId: string; readonly email: string }
    /** Those that hang below a share at once, not the share itself. */
    | { readonly kind: 'below'; readonly shareId: string }
    | { readonly kind: 'all' };
  /** Only those that read so now. Default: all. */
  readonly standing?: ShareStanding;
  /** Part of the address or of the key's name, meant literally. Default: all. */
  readonly search?: string;
}

export async function readListedShare(sql: Sql, id: string, now: EpochSeconds): Promise<ListedShare | null> {
  const rows = await listed(sql, now).where('shares.id', '=', id).execute();
  return (await markHeld(sql, rows, now))[0] ?? null;
}

/** A page, newest first. @param before  the last share of the page before */
export async function listShareRows(
  sql: Sql,
  filter: ShareFilter,
  before: ShareCursor | null,
  limit: number,
  now: EpochSeconds,
): Promise<ListedShare[]> {
  const { of, standing, search } = filter;
  const pattern = `%${(search ?? '').replaceAll(/[\\%_]/g, (mark) => `\\${mark}`)}%`;
  const rows = await listed(sql, now)
    .where(belongsTo(of))
    .$if(standing !== undefined, (query) => query.where(readsAs(standing ?? 'pending', now)))
    .$if(search !== undefined && search !== '', (query) =>
      query.where(
        raw<boolean>`(shares.email like lower(${pattern}) escape '\\' or lower(k.name) like lower(${pattern}) escape '\\')`,
      ),
    )
    .$if(before !== null, (query) =>
      query.where(raw<boolean>`(shares.created_at, shares.id) < (${before?.createdAt ?? 0}, ${before?.id ?? ''})`),
    )
    .orderBy('shares.created_at', 'desc')
    .orderBy('shares.id', 'desc')
    .limit(limit)
    .execute();
  return await markHeld(sql, rows, now);
}

async function markHeld(sql: Sql, rows: readonly ReadShare[], now: EpochSeconds): Promise<ListedShare[]> {
  const accepted = rows.filter(({ state }) => state === 'accepted').map(({ id }) => id);
  const held = new Set((await findHeldShares(sql, accepted, now)).map(({ shareId }) => shareId));
  return rows.map((row) => ({ ...row, isHeld: held.has(row.id) }));
}

function belongsTo(of: ShareFilter['of']): RawBuilder<boolean> {
  switch (of.kind) {
    case 'given':
      return raw<boolean>`shares.giver_id = ${of.accountId}`;
    case 'got':
      return raw<boolean>`shares.id in (${idsGot(of)})`;
    case 'both':
      return raw<boolean>`shares.id in (select id from shares where giver_id = ${of.accountId} union ${idsGot(of)})`;
    case 'below':
      return raw<boolean>`shares.parent_id = ${of.shareId}`;
    case 'all':
      return raw<boolean>`1 = 1`;
    default:
      return of satisfies never;
  }
}

/** Two searches, by an index each. */
function idsGot({ accountId, email }: { readonly accountId: string; readonly email: string }): RawBuilder<unknown> {
  return raw`select id from shares where account_id = ${accountId} and state in ('accepted', 'disabled', 'revoked', 'declined')
    union select id from shares where email = ${email} and state = 'pending' and first_mail_at is not null`;
}

/** `shareStanding` of core/model/share.ts as a condition. */
function readsAs(standing: ShareStanding, now: EpochSeconds): RawBuilder<boolean> {
  const isOver = raw`(shares.usable_until_at is not null and shares.usable_until_at <= ${now})`;
  const waits = raw`shares.state = 'pending' and not ${isOver} and shares.expires_at > ${now}`;
  const isEarly = raw`(shares.usable_from_at is not null and shares.usable_from_at > ${now})`;
  switch (standing) {
    case 'pending':
      return raw<boolean>`(${waits} and not ${hasOpenRequest(now)})`;
    case 'requested':
      return raw<boolean>`(${waits} and ${hasOpenRequest(now)})`;
    case 'expired':
      return raw<boolean>`((shares.state in ('pending', 'accepted', 'disabled') and ${isOver})
        or (shares.state = 'pending' and shares.expires_at <= ${now}))`;
    case 'accepted':
      return raw<boolean>`(shares.state = 'accepted' and not ${isOver} and not ${isEarly})`;
    case 'early':
      return raw<boolean>`(shares.state = 'accepted' and not ${isOver} and ${isEarly})`;
    case 'disabled':
      return raw<boolean>`(shares.state = 'disabled' and not ${isOver})`;
    case 'declined':
    case 'withdrawn':
    case 'revoked':
      return raw<boolean>`shares.state = ${standing}`;
    default:
      return standing satisfies never;
  }
}

function hasOpenRequest(now: EpochSeconds): RawBuilder<boolean> {
  return raw<boolean>`exists (select 1 from share_requests asked
    where asked.share_id = shares.id and asked.used_at is null and asked.expires_at > ${now})`;
}

function listed(sql: Sql, now: EpochSeconds) {
  return sql
    .selectFrom('shares')
    .innerJoin('credential_keys as k', 'k.id', 'shares.key_id')
    .innerJoin('credentials as c', 'c.id', 'k.credential_id')
    .leftJoin('accounts as giver', 'giver.id', 'shares.giver_id')
    .selectAll('shares')
    .select([
      'k.name as keyName',
      'k.collection as keyCollection',
      'c.id as credentialId',
      'c.name as credentialName',
      'c.issuer as credentialIssuer',
      'c.account_id as ownerId',
      raw<string>`coalesce(giver.display_name, '')`.as('giverName'),
      raw<string>`coalesce(giver.email, '')`.as('giverEmail'),
      raw<number>`case when ${hasOpenRequest(now)} then 1 else 0 end`.as('openRequest'),
    ]);
}
