// The endpoints of `v1` by which a person reads their own keys, and the credentials behind them. The operator has none.

import { z } from 'zod';
import { keyStates } from '../../control/access/kept-keys.ts';
import { listMyCredentials, listMyKeys, type MyKey, myKeysPerPage } from '../../control/keys/list-my-keys.ts';
import { answer, defineEndpoint, type Endpoint } from '../serve/endpoint.ts';
import { refusalFor } from '../serve/refusal-words.ts';
import { id } from '../serve/shapes.ts';
import { at } from './link-shapes.ts';

const givenBy = z.string().nullable().describe('who gave it; null for an own one, empty once that account was deleted');

const credentials = defineEndpoint({
  method: 'GET',
  path: 'me/credentials',
  summary: 'One’s own credentials, and those that received keys hang off, marked with who gave the key',
  who: 'account',
  response: z.object({
    credentials: z.array(
      z.object({
        id: id.nullable().describe('null for a credential of somebody else'),
        name: z.string(),
        issuer: z.string(),
        picture: z.string().nullable().describe('a `data:` URL'),
        valid_from_at: at.nullable(),
        valid_until_at: at.nullable(),
        given_by: givenBy,
      }),
    ),
  }),
  handle: async ({ context, actor }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    const found = await listMyCredentials(context, actor);
    return answer({
      credentials: found.map(({ id, name, issuer, picture, ...more }) => ({
        ...{ id, name, issuer, picture, valid_from_at: more.validFromAt, valid_until_at: more.validUntilAt },
        given_by: more.givenBy,
      })),
    });
  },
});

const keyShape = z.object({
  id,
  name: z.string(),
  state: z
    .enum(keyStates)
    .describe('stopped: something above it does not hold now; used-up: it was used as often as it may be'),
  share: id.nullable().describe('the share by which one has it; null for an own key'),
  credential: z
    .object({
      name: z.string(),
      issuer: z.string(),
      picture: z.string().nullable().describe('a `data:` URL'),
    })
    .describe('what the key hangs off'),
  given_by: givenBy,
  collection: z.string(),
  url: z.string().describe('what it opens, without a token'),
  methods: z.array(z.string()).nullable().describe('null: those of the route'),
  since_at: at,
  usable_from_at: at.nullable(),
  usable_until_at: at.nullable(),
  uses_allowed: z.int().nullable(),
  uses_left: z.int().nullable(),
  reshare_depth: z
    .int()
    .nullable()
    .describe(
      'how many shares may hang below one that one gives, one under the other; null: one may not share the key',
    ),
  last_used_at: at.nullable(),
});

const keys = defineEndpoint({
  method: 'GET',
  path: 'me/keys',
  summary: 'The keys that one has: own ones, and those that one accepted; newest first',
  who: 'account',
  query: z.object({
    after: z.string().max(80).optional(),
    limit: z.coerce.number().int().min(1).max(myKeysPerPage).optional(),
  }),
  response: z.object({ keys: z.array(keyShape), next: z.string().nullable() }),
  handle: async ({ context, actor, query }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    const { keys: found, next } = await listMyKeys(context, actor, query);
    return answer({ keys: found.map(showKey), next });
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const myKeyEndpoints: readonly Endpoint[] = [credentials, keys];

function showKey(key: MyKey): z.output<typeof keyShape> {
  const { id, name, state, shareId, credential, collection, cleanUrl, methods } = key;
  return {
    ...{ id, name, state, share: shareId, credential, given_by: key.givenBy, collection, url: cleanUrl },
    methods: methods === null ? null : [...methods],
    ...{ since_at: key.sinceAt, usable_from_at: key.usableFromAt, usable_until_at: key.untilAt },
    ...{ uses_allowed: key.usesAllowed, uses_left: key.usesLeft, reshare_depth: key.mostDepth },
    last_used_at: key.lastUsedAt,
  };
}
