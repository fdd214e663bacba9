// The credentials of the installation and their keys, for administrators. Reads only.

import { isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { listCredentialRows, readListedCredential } from '../../store/sharing/credential-lists.ts';
import { listCredentialKeys } from '../../store/sharing/credentials.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { type CredentialKeyView, type CredentialView, credentialViewOf, keyViewOf } from './credential-view.ts';

/** Rows on a page. */
export const credentialsPerPage = 100;

interface CredentialListing {
  /** Part of a name, an issuer or an address. Default: all. */
  readonly search?: string | undefined;
  /** Only those of this account, by its id. Default: all. */
  readonly accountId?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to `credentialsPerPage`. */
  readonly limit?: number | undefined;
}

type NotAllowed = { readonly kind: 'refused'; readonly reason: 'not-allowed' | 'unknown' };

/** Newest first. @throws StoreAway */
export async function listCredentials(
  context: ControlContext,
  actor: Actor,
  listing: CredentialListing = {},
): Promise<
  | { readonly kind: 'listed'; readonly credentials: readonly CredentialView[]; readonly next: string | null }
  | NotAllowed
> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const limit = Math.min(Math.max(listing.limit ?? credentialsPerPage, 1), credentialsPerPage);
  const { accountId = null } = listing;
  const page = { search: listing.search?.trim() || null, accountId, before: readCursor(listing.after) };
  const rows = await listCredentialRows(context.store.sql, { ...page, limit: limit + 1 });
  const now = context.clock.epochSeconds();
  const last = rows[limit - 1];
  return {
    kind: 'listed',
    credentials: rows.slice(0, limit).map((row) => credentialViewOf(row, now)),
    next: rows.length > limit && last !== undefined ? `${last.created_at}.${last.id}` : null,
  };
}

/** One credential with all of its keys, oldest first, removed ones too. @throws StoreAway */
export async function readCredential(
  context: ControlContext,
  actor: Actor,
  credentialId: string,
): Promise<
  | { readonly kind: 'found'; readonly credential: CredentialView; readonly keys: readonly CredentialKeyView[] }
  | NotAllowed
> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const { sql } = context.store;
  const row = await readListedCredential(sql, credentialId);
  if (row === null) return { kind: 'refused', reason: 'unknown' };
  const config = context.config();
  const keys = await listCredentialKeys(sql, credentialId);
  return {
    kind: 'found',
    credential: credentialViewOf(row, context.clock.epochSeconds()),
    keys: keys.map((key) => keyViewOf(config, key)),
  };
}

/** `<seconds>.<id>`: a place in the list, not a secret; an invented place shows nothing that a page does not show. */
function readCursor(text: string | undefined): { readonly createdAt: EpochSeconds; readonly id: string } | null {
  const [, at, id] = /^(\d{1,12})\.([\w-]{25})$/.exec(text ?? '') ?? [];
  return at === undefined || id === undefined || !isId('credential', id) ? null : { createdAt: Number(at), id };
}
