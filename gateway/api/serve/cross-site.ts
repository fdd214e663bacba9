// Whether a request that changes something was made by our own pages. Two proofs, and a form needs both: what the browser says of
// where the request began, and a token that only our pages were given.
// The token is sealed with whom it belongs to: the session, and before sign-in the browser's flow cookie. So it works before
// sign-in, in several tabs at once, and one session's token is worth nothing in another, with no cookie beside those we have.
// (@fastify/csrf-protection binds to a secret in a fifth cookie that outlives sign-in and sign-out, or needs a session plugin.)

import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import type { RequestOrigin } from './request-origin.ts';
import { openText, sealText } from './sealed-text.ts';

/** Name of the field in forms. */
export const formTokenField = 'form_token';
/** The header that carries it in requests by programs. */
export const formTokenHeader = 'x-csrf-token';

/** A page that was left open that long has to be loaded again. */
const formTokenSeconds = 12 * 60 * 60;

/** @param binding  id of the session, or what the flow cookie holds */
export function makeFormToken(context: ControlContext, binding: string): string {
  return sealText(context, { use: 'form', binding }, 'form', formTokenSeconds);
}

export function isFormToken(context: ControlContext, binding: string, token: unknown): boolean {
  return typeof token === 'string' && openText(context, { use: 'form', binding }, token, z.literal('form')) !== null;
}

/**
 * What the browser says of where a request began: `same-origin` is proof, `cross-site` a refusal, and `unknown` comes from
 * programs and old browsers that say nothing.
 */
type Provenance = 'same-origin' | 'cross-site' | 'unknown';

/** Sec-Fetch-Site decides where it is sent; it cannot be set by scripts. A page without referrer sends `Origin: null` beside it. */
export function provenanceOf(headers: IncomingHttpHeaders, origin: RequestOrigin): Provenance {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'same-origin' : 'cross-site';
  const sender = headers.origin;
  if (sender === undefined) return 'unknown';
  return sender === origin.origin ? 'same-origin' : 'cross-site';
}
