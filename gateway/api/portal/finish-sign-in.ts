// What happens once somebody is signed in, whichever way: cookies of the portal's host, the end of the session before, and the way to
// where they were going: another host by a one-time code, a path of the portal, or the front page.
// A session that was there before the sign-in never goes on: its id ends here (gateway/RULES.md "Sessions, links and guessing").

import { actorOf } from '../../control/sessions/actor-of.ts';
import { makeHandover } from '../../control/sessions/hand-over.ts';
import { signOut } from '../../control/sessions/my-sessions.ts';
import type { Browser, NewSession } from '../../control/sessions/start-session.ts';
import type { PageAnswer, Visit } from '../serve/page-route.ts';
import { soundReturnPath } from '../serve/return-address.ts';
import type { Person } from '../serve/who-asks.ts';
import { openHandover } from './sign-in-flow.ts';

/** Where a sign-in leads; as it stands in the address of the sign-in page. */
export interface SignInQuery {
  /** Sealed request of another host, of which the page told. */
  readonly handover?: string | undefined;
  /** Path of the portal. NOT checked. */
  readonly return?: string | undefined;
}

/** What use cases want to know of the browser that asks. */
export function browserOf({ deviceCookie, origin }: Visit): Browser {
  const { userAgent, clientAddress, requestId } = origin;
  return { deviceCookie, userAgent, clientAddress, requestId };
}

/**
 * Sets the cookies of a session that was just started, and goes on.
 *
 * @param query  as the page with the form said it. Never what another tab began meanwhile: a sign-in leads where its page said, and any
 *               site can open a sign-in page in another tab
 */
export async function finishSignIn(visit: Visit, session: NewSession, query: SignInQuery): Promise<PageAnswer> {
  if (visit.actor !== null) await signOut(visit.context, visit.actor);
  visit.startSession(session.sessionToken, session.maxAgeSeconds);
  if (session.deviceCookie !== null) visit.rememberDevice(session.deviceCookie);
  visit.jar.renew();
  const actor = await actorOf(visit.context, session.sessionToken, visit.origin.host);
  return actor === null ? visit.errorPage(403) : goOn(visit, actor, query);
}

/** Where somebody goes who is signed in at the portal. */
export async function goOn(visit: Visit, actor: Person, query: SignInQuery): Promise<PageAnswer> {
  const { context, prefix } = visit;
  if (query.handover === undefined) return visit.redirect(soundReturnPath(query.return) ?? returnOrHome(query, prefix));
  const request = openHandover(visit, query.handover);
  if (request === null) return tooLate(visit);
  const { code } = await makeHandover(context, {
    actor,
    host: request.host,
    nonceHash: request.nonceHash,
  });
  const way = new URLSearchParams({ code, flow: request.flow });
  return visit.redirect(`${request.origin}${prefix}handover?${way.toString()}`);
}

/** The way back to another host was not kept any longer, or was not ours. */
export function tooLate(visit: Visit): PageAnswer {
  return visit.errorPage(410, {
    title: 'That took a little too long',
    text: 'For safety, signing in has to be done within ten minutes. Open the page or the link you came from once more.',
  });
}

/** An address that is there and unsound falls back to `/`; none at all is the portal's front page. */
function returnOrHome(query: SignInQuery, prefix: string): string {
  return query.return === undefined ? prefix : '/';
}
