// The representations of a key, for the account that made them and for whoever may end the share that they are made from; and their end.

import type { RepresentationKind } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import {
  findRepresentation,
  listRepresentations,
  markRepresentationRevoked,
  type RepresentationRow,
} from '../../store/sharing/representations.ts';
import { readLiveAccount } from '../access/live-account.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { noteShare, type Origin } from '../keys/note-share.ts';
import { findShareFor } from '../sharing/share-authority.ts';

/** `open`: it can be used. `opened`: a one-time URL whose pass may still last. */
export const representationStates = ['open', 'opened', 'expired', 'revoked'] as const;

export interface RepresentationView {
  readonly id: string;
  readonly keyId: string;
  readonly shareId: string | null;
  readonly kind: RepresentationKind;
  readonly state: (typeof representationStates)[number];
  readonly createdAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  readonly usedAt: EpochSeconds | null;
  readonly revokedAt: EpochSeconds | null;
}

type AccountActor = Extract<Actor, { kind: 'account' }>;

const maxListed = 100;

/** Those that an account made of a key, newest first, at most 100. @throws StoreAway */
export async function listMyRepresentations(
  context: ControlContext,
  actor: AccountActor,
  keyId: string,
): Promise<readonly RepresentationView[]> {
  const now = context.clock.epochSeconds();
  const { accountId, sessionId, deviceId } = actor;
  const { sql } = context.store;
  const account = await readLiveAccount(sql, { account: accountId, session: sessionId, device: deviceId }, now);
  if (account === null) return [];
  return (await listRepresentations(sql, { accountId, keyId }, maxListed)).map((row) => viewOf(row, now));
}

/** Those that were made of one share, for its parties; null for everybody else. @throws StoreAway */
export async function listRepresentationsOfShare(
  context: ControlContext,
  actor: Actor,
  shareId: string,
): Promise<readonly RepresentationView[] | null> {
  const now = context.clock.epochSeconds();
  const { sql } = context.store;
  if ((await findShareFor(sql, actor, shareId, now)) === null) return null;
  return (await listRepresentations(sql, { shareId }, maxListed)).map((row) => viewOf(row, now));
}

/** `wasLive` false: it was revoked before. `isTheirs`: the actor made it, and did not only give the key that it is of. */
interface RepresentationRevoked {
  readonly kind: 'revoked';
  readonly wasLive: boolean;
  readonly keyId: string;
  readonly shareId: string | null;
  readonly isTheirs: boolean;
}

/**
 * Ends a representation, and everything that is open by it.
 *
 * @throws StoreAway  nothing may be called revoked
 */
export async function revokeRepresentation(
  context: ControlContext,
  actor: Actor,
  id: string,
  origin: Origin,
): Promise<RepresentationRevoked | { readonly kind: 'not-found' }> {
  const written = await context.write(async (unit): Promise<RepresentationRevoked | { readonly kind: 'not-found' }> => {
    const { sql, now } = unit;
    const row = await findRepresentation(sql, id);
    const isTheirs = actor.kind !== 'account' || row?.account_id === actor.accountId;
    const mayEnd = isTheirs || (row?.share_id != null && (await findShareFor(sql, actor, row.share_id, now)) !== null);
    if (row === null || !mayEnd) return { kind: 'not-found' };
    const revoked = { kind: 'revoked', keyId: row.key_id, shareId: row.share_id, isTheirs } as const;
    if (!(await markRepresentationRevoked(sql, id, actorName(actor), now))) return { ...revoked, wasLive: false };
    await unit.append({ kind: 'revoke', node: id });
    await noteShare(unit, {
      ...{ actor: actorName(actor), action: 'representation.revoked', subject: id, origin },
      details: { key: row.key_id, share: row.share_id },
    });
    return { ...revoked, wasLive: true };
  });
  return written.value;
}

function viewOf(row: RepresentationRow, now: EpochSeconds): RepresentationView {
  return {
    ...{ id: row.id, keyId: row.key_id, shareId: row.share_id, kind: row.kind, state: stateOf(row, now) },
    ...{ createdAt: row.created_at, expiresAt: row.expires_at, usedAt: row.used_at, revokedAt: row.revoked_at },
  };
}

function stateOf(row: RepresentationRow, now: EpochSeconds): RepresentationView['state'] {
  if (row.revoked_at !== null) return 'revoked';
  if (row.used_at !== null) return 'opened';
  return row.expires_at <= now ? 'expired' : 'open';
}
