// The JSON shapes of links and their members over `v1`, in snake_case as all of `v1`. The endpoints answer with them, and the command line
// reads answers by them. The tokenized URL is no part of a link's shape: the answers that make it or show it again hold it beside the link.

import { z } from 'zod';
import type { MadeLink } from '../../control/links/create-link.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import type { MemberView } from '../../control/links/list-links.ts';
import { id } from '../serve/shapes.ts';

/** A time in epoch seconds, in answers. What a request may say is `moment` of serve/shapes.ts. */
export const at = z.int().min(0);
/** An HTTP method. */
export const method = z.string().max(32).meta({ pattern: '^[A-Z][A-Z-]{0,31}$' });

export const linkShape = z.object({
  id,
  access_key: id.describe('the link key that the URL names; not a common key'),
  collection: z.string(),
  host: z.string(),
  path: z.string(),
  clean_url: z.string().describe('where members come back to, without a token'),
  label: z.string(),
  state: z.enum(['open', 'full', 'early', 'past-window', 'access-over', 'revoked']),
  claims_allowed: z.int(),
  claims_used: z.int(),
  claim_from_at: at.nullable(),
  claim_until_at: at.nullable(),
  access_until_at: at.nullable(),
  methods: z.array(method).nullable(),
  notify: z.boolean(),
  for_email: z.string().nullable().describe('the only address whose account may claim; null for any'),
  has_address: z.boolean().describe('whether its URL can be shown again: POST links/LINK/address'),
  created_at: at,
  revoked_at: at.nullable(),
});

/** A link as owners see it, without its token. */
export type Link = z.infer<typeof linkShape>;

const memberShape = z.object({
  id,
  account: id,
  email: z.string().nullable().describe('null once the account was deleted'),
  name: z.string(),
  claimed_at: at,
  last_seen_at: at.nullable(),
  revoked_at: at.nullable(),
  claimed_on: z.string().nullable().describe('the device that claimed'),
  devices: z.array(z.object({ name: z.string(), last_seen_at: at })),
});

/** A member of a link as the link's owner sees it. */
export type Member = z.infer<typeof memberShape>;

const url = z.string().describe('a secret: whoever has it may claim');

export const createdShape = z.object({
  link: linkShape,
  url,
  made: z
    .array(
      z.object({
        link: linkShape,
        url,
        mailed_to: z.string().nullable().describe('the address that it is mailed to; null for none'),
        mail: z
          .enum(['queued', 'left-out', 'off'])
          .nullable()
          .describe('left-out: too many mails in this hour; off: no mail is configured'),
      }),
    )
    .describe('all links that were made, one for each address; `link` and `url` are those of the first'),
});
export const addressShape = z.object({ link: linkShape, url });
export const reopenedShape = z.object({
  link: linkShape,
  url: z.string().nullable().describe('the new URL, where one was asked for'),
});

const next = z.string().nullable().describe('`after` of the next page');

export const linksShape = z.object({ links: z.array(linkShape), next });
export const membersShape = z.object({ members: z.array(memberShape), next });
export const revokedShape = z.object({ was_live: z.boolean().describe('false: it had been revoked before') });
export const allRevokedShape = z.object({ links: z.int().describe('how many were live') });

export const givenBackShape = z.object({ given_back: z.literal(true) });
export const linksGivenBackShape = z.object({ links: z.int().describe('how many live again') });

/** @returns the link in its JSON shape */
export function showLink(view: LinkView): Link {
  return {
    id: view.id,
    access_key: view.linkKeyId,
    collection: view.collection,
    host: view.host,
    path: view.path,
    clean_url: view.cleanUrl,
    label: view.label,
    state: view.state,
    claims_allowed: view.claimsAllowed,
    claims_used: view.claimsUsed,
    claim_from_at: view.claimFromAt,
    claim_until_at: view.claimUntilAt,
    access_until_at: view.accessUntilAt,
    methods: view.methods === null ? null : [...view.methods],
    notify: view.notify,
    for_email: view.forEmail,
    has_address: view.hasAddress,
    created_at: view.createdAt,
    revoked_at: view.revokedAt,
  };
}

/** @returns one of the links that were made together, in its JSON shape */
export function showMade({ link, url, mailedTo, mail }: MadeLink) {
  return { link: showLink(link), url, mailed_to: mailedTo, mail };
}

/** @returns the member in its JSON shape */
export function showMember(view: MemberView): Member {
  return {
    id: view.id,
    account: view.accountId,
    email: view.email,
    name: view.displayName,
    claimed_at: view.claimedAt,
    last_seen_at: view.lastSeenAt,
    revoked_at: view.revokedAt,
    claimed_on: view.claimedOn,
    devices: view.devices.map(({ name, lastSeenAt }) => ({ name, last_seen_at: lastSeenAt })),
  };
}
