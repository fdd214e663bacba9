// "Who can open this": everybody to whom a collection, or a part of it, is open at this moment, and by what; for administrators. Reads only.

import { scopesCovering } from '../../core/model/link.ts';
import { isId } from '../../core/model/node-id.ts';
import { covers } from '../../core/model/path.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findActiveAccountId } from '../../store/rows/accounts.ts';
import { listPeopleOfCollection, type PersonOfCollection } from '../../store/sharing/collection-people.ts';
import { findNamedShares } from '../../store/sharing/key-provenance.ts';
import { findHeldShares, type HeldKey } from '../../store/sharing/share-chains.ts';
import { collectionNamed, collectionsCovering } from '../access/collections.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';

/** One share of a chain. */
interface GivenBy {
  readonly shareId: string;
  readonly giverId: string;
  /** null once that account was deleted. */
  readonly giverEmail: string | null;
}

export interface PersonView extends PersonOfCollection {
  /** The shares by which the key came to the account, from the account with the credential down; empty for links and own keys. */
  readonly chain: readonly GivenBy[];
}

interface OwnerView {
  readonly email: string;
  /** null where nobody has an active account with that address. */
  readonly accountId: string | null;
  /** The collection that they own: this one, or one around it or inside it. */
  readonly collection: string;
}

/** Ways on a page. */
export const peoplePerPage = 100;

type PeopleListed =
  | {
      readonly kind: 'listed';
      /** Whom the configuration names; on the first page alone. */
      readonly owners: readonly OwnerView[];
      /** Newest first. A page has fewer than were asked for where shares do not hold now. */
      readonly people: readonly PersonView[];
      readonly next: string | null;
    }
  | { readonly kind: 'refused'; readonly reason: 'not-allowed' | 'unknown' };

/** @throws StoreAway */
export async function listPeople(
  context: ControlContext,
  actor: Actor,
  listing: {
    readonly collection: string;
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
  },
): Promise<PeopleListed> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const config = context.config();
  const collection = collectionNamed(config, listing.collection);
  if (collection === null) return { kind: 'refused', reason: 'unknown' };
  const { sql } = context.store;
  const now = context.clock.epochSeconds();
  const { name, host, path } = collection;
  const inside = config.collections.filter((each) => each.host === host && covers(path, each.path));
  const all = [...new Set([...collectionsCovering(config, host, path), ...inside])];
  const others = all.filter((each) => each.name !== name).map((each) => each.name);
  const limit = Math.min(Math.max(listing.limit ?? peoplePerPage, 1), peoplePerPage);
  const before = readCursor(listing.after);
  const rows = await listPeopleOfCollection(sql, {
    ...{ host, collection: name, path, others, scopes: scopesCovering(path) },
    ...{ before, limit: limit + 1, now },
  });
  const owners: OwnerView[] = [];
  for (const each of before === null ? all : []) {
    for (const email of each.owners) {
      owners.push({ email, accountId: await findActiveAccountId(sql, email), collection: each.name });
    }
  }
  const last = rows[limit - 1];
  return {
    kind: 'listed',
    owners,
    people: await withChains(sql, rows.slice(0, limit), now),
    next: rows.length > limit && last !== undefined ? `${last.listedAt}.${last.id}` : null,
  };
}

/** Leaves out shares that do not hold now, and tells of the others by whom the key came. */
async function withChains(
  sql: Sql,
  rows: readonly PersonOfCollection[],
  now: EpochSeconds,
): Promise<readonly PersonView[]> {
  const shareIds = rows.filter(({ kind }) => kind === 'share').map(({ id }) => id);
  const held = new Map<string, HeldKey>();
  for (const each of await findHeldShares(sql, shareIds, now)) if (each.shareId !== null) held.set(each.shareId, each);
  const named = await namesOf(sql, [...new Set([...held.values()].flatMap(({ chain }) => chain))]);
  return rows.flatMap((row): PersonView[] => {
    if (row.kind !== 'share') return [{ ...row, chain: [] }];
    const key = held.get(row.id);
    if (key === undefined) return [];
    const chain = key.chain.toReversed().flatMap((id) => named.get(id) ?? []);
    return [{ ...row, untilAt: key.untilAt, chain }];
  });
}

/** As many as `findNamedShares` reads at a time. */
const namesAtOnce = 64;

async function namesOf(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, GivenBy>> {
  const named = new Map<string, GivenBy>();
  for (let from = 0; from < ids.length; from += namesAtOnce) {
    const shares = await findNamedShares(sql, ids.slice(from, from + namesAtOnce), { accountIds: [], hosts: [] });
    for (const { id, giverId, giverEmail } of shares) {
      named.set(id, { shareId: id, giverId, giverEmail: giverEmail || null });
    }
  }
  return named;
}

/** `<seconds>.<id>`: a place in the list, not a secret; an invented place shows nothing that a page does not show. */
function readCursor(text: string | undefined): { readonly listedAt: EpochSeconds; readonly id: string } | null {
  const [, at, id] = /^(\d{1,12})\.([\w-]{25})$/.exec(text ?? '') ?? [];
  const isPlace = id !== undefined && (['member', 'credentialKey', 'share'] as const).some((kind) => isId(kind, id));
  return at === undefined || id === undefined || !isPlace ? null : { listedAt: Number(at), id };
}
