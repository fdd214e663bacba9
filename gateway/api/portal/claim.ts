// Opens a link: everything between the tokenized URL and the clean one. US 10,043,025, second and third step.
// Order: may a person be looking; do key and token fit, and does the link live; who is signed in; does the access list let that account in
// already; does the person want it; then the claim, the pass and the redirect to the clean URL. The token leaves the address with the first
// redirect, and waits in the sealed flow cookie. Answers carry no-store and no-referrer, because the address before held a secret.
//
// No link is claimed before the visitor pressed the button of the page that names the owner and what the owner will see. No header proves
// that a visitor meant to come: browsers keep `Sec-Fetch-Site: none` over redirects of other sites, and another site can send a visitor to
// the sign-in as well. An account that is on the access list already is not asked, since the owner learns nothing new about it.

import { z } from 'zod';
import { makeAccessPass } from '../../control/access/access-pass.ts';
import { claimLink, foreseeClaim } from '../../control/links/claim-link.ts';
import { type Presentation, type PresentedLink, presentLink } from '../../control/links/present-link.ts';
import { nameOfActor } from '../../control/sessions/actor-of.ts';
import { canonicalPath } from '../../core/model/path.ts';
import { type Flow, flowSeconds } from '../serve/flow-cookie.ts';
import {
  defineForm,
  definePage,
  type PageAnswer,
  type PageRoute,
  type PersonVisit,
  type Visit,
} from '../serve/page-route.ts';
import { readPresentedUrl, whoVisits } from '../serve/presented-url.ts';
import { soundReturnPath } from '../serve/return-address.ts';
import { openText, sealText } from '../serve/sealed-text.ts';
import type { Person } from '../serve/who-asks.ts';
import { askPage, overPage, refusalPage, silentPage, tooLatePage } from './claim-pages.ts';
import { beginSignIn } from './sign-in-flow.ts';

type FlowWithLink = Pick<Flow, 'id' | 'returnPath'> & { readonly link: NonNullable<Flow['link']> };

/** A return path of 2000 characters and a link, sealed. */
const maxConsentLength = 4096;

/** Answers a request for a path of a site whose query carries a link's token; an edge has passed the request on. */
export const presentation: PageRoute['run'] = async (visit) => {
  if (visit.method !== 'GET' && visit.method !== 'HEAD') return visit.errorPage(405);
  const visitor = whoVisits(visit);
  // before any look-up: a preview must not learn anything, not even whether the link works
  if (visitor !== 'person') return silentPage(visit, visitor);
  const url = readPresentedUrl(visit.target, visit.context.config().links);
  const returnPath = url === null ? null : soundReturnPath(url.cleanTarget);
  if (url === null || returnPath === null) return bare(refusalPage(visit, { kind: 'wrong-pair' }));
  const { key, token, path } = url;
  const shown = await presentLink(visit.context, { host: visit.origin.host, path, key, token });
  if (shown.kind === 'wrong-pair') return bare(refusalPage(visit, shown));
  if (shown.state === 'revoked') return bare(refusalPage(visit, { kind: shown.state }));
  const link = { key, token };
  if (visit.actor?.kind !== 'account') {
    // nobody should make an account for a link that is over; a visitor with another access reason can sign in from that page
    if (shown.state === 'access-over') return bare(overPage(visit, returnPath));
    return beginSignIn(visit, { returnPath, link, about: { label: shown.label, owner: shown.ownerName } });
  }
  // the question has a page of its own, so that the token does not stand in the address while the visitor reads it
  const flow = visit.jar.begin({ returnPath, link });
  const person: PersonVisit = { ...visit, actor: visit.actor };
  return (await comeIn(person, { ...flow, link })) ?? visit.redirect(`${visit.prefix}claim?flow=${flow.id}`);
};

const claimPage = definePage({
  path: 'claim',
  who: 'anyone',
  place: 'everywhere',
  query: z.object({ flow: z.string().max(40).optional() }),
  handle: async (visit, { query }) => {
    const visitor = whoVisits(visit);
    if (visitor !== 'person') return silentPage(visit, visitor);
    const flow = findFlow(visit, query.flow);
    if (flow === null) return tooLatePage(visit);
    const shown = await presentLink(visit.context, presentationOf(visit, flow));
    if (shown.kind === 'wrong-pair') return refuse(visit, flow, shown);
    if (shown.state === 'revoked') return refuse(visit, flow, { kind: 'revoked' });
    const { actor } = visit;
    if (actor?.kind !== 'account') {
      visit.jar.end(flow.id);
      const about = { label: shown.label, owner: shown.ownerName };
      return beginSignIn(visit, { returnPath: flow.returnPath, link: flow.link, about });
    }
    const person: PersonVisit = { ...visit, actor };
    return (await comeIn(person, flow)) ?? ask(person, flow, shown);
  },
});

