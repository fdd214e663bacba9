// What can let an account into a place: ownership of a collection, and rows of the access list that links wrote.
// One list, asked by the edges' look-up and by a claim alike, so that the two never disagree. A further source (shares) is one
// more entry; a claim's own condition in store/rows/claims.ts has to repeat what stands in the store.

import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { scopesCovering } from '../../core/model/link.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import { covers } from '../../core/model/path.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findLiveMemberships } from '../../store/rows/members.ts';
import { owns } from './collections.ts';

/** The account that asks, and the place that it asks for. The account was read: it is active, and its address is verified. */
interface AccessPlace {
  readonly accountId: string;
  readonly email: string;
  readonly host: string;
  readonly path: string;
  readonly now: EpochSeconds;
  /** Collections that cover the place, the most specific first; see `collectionsCovering`. */
  readonly collections: readonly CollectionConfig[];
}

/** Why an account may open a place. A pass that is made from this reason names the reason in the claim `grant`. */
interface AccessReason {
  readonly kind: AccessKind;
  /** Member id, or the collection that is owned. */
  readonly id: string;
  /** The link by which the account came in; null for none. */
  readonly linkId: string | null;
  /** Canonical path that this reason opens. */
  readonly path: string;
  readonly methods: readonly string[] | null;
  readonly untilAt: EpochSeconds | null;
  /** Revocation nodes that this reason hangs on, without the account. */
  readonly nodes: readonly string[];
}

type AccessKind = 'ownership' | 'link';

type AccessSource = (sql: Sql, place: AccessPlace) => Promise<readonly AccessReason[]>;

/** In the order of their worth: the source that lasts longest comes first. */
const accessSources: readonly AccessSource[] = [byOwnership, byLinks];

/**
 * The first reason why the account may open the place; null when there is none.
 *
 * @param exceptLinkId  a link whose own rows do not count; null to count all
 */
export async function findAccessReason(
  sql: Sql,
  place: AccessPlace,
  exceptLinkId: string | null,
): Promise<AccessReason | null> {
  for (const source of accessSources) {
    const reasons = await source(sql, place);
    const reason = reasons.find(({ linkId }) => linkId === null || linkId !== exceptLinkId);
    if (reason !== undefined) return reason;
  }
  return null;
}

async function byOwnership(_sql: Sql, place: AccessPlace): Promise<readonly AccessReason[]> {
  return place.collections
    .filter((collection) => owns(collection, place.email))
    .map(({ name, path }) => ({
      kind: 'ownership',
      id: collectionSubject(name),
      linkId: null,
      path,
      methods: null,
      untilAt: null,
      nodes: [collectionSubject(name)],
    }));
}

async function byLinks(sql: Sql, place: AccessPlace): Promise<readonly AccessReason[]> {
  const memberships = await findLiveMemberships(
    sql,
    place.accountId,
    place.host,
    scopesCovering(place.path),
    place.collections.map(({ name }) => name),
    place.now,
  );
  // A collection whose path became smaller, or changed, no longer opens what its links opened outside of its present path.
  const inside = memberships.filter((row) =>
    place.collections.some(({ name, path }) => name === row.collection && covers(path, row.path)),
  );
  return inside.map((row) => ({
    kind: 'link',
    id: row.memberId,
    linkId: row.linkId,
    path: row.path,
    methods: methodsOf(row.methods),
    untilAt: row.accessUntilAt,
    nodes: [row.linkId, row.memberId, row.linkKeyId, collectionSubject(row.collection)],
  }));
}

/** Methods of a link as they are stored; null when the link sets none. A list that cannot be read opens nothing. */
export function methodsOf(stored: string | null): readonly string[] | null {
  if (stored === null) return null;
  const list: unknown = JSON.parse(stored);
  return Array.isArray(list) ? list.filter((method) => typeof method === 'string') : [];
}
