// What an account can open: the collections it owns, and the resources that links and keys opened to it; and what it lost. Clean URLs, no tokens.
// Reads only.

import type { Config } from '../../config/compiled/config.ts';
import type { LostAccess } from '../../core/decision/state/access.ts';
import { collectionSubject, isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { listMemberships } from '../../store/rows/memberships.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { collectionsCovering, collectionsOwnedBy } from './collections.ts';
import { listStandingKeys } from './kept-keys.ts';
import { readLiveAccount } from './live-account.ts';
import { lossOf } from './lost-access.ts';
import { cleanUrl } from './tokenized-url.ts';

export interface AccessEntry {
  /** Id of the member, of the collection that is owned, of the share by which a key is held, or of an own key. */
  readonly grant: string;
  readonly kind: 'ownership' | 'link' | 'key';
  /** The link's label, the collection's name, or the name of the key. */
  readonly label: string;
  readonly url: string;
  readonly host: string;
  readonly path: string;
  /** Name of the collection. */
  readonly collection: string;
  /** Name or address of the account that gave the access; null for the owner. */
  readonly givenBy: string | null;
  readonly sinceAt: EpochSeconds | null;
  readonly untilAt: EpochSeconds | null;
}

/** Something that was shared with the account and is not any more. */
export interface LostEntry extends LostAccess {
  /** Id of the member. */
  readonly grant: string;
}

interface SharedListing {
  /** Part of a label, of a path, or of the owner's name. */
  readonly search?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to 200. */
  readonly limit: number;
}

type AccountActor = Extract<Actor, { kind: 'account' }>;

const maxEntries = 200;

/** Everything that is open to an account by itself, at most 200 of each kind. @throws StoreAway */
export async function listAccess(context: ControlContext, actor: AccountActor): Promise<readonly AccessEntry[]> {
  const [owned, shared] = [await listOwned(context, actor), await listShared(context, actor, { limit: maxEntries })];
  return [...owned, ...shared.entries, ...(await listByKeys(context, actor))];
}

/** What keys open to an account, newest first. Keys with a number of uses open by their representations alone, so they are not in it. */
async function listByKeys(context: ControlContext, actor: AccountActor): Promise<readonly AccessEntry[]> {
  const config = context.config();
  const account = await readAccount(context, actor);
  if (account === null) return [];
  const page = { before: null, limit: maxEntries };
  const keys = await listStandingKeys(context.store.sql, account.id, page, context.clock.epochSeconds());
  return keys
    .filter(({ state, usesAllowed }) => state === 'open' && usesAllowed === null)
    .filter((key) => collectionsCovering(config, key.host, key.path).some(({ name }) => name === key.collection))
    .map(({ id, keyName, collection, host, path, givenBy, sinceAt, untilAt }) => ({
      ...{ grant: id, kind: 'key', label: keyName, url: cleanUrl(config, host, path), host, path, collection },
      ...{ givenBy, sinceAt, untilAt },
    }));
}

/** The collections that an account owns. @throws StoreAway */
export async function listOwned(context: ControlContext, actor: AccountActor): Promise<readonly AccessEntry[]> {
  const config = context.config();
  const account = await readAccount(context, actor);
  if (account === null) return [];
  return collectionsOwnedBy(config, account.email).map(({ name, title, host, path }) => ({
    grant: collectionSubject(name),
    kind: 'ownership',
    label: title ?? name,
    url: cleanUrl(config, host, path),
    ...{ host, path, collection: name },
    ...{ givenBy: null, sinceAt: null, untilAt: null },
  }));
}

/** What links opened to an account, newest first. @throws StoreAway */
export async function listShared(
  context: ControlContext,
  actor: AccountActor,
  listing: SharedListing,
): Promise<{ readonly entries: readonly AccessEntry[]; readonly next: string | null }> {
  const config = context.config();
  const { rows, next } = await readPage(context, actor, 'live', listing);
  const open = rows.filter((row) =>
    collectionsCovering(config, row.host, row.path).some(({ name }) => name === row.collection),
  );
  return { entries: open.map((row) => sharedEntry(config, row)), next };
}

/** What links had opened to an account and do not any more, newest first. @throws StoreAway */
export async function listLost(
  context: ControlContext,
  actor: AccountActor,
  listing: SharedListing,
): Promise<{ readonly entries: readonly LostEntry[]; readonly next: string | null }> {
  const config = context.config();
  const { rows, next } = await readPage(context, actor, 'ended', listing);
  const entries = rows.flatMap((row) => {
    const lost = lossOf(config, row);
    return lost === null ? [] : [{ ...lost, grant: row.id }];
  });
  return { entries, next };
}

type MembershipRow = Awaited<ReturnType<typeof listMemberships>>[number];

function sharedEntry(config: Config, row: MembershipRow): AccessEntry {
  const { host, path, collection } = row;
  return {
    ...{ grant: row.id, kind: 'link', label: row.label, url: cleanUrl(config, host, path), host, path, collection },
    ...{ givenBy: row.ownerName, sinceAt: row.claimedAt, untilAt: row.accessUntilAt },
  };
}

async function readPage(
  context: ControlContext,
  actor: AccountActor,
  show: 'live' | 'ended',
  { search, after, limit }: SharedListing,
): Promise<{ readonly rows: readonly MembershipRow[]; readonly next: string | null }> {
  const account = await readAccount(context, actor);
  if (account === null) return { rows: [], next: null };
  const page = { show, search: search?.trim() || null, before: readCursor(after), limit: limit + 1 };
  const rows = await listMemberships(context.store.sql, account.id, { ...page, now: context.clock.epochSeconds() });
  const last = rows[limit - 1];
  const next = rows.length > limit && last !== undefined ? `${last.claimedAt}.${last.id}` : null;
  return { rows: rows.slice(0, limit), next };
}

async function readAccount(context: ControlContext, actor: AccountActor) {
  const reference = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId };
  return await readLiveAccount(context.store.sql, reference, context.clock.epochSeconds());
}

/** A place in the list as `next` writes it; an invented place shows nothing that a page does not show. */
function readCursor(text: string | undefined): { readonly createdAt: EpochSeconds; readonly id: string } | null {
  const [, at, id] = /^(\d{1,12})\.([\w-]{25})$/.exec(text ?? '') ?? [];
  return at === undefined || id === undefined || !isId('member', id) ? null : { createdAt: Number(at), id };
}