const claimForm = defineForm({
  path: 'claim',
  who: 'account',
  place: 'everywhere',
  form: z.object({ consent: z.string().max(maxConsentLength).default('') }),
  handle: async (visit, { form }) => {
    if (whoVisits(visit) === 'ahead' || !isSentByPage(visit)) return visit.errorPage(403);
    const consent = openText(visit.context, consentUse(visit), form.consent, consentShape);
    if (consent === null) return tooLatePage(visit);
    const { flow: id, returnPath, key, token } = consent;
    return await claim(visit, { id, returnPath, link: { key, token } });
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const claimPages: readonly PageRoute[] = [claimPage, claimForm];

/**
 * Whether a person may have sent the form from a page that they saw. A site on the same host could send it from a frame, a script or a
 * service worker; then the Sec-Fetch-* headers say so. Browsers without these headers are believed, since only the page holds the consent.
 */
function isSentByPage(visit: Visit): boolean {
  const [mode, dest] = [visit.header('sec-fetch-mode'), visit.header('sec-fetch-dest')];
  return (mode ?? 'navigate') === 'navigate' && (dest ?? 'document') === 'document';
}

/**
 * A consent: what the question was about, whole, so that a second press of its button, from another tab or after the browser's way back, means
 * the same and not nothing. It is sealed for one session and lasts as long as a flow.
 */
const consentShape = z.object({
  flow: z.string().max(40),
  returnPath: z.string().max(2000),
  key: z.string().max(200),
  token: z.string().max(200),
});

function consentUse({ actor }: PersonVisit): { readonly use: 'claim'; readonly binding: string } {
  return { use: 'claim', binding: actor.sessionId };
}

async function ask(visit: PersonVisit, flow: FlowWithLink, link: PresentedLink): Promise<PageAnswer> {
  const { context, actor } = visit;
  const { id, returnPath, link: presented } = flow;
  const consent = sealText(context, consentUse(visit), { flow: id, returnPath, ...presented }, flowSeconds);
  const visitorName = await nameOfActor(context, actor);
  return askPage(visit, { link, visitorName, consent });
}

/** Answers without a question where the account is let in already or cannot be; null where a claim would put it on the access list. */
async function comeIn(visit: PersonVisit, flow: FlowWithLink): Promise<PageAnswer | null> {
  const { context, actor, origin } = visit;
  const foreseen = await foreseeClaim(context, actor, presentationOf(visit, flow), origin.requestId || null);
  switch (foreseen.kind) {
    case 'would-claim':
      return null;
    case 'already':
    case 'yours-otherwise':
      return (await pass(visit, flow)) ?? visit.errorPage(403);
    case 'full':
    case 'early':
    case 'past-window':
    case 'access-over':
    case 'revoked':
    case 'member-revoked':
    case 'wrong-pair':
    case 'not-for-you':
    case 'account-not-able':
      return refuse(visit, flow, foreseen);
    default:
      return foreseen satisfies never;
  }
}

async function claim(visit: PersonVisit, flow: FlowWithLink): Promise<PageAnswer> {
  const { context, actor, origin } = visit;
  const outcome = await claimLink(context, actor, presentationOf(visit, flow), origin.requestId || null);
  switch (outcome.kind) {
    case 'granted':
    case 'already':
    case 'yours-otherwise':
      return (await pass(visit, flow)) ?? visit.errorPage(403);
    case 'full':
    case 'early':
    case 'past-window':
    case 'access-over':
    case 'revoked':
    case 'member-revoked':
    case 'wrong-pair':
    case 'not-for-you':
    case 'account-not-able':
      return refuse(visit, flow, outcome);
    default:
      return outcome satisfies never;
  }
}

/** Sets the pass cookie by the access list as it is now, and redirects to the clean URL; null when the list does not let the account in. */
async function pass(visit: PersonVisit, flow: FlowWithLink): Promise<PageAnswer | null> {
  const { context, origin, actor, jar } = visit;
  const { host, path } = presentationOf(visit, flow);
  const question = { ...sessionOf(actor), host, path };
  const made = await makeAccessPass(context, question, 'cookie');
  if (made.kind === 'none') return null;
  if (made.kind === 'made') visit.givePass(made.pass);
  jar.end(flow.id);
  return origin.host === host ? visit.redirect(flow.returnPath) : visit.errorPage(404);
}

function refuse(visit: Visit, flow: FlowWithLink, refusal: Parameters<typeof refusalPage>[1]): PageAnswer {
  visit.jar.end(flow.id);
  return bare(refusalPage(visit, refusal, flow.returnPath));
}

/** The link of a flow, as it was presented: on this host, since the flow cookie is sealed for it. */
function presentationOf(visit: Visit, { returnPath, link }: FlowWithLink): Presentation {
  const mark = returnPath.indexOf('?');
  const path = canonicalPath(mark < 0 ? returnPath : returnPath.slice(0, mark)) ?? '';
  return { host: visit.origin.host, path, key: link.key, token: link.token };
}

function findFlow(visit: Visit, id: string | undefined): FlowWithLink | null {
  const flow = visit.jar.find(id);
  return flow === null || flow.link === null ? null : { ...flow, link: flow.link };
}

function sessionOf({ accountId, sessionId, deviceId }: Person): { account: string; session: string; device: string } {
  return { account: accountId, session: sessionId, device: deviceId };
}

/** The answer with no referrer, because its address may hold the token. */
function bare(answer: PageAnswer): PageAnswer {
  return answer.kind === 'page' ? { ...answer, page: { ...answer.page, referrer: 'no-referrer' } } : answer;
}
