// The endpoints of `v1` that list what an account can open, and that open such a place elsewhere: on another device, or in a player that
// takes no cookies. They are for accounts: the operator opens nothing, and gets a refusal.

import { z } from 'zod';
import { type AccessEntry, listAccess } from '../../control/access/list-access.ts';
import type { Actor } from '../../control/context/control-context.ts';
import { makePlayerUrl, offerElsewhere } from '../../control/sessions/open-elsewhere.ts';
import { canonicalPath } from '../../core/model/path.ts';
import { qrPng, qrSvg } from '../look/qr-code.ts';
import { answer, defineEndpoint, type Endpoint, type Refusal, refuse } from '../serve/endpoint.ts';
import { refusalFor } from '../serve/refusal-words.ts';
import { at } from './link-shapes.ts';

const entryShape = z.object({
  grant: z.string(),
  kind: z.enum(['ownership', 'link', 'key']),
  label: z.string(),
  url: z.string(),
  given_by: z.string().nullable().describe('who gave it; null for the owner'),
  since_at: at.nullable(),
  until_at: at.nullable(),
});

function showEntry(entry: AccessEntry): z.output<typeof entryShape> {
  const { grant, kind, label, url } = entry;
  return { grant, kind, label, url, given_by: entry.givenBy, since_at: entry.sinceAt, until_at: entry.untilAt };
}

const access = defineEndpoint({
  method: 'GET',
  path: 'access',
  summary: 'What one can open',
  who: 'account',
  response: z.object({ entries: z.array(entryShape) }),
  handle: async ({ context, actor }) =>
    actor.kind === 'account' ? answer({ entries: (await listAccess(context, actor)).map(showEntry) }) : noAccount,
});

const place = z.strictObject({
  url: z.string().max(2200).describe('clean URL of what is to be opened, as `access` lists it'),
});

const elsewhere = defineEndpoint({
  method: 'POST',
  path: 'access/open-elsewhere',
  summary: 'A code of ten minutes that opens something once on another device: to type in, and as a QR code',
  who: 'account',
  body: place,
  response: z.object({
    code: z.string(),
    url: z.string(),
    type_url: z.string().describe('where the code is typed in'),
    expires_at: at,
    qr_svg: z.string(),
    qr_png: z.string().describe('base64'),
  }),
  handle: async ({ context, actor, body }) => {
    const asked = placeOf(actor, body.url);
    if (asked.kind === 'refused') return asked;
    const offer = await offerElsewhere(context, asked.actor, asked);
    if (offer.kind === 'not-found') return nothingOpen;
    const { code, url, typeUrl, expiresAt } = offer;
    const [svg, png] = [await qrSvg(url), (await qrPng(url)).toString('base64')];
    return answer({ code, url, type_url: typeUrl, expires_at: expiresAt, qr_svg: svg, qr_png: png }, 201);
  },
});

const playerUrl = defineEndpoint({
  method: 'POST',
  path: 'access/player-url',
  summary: 'A URL with a pass inside its path, for players that take no cookies; a secret until it ends',
  who: 'account',
  body: place,
  response: z.object({ url: z.string(), expires_at: at }),
  handle: async ({ context, actor, body }) => {
    const asked = placeOf(actor, body.url);
    if (asked.kind === 'refused') return asked;
    const made = await makePlayerUrl(context, asked.actor, asked);
    return made.kind === 'made' ? answer({ url: made.url, expires_at: made.expiresAt }, 201) : nothingOpen;
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const accessEndpoints: readonly Endpoint[] = [access, elsewhere, playerUrl];

const noAccount = refusalFor('not-an-account');
const nothingOpen = refuse(404, 'unknown', 'There is nothing here that you can open.');

/**
 * The host and the canonical path that a clean URL names. Does NOT check that the account may open the place.
 *
 * @returns a refusal for the operator, for text that is no URL, and for a path that has no canonical form
 */
function placeOf(
  actor: Actor,
  url: string,
): Refusal | { kind: 'place'; actor: Extract<Actor, { kind: 'account' }>; host: string; path: string } {
  if (actor.kind !== 'account') return noAccount;
  if (!URL.canParse(url)) return nothingOpen;
  const { hostname, pathname } = new URL(url);
  const path = canonicalPath(pathname);
  return path === null ? nothingOpen : { kind: 'place', actor, host: hostname, path };
}
