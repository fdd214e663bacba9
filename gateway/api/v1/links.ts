// The endpoints of `v1` for links and their members: for owners of collections, administrators and the operator.
// A link of another owner answers 404, the same as a link that never existed.
// The tokenized URL stands in the answers that make it (`create`, and `reopen` with `new_secret`) and in that of `address`, which the audit
// log has.

import { z } from 'zod';
import { createLink } from '../../control/links/create-link.ts';
import { type GiveBackProblem, giveBackAllLinks, giveBackLink, giveBackMember } from '../../control/links/give-back.ts';
import { linkProblemText, maxAddresses } from '../../control/links/link-input.ts';
import { listLinks, listMembers, maxPerPage, readLink } from '../../control/links/list-links.ts';
import { reopenLink } from '../../control/links/reopen-link.ts';
import { revokeAllLinks, revokeLink } from '../../control/links/revoke-link.ts';
import { revokeMember } from '../../control/links/revoke-member.ts';
import { showLinkAddress } from '../../control/links/show-link-address.ts';
import { maxClaimsAllowed, maxLabelLength } from '../../core/model/link.ts';
import { answer, defineEndpoint, type Endpoint, type Refusal, refuse } from '../serve/endpoint.ts';
import { collectionName, id, moment } from '../serve/shapes.ts';
import {
  addressShape,
  allRevokedShape,
  createdShape,
  givenBackShape,
  linkShape,
  linksGivenBackShape,
  linksShape,
  membersShape,
  method,
  reopenedShape,
  revokedShape,
  showLink,
  showMade,
  showMember,
} from './link-shapes.ts';

const page = { after: z.string().max(80).optional(), limit: z.coerce.number().int().min(1).max(maxPerPage).optional() };
/** Limits that the use case judges, and answers 422 with what is wrong; the document names them. */
const label = z.string().max(500).meta({ minLength: 1, maxLength: maxLabelLength });
const claimsAllowed = z.int().meta({ minimum: 1, maximum: maxClaimsAllowed });

const linkParams = z.object({ link: id });

const notFound = refuse(404, 'unknown', 'There is no such link.');

const create = defineEndpoint({
  method: 'POST',
  path: 'links',
  summary: 'Make a link to a collection, or to something in it; or one for each of some mail addresses, mailed there',
  who: 'account',
  body: z.strictObject({
    collection: collectionName,
    path: z
      .string()
      .max(2000)
      .nullish()
      .describe('a path, or the name of a file or folder in the collection; default: the whole'),
    label,
    for: z
      .array(z.string().max(400))
      .max(maxAddresses)
      .optional()
      .describe('mail addresses: a link for each, mailed there; default: one link, for whoever has its URL'),
    bind: z
      .boolean()
      .optional()
      .describe('with `for`: only the account with the address may claim, and `claims_allowed` is 1; default true'),
    claims_allowed: claimsAllowed.optional().describe('how many accounts may come in by each link; default 1'),
    claim_from_at: moment.nullish(),
    claim_until_at: moment.nullish(),
    access_until_at: moment.nullish().describe('null: no end; default: what the configuration says (`default_access`)'),
    methods: z.array(method).max(16).nullish().describe('default: those of the route'),
    notify: z.boolean().optional().describe('tell members and owner by mail; default false'),
    creation_key: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('of your own choice: sent again with the same key, it makes nothing and answers 409'),
  }),
  response: createdShape,
  handle: async ({ context, actor, body, request }) => {
    const { collection, path, methods, notify } = body;
    const more = present({
      path,
      methods,
      notify,
      addresses: body.for,
      isBound: body.bind,
      creationKey: body.creation_key,
    });
    const input = { collection, ...more, ...terms(body), label: body.label };
    const made = await createLink(context, actor, { ...input, requestId: request.requestId });
    switch (made.kind) {
      case 'created':
        return answer({ link: showLink(made.link), url: made.url, made: made.made.map(showMade) }, 201);
      case 'made-before': {
        const ids = made.links.map((link) => link.id).join(', ');
        return refuse(409, 'made-before', `This creation_key made links before: ${ids}.`);
      }
      case 'refused': {
        const wrong =
          made.wrong.length === 0
            ? ''
            : ` Not an address: ${made.wrong.map((text) => JSON.stringify(text)).join(', ')}.`;
        return refuse(422, made.problem, `${sentence(linkProblemText(made.problem))}${wrong}`);
      }
      case 'not-found':
        return refuse(404, 'unknown', 'There is no such collection.');
      default:
        return made satisfies never;
    }
  },
});

