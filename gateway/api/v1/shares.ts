// The endpoints of `v1` for shares of keys, as givers and holders use them. A share of other people answers 404, the same as a share that
// never existed; and what is answered about an address is the same for all addresses.

import { z } from 'zod';
import { changeShare } from '../../control/sharing/change-share.ts';
import { endShare, type GiverEvent } from '../../control/sharing/end-share.ts';
import { giveShare } from '../../control/sharing/give-share.ts';
import { listShares, listSharesBelow, maxSharesPerPage, readShare } from '../../control/sharing/list-shares.ts';
import { resendShare } from '../../control/sharing/resend-share.ts';
import { maxEventsPerPage, readShareHistory } from '../../control/sharing/share-history.ts';
import { maxUsesAllowed, shareProblemText } from '../../control/sharing/share-input.ts';
import { maxReshareDepth, maxWordsLength, shareStandings } from '../../core/model/share.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../serve/endpoint.ts';
import { address, id, moment } from '../serve/shapes.ts';
import { shareHistoryShape, shareShape, sharesShape, showShare } from './share-shapes.ts';

const page = {
  after: z.string().max(80).optional(),
  limit: z.coerce.number().int().min(1).max(maxSharesPerPage).optional(),
};
/** Limits that the use case judges, and answers 422 with what is wrong; the document names them. */
const uses = z.int().meta({ minimum: 1, maximum: maxUsesAllowed });
const depth = z.int().meta({ minimum: 0, maximum: maxReshareDepth });

const shareParams = z.object({ share: id });

const notFound = refuse(404, 'unknown', 'There is no such share.');
const noMail = refuse(409, 'no-mail', 'Keys are shared by mail, and this installation sends none.');

const create = defineEndpoint({
  method: 'POST',
  path: 'me/keys/:key/shares',
  summary: 'Offer a key to a mail address; a message goes there, and nothing is granted before the recipient accepts',
  who: 'account',
  params: z.object({ key: id }),
  body: z.strictObject({
    email: address,
    message: z
      .string()
      .max(maxWordsLength * 8)
      .optional()
      .describe('your own words for the recipient’s page; they stand in no mail'),
    usable_from_at: moment.nullish(),
    usable_until_at: moment.nullish(),
    uses_allowed: uses.nullish(),
    reshare_depth: depth.optional().describe('how often it may be shared on; default 0'),
    creation_key: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('of your own choice: sent again with the same key and address, it makes nothing and answers 409'),
  }),
  response: shareShape,
  handle: async ({ context, actor, params, body, request }) => {
    const outcome = await giveShare(context, actor, {
      ...{ keyId: params.key, email: body.email, words: body.message, origin: request },
      ...{ usableFromAt: body.usable_from_at, usableUntilAt: body.usable_until_at, usesAllowed: body.uses_allowed },
      ...{ reshareDepth: body.reshare_depth, creationKey: body.creation_key },
    });
    switch (outcome.kind) {
      case 'given':
        return answer(showShare(outcome.share), 201);
      case 'made-before':
        return refuse(409, 'made-before', `This creation_key made a share before: ${outcome.share.id}.`);
      case 'refused':
        return refuse(422, outcome.problem, shareProblemText(outcome.problem));
      case 'no-mail':
        return noMail;
      case 'yours-already':
        return refuse(409, 'yours-already', 'Whoever has this address has the key already.');
      case 'shared-already':
        return refuse(409, 'shared-already', `You share this key with this address already: ${outcome.id}.`);
      case 'too-many':
        return refuse(429, 'too-many', 'You offered many keys. Wait a while.', outcome.retryAfterSeconds);
      case 'not-found':
        return refuse(404, 'unknown', 'There is no such key.');
      default:
        return outcome satisfies never;
    }
  },
});

const list = defineEndpoint({
  method: 'GET',
  path: 'me/shares',
  summary: 'Shares that one gave or got, newest first; the operator sees all that were given',
  who: 'account',
  query: z.object({
    direction: z.enum(['given', 'got']).optional().describe('default: both'),
    state: z.enum(shareStandings).optional(),
    search: z.string().max(200).optional().describe('part of an address or of a key’s name'),
    ...page,
  }),
  response: sharesShape,
  handle: async ({ context, actor, query }) => {
    const { shares, next } = await listShares(context, actor, query);
    return answer({ shares: shares.map(showShare), next });
  },
});

const read = defineEndpoint({
  method: 'GET',
  path: 'shares/:share',
  summary: 'One share, for its giver, everybody above in its chain, and its recipient',
  who: 'account',
  params: shareParams,
  response: shareShape,
  handle: async ({ context, actor, params }) => {
    const found = await readShare(context, actor, params.share);
    return found === null ? notFound : answer(showShare(found));
  },
});

