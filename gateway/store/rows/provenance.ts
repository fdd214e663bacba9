// Rows of the nodes that a recorded decision names: accounts, sessions, devices, members, links, and revocations of any of them.
// Reads only. Every list is bounded, since records of decisions name a bounded number of ids; an id without a row gives nothing.
// control/explain/read-provenance.ts puts the rows into words.

import type { AccountState } from '../../core/model/account.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

interface NamedAccount {
  readonly id: string;
  /** Empty when deleted. */
  readonly email: string;
  readonly state: AccountState;
  readonly createdAt: EpochSeconds;
}

interface NamedSession {
  readonly id: string;
  readonly deviceId: string;
  readonly createdAt: EpochSeconds;
  readonly endedAt: EpochSeconds | null;
}

interface NamedDevice {
  readonly id: string;
  readonly name: string;
  readonly createdAt: EpochSeconds;
  readonly endedAt: EpochSeconds | null;
}

interface NamedMember {
  readonly id: string;
  readonly accountId: string;
  /** The device that claimed; null once it was forgotten. */
  readonly deviceId: string | null;
  readonly linkId: string;
  readonly claimedAt: EpochSeconds;
  readonly revokedAt: EpochSeconds | null;
}

interface NamedLink {
  readonly id: string;
  readonly label: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  readonly ownerId: string;
  /** null when the owner's row is gone; empty when the owner was deleted. */
  readonly ownerEmail: string | null;
  readonly createdAt: EpochSeconds;
  readonly accessUntilAt: EpochSeconds | null;
  readonly revokedAt: EpochSeconds | null;
  readonly revokedBy: string | null;
}

interface NodeRevocation {
  readonly epoch: string;
  readonly seq: number;
  readonly node: string;
  readonly at: EpochSeconds;
}

const maxRows = 64;

/** Accounts by their ids, in no order. */
export async function findNamedAccounts(sql: Sql, ids: readonly string[]): Promise<NamedAccount[]> {
  if (ids.length === 0) return [];
  return await sql
    .selectFrom('accounts')
    .select(['id', 'email', 'state', 'created_at as createdAt'])
    .where('id', 'in', [...ids])
    .execute();
}

/** Sessions by their ids, in no order. */
export async function findNamedSessions(sql: Sql, ids: readonly string[]): Promise<NamedSession[]> {
  if (ids.length === 0) return [];
  return await sql
    .selectFrom('sessions')
    .select(['id', 'device_id as deviceId', 'created_at as createdAt', 'ended_at as endedAt'])
    .where('id', 'in', [...ids])
    .execute();
}

/** Devices by their ids, in no order. */
export async function findNamedDevices(sql: Sql, ids: readonly string[]): Promise<NamedDevice[]> {
  if (ids.length === 0) return [];
  return await sql
    .selectFrom('devices')
    .select(['id', 'name', 'created_at as createdAt', 'ended_at as endedAt'])
    .where('id', 'in', [...ids])
    .execute();
}

/**
 * Members by their ids, and every member that some accounts are or were at some hosts; oldest claims first, at most 64.
 *
 * @param refused  accounts that were refused, and the hosts where: a former membership there may explain the refusal
 */
export async function findNamedMembers(
  sql: Sql,
  ids: readonly string[],
  refused: { readonly accountIds: readonly string[]; readonly hosts: readonly string[] },
): Promise<NamedMember[]> {
  return await sql
    .selectFrom('members')
    .innerJoin('links', 'links.id', 'members.link_id')
    .select([
      'members.id as id',
      'members.account_id as accountId',
      'members.device_id as deviceId',
      'members.link_id as linkId',
      'members.claimed_at as claimedAt',
      'members.revoked_at as revokedAt',
    ])
    .where((is) =>
      is.or([
        // `in ()` is no SQL, and the empty text is no id
        is('members.id', 'in', [...ids, '']),
        is.and([
          is('members.account_id', 'in', [...refused.accountIds, '']),
          is('members.host', 'in', [...refused.hosts, '']),
        ]),
      ]),
    )
    .orderBy('members.claimed_at')
    .limit(maxRows)
    .execute();
}

/** Links by their ids with their owners' addresses, in no order; at most 64. */
export async function findNamedLinks(sql: Sql, ids: readonly string[]): Promise<NamedLink[]> {
  if (ids.length === 0) return [];
  return await sql
    .selectFrom('links')
    .leftJoin('accounts', 'accounts.id', 'links.owner_id')
    .select([
      'links.id as id',
      'links.label as label',
      'links.collection as collection',
      'links.host as host',
      'links.path as path',
      'links.owner_id as ownerId',
      'accounts.email as ownerEmail',
      'links.created_at as createdAt',
      'links.access_until_at as accessUntilAt',
      'links.revoked_at as revokedAt',
      'links.revoked_by as revokedBy',
    ])
    .where('links.id', 'in', [...ids])
    .limit(maxRows)
    .execute();
}

/** Revocations of nodes that the change log still has, of any epoch, in the order of their places; at most 64. */
export async function findNodeRevocations(sql: Sql, nodes: readonly string[]): Promise<NodeRevocation[]> {
  if (nodes.length === 0) return [];
  return await sql
    .selectFrom('changes')
    .select(['epoch', 'seq', 'node', 'at'])
    .where('kind', '=', 'revoke')
    .where('node', 'in', [...nodes])
    .orderBy('seq')
    .limit(maxRows)
    .execute();
}
