// The endpoints of `v1` for people who are offered a key: ask for it, accept it, say no, give it back, block its sender. The first four work
// without a session, by the secret of the message: whoever has no account yet cannot sign in first. Another person's share answers 404.

import { z } from 'zod';
import { acceptShare, type ShareAccepted } from '../../control/sharing/accept-share.ts';
import { blockSender, listBlockedSenders, unblockSender } from '../../control/sharing/block-sender.ts';
import { declineShare, leaveShare } from '../../control/sharing/decline-share.ts';
import { parseOfferCode } from '../../control/sharing/find-offer.ts';
import { requestShare } from '../../control/sharing/request-share.ts';
import { answer, defineEndpoint, type Endpoint, empty, type Refusal, refuse } from '../serve/endpoint.ts';
import { refusalFor, tooManyTries } from '../serve/refusal-words.ts';
import { code, id, newSecret, secret } from '../serve/shapes.ts';
import { at } from './link-shapes.ts';
import { shareShape, showShare } from './share-shapes.ts';
import { answerSignedIn, signedInShape } from './sign-in.ts';

const shareParams = z.object({ share: id });
const notFound = refuse(404, 'unknown', 'There is no such share.');
const token = code
  .optional()
  .describe('`code` of the URL in the message; not needed where the account that asks has the address');

/** The secret of a message; a code of another share is as wrong as one that never was. Null where none was sent. */
function secretOf(share: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  const parsed = parseOfferCode(text);
  return parsed?.shareId === share ? parsed.secret : '';
}

const request = defineEndpoint({
  method: 'POST',
  path: 'shares/:share/request',
  summary: 'Ask for a key that was offered; it grants nothing, and `needs` says what accepting takes',
  who: 'anyone',
  params: shareParams,
  body: z.strictObject({ token }),
  response: z.object({
    request: z.string().describe('a secret of the program that asks: accepting counts with it alone'),
    needs: z.enum(['password', 'digits']).describe('digits: they were mailed, and a new password goes with them'),
    expires_at: at,
  }),
  handle: async ({ context, actor, params, body, request: origin }) => {
    const outcome = await requestShare(context, {
      ...{ shareId: params.share, secret: secretOf(params.share, body.token), actor },
      ...{ held: [], wants: 'any', origin },
    });
    switch (outcome.kind) {
      case 'requested':
        return answer({ request: outcome.request, needs: outcome.needs, expires_at: outcome.expiresAt });
      case 'not-found':
        return notFound;
      case 'over':
        return refuse(410, 'over', `This share is ${outcome.standing}, so nobody can ask for its key.`);
      case 'not-yet':
        return refuse(409, 'not-yet', 'Its first message has not left yet. Try again in a while.');
      case 'not-now':
        return notNow;
      case 'second-factor':
        return secondFactor;
      case 'too-many':
      case 'busy':
        return refuse(429, 'too-many', 'Many browsers ask for this key. Wait a while.', outcome.retryAfterSeconds);
      default:
        return outcome satisfies never;
    }
  },
});

const accept = defineEndpoint({
  method: 'POST',
  path: 'shares/accept',
  summary:
    'Accept a key, with the `request` that asked for it and the password, or the mailed digits and a new password; signs in',
  who: 'anyone',
  body: z.strictObject({
    request: z.string().max(200).describe('as asking for the key gave it'),
    password: secret.optional(),
    digits: z.string().max(100).optional(),
    new_password: newSecret.optional(),
  }),
  response: z.object({
    share: id,
    signed_in: signedInShape.nullable().describe('null for digits that were used before: they sign in once'),
  }),
  handle: async ({ context, actor, body, request: browser }) => {
    if (actor !== null && actor.kind !== 'account') return refusalFor('not-an-account');
    const { password, digits, new_password: newPassword } = body;
    const isByPassword = password !== undefined && digits === undefined && newPassword === undefined;
    const isByDigits = password === undefined && digits !== undefined && newPassword !== undefined;
    if (!isByPassword && !isByDigits)
      return refuse(400, 'bad-input', 'the body has either a password, or digits and new_password');
    const proof = isByPassword
      ? ({ kind: 'password', password } as const)
      : ({ kind: 'digits', digits: digits ?? '', newPassword: newPassword ?? '' } as const);
    const outcome = await acceptShare(context, { ...browser, request: body.request, proof });
    if (outcome.kind !== 'accepted') return notAccepted(outcome);
    if (outcome.session === null) return answer({ share: outcome.shareId, signed_in: null });
    const signedIn = await answerSignedIn(context, actor, outcome.session);
    return { ...signedIn, body: { share: outcome.shareId, signed_in: signedIn.body } };
  },
});

