// The endpoints of `v1` that issue credentials and hang keys on them: for administrators, for a site's program that speaks as one, and for
// the operator. The use cases in control/keys check that again.

import { z } from 'zod';
import { addKey, type KeyAdded, maxKeysOfCredential } from '../../control/keys/add-key.ts';
import { maxPictureBytes } from '../../control/keys/credential-input.ts';
import { type CredentialIssued, issueCredential } from '../../control/keys/issue-credential.ts';
import { credentialsPerPage, listCredentials, readCredential } from '../../control/keys/list-credentials.ts';
import type { Origin } from '../../control/keys/note-share.ts';
import { removeKey } from '../../control/keys/remove-key.ts';
import { type EndOfKeys, withdrawCredential } from '../../control/keys/withdraw-credential.ts';
import { maxLabelLength } from '../../core/model/link.ts';
import {
  answer,
  defineEndpoint,
  type Endpoint,
  type EndpointAnswer,
  type EndpointRequest,
  type Refusal,
  refuse,
} from '../serve/endpoint.ts';
import { refusalFor } from '../serve/refusal-words.ts';
import { collectionName, id, moment } from '../serve/shapes.ts';
import {
  credentialKeyShape,
  credentialKeysShape,
  credentialShape,
  credentialsShape,
  endedShape,
  showCredential,
  showCredentialKey,
} from './credential-shapes.ts';
import { method } from './link-shapes.ts';

/** One line, which the use case judges; see serve/shapes.ts. */
const line = z.string().max(500).meta({ minLength: 1, maxLength: maxLabelLength });
/** A picture of the greatest size is a third longer in base64, and beside it stand a few texts. */
const maxBodyBytes = 2 * maxPictureBytes;

const issue = defineEndpoint({
  method: 'POST',
  path: 'credentials',
  summary: 'Issue a credential to an account; keys are hung on it one by one',
  who: 'admin',
  maxBodyBytes,
  body: z.strictObject({
    account: z.string().max(1000).describe('an id, or a verified address'),
    name: line,
    issuer: line,
    picture: z
      .string()
      .max(maxBodyBytes)
      .nullish()
      .describe('a `data:` URL in base64 of a PNG, JPEG or WebP picture of at most 64 KiB'),
    valid_from_at: moment.nullish(),
    valid_until_at: moment.nullish(),
  }),
  response: credentialShape,
  handle: async ({ context, actor, body, request }) => {
    const { account, name, issuer, picture, valid_from_at: validFromAt, valid_until_at: validUntilAt } = body;
    const input = { account, name, issuer, picture, validFromAt, validUntilAt, origin: originOf(request) };
    const outcome = await issueCredential(context, actor, input);
    return outcome.kind === 'issued' ? answer(showCredential(outcome.credential), 201) : notIssued(outcome.reason);
  },
});

const list = defineEndpoint({
  method: 'GET',
  path: 'credentials',
  summary: 'All credentials, newest first',
  who: 'admin',
  query: z.object({
    search: z.string().max(320).optional().describe('part of a name, an issuer, or the address of the account'),
    account: id.optional(),
    after: z.string().max(80).optional(),
    limit: z.coerce.number().int().min(1).max(credentialsPerPage).optional(),
  }),
  response: credentialsShape,
  handle: async ({ context, actor, query }) => {
    const { account: accountId, ...page } = query;
    const listed = await listCredentials(context, actor, { ...page, accountId });
    if (listed.kind === 'refused') return notFound(listed.reason);
    return answer({ credentials: listed.credentials.map(showCredential), next: listed.next });
  },
});

const params = z.object({ credential: id });

const read = defineEndpoint({
  method: 'GET',
  path: 'credentials/:credential',
  summary: 'One credential',
  who: 'admin',
  params,
  response: credentialShape,
  handle: async ({ context, actor, params: { credential } }) => {
    const found = await readCredential(context, actor, credential);
    return found.kind === 'found' ? answer(showCredential(found.credential)) : notFound(found.reason);
  },
});

const withdraw = defineEndpoint({
  method: 'POST',
  path: 'credentials/:credential/withdraw',
  summary:
    'Withdraw a credential, for good, with all that hangs on it; when this answers, nothing of it passes any more',
  who: 'admin',
  params,
  response: endedShape,
  handle: async ({ context, actor, params: { credential }, request }) =>
    ended(await withdrawCredential(context, actor, credential, originOf(request))),
});