const list = defineEndpoint({
  method: 'GET',
  path: 'links',
  summary: 'Links of the collections that one owns, newest first',
  who: 'account',
  query: z.object({
    collection: collectionName.optional(),
    show: z.enum(['live', 'ended']).optional(),
    search: z.string().max(200).optional().describe('part of a label, a path, or the address of somebody who came in'),
    ...page,
  }),
  response: linksShape,
  handle: async ({ context, actor, query }) => {
    const listed = await listLinks(context, actor, present(query));
    return answer({ links: listed.links.map(showLink), next: listed.next });
  },
});

const read = defineEndpoint({
  method: 'GET',
  path: 'links/:link',
  summary: 'One link',
  who: 'account',
  params: linkParams,
  response: linkShape,
  handle: async ({ context, actor, params }) => {
    const found = await readLink(context, actor, params.link);
    return found === null ? notFound : answer(showLink(found));
  },
});

const members = defineEndpoint({
  method: 'GET',
  path: 'links/:link/members',
  summary: 'Who came in by a link: when, from which devices, last seen',
  who: 'account',
  params: linkParams,
  query: z.object(page),
  response: membersShape,
  handle: async ({ context, actor, params, query }) => {
    const listed = await listMembers(context, actor, params.link, present(query));
    if (listed.kind === 'not-found') return notFound;
    return answer({ members: listed.members.map(showMember), next: listed.next });
  },
});

const revoke = defineEndpoint({
  method: 'POST',
  path: 'links/:link/revoke',
  summary: 'End a link, and everything that anybody has by it; when this answers, nothing of it passes any more',
  who: 'account',
  params: linkParams,
  response: revokedShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeLink(context, actor, params.link, request.requestId);
    return outcome.kind === 'not-found' ? notFound : answer({ was_live: outcome.wasLive });
  },
});

