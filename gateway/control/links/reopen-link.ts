// Opens a link again for more people or for longer, or gives the link a new secret. A revoked link stays revoked: people who lost
// their access with the link must not get it back because somebody else is to be let in, so that takes a new link.
// A new secret ends the old tokenized URL; members stay.

import { digestLinkSecret, formatLinkToken, linkSecretBytes } from '../../core/model/link.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { changeLink, findLink, type LinkChange, type LinkRow } from '../../store/rows/links.ts';
import { placeLabel } from '../access/place-input.ts';
import { tokenizedUrl } from '../access/tokenized-url.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { findManagedLink } from './authority.ts';
import { isClaimCount, type LinkProblem, timesAreSound } from './link-input.ts';
import { type LinkView, viewOf } from './link-view.ts';
import { sealLinkSecret } from './sealed-secret.ts';

/** An absent member stays as it is; null takes a limit away. */
interface LinkReopening {
  readonly linkId: string;
  readonly label?: string;
  readonly claimsAllowed?: number;
  readonly claimUntilAt?: EpochSeconds | null;
  readonly accessUntilAt?: EpochSeconds | null;
  /** Makes a new tokenized URL; the old URL is void then. */
  readonly newSecret?: boolean;
  readonly requestId: string | null;
}

type LinkReopened =
  /** `url` is a secret; null when the old URL stays valid. */
  | { readonly kind: 'reopened'; readonly link: LinkView; readonly url: string | null }
  | { readonly kind: 'refused'; readonly problem: LinkProblem | 'revoked' }
  | { readonly kind: 'not-found' };

/** @throws StoreAway */
export async function reopenLink(context: ControlContext, actor: Actor, input: LinkReopening): Promise<LinkReopened> {
  const config = context.config();
  const secret = context.random(linkSecretBytes);
  const written = await context.write(async (unit): Promise<LinkReopened> => {
    const link = await findManagedLink(unit.sql, config, actor, input.linkId, unit.now);
    if (link === null) return { kind: 'not-found' };
    if (link.revoked_at !== null) return { kind: 'refused', problem: 'revoked' };
    const change = changeOf(link, input, unit.now);
    if (typeof change === 'string') return { kind: 'refused', problem: change };
    const token = input.newSecret === true ? formatLinkToken(link.id, secret) : null;
    await changeLink(unit.sql, link.id, {
      ...change,
      ...(token === null ? {} : secretColumns(context, link.id, token.slice(link.id.length + 1))),
    });

    const isCutShort = endOf(change.access_until_at) < endOf(link.access_until_at);
    // Passes that were made under the later end are made anew; edges ask again for answers that were no.
    await unit.append({ kind: isCutShort ? 'revoke' : 'touch', node: link.id });
    await unit.append({ kind: 'touch', node: collectionSubject(link.collection) });
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'link.reopened',
      subject: link.id,
      details: {
        claims_allowed: change.claims_allowed ?? link.claims_allowed,
        claim_until_at: change.claim_until_at ?? null,
        access_until_at: change.access_until_at ?? null,
        new_secret: token !== null,
      },
      requestId: input.requestId,
    });
    const now = await findLink(unit.sql, link.id);
    return {
      kind: 'reopened',
      link: viewOf(config, now ?? link, unit.now),
      url: token === null ? null : tokenizedUrl(config, link.host, link.path, link.access_key_id, token),
    };
  });
  return written.value;
}

function changeOf(link: LinkRow, input: LinkReopening, now: EpochSeconds): LinkChange | LinkProblem {
  const label = input.label === undefined ? link.label : placeLabel(input.label);
  if (label === null) return 'bad-label';
  const claimsAllowed = input.claimsAllowed ?? link.claims_allowed;
  if (!isClaimCount(claimsAllowed) || claimsAllowed < link.claims_used) return 'bad-claims';
  // a link for one address stays a link for one person
  if (link.for_email !== null && claimsAllowed !== 1) return 'bad-claims';
  const claimUntilAt = input.claimUntilAt === undefined ? link.claim_until_at : input.claimUntilAt;
  const accessUntilAt = input.accessUntilAt === undefined ? link.access_until_at : input.accessUntilAt;
  // Only times that were given have to be in the future: raising the number of claims alone is allowed after the link's window.
  const given = {
    claimFromAt: link.claim_from_at,
    claimUntilAt: input.claimUntilAt === undefined ? null : claimUntilAt,
    accessUntilAt: input.accessUntilAt === undefined ? null : accessUntilAt,
  };
  if (!timesAreSound(given, now)) return 'bad-window';
  return { label, claims_allowed: claimsAllowed, claim_until_at: claimUntilAt, access_until_at: accessUntilAt };
}

function endOf(at: EpochSeconds | null | undefined): number {
  return at ?? Number.POSITIVE_INFINITY;
}

function secretColumns(context: ControlContext, linkId: string, secret: string): LinkChange {
  return { secret_digest: digestLinkSecret(secret), secret_sealed: sealLinkSecret(context, linkId, secret) };
}
