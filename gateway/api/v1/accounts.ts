// The endpoints of `v1` that administer accounts. Only administrators and the operator may call
// them; the use cases in control/accounts check that again.
// The operator's answer holds the URL of an invitation or of a one-time sign-in link, to be handed over. An administrator's answer never
// does: the code goes by mail to the account's address.

import { z } from 'zod';
import {
  type AdminOutcome,
  type AdminRefused,
  adminDisable,
  adminEnable,
  adminEndSessions,
  adminListAccounts,
  adminReadAccount,
  adminSetGroups,
  adminSetRole,
  inviteAgain,
  makeSignInLink,
} from '../../control/accounts/administer-accounts.ts';
import { createAccount } from '../../control/accounts/create-account.ts';
import { deleteAccount } from '../../control/accounts/delete-account.ts';
import { type AccountPage, pageUrl } from '../../control/accounts/portal-pages.ts';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import { maxGroups } from '../../core/model/account.ts';
import { answer, defineEndpoint, type Endpoint, type EndpointAnswer, empty } from '../serve/endpoint.ts';
import { refusalFor, tooManyTries } from '../serve/refusal-words.ts';
import { address, id, newSecret, personName } from '../serve/shapes.ts';
import { accountMadeShape, accountShape, accountsShape, codeShape, roleShape, showAccount } from './account-shapes.ts';

/** Limits that the use case judges; see serve/shapes.ts. */
const groups = z
  .array(z.string().max(200).meta({ minLength: 1, maxLength: 64 }))
  .max(100)
  .meta({ maxItems: maxGroups });

const list = defineEndpoint({
  method: 'GET',
  path: 'accounts',
  summary: 'Accounts, a page at a time',
  who: 'admin',
  query: z.object({
    search: z.string().max(320).optional(),
    after: z.string().max(400).optional(),
    limit: z.coerce.number().int().min(1).max(500).default(50),
  }),
  response: accountsShape,
  handle: async ({ context, actor, query }) => {
    const found = await adminListAccounts(context, actor, query);
    if (found.kind === 'refused') return refusalFor(found.reason);
    return answer({ accounts: found.accounts.map(showAccount), next: found.next });
  },
});

const create = defineEndpoint({
  method: 'POST',
  path: 'accounts',
  summary: 'Make an account, invited by mail or vouched for',
  who: 'admin',
  body: z.strictObject({
    email: address,
    name: personName.optional(),
    groups: groups.optional(),
    role: roleShape.default('user'),
    invited: z.boolean().default(true),
    password: newSecret.optional(),
  }),
  response: accountMadeShape,
  handle: async ({ context, actor, body, request }) => {
    const outcome = await createAccount(context, actor, {
      email: body.email,
      displayName: body.name,
      groups: body.groups,
      role: body.role,
      invited: body.invited,
      password: body.password,
      requestId: request.requestId,
    });
    if (outcome.kind === 'refused') return refusalFor(outcome.reason);
    const invitation_url = urlForOperator(context, actor, 'acceptInvitation', outcome.invitation);
    return answer({ account: outcome.accountId, invitation_url }, 201);
  },
});

/**
 * The URL of a page with its one-time code, for the operator; null for an administrator, and where no code was made. Whoever opens the URL
 * can sign in as the account that it was made for, so no administrator's browser gets it.
 */
function urlForOperator(context: ControlContext, actor: Actor, page: AccountPage, code: string | null): string | null {
  return actor.kind === 'operator' && code !== null ? pageUrl(context, page, code) : null;
}

const params = z.object({ account: id });

const read = defineEndpoint({
  method: 'GET',
  path: 'accounts/:account',
  summary: 'One account',
  who: 'admin',
  params,
  response: accountShape,
  handle: async ({ context, actor, params: { account } }) => {
    const found = await adminReadAccount(context, actor, { accountId: account });
    return found.kind === 'refused' ? refusalFor(found.reason) : answer(showAccount(found.account));
  },
});

const change = defineEndpoint({
  method: 'PATCH',
  path: 'accounts/:account',
  summary: 'Disable, enable, change role or groups; one after the other, and what was done before a refusal stays',
  who: 'admin',
  params,
  body: z.strictObject({
    state: z.enum(['active', 'disabled']).optional(),
    role: roleShape.optional(),
    groups: groups.optional(),
  }),
  response: null,
  handle: async ({ context, actor, params: { account }, body, request }) => {
    const target = { accountId: account, requestId: request.requestId };
    const steps: (() => Promise<AdminOutcome>)[] = [];
    const { state, role, groups } = body;
    if (role !== undefined) steps.push(() => adminSetRole(context, actor, { ...target, role }));
    if (groups !== undefined) steps.push(() => adminSetGroups(context, actor, { ...target, groups }));
    if (state === 'disabled') steps.push(() => adminDisable(context, actor, target));
    if (state === 'active') steps.push(() => adminEnable(context, actor, target));
    for (const step of steps) {
      const outcome = await step();
      if (outcome.kind === 'refused') return refusalFor(outcome.reason);
    }
    return empty;
  },
});

const remove = defineEndpoint({
  method: 'DELETE',
  path: 'accounts/:account',
  summary: 'Delete an account and what belongs to it',
  who: 'admin',
  params,
  response: null,
  handle: async ({ context, actor, params: { account }, request }) => {
    const { clientAddress, requestId } = request;
    const outcome = await deleteAccount(context, actor, { accountId: account, clientAddress, requestId });
    if (outcome.kind === 'deleted') return empty;
    if (outcome.kind === 'busy') return tooManyTries(outcome.retryAfterSeconds);
    return refusalFor(outcome.reason);
  },
});

const endSessions = defineEndpoint({
  method: 'DELETE',
  path: 'accounts/:account/sessions',
  summary: 'Sign an account out everywhere',
  who: 'admin',
  params,
  response: null,
  handle: async ({ context, actor, params: { account }, request }) => {
    const outcome = await adminEndSessions(context, actor, { accountId: account, requestId: request.requestId });
    return outcome.kind === 'refused' ? refusalFor(outcome.reason) : empty;
  },
});

const invite = defineEndpoint({
  method: 'POST',
  path: 'accounts/:account/invitation',
  summary: 'Send the invitation again; earlier ones are void',
  who: 'admin',
  params,
  response: codeShape,
  handle: async ({ context, actor, params: { account }, request }) => {
    const made = await inviteAgain(context, actor, { accountId: account, requestId: request.requestId });
    return codeAnswer(context, actor, 'acceptInvitation', made);
  },
});

const signInLink = defineEndpoint({
  method: 'POST',
  path: 'accounts/:account/sign-in-link',
  summary: 'Make a one-time sign-in link; sent by mail, or given to the operator',
  who: 'admin',
  params,
  response: codeShape,
  handle: async ({ context, actor, params: { account }, request }) => {
    const target = { accountId: account, requestId: request.requestId, mail: actor.kind !== 'operator' };
    return codeAnswer(context, actor, 'signInByCode', await makeSignInLink(context, actor, target));
  },
});

function codeAnswer(
  context: ControlContext,
  actor: Actor,
  page: AccountPage,
  made: { readonly kind: 'made'; readonly code: string } | AdminRefused,
): EndpointAnswer<z.input<typeof codeShape>> {
  if (made.kind === 'refused') return refusalFor(made.reason);
  return answer({ url: urlForOperator(context, actor, page, made.code) }, 201);
}

/** The endpoints of this file; `endpoints.ts` lists them. */
export const accountEndpoints: readonly Endpoint[] = [
  list,
  create,
  read,
  change,
  remove,
  endSessions,
  invite,
  signInLink,
];
