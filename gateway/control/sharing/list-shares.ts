// The shares that an actor gave and got, those that hang below one, and a single share. Reads only. For all other actors a share is not there.

import { isId } from '../../core/model/node-id.ts';
import type { ShareStanding } from '../../core/model/share.ts';
import {
  type ListedShare,
  listShareRows,
  type ShareCursor,
  type ShareFilter,
} from '../../store/sharing/share-lists.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { findShareFor } from './share-authority.ts';
import { type ShareReader, type ShareView, shareViewOf } from './share-view.ts';

/** Rows on a page. */
export const maxSharesPerPage = 100;

interface SharePage {
  readonly shares: readonly ShareView[];
  /** Where the next page begins; null when this page is the last. */
  readonly next: string | null;
}

interface ShareListing {
  /** Default: both. */
  readonly direction?: 'given' | 'got' | undefined;
  /** Only those that read so now. Default: all. */
  readonly state?: ShareStanding | undefined;
  /** Part of an address or of a key's name. Default: all. */
  readonly search?: string | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to `maxSharesPerPage`. */
  readonly limit?: number | undefined;
}

/** The shares that an account gave or got, newest first; of the operator `given` are all there are, and nothing is got. @throws StoreAway */
export async function listShares(context: ControlContext, actor: Actor, listing: ShareListing): Promise<SharePage> {
  const of = filterOf(actor, listing.direction);
  if (of === null) return { shares: [], next: null };
  return await readPage(context, { of }, listing, ({ giver_id }) => {
    if (actor.kind !== 'account') return 'admin';
    return giver_id === actor.accountId ? 'giver' : 'recipient';
  });
}

/** The shares that hang below one at once, for whoever may end it; null for everybody else. @throws StoreAway */
export async function listSharesBelow(
  context: ControlContext,
  actor: Actor,
  shareId: string,
  listing: Pick<ShareListing, 'after' | 'limit'> = {},
): Promise<SharePage | null> {
  const found = await findShareFor(context.store.sql, actor, shareId, context.clock.epochSeconds());
  if (found === null) return null;
  // the holder of a share is the giver of those below it
  const reader = found.reader === 'recipient' ? 'giver' : found.reader === 'admin' ? 'admin' : 'above';
  return await readPage(context, { of: { kind: 'below', shareId } }, listing, () => reader);
}

/** @throws StoreAway */
export async function readShare(context: ControlContext, actor: Actor, shareId: string): Promise<ShareView | null> {
  const now = context.clock.epochSeconds();
  const found = await findShareFor(context.store.sql, actor, shareId, now);
  return found === null ? null : shareViewOf(found.share, found.reader, now);
}

async function readPage(
  context: ControlContext,
  filter: ShareFilter,
  { state, search, after, limit }: Pick<ShareListing, 'state' | 'search' | 'after' | 'limit'>,
  readerOf: (share: ListedShare) => ShareReader,
): Promise<SharePage> {
  const now = context.clock.epochSeconds();
  const size = Math.min(Math.max(limit ?? maxSharesPerPage, 1), maxSharesPerPage);
  const asked = {
    ...filter,
    ...(state === undefined ? {} : { standing: state }),
    ...(search === undefined ? {} : { search: search.trim() }),
  };
  const rows = await listShareRows(context.store.sql, asked, readCursor(after), size + 1, now);
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    shares: page.map((row) => shareViewOf(row, readerOf(row), now)),
    next: rows.length > size && last !== undefined ? writeCursor(last) : null,
  };
}

function filterOf(actor: Actor, direction: 'given' | 'got' | undefined): ShareFilter['of'] | null {
  if (actor.kind !== 'account') return direction === 'got' ? null : { kind: 'all' };
  const { accountId, email } = actor;
  if (direction === undefined) return { kind: 'both', accountId, email };
  return direction === 'given' ? { kind: 'given', accountId } : { kind: 'got', accountId, email };
}

/** `<seconds>.<id>`: a place in the list, not a secret. */
function writeCursor({ created_at, id }: ListedShare): string {
  return `${created_at}.${id}`;
}

function readCursor(text: string | undefined): ShareCursor | null {
  const [, at, id] = /^(\d{1,12})\.([\w-]{25})$/.exec(text ?? '') ?? [];
  return at === undefined || id === undefined || !isId('share', id) ? null : { createdAt: Number(at), id };
}
