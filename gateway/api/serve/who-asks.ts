// Finds out who is signed in on the host that was asked, and keeps them signed in: a session token lives 15 minutes, and a browser that
// sends one past half of its life gets the next, as at an edge. Whether the session still lives is read from its row, not from the token.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ControlContext } from '../../control/context/control-context.ts';
import { actorOf, type SignedIn } from '../../control/sessions/actor-of.ts';
import { sessionForHost } from '../../control/sessions/session-for-host.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { RequestOrigin } from './request-origin.ts';

/** A signed-in person. */
export type Person = SignedIn;

/**
 * Reads the session cookie, and renews it when its token is past half of its life.
 *
 * @returns the account that is signed in; null when nobody is. A cookie that names no live session is cleared.
 */
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

/** Whether half of a token's life is over. @param token  verified before, so its claims can be trusted */
function isPastHalf(token: string, now: number): boolean {
  const read = times.safeParse(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
  return !read.success || now >= (read.data.iat + read.data.exp) / 2;
}