const reopen = defineEndpoint({
  method: 'POST',
  path: 'links/:link/reopen',
  summary:
    'Open a link for more people or for longer, or give it a new URL; a revoked link stays revoked: make a new one',
  who: 'account',
  params: linkParams,
  body: z.strictObject({
    label: label.optional(),
    claims_allowed: claimsAllowed.optional(),
    claim_until_at: moment.nullish(),
    access_until_at: moment.nullish(),
    new_secret: z.boolean().optional().describe('make a new URL; the old one stops working, members stay'),
  }),
  response: reopenedShape,
  handle: async ({ context, actor, params, body, request }) => {
    const changes = { ...present({ newSecret: body.new_secret }), ...terms(body) };
    const input = { ...changes, linkId: params.link, requestId: request.requestId };
    const outcome = await reopenLink(context, actor, input);
    switch (outcome.kind) {
      case 'reopened':
        return answer({ link: showLink(outcome.link), url: outcome.url });
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

const address = defineEndpoint({
  method: 'POST',
  path: 'links/:link/address',
  summary: 'The URL of a live link once more; the audit log has who asked',
  who: 'account',
  params: linkParams,
  response: addressShape,
  handle: async ({ context, actor, params, request }) => {
    const shown = await showLinkAddress(context, actor, params.link, request.requestId);
    switch (shown.kind) {
      case 'shown':
        return answer({ link: showLink(shown.link), url: shown.url });
      case 'no-address':
        return refuse(
          409,
          'no-address',
          'The URL of this link is not kept: the link has ended, or is older. Give it a new URL.',
        );
      case 'not-found':
        return notFound;
      default:
        return shown satisfies never;
    }
  },
});

const removeMember = defineEndpoint({
  method: 'POST',
  path: 'members/:member/revoke',
  summary: 'End what one account has by a link',
  who: 'account',
  params: z.object({ member: id }),
  response: revokedShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeMember(context, actor, params.member, request.requestId);
    return outcome.kind === 'not-found'
      ? refuse(404, 'unknown', 'There is no such member.')
      : answer({ was_live: outcome.wasLive });
  },
});

const revokeAll = defineEndpoint({
  method: 'POST',
  path: 'collections/:collection/revoke-links',
  summary: 'End every link of a collection',
  who: 'account',
  params: z.object({ collection: collectionName }),
  response: allRevokedShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeAllLinks(context, actor, params.collection, request.requestId);
    return outcome.kind === 'not-found'
      ? refuse(404, 'unknown', 'There is no such collection.')
      : answer({ links: outcome.links });
  },
});

const giveBack = defineEndpoint({
  method: 'POST',
  path: 'links/:link/give-back',
  summary:
    'Give back a link that ended at most ten minutes ago: those who came in by it pass again, but not those who were removed one by one',
  who: 'account',
  params: linkParams,
  response: linkShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await giveBackLink(context, actor, params.link, request.requestId);
    switch (outcome.kind) {
      case 'given-back':
        return answer(showLink(outcome.link));
      case 'refused':
        return notGivenBack(outcome.problem);
      case 'not-found':
        return notFound;
      default:
        return outcome satisfies never;
    }
  },
});

const giveMemberBack = defineEndpoint({
  method: 'POST',
  path: 'members/:member/give-back',
  summary: 'Give back what one account had by a link, at most ten minutes after it ended',
  who: 'account',
  params: z.object({ member: id }),
  response: givenBackShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await giveBackMember(context, actor, params.member, request.requestId);
    switch (outcome.kind) {
      case 'given-back':
        return answer({ given_back: true } as const);
      case 'refused':
        return notGivenBack(outcome.problem);
      case 'not-found':
        return refuse(404, 'unknown', 'There is no such member.');
      default:
        return outcome satisfies never;
    }
  },
});

const giveAllBack = defineEndpoint({
  method: 'POST',
  path: 'collections/:collection/give-links-back',
  summary:
    'Give back the links that `revoke-links` ended in the last ten minutes; links that ended one by one stay ended',
  who: 'account',
  params: z.object({ collection: collectionName }),
  response: linksGivenBackShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await giveBackAllLinks(context, actor, params.collection, request.requestId);
    return outcome.kind === 'not-found'
      ? refuse(404, 'unknown', 'There is no such collection.')
      : answer({ links: outcome.links });
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const linkEndpoints: readonly Endpoint[] = [
  create,
  list,
  read,
  members,
  revoke,
  reopen,
  address,
  removeMember,
  revokeAll,
  giveBack,
  giveMemberBack,
  giveAllBack,
];

/** The members that the bodies of `create` and of `reopen` share, under the names that the use cases have for them. */
function terms(body: {
  readonly label?: string | undefined;
  readonly claims_allowed?: number | undefined;
  readonly claim_from_at?: number | null | undefined;
  readonly claim_until_at?: number | null | undefined;
  readonly access_until_at?: number | null | undefined;
}) {
  return present({
    label: body.label,
    claimsAllowed: body.claims_allowed,
    claimFromAt: body.claim_from_at,
    claimUntilAt: body.claim_until_at,
    accessUntilAt: body.access_until_at,
  });
}

/** A copy without the members that are undefined: the use cases take an absent member for "not said", and their types forbid undefined. */
function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function notGivenBack(problem: GiveBackProblem): Refusal {
  switch (problem) {
    case 'not-ended':
      return refuse(409, problem, 'This has not ended, so there is nothing to give back.');
    case 'too-late':
      return refuse(409, problem, 'This ended more than ten minutes ago and stays ended. Make a new link.');
    case 'link-ended':
      return refuse(409, problem, 'The link has ended too. Give the link back first.');
    case 'gone':
      return refuse(409, problem, 'The account behind this was deleted, or a restored backup ended it.');
    default:
      return problem satisfies never;
  }
}
