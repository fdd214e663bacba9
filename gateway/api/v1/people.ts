// The endpoint of `v1` that says who can open a collection, and by what: for administrators and the operator.

import { z } from 'zod';
import { listPeople, type PersonView, peoplePerPage } from '../../control/keys/list-people.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../serve/endpoint.ts';
import { refusalFor } from '../serve/refusal-words.ts';
import { collectionName, id } from '../serve/shapes.ts';
import { at } from './link-shapes.ts';

const personShape = z.object({
  id: id.describe('the membership, the key, or the share'),
  kind: z.enum(['link', 'own-key', 'share']),
  account: id,
  email: z.string(),
  name: z.string(),
  label: z.string().describe('of the link, or the name of the key'),
  collection: z.string(),
  path: z.string(),
  since_at: at,
  until_at: at.nullable(),
  uses_left: z.int().nullable(),
  chain: z
    .array(
      z.object({
        share: id.describe('a share'),
        given_by: z.object({
          account: id,
          email: z.string().nullable().describe('null once that account was deleted'),
        }),
      }),
    )
    .describe('the shares by which the key came, from the account with the credential down'),
});

const people = defineEndpoint({
  method: 'GET',
  path: 'collections/:collection/people',
  summary:
    'Who can open a collection or a part of it now, and by what: owners, people who came by links, holders of keys',
  who: 'admin',
  params: z.object({ collection: collectionName }),
  query: z.object({
    after: z.string().max(80).optional(),
    limit: z.coerce.number().int().min(1).max(peoplePerPage).optional(),
  }),
  response: z.object({
    owners: z
      .array(
        z.object({
          email: z.string(),
          account: id.nullable().describe('null where nobody has an active account with that address'),
          collection: z.string(),
        }),
      )
      .describe('whom the configuration names; on the first page alone'),
    people: z.array(personShape).describe('newest first'),
    next: z.string().nullable(),
  }),
  handle: async ({ context, actor, params: { collection }, query }) => {
    const listed = await listPeople(context, actor, { collection, ...query });
    if (listed.kind === 'refused') {
      return listed.reason === 'unknown'
        ? refuse(404, 'unknown', 'There is no such collection.')
        : refusalFor(listed.reason);
    }
    const owners = listed.owners.map(({ email, accountId, collection: owned }) => ({
      ...{ email, account: accountId, collection: owned },
    }));
    return answer({ owners, people: listed.people.map(showPerson), next: listed.next });
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const peopleEndpoints: readonly Endpoint[] = [people];

function showPerson(person: PersonView): z.output<typeof personShape> {
  const { id, kind, accountId, email, name, label, collection, path, chain } = person;
  return {
    ...{ id, kind, account: accountId, email, name, label, collection, path },
    ...{ since_at: person.sinceAt, until_at: person.untilAt, uses_left: person.usesLeft },
    chain: chain.map(({ shareId, giverId, giverEmail }) => ({
      share: shareId,
      given_by: { account: giverId, email: giverEmail },
    })),
  };
}
