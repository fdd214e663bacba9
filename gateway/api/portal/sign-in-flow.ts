// Sends a visitor to the portal's sign-in and back to the host they came from. The host puts a nonce into its flow cookie; the portal gets
// only the nonce's digest, in a sealed request, and binds its one-time code to that digest. So a code that an attacker sees, or a request
// that an attacker began, opens nothing in another browser.
// The host in the request must be named in the configuration, and is checked again before use. Scheme and port come from the configuration
// and never from the request: an attacker who began a hand-over has its nonce, so its code must not travel to another port or over plain
// HTTP, where the attacker might read it.

import { z } from 'zod';
import { cleanUrl, publicOrigin, tokenizedUrl } from '../../control/access/tokenized-url.ts';
import type { CarriedWay } from '../../control/proof/carried-way.ts';
import { nonceHashOf } from '../../control/sessions/hand-over.ts';
import { portalHost, takesSignIns } from '../../control/sessions/session-hosts.ts';
import { maxLabelLength } from '../../core/model/link.ts';
import { type Flow, flowSeconds } from '../serve/flow-cookie.ts';
import type { PageAnswer, Visit } from '../serve/page-route.ts';
import { soundReturnPath } from '../serve/return-address.ts';
import { openText, sealText } from '../serve/sealed-text.ts';

const aboutShape = z.object({
  /** Label of the link that the visitor is about to open. */
  label: z.string().max(2 * maxLabelLength),
  /** Name or address of the link's owner; null when nobody is to be named. */
  owner: z.string().max(320).nullable(),
});

/** What the sign-in page says about the link that the visitor is about to open. */
type SignInAbout = z.infer<typeof aboutShape>;

/** Longest path of a way that a hand-over carries: the whole request stands in an address, and in a cookie of 4096 bytes. */
const maxCarriedPath = 600;

const handoverShape = z.object({
  host: z.string().max(260),
  nonceHash: z.string().max(60),
  flow: z.string().max(40),
  about: aboutShape.nullable(),
  /**
   * Where the visitor goes on that host, for a mail that is read in another browser, which has no flow cookie of that host; null when
   * that is too long to be carried.
   */
  way: z
    .object({
      returnPath: z.string().max(maxCarriedPath),
      link: z.object({ key: z.string().max(200), token: z.string().max(200) }).nullable(),
    })
    .nullable()
    .default(null),
});

/** A request for a sign-in on another host, as that host sends it to the portal. */
type HandoverRequest = z.infer<typeof handoverShape> & {
  /** `scheme://host[:port]` of the host, where the code is sent. */
  readonly origin: string;
};

interface SignInStart {
  /** Path of this host to go to afterwards; checked by return-address.ts. */
  readonly returnPath: string;
  /** The link that the visitor presented; its token has left the address. After sign-in the visitor goes to `claim?flow=<id>` here. */
  readonly link?: NonNullable<Flow['link']>;
  readonly about?: SignInAbout;
}

/** Sends a visitor of any host to the portal's sign-in, and sets the flow cookie of this host. 404 without a portal. */
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
    way: carriedOf(start),
  };
  const sealed = sealText(context, handoverUse(visit), request, flowSeconds);
  return visit.redirect(`${portal.publicUrl}${prefix}login?handover=${sealed}`);
}

function carriedOf({ returnPath, link }: SignInStart): { returnPath: string; link: Flow['link'] } | null {
  const [path = ''] = returnPath.split('?', 1);
  const short = returnPath.length <= maxCarriedPath ? returnPath : path;
  return short.length <= maxCarriedPath ? { returnPath: short, link: link ?? null } : null;
}

/** Where a sign-in leads, in a form that a mail's code can carry; null where it leads to the front page. @param back  path of the portal, NOT checked */
export function carriedWay(visit: Visit, request: HandoverRequest | null, back: string | undefined): CarriedWay | null {
  if (request !== null) return request.way && { host: request.host, about: request.about, ...request.way };
  const host = portalHost(visit.context.config());
  const returnPath = soundReturnPath(back);
  if (host === null || returnPath === null || returnPath.length > 2000) return null;
  return { host, returnPath, link: null, about: null };
}

/** The address that a carried way leads to, in whatever browser: of a link, the tokenized URL; null when its host takes no sign-ins any more. */
export function addressOfWay(visit: Visit, way: CarriedWay): string | null {
  const config = visit.context.config();
  const returnPath = soundReturnPath(way.returnPath);
  if (returnPath === null || !takesSignIns(config, way.host)) return null;
  if (way.link === null) return way.host === portalHost(config) ? returnPath : cleanUrl(config, way.host, returnPath);
  const [path = '', ...rest] = returnPath.split('?');
  const url = tokenizedUrl(config, way.host, path, way.link.key, way.link.token);
  return rest.length === 0 ? url : `${url}&${rest.join('?')}`;
}

/** The page for a host that only a wildcard route covers: a hand-over needs a host that is named. Its words are for the operator. */
function noSignInsHere(visit: Visit): PageAnswer {
  return visit.errorPage(403, {
    title: 'Signing in does not work at this address yet',
    text: `Tell whoever runs this place. If that is you: name ${visit.origin.host} in portal.hosts of the configuration. Its route has a wildcard, and sign-ins are sent to names only.`,
  });
}

/** @returns the opened request; null when it was not sealed here, has expired, or is for a host where people may not sign in (any more) */
export function openHandover(visit: Visit, sealed: string | undefined): HandoverRequest | null {
  const request = openText(visit.context, handoverUse(visit), sealed, handoverShape);
  if (request === null) return null;
  const config = visit.context.config();
  if (!takesSignIns(config, request.host)) return null;
  return { ...request, origin: publicOrigin(config, request.host) };
}

/** Path where a flow goes on once its visitor is signed in on this host: the claim of its link, else its return path. */
export function continuationOf(visit: Visit, flowId: string | undefined): string {
  const flow = visit.jar.find(flowId);
  if (flow === null) return '/';
  // the claim ends the flow itself, since it still needs the link's token
  if (flow.link !== null) return `${visit.prefix}claim?flow=${flow.id}`;
  visit.jar.end(flow.id);
  return flow.returnPath;
}

function handoverUse(visit: Visit): { readonly use: 'handover'; readonly binding: string } {
  return { use: 'handover', binding: portalHost(visit.context.config()) ?? '' };
}
