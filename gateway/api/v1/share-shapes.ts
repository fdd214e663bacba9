// The JSON shapes of shares over `v1`, in snake_case as all of `v1`. No shape holds anything that comes from the registration of an address.

import { z } from 'zod';
import type { ShareView } from '../../control/sharing/share-view.ts';
import { shareStandings } from '../../core/model/share.ts';
import { id } from '../serve/shapes.ts';
import { at } from './link-shapes.ts';

export const shareShape = z.object({
  id,
  key: z
    .object({
      id,
      name: z.string(),
      credential: z.object({ name: z.string(), issuer: z.string().describe('who issued the credential') }),
    })
    .describe('the key that is shared, and the credential that it hangs off'),
  state: z.enum(shareStandings),
  is_held: z.boolean(),
  reader: z
    .enum(['giver', 'above', 'recipient', 'admin'])
    .describe('what you are to it; above: you gave a share above it, or have the credential'),
  email: z.string().nullable().describe('as the giver typed it; null once it was erased'),
  given_by: z.object({ name: z.string().nullable() }).describe('who shares it; null once that account was deleted'),
  words: z.string().nullable().describe('the giver’s own words, for giver and recipient alone; null for none'),
  usable_from_at: at.nullable(),
  usable_until_at: at.nullable(),
  uses_allowed: z.int().nullable(),
  uses_left: z.int().nullable(),
  reshare_depth: z.int(),
  depth: z.int().describe('how many shares stand above it'),
  created_at: at,
  expires_at: at.describe('until then a pending one may be accepted'),
  accepted_at: at.nullable(),
  ended_at: at.nullable().describe('when it ended or was stopped; null while it is pending or accepted'),
  last_used_at: at.nullable(),
  mail: z.enum(['failed']).nullable().describe('failed: the message could not be delivered'),
});

export const sharesShape = z.object({
  shares: z.array(shareShape),
  next: z.string().nullable().describe('`after` of the next page'),
});

export const shareHistoryShape = z.object({
  events: z
    .array(
      z.object({
        position: z.int(),
        at,
        action: z.string(),
        by: z.enum(['giver', 'above', 'recipient', 'administrator', 'latchkey']).describe('who did it'),
        name: z.string().nullable().describe('a name or an address; null where the account was deleted'),
        text: z.string(),
        network: z.string().nullable().describe('from where, as a /24 or /48; null where no client asked'),
      }),
    )
    .describe('what was done, newest first'),
  next: z.int().nullable().describe('`before` of the next page'),
});

/** @returns the share in its JSON shape */
export function showShare(view: ShareView): z.infer<typeof shareShape> {
  const { key } = view;
  return {
    id: view.id,
    key: {
      id: key.id,
      name: key.name,
      credential: { name: key.credential.name, issuer: key.credential.issuer },
    },
    state: view.state,
    is_held: view.isHeld,
    reader: view.reader,
    email: view.email,
    given_by: { name: view.givenBy },
    words: view.words,
    usable_from_at: view.usableFromAt,
    usable_until_at: view.usableUntilAt,
    uses_allowed: view.usesAllowed,
    uses_left: view.usesLeft,
    reshare_depth: view.reshareDepth,
    depth: view.depth,
    created_at: view.createdAt,
    expires_at: view.expiresAt,
    accepted_at: view.acceptedAt,
    ended_at: view.endedAt,
    last_used_at: view.lastUsedAt,
    mail: view.mail,
  };
}
