// Finishes every kind of sign-in: ends the browser's session from before, sets the cookies of the portal's host, and sends the visitor to
// where they were going: another host (with a one-time code), a path of the portal, or the front page.
// A session from before a sign-in never goes on (gateway/RULES.md "Sessions, links and guessing").

import type { CarriedWay } from '../../control/proof/carried-way.ts';
import { actorOf } from '../../control/sessions/actor-of.ts';
import { makeHandover } from '../../control/sessions/hand-over.ts';
import { signOut } from '../../control/sessions/my-sessions.ts';
import type { Browser, NewSession } from '../../control/sessions/start-session.ts';
import type { PageAnswer, Visit } from '../serve/page-route.ts';
import { soundReturnPath } from '../serve/return-address.ts';
import type { Person } from '../serve/who-asks.ts';
import { addressOfWay, openHandover } from './sign-in-flow.ts';

/** Where a sign-in leads, as the address of the sign-in page says it. */
export interface SignInQuery {
  /** Sealed hand-over request of another host; the sign-in page has told the visitor of that host. NOT opened. */
  readonly handover?: string | undefined;
  /** Path of the portal to go to. NOT checked. */
  readonly return?: string | undefined;
  /** What the code of a mail carried. It counts where there is no hand-over, or one that has expired. */
  readonly way?: CarriedWay | null;
}

/** The facts about a visit's browser, as the use cases of sign-in take them. */
export function browserOf({ deviceCookie, origin }: Visit): Browser {
  const { userAgent, clientAddress, requestId } = origin;
  return { deviceCookie, userAgent, clientAddress, requestId };
}

/**
 * Sets the cookies of a session that was just started, and goes on.
 *
 * @param query  from the page whose form signed in, and never from another tab: a sign-in leads where its own page said, and any site can
 *               open a sign-in page in another tab
 */
export async function finishSignIn(visit: Visit, session: NewSession, query: SignInQuery): Promise<PageAnswer> {
  if (visit.actor !== null) await signOut(visit.context, visit.actor);
  visit.startSession(session.sessionToken, session.maxAgeSeconds);
  if (session.deviceCookie !== null) visit.rememberDevice(session.deviceCookie);
  visit.jar.renew();
  const actor = await actorOf(visit.context, session.sessionToken, visit.origin.host);
  return actor === null ? visit.errorPage(403) : goOn(visit, actor, query);
}

/** Redirects a visitor who is signed in at the portal to where the sign-in leads; for a hand-over it makes the one-time code first. */
export async function goOn(visit: Visit, actor: Person, query: SignInQuery): Promise<PageAnswer> {
  const { context, prefix } = visit;
  const request = openHandover(visit, query.handover);
  if (request === null) {
    const way = query.way ?? null;
    if (way !== null) return visit.redirect(addressOfWay(visit, way) ?? prefix);
    if (query.handover !== undefined) return tooLate(visit);
    return visit.redirect(soundReturnPath(query.return) ?? returnOrHome(query, prefix));
  }
  const { code } = await makeHandover(context, {
    actor,
    host: request.host,
    nonceHash: request.nonceHash,
  });
  const way = new URLSearchParams({ code, flow: request.flow });
  return visit.redirect(`${request.origin}${prefix}handover?${way.toString()}`);
}

/** The error page for a hand-over request that has expired or was not sealed here. */
export function tooLate(visit: Visit): PageAnswer {
  return visit.errorPage(410, {
    title: 'That took a little too long',
    text: 'For safety, signing in has to be done within ten minutes. Open the page or the link you came from once more.',
  });
}

/** Without `return`, the portal's front page; with one that is not a sound path, `/`. */
function returnOrHome(query: SignInQuery, prefix: string): string {
  return query.return === undefined ? prefix : '/';
}