const keys = defineEndpoint({
  method: 'GET',
  path: 'credentials/:credential/keys',
  summary: 'The keys of a credential, oldest first, removed ones too',
  who: 'admin',
  params,
  response: credentialKeysShape,
  handle: async ({ context, actor, params: { credential } }) => {
    const found = await readCredential(context, actor, credential);
    return found.kind === 'found' ? answer({ keys: found.keys.map(showCredentialKey) }) : notFound(found.reason);
  },
});

const add = defineEndpoint({
  method: 'POST',
  path: 'credentials/:credential/keys',
  summary: 'Hang a key on a credential: it opens a collection, or a folder or file in it',
  who: 'admin',
  params,
  body: z.strictObject({
    name: line,
    collection: collectionName,
    path: z
      .string()
      .max(2000)
      .nullish()
      .describe('a path, or the name of a file or folder in the collection; default: the whole'),
    methods: z.array(method).max(16).nullish().describe('default: those of the route'),
    needs_second_factor: z
      .boolean()
      .optional()
      .describe('whoever accepts a share of it has to prove a second factor, which nobody can as yet; default false'),
  }),
  response: credentialKeyShape,
  handle: async ({ context, actor, params: { credential }, body, request }) => {
    const { name, collection, path, methods, needs_second_factor: needsSecondFactor } = body;
    const input = { credentialId: credential, name, collection, path, methods, needsSecondFactor };
    const outcome = await addKey(context, actor, { ...input, origin: originOf(request) });
    return outcome.kind === 'added' ? answer(showCredentialKey(outcome.key), 201) : notAdded(outcome.reason);
  },
});

const remove = defineEndpoint({
  method: 'POST',
  path: 'credential-keys/:key/remove',
  summary: 'Remove a key from its credential, for good, with all shares of it; when this answers, nobody passes by it',
  who: 'admin',
  params: z.object({ key: id }),
  response: endedShape,
  handle: async ({ context, actor, params: { key }, request }) =>
    ended(await removeKey(context, actor, key, originOf(request)), 'There is no such key.'),
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const credentialEndpoints: readonly Endpoint[] = [issue, list, read, withdraw, keys, add, remove];

function originOf({ requestId, clientAddress }: EndpointRequest): Origin {
  return { requestId, clientAddress };
}

type NotIssued = Extract<CredentialIssued, { kind: 'refused' }>['reason'];

function notIssued(reason: NotIssued): Refusal {
  switch (reason) {
    case 'bad-label':
      return refuse(422, reason, `The name has to be one line of 1 to ${maxLabelLength} characters.`);
    case 'bad-issuer':
      return refuse(422, reason, `The issuer has to be one line of 1 to ${maxLabelLength} characters.`);
    case 'bad-picture':
      return refuse(422, reason, 'The picture has to be a data: URL in base64 of a PNG, JPEG or WebP, at most 64 KiB.');
    case 'bad-window':
      return refuse(422, reason, 'The times have to be in order, and the end in the future.');
    case 'not-allowed':
    case 'unknown':
    case 'unverified':
    case 'disabled':
      return refusalFor(reason);
    default:
      return reason satisfies never;
  }
}

type NotAdded = Extract<KeyAdded, { kind: 'refused' }>['reason'];

function notAdded(reason: NotAdded): Refusal {
  switch (reason) {
    case 'bad-label':
      return refuse(422, reason, `The name has to be one line of 1 to ${maxLabelLength} characters.`);
    case 'bad-path':
      return refuse(422, reason, 'The path has to lie in the collection, in its plain form, without "*", ";" or ",".');
    case 'bad-methods':
      return refuse(422, reason, 'Methods have to be upper-case names, GET among them, at most 16.');
    case 'no-collection':
      return refuse(404, 'unknown', 'There is no such collection.');
    case 'withdrawn':
      return refuse(409, reason, 'This credential was withdrawn, and stays so. Issue a new one.');
    case 'too-many-keys':
      return refuse(409, reason, `A credential has at most ${maxKeysOfCredential} keys. Issue another one.`);
    case 'not-allowed':
    case 'unknown':
      return notFound(reason);
    default:
      return reason satisfies never;
  }
}

function notFound(reason: 'not-allowed' | 'unknown', words = 'There is no such credential.'): Refusal {
  return reason === 'unknown' ? refuse(404, reason, words) : refusalFor(reason);
}

function ended(outcome: EndOfKeys, words?: string): EndpointAnswer<{ was_live: boolean }> {
  return outcome.kind === 'ended' ? answer({ was_live: outcome.wasLive }) : notFound(outcome.reason, words);
}
