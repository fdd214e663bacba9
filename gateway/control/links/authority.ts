// Who may make, see, change and end links: owners of the collection, by the configuration, and administrators.
// The store's rows decide, read in the unit that acts, and never a token's claims. For everybody else the answer is that there is no such link.

import type { Config } from '../../config/compiled/config.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findLink, type LinkRow } from '../../store/rows/links.ts';
import { collectionNamed, collectionsOwnedBy, owns } from '../access/collections.ts';
import { readLiveAccount } from '../access/live-account.ts';
import type { Actor } from '../context/control-context.ts';

/** The collections that an actor may manage: all, those that an address owns, or none. */
type Authority =
  | { readonly kind: 'everything' }
  | { readonly kind: 'owner'; readonly email: string }
  | { readonly kind: 'nothing' };

export async function readAuthority(sql: Sql, actor: Actor, now: EpochSeconds): Promise<Authority> {
  if (actor.kind !== 'account') return { kind: 'everything' };
  const reference = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId };
  const account = await readLiveAccount(sql, reference, now);
  if (account === null) return { kind: 'nothing' };
  return account.role === 'admin' ? { kind: 'everything' } : { kind: 'owner', email: account.email };
}

/** A collection that is not configured any more has no owners; administrators still end what is left of it. */
export function mayManage(config: Config, authority: Authority, collectionName: string): boolean {
  if (authority.kind !== 'owner') return authority.kind === 'everything';
  const collection = collectionNamed(config, collectionName);
  return collection !== null && owns(collection, authority.email);
}

/** Names of the collections that an authority reaches; null for all present and former collections. */
export function managedCollections(config: Config, authority: Authority): string[] | null {
  switch (authority.kind) {
    case 'everything':
      return null;
    case 'owner':
      return collectionsOwnedBy(config, authority.email).map(({ name }) => name);
    case 'nothing':
      return [];
    default:
      return authority satisfies never;
  }
}

/** A link, for an actor who may manage it; null for everybody else and when there is no such link, after the same work. */
export async function findManagedLink(
  sql: Sql,
  config: Config,
  actor: Actor,
  linkId: string,
  now: EpochSeconds,
): Promise<LinkRow | null> {
  const [link, authority] = [await findLink(sql, linkId), await readAuthority(sql, actor, now)];
  return link !== null && mayManage(config, authority, link.collection) ? link : null;
}
