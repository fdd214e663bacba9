// The endpoints of `v1` for representations of keys: made by the holder of a key in the holder's own session, listed, and ended.
// What an answer of `create` holds is a secret while the representation lives.

import { z } from 'zod';
import {
  listMyRepresentations,
  listRepresentationsOfShare,
  type RepresentationView,
  representationStates,
  revokeRepresentation,
} from '../../control/representations/my-representations.ts';
import { representKey } from '../../control/representations/represent-key.ts';
import { representationKinds } from '../../core/model/share.ts';
import { dataUrl, qrPng, qrSvg } from '../look/qr-code.ts';
import { answer, defineEndpoint, type Endpoint, refuse } from '../serve/endpoint.ts';
import { refusalFor } from '../serve/refusal-words.ts';
import { id } from '../serve/shapes.ts';
import { at, revokedShape } from './link-shapes.ts';

const noKey = refuse(404, 'unknown', 'There is no such key, or you do not hold it now.');

const kind = z
  .enum(representationKinds)
  .describe(
    'url: opens once, within ten minutes; qr_svg, qr_png: the same as a picture; path_url: its token inside the path; bearer, header: a token for programs',
  );

const representationShape = z.object({
  id,
  key: id,
  share: id.nullable().describe('the share by which the key is held; null for an own key'),
  kind,
  state: z.enum(representationStates),
  created_at: at,
  expires_at: at,
  used_at: at.nullable(),
  revoked_at: at.nullable(),
});

const madeShape = z.object({
  id,
  kind,
  expires_at: at,
  uses_left: z.int().nullable().describe('of a share with a number of uses; null for no limit'),
  url: z.string().nullable().describe('of `url`, `path_url`, and what the pictures show'),
  picture: z.string().nullable().describe('of `qr_svg` and `qr_png`: a `data:` URL'),
  token: z.string().nullable().describe('of `bearer`'),
  header: z.object({ name: z.string(), value: z.string() }).nullable().describe('of `header`'),
});

const keyParams = z.object({ key: id });

const create = defineEndpoint({
  method: 'POST',
  path: 'me/keys/:key/representations',
  summary: 'A key in a form that can be carried; it lasts an hour at most, and never longer than the key',
  who: 'account',
  params: keyParams,
  body: z.strictObject({ kind }),
  response: madeShape,
  handle: async ({ context, actor, params, body, request }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    const made = await representKey(context, actor, {
      keyId: params.key,
      kind: body.kind,
      origin: request,
    });
    switch (made.kind) {
      case 'made': {
        const { id, carried, expiresAt, usesLeft } = made;
        const url = carried.form === 'token' ? null : carried.url;
        const token = carried.form === 'token' ? carried.token : null;
        return answer(
          {
            ...{ id, kind: body.kind, expires_at: expiresAt, uses_left: usesLeft, url },
            picture: await pictureOf(body.kind, url),
            token: body.kind === 'bearer' ? token : null,
            header:
              body.kind === 'header' && token !== null ? { name: 'Authorization', value: `Bearer ${token}` } : null,
          },
          201,
        );
      }
      case 'not-found':
        return noKey;
      case 'made-before':
        return refuse(409, 'made-before', 'This was made before, and is over by now.');
      case 'used-up':
        return refuse(409, 'used-up', 'This key was used as often as it may be. Ask whoever gave it to you.');
      case 'no-pass':
        return refuse(
          409,
          'no-pass',
          'This key cannot be carried now: it is over in a moment, nothing serves what it opens, or no common key signs. Ask the operator.',
        );
      default:
        return made satisfies never;
    }
  },
});

const list = defineEndpoint({
  method: 'GET',
  path: 'me/keys/:key/representations',
  summary: 'The representations that one made of a key, newest first, at most 100',
  who: 'account',
  params: keyParams,
  response: z.object({ representations: z.array(representationShape) }),
  handle: async ({ context, actor, params }) => {
    if (actor.kind !== 'account') return refusalFor('not-an-account');
    const found = await listMyRepresentations(context, actor, params.key);
    return answer({ representations: found.map(show) });
  },
});

const listOfShare = defineEndpoint({
  method: 'GET',
  path: 'shares/:share/representations',
  summary: 'The representations that were made of a shared key, for its parties, newest first, at most 100',
  who: 'account',
  params: z.object({ share: id }),
  response: z.object({ representations: z.array(representationShape) }),
  handle: async ({ context, actor, params }) => {
    const found = await listRepresentationsOfShare(context, actor, params.share);
    return found === null
      ? refuse(404, 'unknown', 'There is no such share.')
      : answer({ representations: found.map(show) });
  },
});

const revoke = defineEndpoint({
  method: 'POST',
  path: 'representations/:representation/revoke',
  summary: 'End a representation, and everything that is open by it',
  who: 'account',
  params: z.object({ representation: id }),
  response: revokedShape,
  handle: async ({ context, actor, params, request }) => {
    const outcome = await revokeRepresentation(context, actor, params.representation, request);
    return outcome.kind === 'not-found'
      ? refuse(404, 'unknown', 'There is no such representation.')
      : answer({ was_live: outcome.wasLive });
  },
});

/** The endpoints of this file; `endpoints.ts` lists them. */
export const representationEndpoints: readonly Endpoint[] = [create, list, listOfShare, revoke];

async function pictureOf(kind: (typeof representationKinds)[number], url: string | null): Promise<string | null> {
  if (url === null) return null;
  if (kind === 'qr_svg') return dataUrl('image/svg+xml', await qrSvg(url));
  return kind === 'qr_png' ? dataUrl('image/png', await qrPng(url)) : null;
}

function show(view: RepresentationView): z.output<typeof representationShape> {
  return {
    ...{ id: view.id, key: view.keyId, share: view.shareId, kind: view.kind, state: view.state },
    ...{ created_at: view.createdAt, expires_at: view.expiresAt, used_at: view.usedAt, revoked_at: view.revokedAt },
  };
}
