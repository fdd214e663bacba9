// A link as its owner sees it: all settings and counts, but not the secret, neither its digest nor its seal. show-link-address.ts opens the seal.

import type { Config } from '../../config/compiled/config.ts';
import { type LinkState, type LinkTerms, linkState } from '../../core/model/link.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { LinkRow } from '../../store/rows/links.ts';
import { methodsOf, methodsWithin } from '../access/access-sources.ts';
import { collectionNamed } from '../access/collections.ts';
import { cleanUrl } from '../access/tokenized-url.ts';

export interface LinkView {
  readonly id: string;
  readonly linkKeyId: string;
  readonly collection: string;
  readonly host: string;
  readonly path: string;
  /** The URL that members come back to; it contains no token. */
  readonly cleanUrl: string;
  readonly label: string;
  readonly state: LinkState;
  readonly claimsAllowed: number;
  readonly claimsUsed: number;
  readonly claimFromAt: EpochSeconds | null;
  readonly claimUntilAt: EpochSeconds | null;
  readonly accessUntilAt: EpochSeconds | null;
  /** What members may use: those of the link that its collection allows; null for those of the route. */
  readonly methods: readonly string[] | null;
  /** Whether members, and the owner, are told by mail. */
  readonly notify: boolean;
  /** The only address whose account may claim; null for any. */
  readonly forEmail: string | null;
  /** Whether the tokenized URL can be shown again: its secret is kept, and the link has not ended. */
  readonly hasAddress: boolean;
  readonly createdAt: EpochSeconds;
  readonly revokedAt: EpochSeconds | null;
}

export function viewOf(config: Config, link: LinkRow, now: EpochSeconds): LinkView {
  const state = linkState(termsOf(link), now);
  return {
    id: link.id,
    linkKeyId: link.access_key_id,
    collection: link.collection,
    host: link.host,
    path: link.path,
    cleanUrl: cleanUrl(config, link.host, link.path),
    label: link.label,
    state,
    claimsAllowed: link.claims_allowed,
    claimsUsed: link.claims_used,
    claimFromAt: link.claim_from_at,
    claimUntilAt: link.claim_until_at,
    accessUntilAt: link.access_until_at,
    methods: methodsWithin(methodsOf(link.methods), collectionNamed(config, link.collection) ?? { methods: null }),
    notify: link.notify_members === 1,
    forEmail: link.for_email,
    hasAddress: link.secret_sealed !== null && state !== 'revoked' && state !== 'access-over',
    createdAt: link.created_at,
    revokedAt: link.revoked_at,
  };
}

export function termsOf(link: LinkRow): LinkTerms {
  return {
    claimsAllowed: link.claims_allowed,
    claimsUsed: link.claims_used,
    claimFromAt: link.claim_from_at,
    claimUntilAt: link.claim_until_at,
    accessUntilAt: link.access_until_at,
    revokedAt: link.revoked_at,
  };
}
