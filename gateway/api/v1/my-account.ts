// The endpoints that could lock people out of their own account or end it: password, address, deletion. Each asks for the account's
// password again, where it has one; the confirmation of a new address does so only where the account that asked for it is not signed in.
// After a change of the password the browser stays signed in by a new session; a confirmed address and a deletion sign it out.

import { z } from 'zod';
import { deleteAccount } from '../../control/accounts/delete-account.ts';
import { requestAddressChange } from '../../control/accounts/request-address-change.ts';
import { changePassword } from '../../control/sessions/change-password.ts';
import { confirmAddressChange } from '../../control/sessions/confirm-address-change.ts';
import { makeFormToken } from '../serve/cross-site.ts';
import { defineEndpoint, type Endpoint, empty } from '../serve/endpoint.ts';
import { refusalOf } from '../serve/refusal-words.ts';
import { address as addressShape, code, newSecret, secret } from '../serve/shapes.ts';

const own = secret.describe('the account’s password; empty when it has none');

const password = defineEndpoint({
  method: 'POST',
  path: 'me/password',
  summary: 'Change one’s own password; every other session ends, and this one goes on under a new cookie',
  who: 'account',
  body: z.strictObject({ old_password: secret, new_password: newSecret }),
  response: z.object({ session: z.string(), csrf_token: z.string().describe('of the new session') }),
  handle: async ({ context, actor, body, request }) => {
    const asked = { ...request, oldPassword: body.old_password, newPassword: body.new_password };
    const outcome = await changePassword(context, actor, asked);
    if (outcome.kind !== 'changed') return refusalOf(outcome);
    const { session } = outcome;
    const answered = { session: session.sessionId, csrf_token: makeFormToken(context, session.sessionId) };
    return { kind: 'answer', status: 200, body: answered, browser: { kind: 'signed-in', session } };
  },
});

const address = defineEndpoint({
  method: 'POST',
  path: 'me/address',
  summary: 'Use another address: a mail goes there, and the change is made once its code comes back',
  who: 'account',
  body: z.strictObject({ email: addressShape, password: own.default('') }),
  response: null,
  handle: async ({ context, actor, body, request: { clientAddress, requestId } }) => {
    const asked = { newEmail: body.email, password: body.password, clientAddress, requestId };
    const outcome = await requestAddressChange(context, actor, asked);
    return outcome.kind === 'accepted' ? empty : refusalOf(outcome);
  },
});

const confirm = defineEndpoint({
  method: 'POST',
  path: 'me/address/confirm',
  summary: 'Make that change with the code of the mail; every session of the account ends, this one too',
  who: 'anyone',
  body: z.strictObject({
    code,
    password: own.optional().describe('where the account that asked is not signed in'),
  }),
  response: z.object({ email: z.string() }),
  handle: async ({ context, actor, body, request }) => {
    const outcome = await confirmAddressChange(context, { ...request, ...body, actor });
    if (outcome.kind !== 'changed') return refusalOf(outcome);
    return { kind: 'answer', status: 200, body: { email: outcome.email }, browser: { kind: 'signed-out' } };
  },
});

const remove = defineEndpoint({
  method: 'POST',
  path: 'me/delete',
  summary: 'Delete one’s own account and what belongs to it, for good',
  who: 'account',
  body: z.strictObject({ password: own.default('') }),
  response: null,
  handle: async ({ context, actor, body: { password: given }, request: { clientAddress, requestId } }) => {
    const outcome = await deleteAccount(context, actor, { password: given, clientAddress, requestId });
    return outcome.kind === 'deleted' ? { kind: 'empty', browser: { kind: 'signed-out' } } : refusalOf(outcome);
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const myAccountEndpoints: readonly Endpoint[] = [password, address, confirm, remove];
