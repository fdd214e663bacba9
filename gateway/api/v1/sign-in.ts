// The endpoints of `v1` to sign in and out, to register and to reset a password. They do what the portal's pages do, with the same
// throttles and the same answer for known and unknown addresses. A session's token goes to the browser as a cookie, never in a body.
// They are for browsers on the portal's own origin: public-server.ts refuses a request with neither Sec-Fetch-Site nor Origin when nobody
// is signed in.

import { z } from 'zod';
import { registerAccount } from '../../control/accounts/register-account.ts';
import { requestPasswordReset } from '../../control/accounts/request-password-reset.ts';
import { resetPassword } from '../../control/accounts/reset-password.ts';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import { presentLink } from '../../control/links/present-link.ts';
import type { CarriedWay } from '../../control/proof/carried-way.ts';
import { signOut } from '../../control/sessions/my-sessions.ts';
import { requestMailCode } from '../../control/sessions/request-mail-code.ts';
import { signIn } from '../../control/sessions/sign-in.ts';
import { signInByCode } from '../../control/sessions/sign-in-by-code.ts';
import { signInByDigits } from '../../control/sessions/sign-in-by-mail.ts';
import type { NewSession } from '../../control/sessions/start-session.ts';
import { verifyAddress } from '../../control/sessions/verify-address.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { makeFormToken } from '../serve/cross-site.ts';
import {
  answer,
  defineEndpoint,
  type Endpoint,
  type EndpointAnswer,
  empty,
  type Refusal,
  refuse,
} from '../serve/endpoint.ts';
import { readPresentedUrl } from '../serve/presented-url.ts';
import { refusalFor, refusalOf, tooManyTries, type Undone } from '../serve/refusal-words.ts';
import { soundReturnPath } from '../serve/return-address.ts';
import { address, code, newSecret, personName, secret } from '../serve/shapes.ts';

export const signedInShape = z.object({
  account: z.string(),
  session: z.string(),
  device: z.string(),
  csrf_token: z.string().meta({ description: 'send it as X-CSRF-Token where no Origin field can be sent' }),
});

/**
 * The answer to a sign-in. The account that was signed in on this browser before is signed out: a session never goes on under another
 * sign-in (gateway/RULES.md "Sessions, links and guessing").
 */
export async function answerSignedIn(
  context: ControlContext,
  before: Actor | null,
  session: NewSession,
): Promise<Extract<EndpointAnswer<z.input<typeof signedInShape>>, { kind: 'answer' }>> {
  if (before?.kind === 'account') await signOut(context, before);
  const { accountId, sessionId, deviceId } = session;
  const csrf_token = makeFormToken(context, sessionId);
  const body = { account: accountId, session: sessionId, device: deviceId, csrf_token };
  return { kind: 'answer', status: 200, body, browser: { kind: 'signed-in', session } };
}

const password = defineEndpoint({
  method: 'POST',
  path: 'sign-in',
  summary: 'Sign in with address and password; sets the session cookie',
  who: 'anyone',
  body: z.strictObject({ email: address, password: secret }),
  response: signedInShape,
  handle: async ({ context, actor, body, request }) => {
    if (actor !== null && actor.kind !== 'account') return refusalFor('not-an-account');
    const outcome = await signIn(context, { ...request, ...body });
    if (outcome.kind === 'signed-in') return answerSignedIn(context, actor, outcome.session);
    return outcome.kind === 'refused' ? refusalFor('sign-in') : refusalOf(outcome);
  },
});

const byCode = defineEndpoint({
  method: 'POST',
  path: 'sign-in/code',
  summary:
    'Sign in with the code in the link of a mail: an invitation (with a password to choose), a sign-in link, a mail with six digits',
  who: 'anyone',
  body: z.strictObject({ code, password: newSecret.optional(), name: personName.optional() }),
  response: signedInShape,
  handle: async ({ context, actor, body, request }) => {
    if (actor !== null && actor.kind !== 'account') return refusalFor('not-an-account');
    const asked = { ...request, code: body.code, password: body.password, displayName: body.name };
    const outcome = await signInByCode(context, asked);
    return outcome.kind === 'signed-in' ? answerSignedIn(context, actor, outcome.session) : codeRefusal(outcome);
  },
});

const askForCode = defineEndpoint({
  method: 'POST',
  path: 'sign-in/mail-code',
  summary:
    'Have a code of six digits mailed. The same answer whoever the address belongs to; keep `request` for the digits',
  who: 'anyone',
  body: z.strictObject({
    email: address,
    url: z.string().max(4096).optional().meta({
      description:
        'URL of a link that is to be opened: an address without an account may get one by it, and the mail leads there',
    }),
  }),
  response: z.object({
    request: z
      .string()
      .meta({ description: 'a secret of this browser: the digits count with it alone, for ten minutes' }),
  }),
  handle: async ({ context, body: { email, url }, request }) => {
    const way = url === undefined ? null : await wayOfLink(context, url);
    const outcome = await requestMailCode(context, { ...request, email, way });
    if (outcome.kind === 'accepted') return answer({ request: outcome.request });
    return outcome.kind === 'busy' ? tooManyTries(outcome.retryAfterSeconds) : refusalFor(outcome.reason);
  },
});

