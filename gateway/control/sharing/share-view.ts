// A share as its parties see it. Recipient and giver see the giver's words; whoever stands above sees the address and not the words. No
// view holds anything that comes from the registration of an address: no account, no name, not whether there is one.

import { type ShareStanding, shareStanding } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { ListedShare } from '../../store/sharing/share-lists.ts';

/**
 * Who reads a share. `giver`: gave it. `above`: gave a share above it, or has the credential. `recipient`: it was sent to the reader's
 * verified address, or the reader holds it. `admin`: an administrator or the operator.
 */
export type ShareReader = 'giver' | 'above' | 'recipient' | 'admin';

export interface ShareView {
  readonly id: string;
  readonly key: {
    readonly id: string;
    readonly name: string;
    readonly credential: { readonly id: string; readonly name: string; readonly issuer: string };
  };
  readonly state: ShareStanding;
  /** Whether it gives the key now. An accepted share does not while something above it is stopped, ended or over. */
  readonly isHeld: boolean;
  /** As it was typed; null once it was erased. */
  readonly email: string | null;
  /** Name of the giver, else the address; null once that account was deleted. */
  readonly givenBy: string | null;
  readonly reader: ShareReader;
  /** The giver's own words; null for none, and for readers whom they are not meant for. */
  readonly words: string | null;
  readonly usableFromAt: EpochSeconds | null;
  readonly usableUntilAt: EpochSeconds | null;
  readonly usesAllowed: number | null;
  readonly usesLeft: number | null;
  readonly reshareDepth: number;
  readonly depth: number;
  readonly createdAt: EpochSeconds;
  readonly expiresAt: EpochSeconds;
  readonly acceptedAt: EpochSeconds | null;
  readonly endedAt: EpochSeconds | null;
  readonly lastUsedAt: EpochSeconds | null;
  /** `failed`: the message could not be delivered. Only for those who may send it again. */
  readonly mail: 'failed' | null;
}

export function shareViewOf(share: ListedShare, reader: ShareReader, now: EpochSeconds): ShareView {
  const knowsWords = reader === 'giver' || reader === 'recipient';
  return {
    id: share.id,
    key: {
      id: share.key_id,
      name: share.keyName,
      credential: { id: share.credentialId, name: share.credentialName, issuer: share.credentialIssuer },
    },
    state: shareStanding(
      {
        state: share.state,
        expiresAt: share.expires_at,
        usableFromAt: share.usable_from_at,
        usableUntilAt: share.usable_until_at,
        hasOpenRequest: share.openRequest === 1,
      },
      now,
    ),
    isHeld: share.isHeld,
    email: share.email || null,
    givenBy: share.giverName || share.giverEmail || null,
    reader,
    words: knowsWords ? share.words || null : null,
    usableFromAt: share.usable_from_at,
    usableUntilAt: share.usable_until_at,
    usesAllowed: share.uses_allowed,
    usesLeft: share.uses_left,
    reshareDepth: share.reshare_depth,
    depth: share.depth,
    createdAt: share.created_at,
    expiresAt: share.expires_at,
    acceptedAt: share.accepted_at,
    endedAt: share.ended_at,
    lastUsedAt: share.last_used_at,
    mail: reader !== 'recipient' && share.mail_failed_at !== null ? 'failed' : null,
  };
}
