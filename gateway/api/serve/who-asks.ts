// Who is signed in on the host that was asked, and keeping them signed in: a session's token lives 15 minutes, and whoever comes with
// one past its half gets the next, as an edge does for its routes. The rows of the session decide, not the token's end.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import { actorOf } from '../../control/sessions/actor-of.ts';
import { sessionForHost } from '../../control/sessions/session-for-host.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { RequestOrigin } from './request-origin.ts';

/** A signed-in person. */
export type Person = Extract<Actor, { readonly kind: 'account' }>;

/** @returns null for nobody; a session cookie that is no good any more is cleared */
export async function whoAsks(
  context: ControlContext,
  request: FastifyRequest,
  reply: FastifyReply,
  origin: RequestOrigin,
): Promise<Person | null> {
  const token = readCookie(request, origin, 'session');
  if (token === null) return null;
  const actor = await actorOf(context, token, origin.host);
  if (actor === null) {
    clearCookie(reply, origin, 'session');
    return null;
  }
  if (isPastHalf(token, context.clock.epochSeconds())) {
    const next = await sessionForHost(context, { sessionId: actor.sessionId, host: origin.host });
    if (next.kind === 'minted') setCookie(reply, origin, 'session', next.token, next.maxAgeSeconds);
  }
  return actor;
}

const times = z.object({ iat: z.int(), exp: z.int() });

/** Only of a token that was verified. */
function isPastHalf(token: string, now: number): boolean {
  const read = times.safeParse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
  return !read.success || now >= (read.data.iat + read.data.exp) / 2;
}
