// Links over `v1`: for owners, administrators and the operator; and what somebody can open, with the ways to open it elsewhere.
// Somebody else's link is 404, as one that never was. The tokenized URL is in one answer, once.

import { z } from 'zod';
import type { Actor } from '../../control/control-context.ts';
import { createLink } from '../../control/links/create-link.ts';
import { linkProblemText } from '../../control/links/link-input.ts';
import { listAccess } from '../../control/links/list-access.ts';
import { listLinks, listMembers, maxPerPage, readLink } from '../../control/links/list-links.ts';
import { makePlayerUrl, offerElsewhere } from '../../control/links/open-elsewhere.ts';
import { reopenLink } from '../../control/links/reopen-link.ts';
import { revokeAllLinks, revokeLink } from '../../control/links/revoke-link.ts';
import { revokeMember } from '../../control/links/revoke-member.ts';
import { canonicalPath } from '../../core/model/path.ts';
import { answer, defineEndpoint, type Endpoint, type Refusal, refuse } from '../endpoint.ts';
import { qrPng, qrSvg } from '../qr-code.ts';

const at = z.int().min(0).describe('epoch seconds');
const id = z.string().max(60);
const method = z.string().max(32);

const link = z.object({
  id,
  accessKeyId: id.describe('the access key that the URL names; not a common key'),
  collection: z.string(),
  host: z.string(),
  path: z.string(),
  cleanUrl: z.string().describe('where members come back to, without a token'),
  label: z.string(),
  state: z.enum(['open', 'full', 'early', 'past-window', 'access-over', 'revoked']),
  claimsAllowed: z.int(),
  claimsUsed: z.int(),
  claimFromAt: at.nullable(),
  claimUntilAt: at.nullable(),
  accessUntilAt: at.nullable(),
  methods: z.array(method).nullable(),
  notify: z.boolean(),
  createdAt: at,
  revokedAt: at.nullable(),
});

const member = z.object({
  id,
  accountId: id,
  email: z.string().nullable(),
  displayName: z.string(),
  claimedAt: at,
  lastSeenAt: at.nullable(),
  revokedAt: at.nullable(),
  claimedOn: z.string().nullable().describe('the device that claimed'),
  devices: z.array(z.object({ name: z.string(), lastSeenAt: at })),
});

const page = { after: z.string().max(80).optional(), limit: z.coerce.number().int().min(1).max(maxPerPage).optional() };
const next = z.string().nullable().describe('`after` of the next page');
const linkParams = z.object({ link: id });
const revoked = z.object({ wasLive: z.boolean().describe('false: it had been revoked before') });

const notFound = refuse(404, 'not-found', 'There is no such link.');

const create = defineEndpoint({
  method: 'POST',
  path: 'links',
  summary: 'Make a link to a collection, or to something in it. The URL is shown this once.',
  who: 'account',
  body: z.object({
    collection: z.string().max(200),
    path: z.string().max(2000).nullish().describe('default: the whole collection'),
    label: z.string().max(500),
    claimsAllowed: z.int().optional().describe('how many accounts may come in; default 1'),
    claimFromAt: at.nullish(),
    claimUntilAt: at.nullish(),
    accessUntilAt: at.nullish(),
    methods: z.array(method).max(16).nullish().describe('default: those of the route'),
    notify: z.boolean().optional().describe('tell members and owner by mail; default false'),
  }),
  response: z.object({ link, url: z.string().describe('a secret: whoever has it may claim') }),
  handle: async ({ context, actor, body, request }) => {
    const made = await createLink(context, actor, { ...present(body), requestId: request.requestId });
    switch (made.kind) {
      case 'created':
        return answer({ link: copy(made.link), url: made.url }, 201);
      case 'refused':
        return refuse(422, made.problem, sentence(linkProblemText(made.problem)));
      case 'not-found':
        return refuse(404, 'not-found', 'There is no such collection.');
      default:
        return made satisfies never;
    }
  },
});

const list = defineEndpoint({
  method: 'GET',
  path: 'links',
  summary: 'Links of the collections that you own, newest first.',
  who: 'account',
  query: z.object({ collection: z.string().max(200).optional(), ...page }),
  response: z.object({ links: z.array(link), next }),
  handle: async ({ context, actor, query }) => {
    const listed = await listLinks(context, actor, present(query));
    return answer({ links: listed.links.map(copy), next: listed.next });
  },
});

const read = defineEndpoint({
  method: 'GET',
  path: 'links/:link',
  summary: 'One link.',
  who: 'account',
  params: linkParams,
  response: link,
  handle: async ({ context, actor, params }) => {
    const found = await readLink(context, actor, params.link);
    return found === null ? notFound : answer(copy(found));
  },
});

const members = defineEndpoint({
  method: 'GET',
  path: 'links/:link/members',
  summary: 'Who came in by a link: when, from which devices, last seen.',
  who: 'account',
  params: linkParams,
  query: z.object(page),
  response: z.object({ members: z.array(member), next }),
  handle: async ({ context, actor, params, query }) => {
    const listed = await listMembers(context, actor, params.link, present(query));
    if (listed.kind === 'not-found') return notFound;
    const rows = listed.members.map((row) => ({ ...row, devices: [...row.devices] }));
    return answer({ members: rows, next: listed.next });
  },
});

