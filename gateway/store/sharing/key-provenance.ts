// Rows of shared keys that a recorded decision names: shares, the keys that they are of with their credentials, and representations. Reads
// only, at most 64 of each. control/explain/read-key-provenance.ts puts the rows into words.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../port/store.ts';

export interface NamedShare {
  readonly id: string;
  readonly keyId: string;
  readonly parentId: string | null;
  readonly depth: number;
  readonly giverId: string;
  /** null when the giver's row is gone; empty when the giver was deleted. */
  readonly giverEmail: string | null;
  readonly accountId: string;
  /** As it was typed; empty once it was erased. */
  readonly email: string;
  readonly state: string;
  readonly createdAt: EpochSeconds;
  readonly acceptedAt: EpochSeconds | null;
  readonly usableFromAt: EpochSeconds | null;
  readonly usableUntilAt: EpochSeconds | null;
  readonly usesLeft: number | null;
  readonly endedAt: EpochSeconds | null;
  readonly endedBy: string | null;
}

interface NamedKey {
  readonly id: string;
  readonly name: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  readonly createdAt: EpochSeconds;
  readonly removedAt: EpochSeconds | null;
  readonly removedBy: string | null;
  readonly credentialId: string;
  readonly credentialName: string;
  readonly issuer: string;
  readonly issuedAt: EpochSeconds;
  readonly validFromAt: EpochSeconds | null;
  readonly validUntilAt: EpochSeconds | null;
  readonly withdrawnAt: EpochSeconds | null;
  readonly withdrawnBy: string | null;
  readonly ownerId: string;
  /** null when the account's row is gone; empty when it was deleted. */
  readonly ownerEmail: string | null;
}

interface NamedRepresentation {
  readonly id: string;
  readonly kind: string;
  readonly createdAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  readonly revokedAt: EpochSeconds | null;
}

const maxRows = 64;

/**
 * Shares by their ids, and those that some accounts hold or held of keys at some hosts; the top of each chain first.
 *
 * @param refused  accounts that were refused, and the hosts where: a share that does not hold any more may explain the refusal
 */
export async function findNamedShares(
  sql: Sql,
  ids: readonly string[],
  refused: { readonly accountIds: readonly string[]; readonly hosts: readonly string[] },
): Promise<NamedShare[]> {
  return await sql
    .selectFrom('shares as s')
    .innerJoin('credential_keys as k', 'k.id', 's.key_id')
    .leftJoin('accounts as g', 'g.id', 's.giver_id')
    .select([
      's.id as id',
      's.key_id as keyId',
      's.parent_id as parentId',
      's.depth as depth',
      's.giver_id as giverId',
      'g.email as giverEmail',
      's.account_id as accountId',
      's.email as email',
      's.state as state',
      's.created_at as createdAt',
      's.accepted_at as acceptedAt',
      's.usable_from_at as usableFromAt',
      's.usable_until_at as usableUntilAt',
      's.uses_left as usesLeft',
      's.ended_at as endedAt',
      's.ended_by as endedBy',
    ])
    .where((is) =>
      is.or([
        // `in ()` is no SQL, and the empty text is no id
        is('s.id', 'in', [...ids, '']),
        is.and([
          is('s.account_id', 'in', [...refused.accountIds, '']),
          is('s.accepted_at', 'is not', null),
          is('k.host', 'in', [...refused.hosts, '']),
        ]),
      ]),
    )
    .orderBy('s.depth')
    .orderBy('s.created_at')
    .limit(maxRows)
    .execute();
}

/** Keys by their ids, with their credentials. */
export async function findNamedKeys(sql: Sql, ids: readonly string[]): Promise<NamedKey[]> {
  if (ids.length === 0) return [];
  return await sql
    .selectFrom('credential_keys as k')
    .innerJoin('credentials as c', 'c.id', 'k.credential_id')
    .leftJoin('accounts as a', 'a.id', 'c.account_id')
    .select([
      'k.id as id',
      'k.name as name',
      'k.collection as collection',
      'k.host as host',
      'k.path as path',
      'k.created_at as createdAt',
      'k.removed_at as removedAt',
      'k.removed_by as removedBy',
      'c.id as credentialId',
      'c.name as credentialName',
      'c.issuer as issuer',
      'c.created_at as issuedAt',
      'c.valid_from_at as validFromAt',
      'c.valid_until_at as validUntilAt',
      'c.withdrawn_at as withdrawnAt',
      'c.withdrawn_by as withdrawnBy',
      'c.account_id as ownerId',
      'a.email as ownerEmail',
    ])
    .where('k.id', 'in', [...ids])
    .limit(maxRows)
    .execute();
}

/** Representations by their ids; one that ended a while ago is forgotten. */
export async function findNamedRepresentations(sql: Sql, ids: readonly string[]): Promise<NamedRepresentation[]> {
  if (ids.length === 0) return [];
  return await sql
    .selectFrom('representations')
    .select(['id', 'kind', 'created_at as createdAt', 'expires_at as expiresAt', 'revoked_at as revokedAt'])
    .where('id', 'in', [...ids])
    .limit(maxRows)
    .execute();
}
