// Who may give a key, and who may see and end a share. The store's rows decide, read in the unit that acts. For everybody else there is no such
// key and no such share.

import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import { findCredential, findCredentialKey } from '../../store/sharing/credentials.ts';
import { findHeldKeys, type HeldKey, readChain } from '../../store/sharing/share-chains.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { readLiveAccount } from '../access/live-account.ts';
import type { Actor, ControlContext } from '../context/control-context.ts';
import { depthBelow } from '../keys/depth-below.ts';
import type { ShareReader } from './share-view.ts';

/** The right to give a key. */
interface MayGive {
  /** The account that gives: the actor's, or for the operator the one that the key's credential belongs to. */
  readonly giverId: string;
  readonly held: HeldKey;
  /** Most shares that may hang below the new one, one under the other. */
  readonly mostDepth: number;
  /** Accounts that a share to would be "yours already": the giver, everybody above in the chain, and the credential's. */
  readonly above: readonly string[];
}

/**
 * The right of an actor to give a key now; null for none. A key is given by the account of its credential, or by a holder whose share has
 * depth left and no number of uses. Of several ways the one with the most depth counts, then the one that lasts longest. The chain with
 * everything below the new share is never longer than `sharing.reshare_depth` allows.
 */
export async function findMayGive(
  sql: Sql,
  { config }: Pick<ControlContext, 'config'>,
  actor: Actor,
  keyId: string,
  now: EpochSeconds,
): Promise<MayGive | null> {
  const key = await findCredentialKey(sql, keyId);
  const credential = key === null ? null : await findCredential(sql, key.credential_id);
  if (credential === null) return null;
  const giverId = actor.kind === 'account' ? await liveAccountId(sql, actor, now) : credential.account_id;
  if (giverId === null) return null;
  const ways = (await findHeldKeys(sql, giverId, keyId, now))
    .map((held) => ({ held, mostDepth: depthBelow(held, config()) }))
    .filter(({ mostDepth }) => mostDepth >= 0)
    // the order of equals stays: own ones first, then those that last longest
    .sort((one, other) => other.mostDepth - one.mostDepth);
  const [best] = ways;
  if (best === undefined) return null;
  const { shareId } = best.held;
  const chain = shareId === null ? [] : await readChain(sql, shareId);
  const above = [giverId, credential.account_id, ...chain.flatMap((link) => [link.giverId, link.accountId])];
  return { ...best, giverId, above: [...new Set(above)] };
}

/** A share, and what the reader is to it. */
interface FoundShare {
  readonly share: ListedShare;
  readonly reader: ShareReader;
}

/** A share for an actor who is a party of it; null for everybody else, and when there is no such share. */
export async function findShareFor(sql: Sql, actor: Actor, id: string, now: EpochSeconds): Promise<FoundShare | null> {
  const share = await readListedShare(sql, id, now);
  const chain = await readChain(sql, id);
  if (actor.kind !== 'account') return share === null ? null : { share, reader: 'admin' };
  const accountId = await liveAccountId(sql, actor, now);
  if (share === null || accountId === null) return null;
  if (share.giver_id === accountId) return { share, reader: 'giver' };
  const isAbove = share.ownerId === accountId || chain.some(({ giverId }) => giverId === accountId);
  if (isAbove) return { share, reader: 'above' };
  if (isRecipient(share, { accountId, email: actor.email })) return { share, reader: 'recipient' };
  return actor.role === 'admin' ? { share, reader: 'admin' } : null;
}

/** Whether an account is whom the share was sent to. Before the message was handed over nobody is. */
function isRecipient(share: ListedShare, reader: { readonly accountId: string; readonly email: string }): boolean {
  switch (share.state) {
    case 'pending':
      return share.first_mail_at !== null && share.email === reader.email;
    case 'declined':
    case 'accepted':
    case 'disabled':
    case 'revoked':
      return share.account_id === reader.accountId;
    case 'withdrawn':
      return false;
    default:
      return share.state satisfies never;
  }
}

async function liveAccountId(
  sql: Sql,
  { accountId, sessionId, deviceId }: Extract<Actor, { kind: 'account' }>,
  now: EpochSeconds,
): Promise<string | null> {
  const account = await readLiveAccount(sql, { account: accountId, session: sessionId, device: deviceId }, now);
  return account?.id ?? null;
}
