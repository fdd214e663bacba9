// The endpoints of `v1` for signing keys, which are called common keys there. Administrators see and change the ring; only the operator
// gets a secret. So a thief with an administrator's session can rotate keys, which the history shows, but never learns a key's secret.

import { z } from 'zod';
import {
  addSigningKey,
  exportSigningKey,
  listRing,
  promoteSigningKey,
  retireSigningKey,
  type SigningKeyRefusal,
} from '../../control/signing-keys/change-signing-keys.ts';
import { answer, defineEndpoint, type Endpoint, type Refusal, refuse } from '../serve/endpoint.ts';
import { exportedSigningKeyShape, showSigningKey, signingKeyShape, signingKeysShape } from './common-key-shapes.ts';

const keyParams = z.object({ key: z.string().min(1).max(128) });

/** The endpoints of this file; `endpoints.ts` lists them. */
export const commonKeyEndpoints: readonly Endpoint[] = [
  defineEndpoint({
    method: 'GET',
    path: 'common-keys',
    summary: 'The key ring, without its secrets',
    who: 'admin',
    response: signingKeysShape,
    handle: async ({ context }) => answer({ keys: (await listRing(context)).map(showSigningKey) }),
  }),
  defineEndpoint({
    method: 'POST',
    path: 'common-keys',
    summary: 'Make a key that verifies; have it sign once every server has it',
    who: 'admin',
    body: z.strictObject({
      id: z.string().max(64).optional(),
      purpose: z.enum(['content', 'internal']).default('content'),
    }),
    response: signingKeyShape,
    handle: async ({ context, actor, body }) => {
      const made = await addSigningKey(context, actor, { purpose: body.purpose, id: body.id ?? null });
      return made.kind === 'changed' ? answer(showSigningKey(made.key), 201) : refuseKey(made);
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: 'common-keys/:key/promote',
    summary: 'Have a key sign; the one that signed verifies from then on',
    who: 'admin',
    params: keyParams,
    response: signingKeyShape,
    handle: async ({ context, actor, params }) => {
      const changed = await promoteSigningKey(context, actor, params.key);
      return changed.kind === 'changed' ? answer(showSigningKey(changed.key)) : refuseKey(changed);
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: 'common-keys/:key/retire',
    summary: 'Refuse every token of a key',
    who: 'admin',
    params: keyParams,
    body: z.strictObject({ force: z.boolean().default(false).describe('also when tokens of it may still hold') }),
    response: signingKeyShape,
    handle: async ({ context, actor, params, body }) => {
      const changed = await retireSigningKey(context, actor, { id: params.key, force: body.force });
      return changed.kind === 'changed' ? answer(showSigningKey(changed.key)) : refuseKey(changed);
    },
  }),
  defineEndpoint({
    method: 'POST',
    path: 'common-keys/:key/export',
    summary: 'The secret of a content key, for another server; the operator’s alone',
    who: 'admin',
    params: keyParams,
    response: exportedSigningKeyShape,
    handle: async ({ context, actor, params }) => {
      if (actor.kind !== 'operator')
        return refuse(
          403,
          'operator-only',
          'Keys are handed out on the command line only: latchkey common-key export.',
        );
      const exported = await exportSigningKey(context, actor, params.key);
      return exported.kind === 'exported'
        ? answer({ id: exported.id, secret: exported.secret.toString('base64url') })
        : refuseKey(exported);
    },
  }),
];

/** The answer to a refused change of the ring: status, reason and sentence. */
function refuseKey({ reason, until }: SigningKeyRefusal): Refusal {
  switch (reason) {
    case 'declared':
      return refuse(409, reason, 'The configuration file declares the common keys; change them there.');
    case 'unknown':
      return refuse(404, reason, 'There is no such key.');
    case 'only-signer':
      return refuse(409, reason, 'It is the key that signs; have another one sign first.');
    case 'bad-id':
      return refuse(422, reason, 'A key id is 1 to 64 letters, digits, ".", "_" and "-".');
    case 'exists':
      return refuse(409, reason, 'There is a key with this id already.');
    case 'in-use': {
      const seconds = until ?? 0;
      const detail = `Tokens of it may hold until ${new Date(seconds * 1000).toISOString()}.`;
      return refuse(409, reason, detail);
    }
    case 'retired':
      return refuse(409, reason, 'A retired key stays retired; make a new one.');
    case 'internal':
      return refuse(403, reason, 'An internal key never leaves latchkey.');
    default:
      return reason satisfies never;
  }
}
