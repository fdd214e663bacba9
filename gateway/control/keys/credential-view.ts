// A credential and its keys as administrators see them.

import type { Config } from '../../config/compiled/config.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { ListedCredential } from '../../store/sharing/credential-lists.ts';
import type { CredentialKeyRow } from '../../store/sharing/credentials.ts';
import { methodsOf, methodsWithin } from '../access/access-sources.ts';
import { collectionNamed } from '../access/collections.ts';
import { cleanUrl } from '../access/tokenized-url.ts';

/** `early`: not valid yet; `over`: not valid any more. */
type CredentialState = 'in-force' | 'early' | 'over' | 'withdrawn';

export interface CredentialView {
  readonly id: string;
  readonly state: CredentialState;
  /** The account that it belongs to. */
  readonly accountId: string;
  /** Null once that account was deleted. */
  readonly email: string | null;
  readonly name: string;
  readonly issuer: string;
  /** A `data:` URL; null for none. */
  readonly picture: string | null;
  readonly validFromAt: EpochSeconds | null;
  readonly validUntilAt: EpochSeconds | null;
  /** How many keys hang off it that were not removed. */
  readonly keys: number;
  readonly createdAt: EpochSeconds;
  readonly withdrawnAt: EpochSeconds | null;
}

export interface CredentialKeyView {
  readonly id: string;
  readonly credentialId: string;
  readonly name: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  /** What the key opens, without a token. */
  readonly cleanUrl: string;
  /** Those of the key that its collection allows; null for those of the route. */
  readonly methods: readonly string[] | null;
  readonly needsSecondFactor: boolean;
  readonly createdAt: EpochSeconds;
  readonly removedAt: EpochSeconds | null;
}

export function credentialViewOf(row: ListedCredential, now: EpochSeconds): CredentialView {
  return {
    id: row.id,
    state: credentialState(row, now),
    accountId: row.account_id,
    email: row.email || null,
    name: row.name,
    issuer: row.issuer,
    picture: row.picture,
    validFromAt: row.valid_from_at,
    validUntilAt: row.valid_until_at,
    keys: Number(row.keys),
    createdAt: row.created_at,
    withdrawnAt: row.withdrawn_at,
  };
}

export function keyViewOf(config: Config, row: CredentialKeyRow): CredentialKeyView {
  return {
    id: row.id,
    credentialId: row.credential_id,
    name: row.name,
    collection: row.collection,
    host: row.host,
    path: row.path,
    cleanUrl: cleanUrl(config, row.host, row.path),
    methods: methodsWithin(methodsOf(row.methods), collectionNamed(config, row.collection) ?? { methods: null }),
    needsSecondFactor: row.needs_second_factor === 1,
    createdAt: row.created_at,
    removedAt: row.removed_at,
  };
}

/** As share-chains.ts judges it in SQL. */
function credentialState(
  row: Pick<ListedCredential, 'withdrawn_at' | 'valid_from_at' | 'valid_until_at'>,
  now: EpochSeconds,
): CredentialState {
  if (row.withdrawn_at !== null) return 'withdrawn';
  if (row.valid_until_at !== null && row.valid_until_at <= now) return 'over';
  return row.valid_from_at !== null && row.valid_from_at > now ? 'early' : 'in-force';
}
