// What an account has of keys, for itself: its keys, and the credentials that they hang off. Reads only.

import { isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { listKeptCredentials } from '../../store/sharing/held-lists.ts';
import { methodsOf, methodsWithin } from '../access/access-sources.ts';
import { collectionNamed } from '../access/collections.ts';
import { type KeyState, listStandingKeys } from '../access/kept-keys.ts';
import { readLiveAccount } from '../access/live-account.ts';
import { cleanUrl } from '../access/tokenized-url.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { depthBelow } from './depth-below.ts';

/** A key that the account can use, or could if nothing stood in the way. */
export interface MyKey {
  /** Id of the key. */
  readonly id: string;
  readonly name: string;
  readonly state: KeyState;
  /** The share by which the account holds it; null for an own key. */
  readonly shareId: string | null;
  readonly credential: { readonly name: string; readonly issuer: string; readonly picture: string | null };
  /** Name or address of the account that gave it; null for an own key, empty once that account was deleted. */
  readonly givenBy: string | null;
  readonly collection: string;
  /** What it opens, without a token. */
  readonly cleanUrl: string;
  /** Null for those of the route. */
  readonly methods: readonly string[] | null;
  readonly sinceAt: EpochSeconds;
  readonly usableFromAt: EpochSeconds | null;
  /** The earliest end of anything that it hangs on, as far as it is known; null for none. */
  readonly untilAt: EpochSeconds | null;
  /** A number of uses: it opens by representations only. Null for no limit. */
  readonly usesAllowed: number | null;
  readonly usesLeft: number | null;
  /** How many shares may hang below one that the account gives, one under the other; null where the account may not give the key. */
  readonly mostDepth: number | null;
  readonly lastUsedAt: EpochSeconds | null;
}

/** A credential of the account, or one that a key hangs off which it received: of that one nothing else is told. */
interface MyCredential {
  /** null for one of somebody else. */
  readonly id: string | null;
  readonly name: string;
  readonly issuer: string;
  readonly picture: string | null;
  readonly validFromAt: EpochSeconds | null;
  readonly validUntilAt: EpochSeconds | null;
  /** Name or address of whoever gave a key of it; null for an own one, empty once that account was deleted. */
  readonly givenBy: string | null;
}

type AccountActor = Extract<Actor, { kind: 'account' }>;

/** Rows on a page. */
export const myKeysPerPage = 100;
const maxCredentials = 200;

interface MyKeysListing {
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to `myKeysPerPage`. */
  readonly limit?: number | undefined;
  /** Only the ways in which the account has this key. Default: all keys. */
  readonly keyId?: string | undefined;
}

/** Newest first. @throws StoreAway */
export async function listMyKeys(
  context: ControlContext,
  actor: AccountActor,
  listing: MyKeysListing = {},
): Promise<{ readonly keys: readonly MyKey[]; readonly next: string | null }> {
  const now = context.clock.epochSeconds();
  const { sql } = context.store;
  if ((await liveId(context, actor, now)) === null) return { keys: [], next: null };
  const limit = Math.min(Math.max(listing.limit ?? myKeysPerPage, 1), myKeysPerPage);
  const page = { before: readCursor(listing.after), limit: limit + 1, keyId: listing.keyId };
  const rows = await listStandingKeys(sql, actor.accountId, page, now);
  const config = context.config();
  const last = rows[limit - 1];
  const keys = rows.slice(0, limit).map((row): MyKey => {
    const { keyId, keyName, state, shareId, credentialName, issuer, picture, givenBy, collection, host, path } = row;
    const mostDepth = state === 'open' ? depthBelow(row, config) : -1;
    return {
      ...{ id: keyId, name: keyName, state, shareId, givenBy, collection },
      credential: { name: credentialName, issuer, picture },
      cleanUrl: cleanUrl(config, host, path),
      methods: methodsWithin(methodsOf(row.methods), collectionNamed(config, collection) ?? { methods: null }),
      sinceAt: row.sinceAt,
      usableFromAt: row.usableFromAt ?? row.validFromAt,
      untilAt: row.untilAt ?? row.usableUntilAt,
      usesAllowed: row.usesAllowed,
      usesLeft: row.usesLeft,
      mostDepth: mostDepth < 0 ? null : mostDepth,
      lastUsedAt: row.lastUsedAt,
    };
  });
  return { keys, next: rows.length > limit && last !== undefined ? `${last.sinceAt}.${last.id}` : null };
}

/** Own ones first, then those of received keys; at most 200 of each. @throws StoreAway */
export async function listMyCredentials(
  context: ControlContext,
  actor: AccountActor,
): Promise<readonly MyCredential[]> {
  const now = context.clock.epochSeconds();
  if ((await liveId(context, actor, now)) === null) return [];
  return await listKeptCredentials(context.store.sql, actor.accountId, { limit: maxCredentials, now });
}

async function liveId(
  context: ControlContext,
  { accountId, sessionId, deviceId }: AccountActor,
  now: EpochSeconds,
): Promise<string | null> {
  const reference = { account: accountId, session: sessionId, device: deviceId };
  return (await readLiveAccount(context.store.sql, reference, now))?.id ?? null;
}

/** `<seconds>.<id>`: a place in the list, not a secret; an invented place shows nothing that a page does not show. */
function readCursor(text: string | undefined): { readonly sinceAt: EpochSeconds; readonly id: string } | null {
  const [, at, id] = /^(\d{1,12})\.([\w-]{25})$/.exec(text ?? '') ?? [];
  if (at === undefined || id === undefined || !(isId('share', id) || isId('credentialKey', id))) return null;
  return { sinceAt: Number(at), id };
}