const below = defineEndpoint({
  method: 'GET',
  path: 'shares/:share/shares',
  summary: 'The shares that hang below one: by whom it was shared on, and with whom',
  who: 'account',
  params: shareParams,
  query: z.object(page),
  response: sharesShape,
  handle: async ({ context, actor, params, query }) => {
    const listed = await listSharesBelow(context, actor, params.share, query);
    return listed === null ? notFound : answer({ shares: listed.shares.map(showShare), next: listed.next });
  },
});

const resend = defineEndpoint({
  method: 'POST',
  path: 'shares/:share/resend',
  summary: 'Send the message of a pending share again',
  who: 'account',
  params: shareParams,
  response: shareShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await resendShare(context, actor, { shareId: params.share, origin: request });
    switch (outcome.kind) {
      case 'resent':
        return answer(showShare(outcome.share));
      case 'too-many':
        return refuse(429, 'too-many', 'A message went out just now. Wait a while.', outcome.retryAfterSeconds);
      case 'not-pending':
        return refuse(409, 'wrong-state', 'Only a share that waits for its recipient has a message to send again.');
      case 'no-mail':
        return noMail;
      case 'not-found':
        return notFound;
      default:
        return outcome satisfies never;
    }
  },
});

/** The endpoint of one event; what it does a second time is nothing, and it answers with the share again. */
function endpointOf(event: GiverEvent, summary: string): Endpoint {
  return defineEndpoint({
    method: 'POST',
    path: `shares/:share/${event}`,
    summary,
    who: 'account',
    params: shareParams,
    response: shareShape,
    handle: async ({ context, actor, params, request }) => {
      const outcome = await endShare(context, actor, { shareId: params.share, event, origin: request });
      switch (outcome.kind) {
        case 'done':
          return answer(showShare(outcome.share));
        case 'wrong-state':
          return refuse(409, 'wrong-state', `This share is ${outcome.state}, so there is nothing to ${event}.`);
        case 'not-found':
          return notFound;
        default:
          return outcome satisfies never;
      }
    },
  });
}

const withdraw = endpointOf('withdraw', 'Take an offer back that nobody has accepted');
const revoke = endpointOf(
  'revoke',
  'End an accepted share and everything below it, for good; when this answers, nothing of it passes any more',
);
const disable = endpointOf('disable', 'Stop an accepted share, and what hangs below it, for a while');
const enable = endpointOf('enable', 'Let a share that was stopped go on; nobody has to accept it again');

const change = defineEndpoint({
  method: 'POST',
  path: 'shares/:share/change',
  summary: 'Change when, how often and how far a share may be used; what is not named stays, and null is no limit',
  who: 'account',
  params: shareParams,
  body: z.strictObject({
    usable_from_at: moment.nullish(),
    usable_until_at: moment.nullish(),
    uses_allowed: uses.nullish().describe('in all; those that were made count'),
    reshare_depth: depth.optional(),
  }),
  response: shareShape,
  handle: async ({ context, actor, params, body, request }) => {
    const outcome = await changeShare(context, actor, {
      ...{ shareId: params.share, usableFromAt: body.usable_from_at, usableUntilAt: body.usable_until_at },
      ...{ usesAllowed: body.uses_allowed, reshareDepth: body.reshare_depth, origin: request },
    });
    switch (outcome.kind) {
      case 'changed':
        return answer(showShare(outcome.share));
      case 'refused':
        return refuse(422, outcome.problem, shareProblemText(outcome.problem));
      case 'ended':
        return refuse(409, 'wrong-state', 'This share is over. Offer the key again.');
      case 'not-found':
        return notFound;
      default:
        return outcome satisfies never;
    }
  },
});

const history = defineEndpoint({
  method: 'GET',
  path: 'shares/:share/history',
  summary: 'What was done with a share, newest first, for its parties: who, what, when, and from where',
  who: 'account',
  params: shareParams,
  query: z.object({
    before: z.coerce.number().int().min(0).optional(),
    limit: z.coerce.number().int().min(1).max(maxEventsPerPage).optional(),
  }),
  response: shareHistoryShape,
  handle: async ({ context, actor, params, query }) => {
    const read = await readShareHistory(context, actor, params.share, query);
    return read === null ? notFound : answer({ events: [...read.events], next: read.next });
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const shareEndpoints: readonly Endpoint[] = [
  create,
  list,
  read,
  below,
  resend,
  withdraw,
  revoke,
  disable,
  enable,
  change,
  history,
];
