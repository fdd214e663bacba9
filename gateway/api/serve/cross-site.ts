// Tells whether latchkey's own pages made a request that changes something. There are two proofs: the headers by which the browser says
// where the request began, and a form token that only these pages hold. A form needs the token, and must not come from another site.
// The token is sealed for the session that it belongs to, or before sign-in for the browser's flow cookie. So it works before sign-in and
// in several tabs at once, and the token of one session is worth nothing in another. It needs no cookie of its own:
// @fastify/csrf-protection would need a secret in a fifth cookie that outlives sign-in and sign-out, or a session plugin.

import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import type { RequestOrigin } from './request-origin.ts';
import { openText, sealText } from './sealed-text.ts';

/** Name of the form field that carries the token. */
export const formTokenField = 'form_token';
/** Name of the header that carries the token in requests to `v1`. */
export const formTokenHeader = 'x-csrf-token';

/** Life of a form token, 12 hours; a page that was open for longer has to be loaded again. */
const formTokenSeconds = 12 * 60 * 60;

/** Makes a form token. @param binding  id of the session, or before sign-in the binding of the flow cookie */
export function makeFormToken(context: ControlContext, binding: string): string {
  return sealText(context, { use: 'form', binding }, 'form', formTokenSeconds);
}

/** Whether a text is a form token for this binding that has not expired. */
export function isFormToken(context: ControlContext, binding: string, token: unknown): boolean {
  return typeof token === 'string' && openText(context, { use: 'form', binding }, token, z.literal('form')) !== null;
}

/**
 * Where a request began, by what the browser says: `same-origin` proves that our own page sent it, `cross-site` means that it is to be
 * refused, and `unknown` comes from programs and old browsers, which say nothing.
 */
type Provenance = 'same-origin' | 'cross-site' | 'unknown';

/**
 * Reads the provenance from the headers. Where Sec-Fetch-Site is sent, it alone decides: scripts cannot set it, and a page with the policy
 * `no-referrer` sends `Origin: null` beside it.
 */
export function provenanceOf(headers: IncomingHttpHeaders, origin: RequestOrigin): Provenance {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'same-origin' : 'cross-site';
  const sender = headers.origin;
  if (sender === undefined) return 'unknown';
  return sender === origin.origin ? 'same-origin' : 'cross-site';
}