const notNow = refuse(409, 'not-now', 'Whoever shares this key cannot share it at the moment.');
const secondFactor = refuse(409, 'second-factor', 'This key asks for a second factor, which nobody can show here yet.');

function notAccepted(outcome: Exclude<ShareAccepted, { kind: 'accepted' }>): Refusal {
  switch (outcome.kind) {
    case 'no-request':
      return refuse(410, 'no-request', 'This request is over, or never was. Ask for the key again.');
    case 'wrong-password':
      return refusalFor('wrong-password');
    case 'malformed':
      return refusalFor('digits');
    case 'wrong-digits':
      return refuse(403, 'wrong-digits', `That is not the code. ${outcome.triesLeft} of its tries are left.`);
    case 'weak-password':
      return refusalFor(`password-${outcome.why}`);
    case 'busy':
      return tooManyTries(outcome.retryAfterSeconds);
    case 'refused':
      switch (outcome.reason) {
        case 'over':
          return refuse(410, 'over', 'This share is over: it was taken back, or somebody accepted it.');
        case 'not-now':
          return notNow;
        case 'second-factor':
          return secondFactor;
        case 'not-able':
          return refuse(403, 'disabled', 'This account is blocked and can take no key.');
        case 'ask-again':
        case 'no-request':
          return refuse(410, 'no-request', 'What this account has to show changed meanwhile. Ask for the key again.');
        default:
          return outcome.reason satisfies never;
      }
    default:
      return outcome satisfies never;
  }
}

const decline = defineEndpoint({
  method: 'POST',
  path: 'shares/:share/decline',
  summary: 'Say no to a key that was offered',
  who: 'anyone',
  params: shareParams,
  body: z.strictObject({ token }),
  response: shareShape,
  handle: async ({ context, actor, params, body, request: origin }) => {
    const reference = { shareId: params.share, secret: secretOf(params.share, body.token), actor, origin };
    return left(await declineShare(context, reference), 'decline');
  },
});

const leave = defineEndpoint({
  method: 'POST',
  path: 'shares/:share/leave',
  summary: 'Give an accepted key back; when this answers, nothing of it passes any more',
  who: 'account',
  params: shareParams,
  response: shareShape,
  handle: async ({ context, actor, params, request: origin }) =>
    left(await leaveShare(context, actor, { shareId: params.share, origin }), 'leave'),
});

function left(outcome: Awaited<ReturnType<typeof leaveShare>>, event: 'decline' | 'leave') {
  switch (outcome.kind) {
    case 'done':
      return answer(showShare(outcome.share));
    case 'wrong-state':
      return refuse(409, 'wrong-state', `This share is ${outcome.share.state}, so there is nothing to ${event}.`);
    case 'not-found':
      return notFound;
    default:
      return outcome satisfies never;
  }
}

const senderShape = z.object({
  id,
  name: z.string().nullable().describe('name or address; null once that account was deleted'),
});

const blockedSenders = defineEndpoint({
  method: 'GET',
  path: 'me/blocked-senders',
  summary: 'The people whose offers of keys one does not want',
  who: 'account',
  response: z.object({ senders: z.array(senderShape) }),
  handle: async ({ context, actor }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    return answer({ senders: [...(await listBlockedSenders(context, actor))] });
  },
});

const block = defineEndpoint({
  method: 'POST',
  path: 'shares/:share/block-sender',
  summary: 'Get no more keys, and no more mail about keys, from whoever offered this one; the offer is declined',
  who: 'anyone',
  params: shareParams,
  body: z.strictObject({ token }),
  response: senderShape,
  handle: async ({ context, actor, params, body, request: origin }) => {
    const reference = { shareId: params.share, secret: secretOf(params.share, body.token), actor, origin };
    const outcome = await blockSender(context, reference);
    return outcome.kind === 'blocked' ? answer(outcome.sender) : notFound;
  },
});

const unblock = defineEndpoint({
  method: 'POST',
  path: 'me/blocked-senders/:sender/unblock',
  summary: 'Take keys of somebody again who was blocked',
  who: 'account',
  params: z.object({ sender: id }),
  response: null,
  handle: async ({ context, actor, params, request: origin }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    const was = await unblockSender(context, actor, { senderId: params.sender, origin });
    return was ? empty : refuse(404, 'unknown', 'You did not block such a sender.');
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const gotShareEndpoints: readonly Endpoint[] = [request, accept, decline, leave, blockedSenders, block, unblock];
