// What can let an account into a place: ownership of a collection, rows of the access list that links wrote, and keys: own ones and shared
// ones.
// One list, asked by the edges' look-up and by a claim alike, so that the two never disagree. A further source is one
// more entry; a claim's own condition in store/rows/claims.ts has to repeat what stands in the store.

import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { coversMethod } from '../../core/decision/state/access.ts';
import { scopesCovering } from '../../core/model/link.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import { covers } from '../../core/model/path.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findLiveMemberships } from '../../store/rows/members.ts';
import { findOpeningKeys, type HeldKey } from '../../store/sharing/share-chains.ts';
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
  /** Member id, the collection that is owned, the share by which a key is held, or the own key. */
  readonly id: string;
  /** The link by which the account came in; null for none. */
  readonly linkId: string | null;
  /** Name of the collection that the reason opens a part of; its `methods` limit the reason's own. */
  readonly collection: string;
  /** Canonical path that this reason opens. */
  readonly path: string;
  /** Null for all. */
  readonly methods: readonly string[] | null;
  readonly untilAt: EpochSeconds | null;
  /** Revocation nodes that this reason hangs on, without the account. */
  readonly nodes: readonly string[];
}

type AccessKind = 'ownership' | 'link' | 'key';

type AccessSource = (sql: Sql, place: AccessPlace) => Promise<readonly AccessReason[]>;

/** In the order of their worth: the source that lasts longest comes first. */
const accessSources: readonly AccessSource[] = [byOwnership, byLinks, byKeys];

/**
 * Why the account may open the place; null when there is no reason. The first reason that opens it for all methods, else the first one:
 * whoever owns a folder for all methods is not limited by a link to it. The methods are never more than those of the reason's collection.
 *
 * @param exceptLinkId  a link whose own rows do not count; null to count all
 */
export async function findAccessReason(
  sql: Sql,
  place: AccessPlace,
  exceptLinkId: string | null,
): Promise<AccessReason | null> {
  let first: AccessReason | null = null;
  for (const source of accessSources) {
    const found = (await source(sql, place)).filter(({ linkId }) => linkId === null || linkId !== exceptLinkId);
    const reasons = found.flatMap((reason) => withinCollection(reason, place.collections));
    const unlimited = reasons.find(({ methods }) => methods === null);
    if (unlimited !== undefined) return unlimited;
    first ??= reasons[0] ?? null;
  }
  return first;
}

/**
 * The reason with the methods that its collection allows as well; none for a collection that does not cover the place. All sources come
 * through here, so no source can give more.
 */
function withinCollection(reason: AccessReason, collections: readonly CollectionConfig[]): readonly AccessReason[] {
  const collection = collections.find(({ name }) => name === reason.collection);
  return collection === undefined ? [] : [{ ...reason, methods: methodsWithin(reason.methods, collection) }];
}

/** What is left of the methods in a collection; null for all, before and after. */
export function methodsWithin(
  methods: readonly string[] | null,
  { methods: most }: Pick<CollectionConfig, 'methods'>,
): readonly string[] | null {
  if (most === null || methods === null) return methods ?? most;
  return most.filter((method) => coversMethod(methods, method));
}

async function byOwnership(_sql: Sql, place: AccessPlace): Promise<readonly AccessReason[]> {
  return place.collections
    .filter((collection) => owns(collection, place.email))
    .map(({ name, path }) => ({
      kind: 'ownership',
      id: collectionSubject(name),
      linkId: null,
      collection: name,
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
    collection: row.collection,
    path: row.path,
    methods: methodsOf(row.methods),
    untilAt: row.accessUntilAt,
    nodes: [row.linkId, row.memberId, row.linkKeyId, collectionSubject(row.collection)],
  }));
}

async function byKeys(sql: Sql, place: AccessPlace): Promise<readonly AccessReason[]> {
  const keys = await findOpeningKeys(sql, {
    accountId: place.accountId,
    host: place.host,
    scopes: scopesCovering(place.path),
    collections: place.collections.map(({ name }) => name),
    now: place.now,
  });
  const inside = keys.filter((key) =>
    place.collections.some(({ name, path }) => name === key.collection && covers(path, key.path)),
  );
  return inside.map((key) => ({
    kind: 'key',
    id: key.shareId ?? key.keyId,
    linkId: null,
    collection: key.collection,
    path: key.path,
    methods: methodsOf(key.methods),
    untilAt: key.untilAt,
    nodes: nodesOfKey(key),
  }));
}

/** The nodes that whatever is made from a held key hangs on: its whole chain, so that cutting any of it is one change of the log. */
export function nodesOfKey({ keyId, credentialId, chain, collection }: HeldKey): readonly string[] {
  return [credentialId, keyId, ...chain, collectionSubject(collection)];
}

/** Methods of a link or a key as they are stored; null when the link sets none. A list that cannot be read opens nothing. */
export function methodsOf(stored: string | null): readonly string[] | null {
  if (stored === null) return null;
  const list: unknown = JSON.parse(stored);
  return Array.isArray(list) ? list.filter((method) => typeof method === 'string') : [];
}