const revoke = defineEndpoint({
  method: 'POST',
  path: 'links/:link/revoke',
  summary: 'End a link, and everything that anybody has by it. When this answers, nothing of it passes any more.',
  who: 'account',
  params: linkParams,
  response: revoked,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeLink(context, actor, params.link, request.requestId);
    return outcome.kind === 'not-found' ? notFound : answer({ wasLive: outcome.wasLive });
  },
});

const reopen = defineEndpoint({
  method: 'POST',
  path: 'links/:link/reopen',
  summary:
    'Open a link for more people or for longer, or give it a new URL. A revoked link stays revoked: make a new one.',
  who: 'account',
  params: linkParams,
  body: z.object({
    label: z.string().max(500).optional(),
    claimsAllowed: z.int().optional(),
    claimUntilAt: at.nullish(),
    accessUntilAt: at.nullish(),
    newSecret: z.boolean().optional().describe('make a new URL; the old one stops working, members stay'),
  }),
  response: z.object({ link, url: z.string().nullable() }),
  handle: async ({ context, actor, params, body, request }) => {
    const input = { ...present(body), linkId: params.link, requestId: request.requestId };
    const outcome = await reopenLink(context, actor, input);
    switch (outcome.kind) {
      case 'reopened':
        return answer({ link: copy(outcome.link), url: outcome.url });
      case 'refused':
        if (outcome.problem === 'revoked')
          return refuse(409, 'revoked', 'A revoked link stays revoked. Make a new one.');
        return refuse(422, outcome.problem, sentence(linkProblemText(outcome.problem)));
      case 'not-found':
        return notFound;
      default:
        return outcome satisfies never;
    }
  },
});

const removeMember = defineEndpoint({
  method: 'POST',
  path: 'members/:member/revoke',
  summary: 'End what one account has by a link.',
  who: 'account',
  params: z.object({ member: id }),
  response: revoked,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeMember(context, actor, params.member, request.requestId);
    return outcome.kind === 'not-found'
      ? refuse(404, 'not-found', 'There is no such member.')
      : answer({ wasLive: outcome.wasLive });
  },
});

const revokeAll = defineEndpoint({
  method: 'POST',
  path: 'collections/:collection/revoke-links',
  summary: 'End every link of a collection.',
  who: 'account',
  params: z.object({ collection: z.string().max(200) }),
  response: z.object({ links: z.int().describe('how many were live') }),
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeAllLinks(context, actor, params.collection, request.requestId);
    return outcome.kind === 'not-found'
      ? refuse(404, 'not-found', 'There is no such collection.')
      : answer({ links: outcome.links });
  },
});

const access = defineEndpoint({
  method: 'GET',
  path: 'access',
  summary: 'What you can open.',
  who: 'account',
  response: z.object({
    entries: z.array(
      z.object({
        grant: z.string(),
        kind: z.enum(['ownership', 'link']),
        label: z.string(),
        url: z.string(),
        givenBy: z.string().nullable(),
        sinceAt: at.nullable(),
        untilAt: at.nullable(),
      }),
    ),
  }),
  handle: async ({ context, actor }) =>
    actor.kind === 'account' ? answer({ entries: [...(await listAccess(context, actor))] }) : noAccount,
});

const place = z.object({
  url: z.string().max(2200).describe('clean URL of what is to be opened, as `access` lists it'),
});

const elsewhere = defineEndpoint({
  method: 'POST',
  path: 'access/open-elsewhere',
  summary: 'A code of ten minutes that opens something once on another device: to type in, and as a QR code.',
  who: 'account',
  body: place,
  response: z.object({
    code: z.string(),
    url: z.string(),
    typeUrl: z.string(),
    expiresAt: at,
    qrSvg: z.string(),
    qrPng: z.string().describe('base64'),
  }),
  handle: async ({ context, actor, body }) => {
    const asked = placeOf(actor, body.url);
    if (asked.kind === 'refused') return asked;
    const offer = await offerElsewhere(context, asked.actor, asked);
    if (offer.kind === 'not-found') return nothingOpen;
    const { code, url, typeUrl, expiresAt } = offer;
    const png = (await qrPng(url)).toString('base64');
    return answer({ code, url, typeUrl, expiresAt, qrSvg: await qrSvg(url), qrPng: png }, 201);
  },
});

const playerUrl = defineEndpoint({
  method: 'POST',
  path: 'access/player-url',
  summary: 'A URL with a pass inside its path, for players that take no cookies. A secret until it ends.',
  who: 'account',
  body: place,
  response: z.object({ url: z.string(), expiresAt: at }),
  handle: async ({ context, actor, body }) => {
    const asked = placeOf(actor, body.url);
    if (asked.kind === 'refused') return asked;
    const made = await makePlayerUrl(context, asked.actor, asked);
    return made.kind === 'made' ? answer({ url: made.url, expiresAt: made.expiresAt }, 201) : nothingOpen;
  },
});

export const linkEndpoints: readonly Endpoint[] = [
  create,
  list,
  read,
  members,
  revoke,
  reopen,
  removeMember,
  revokeAll,
  access,
  elsewhere,
  playerUrl,
];

const noAccount = refuse(403, 'no-account', 'Only somebody with an account can open things.');
const nothingOpen = refuse(404, 'not-found', 'There is nothing here that you can open.');

/** Host and path that a clean URL names, for an account. */
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

function copy<T extends { readonly methods: readonly string[] | null }>(view: T): T & { methods: string[] | null } {
  return { ...view, methods: view.methods === null ? null : [...view.methods] };
}

/** Without members that are undefined: absent and undefined are not the same to the use cases. */
function present<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
