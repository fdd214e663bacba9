// The way of a visitor to the portal's sign-in and back to the host they came from. On that host a nonce goes into the flow cookie;
// the portal learns its digest only, in a sealed request, and the one-time code that it gives back is bound to that digest. So a
// code that somebody else sees, or a request that somebody else began, opens nothing in another browser.
// The host in it is one of ours, looked up again before use. Scheme and port are the configuration's and never the request's: whoever
// begins a hand-over has its nonce, so its code must not pass where they can see it, another port or plain HTTP.

import { z } from 'zod';
import { publicOrigin } from '../../control/access/tokenized-url.ts';
import { nonceHashOf } from '../../control/sessions/hand-over.ts';
import { portalHost, takesSignIns } from '../../control/sessions/session-hosts.ts';
import { maxLabelLength } from '../../core/model/link.ts';
import { type Flow, flowSeconds } from '../serve/flow-cookie.ts';
import type { PageAnswer, Visit } from '../serve/page-route.ts';
import { openText, sealText } from '../serve/sealed-text.ts';

const aboutShape = z.object({
  /** What is about to be opened, as its owner calls it. */
  label: z.string().max(2 * maxLabelLength),
  /** Who sent it: name or address; null when nobody is to be named. */
  owner: z.string().max(320).nullable(),
});

/** What the sign-in page says of where somebody is going. */
type SignInAbout = z.infer<typeof aboutShape>;

const handoverShape = z.object({
  host: z.string().max(260),
  nonceHash: z.string().max(60),
  flow: z.string().max(40),
  about: aboutShape.nullable(),
});

/** A sign-in for another host, as the portal is asked for it. */
export type HandoverRequest = z.infer<typeof handoverShape> & {
  /** Of the host, where the code is sent. */
  readonly origin: string;
};

interface SignInStart {
  /** Where to go afterwards, on this host; sound, see return-address.ts. */
  readonly returnPath: string;
  /** The link that was presented and left the address. After sign-in `claim?flow=<id>` is opened on this host. */
  readonly link?: NonNullable<Flow['link']>;
  readonly about?: SignInAbout;
}

/** Sends a visitor of any of our hosts to the portal's sign-in. Sets the flow cookie of this host. */
export function beginSignIn(visit: Visit, start: SignInStart): PageAnswer {
  const { context, origin, prefix, jar } = visit;
  const { portal } = context.config();
  if (portal === null) return visit.errorPage(404);
  if (!takesSignIns(context.config(), origin.host)) return noSignInsHere(visit);
  const flow = jar.begin({ returnPath: start.returnPath, link: start.link ?? null });
  const request: z.input<typeof handoverShape> = {
    host: origin.host,
    nonceHash: nonceHashOf(flow.nonce),
    flow: flow.id,
    about: start.about ?? null,
  };
  const sealed = sealText(context, handoverUse(visit), request, flowSeconds);
  return visit.redirect(`${portal.publicUrl}${prefix}login?handover=${sealed}`);
}

/** The route has a wildcard for a host, and a hand-over needs a name. Says it to whoever can change it, for nobody else can. */
function noSignInsHere(visit: Visit): PageAnswer {
  return visit.errorPage(403, {
    title: 'Signing in does not work at this address yet',
    text: `Tell whoever runs this place. If that is you: name ${visit.origin.host} in portal.hosts of the configuration. Its route has a wildcard, and sign-ins are sent to names only.`,
  });
}

/** @returns null when it is not ours, over its time, or for a host where nobody may be signed in (any more) */
export function openHandover(visit: Visit, sealed: string | undefined): HandoverRequest | null {
  const request = openText(visit.context, handoverUse(visit), sealed, handoverShape);
  if (request === null) return null;
  const config = visit.context.config();
  if (!takesSignIns(config, request.host)) return null;
  return { ...request, origin: publicOrigin(config, request.host) };
}

/** Address of the page of this host that goes on with a flow once somebody is signed in. */
export function continuationOf(visit: Visit, flowId: string | undefined): string {
  const flow = visit.jar.find(flowId);
  if (flow === null) return '/';
  // the claim ends the flow itself: it still needs the token in it
  if (flow.link !== null) return `${visit.prefix}claim?flow=${flow.id}`;
  visit.jar.end(flow.id);
  return flow.returnPath;
}

function handoverUse(visit: Visit): { readonly use: 'handover'; readonly binding: string } {
  return { use: 'handover', binding: portalHost(visit.context.config()) ?? '' };
}
