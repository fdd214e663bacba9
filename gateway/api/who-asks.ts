// Who is signed in on the host that was asked, and keeping them signed in: the session's token lives 15 minutes, and whoever comes
// with one past its half gets the next. The row of the session decides, not the token alone, so an ended one ends here too.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Actor, ControlContext } from '../control/control-context.ts';
import { clearCookie, readCookie, setCookie } from './cookies.ts';
import type { RequestOrigin } from './request-origin.ts';

/** What control/sessions does for a host: reads a session token, and mints the next one. */
export interface SessionKeeper {
  /** null for a token that is not sound, for another host, or of a session that is over. */
  readonly actorOf: (context: ControlContext, token: string, host: string) => Promise<Actor | null>;
  readonly sessionForHost: (
    context: ControlContext,
    asked: { readonly sessionId: string; readonly host: string },
  ) => Promise<
    { readonly kind: 'minted'; readonly token: string; readonly maxAgeSeconds: number } | { readonly kind: 'ended' }
  >;
}

/** Nobody is signed in anywhere. */
export const noSessions: SessionKeeper = {
  actorOf: async () => null,
  sessionForHost: async () => ({ kind: 'ended' }),
};

/** @returns null for nobody; a session cookie that is no good any more is cleared */
export async function whoAsks(
  context: ControlContext,
  keeper: SessionKeeper,
  request: FastifyRequest,
  reply: FastifyReply,
  origin: RequestOrigin,
): Promise<Actor | null> {
  const token = readCookie(request, origin, 'session');
  if (token === null) return null;
  const actor = await keeper.actorOf(context, token, origin.host);
  if (actor === null || actor.kind !== 'account') {
    clearCookie(reply, origin, 'session');
    return null;
  }
  if (isPastHalf(token, context.clock.epochSeconds())) {
    const next = await keeper.sessionForHost(context, { sessionId: actor.sessionId, host: origin.host });
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