/** A link's URL as a mail can carry it; null for every other URL. */
async function wayOfLink(context: ControlContext, text: string): Promise<CarriedWay | null> {
  const url = URL.canParse(text) ? new URL(text) : null;
  const read = url === null ? null : readPresentedUrl(`${url.pathname}${url.search}`, context.config().links);
  const returnPath = read === null ? null : soundReturnPath(read.cleanTarget);
  const host = url === null ? null : canonicalHost(url.host);
  if (read === null || returnPath === null || host === null || returnPath.length > 2000) return null;
  const { key, token, path } = read;
  const shown = await presentLink(context, { host, path, key, token });
  if (shown.kind === 'wrong-pair') return null;
  return { host, returnPath, link: { key, token }, about: { label: shown.label, owner: shown.ownerName } };
}

const byDigits = defineEndpoint({
  method: 'POST',
  path: 'sign-in/mail-code/complete',
  summary: 'Sign in with those digits and the `request` that they were asked for with; five tries',
  who: 'anyone',
  body: z.strictObject({ request: code, digits: z.string().max(100) }),
  response: signedInShape,
  handle: async ({ context, actor, body, request }) => {
    if (actor !== null && actor.kind !== 'account') return refusalFor('not-an-account');
    const outcome = await signInByDigits(context, { ...request, ...body });
    switch (outcome.kind) {
      case 'signed-in':
        return answerSignedIn(context, actor, outcome.session);
      case 'malformed':
        return refusalFor('digits');
      case 'wrong': {
        const { triesLeft } = outcome;
        return refuse(403, 'wrong-digits', `That is not the code. ${triesLeft} of its tries are left.`);
      }
      case 'refused':
      case 'too-many':
        return refusalOf(outcome);
      default:
        return outcome satisfies never;
    }
  },
});

const leave = defineEndpoint({
  method: 'POST',
  path: 'sign-out',
  summary: 'End this sign-in, on every host',
  who: 'account',
  response: null,
  handle: async ({ context, actor }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    await signOut(context, actor);
    return { kind: 'empty', browser: { kind: 'signed-out' } };
  },
});

const register = defineEndpoint({
  method: 'POST',
  path: 'register',
  summary: 'Make an account: a mail goes to the address. The same answer whoever it belongs to',
  who: 'anyone',
  body: z.strictObject({ email: address }),
  response: null,
  handle: async ({ context, body: { email }, request: { clientAddress, requestId } }) => {
    const outcome = await registerAccount(context, { email, clientAddress, requestId });
    if (outcome.kind === 'accepted') return empty;
    if (outcome.reason === 'busy') return tooManyTries(outcome.retryAfterSeconds);
    return refusalFor(outcome.reason === 'weak-password' ? `password-${outcome.why}` : outcome.reason);
  },
});

const verify = defineEndpoint({
  method: 'POST',
  path: 'register/verify',
  summary: 'Confirm the address with the code of that mail, choose a password, and be signed in',
  who: 'anyone',
  body: z.strictObject({ code, password: newSecret, name: personName.optional() }),
  response: signedInShape,
  handle: async ({ context, actor, body, request }) => {
    if (actor !== null && actor.kind !== 'account') return refusalFor('not-an-account');
    const asked = { ...request, code: body.code, password: body.password, displayName: body.name };
    const outcome = await verifyAddress(context, asked);
    return outcome.kind === 'verified' ? answerSignedIn(context, actor, outcome.session) : codeRefusal(outcome);
  },
});

const forgot = defineEndpoint({
  method: 'POST',
  path: 'password-reset',
  summary: 'Send a mail to choose a new password. The same answer whoever the address belongs to',
  who: 'anyone',
  body: z.strictObject({ email: address }),
  response: null,
  handle: async ({ context, body: { email }, request: { clientAddress, requestId } }) => {
    const outcome = await requestPasswordReset(context, { email, clientAddress, requestId });
    return outcome.kind === 'accepted' ? empty : tooManyTries(outcome.retryAfterSeconds);
  },
});

const reset = defineEndpoint({
  method: 'POST',
  path: 'password-reset/complete',
  summary: 'Set a new password with the code of that mail; every session of the account ends',
  who: 'anyone',
  body: z.strictObject({ code, password: newSecret }),
  response: null,
  handle: async ({ context, body, request: { clientAddress, requestId } }) => {
    const outcome = await resetPassword(context, { ...body, clientAddress, requestId });
    return outcome.kind === 'reset' ? empty : codeRefusal(outcome);
  },
});

/** The refusal of a code. `busy` is not about the code: too many passwords are being hashed at the moment, hence 503. */
function codeRefusal(outcome: Undone): Refusal {
  return outcome.kind === 'busy' ? refusalFor('busy') : refusalOf(outcome);
}

/** The endpoints of this file; `endpoints.ts` lists them. */
export const signInEndpoints: readonly Endpoint[] = [
  password,
  byCode,
  askForCode,
  byDigits,
  leave,
  register,
  verify,
  forgot,
  reset,
];
