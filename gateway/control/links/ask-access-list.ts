// The two questions to the access list about an account that presents a link: is this account bound to this token, and is it
// authorised by anything else? Reads only; a caller that writes asks in the unit that writes.

import type { Config } from '../../config/compiled/config.ts';
import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { type LinkState, linkState } from '../../core/model/link.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import type { LinkRow } from '../../store/rows/links.ts';
import { findMember } from '../../store/rows/members.ts';
import { findAccessReason } from '../access/access-sources.ts';
import { collectionsCovering } from '../access/collections.ts';
import { type LiveAccount, readLiveAccount } from '../access/live-account.ts';
import type { Actor } from '../context/control-context.ts';
import { termsOf } from './link-view.ts';
import { findPresentedLink, isInCollection, type Presentation } from './present-link.ts';

/** The two answers of the access list, for provenance. */
export interface ListAnswers {
  /** Whether the account was bound to this token already. */
  readonly isBound: boolean;
  /** Whether the account is let in by anything else than this link. */
  readonly isAuthorisedOtherwise: boolean;
}

/** Both answers are no: the link decides what happens now. */
interface OnNoList {
  readonly kind: 'on-no-list';
  readonly link: LinkRow;
  readonly account: LiveAccount;
  readonly state: LinkState;
  readonly collections: readonly CollectionConfig[];
  readonly answers: ListAnswers;
}

/** An outcome that is settled without a claim: a yes of the access list, or a refusal that does not come from the link. */
export type SettledByList =
  /** The account was bound to this token before: it passes, and no claim is spent. */
  | { readonly kind: 'already'; readonly linkId: string; readonly memberId: string; readonly answers: ListAnswers }
  /** Something else lets the account in: it passes, and no claim is spent. */
  | { readonly kind: 'yours-otherwise'; readonly linkId: string; readonly grant: string; readonly answers: ListAnswers }
  | RefusedByList;

export type RefusedByList =
  | { readonly kind: 'revoked' }
  /** The owner took back what this account had by this link. */
  | { readonly kind: 'member-revoked' }
  | { readonly kind: 'wrong-pair' }
  /** The link was made for another address than the account's. */
  | { readonly kind: 'not-for-you' }
  /** The account is disabled, deleted or unverified, or its session ended meanwhile. */
  | { readonly kind: 'account-not-able' };

export async function askAccessList(
  sql: Sql,
  config: Config,
  actor: Extract<Actor, { kind: 'account' }>,
  presented: Presentation,
  now: EpochSeconds,
): Promise<OnNoList | SettledByList> {
  const link = await findPresentedLink(sql, presented);
  if (link === null || !isInCollection(config, link)) return { kind: 'wrong-pair' };
  if (link.revoked_at !== null) return { kind: 'revoked' };
  const reference = { account: actor.accountId, session: actor.sessionId, device: actor.deviceId };
  const account = await readLiveAccount(sql, reference, now);
  if (account === null) return { kind: 'account-not-able' };

  const state = linkState(termsOf(link), now);
  const bound = await findMember(sql, link.id, account.id);
  const isBound = bound !== null && bound.revoked_at === null && state !== 'access-over';
  const collections = collectionsCovering(config, link.host, link.path);
  const place = { accountId: account.id, email: account.email, host: link.host, path: link.path, now };
  const other = await findAccessReason(sql, { ...place, collections }, link.id);
  const answers = { isBound, isAuthorisedOtherwise: other !== null };
  if (isBound) return { kind: 'already', linkId: link.id, memberId: bound.id, answers };
  if (other !== null) return { kind: 'yours-otherwise', linkId: link.id, grant: other.id, answers };
  if (bound !== null && bound.revoked_at !== null) return { kind: 'member-revoked' };
  if (link.for_email !== null && link.for_email !== account.email) return { kind: 'not-for-you' };
  return { kind: 'on-no-list', link, account, state, collections, answers };
}
