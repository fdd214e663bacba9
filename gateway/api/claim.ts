// Opening a link: what happens between a tokenized URL and the clean one. US 10,043,025, second and third step.
// Order: is it a person; is the pair right and the link alive; who is it; did they mean it; then the claim, the pass, and the
// clean address. The token leaves the address with the first answer whatever that is, and waits in the sealed flow cookie.
// Answers carry no-store and no-referrer: a secret stood in the address that is left behind.

import { z } from 'zod';
import { makeAccessPass } from '../control/access/access-pass.ts';
import { claimLink } from '../control/links/claim-link.ts';
import { type Presentation, presentLink } from '../control/links/present-link.ts';
import { canonicalPath } from '../core/model/path.ts';
import { askPage, overPage, refusalPage, silentPage, tooLatePage } from './claim-pages.ts';
import type { Flow } from './flow-cookie.ts';
import {
  defineForm,
  definePage,
  type PageAnswer,
  type PageRoute,
  type Person,
  type PersonVisit,
  type Visit,
} from './page-route.ts';
import { isDirect, readPresentedUrl, whoVisits } from './presentation.ts';
import { soundReturnPath } from './return-address.ts';
import { beginSignIn } from './sign-in-flow.ts';

type FlowWithLink = Flow & { readonly link: NonNullable<Flow['link']> };

/** Answers a request outside the reserved prefix whose query carries a link's token, as an edge passed it on. */
export const presentation: PageRoute['run'] = async (visit) => {
  if (visit.method !== 'GET' && visit.method !== 'HEAD') return visit.sorry(405);
  const visitor = whoVisits(visit);
  // before any look-up: a preview learns nothing, not even whether the link is good
  if (visitor !== 'person') return silentPage(visit, visitor);
  const url = readPresentedUrl(visit.target, visit.context.config().links);
  const returnPath = url === null ? null : soundReturnPath(url.cleanTarget);
  if (url === null || returnPath === null) return bare(refusalPage(visit, { kind: 'wrong-pair' }));
  const link = {
    key: url.key,
    token: url.token,
    isDirect: isDirect(visit),
    begunAt: visit.context.clock.epochSeconds(),
  };
  const shown = await presentLink(visit.context, {
    host: visit.origin.host,
    path: url.path,
    key: url.key,
    token: url.token,
  });
  if (shown.kind === 'wrong-pair') return bare(refusalPage(visit, shown));
  if (shown.state === 'revoked') return bare(refusalPage(visit, { kind: shown.state }));
  if (visit.actor?.kind !== 'account') {
    // nobody makes an account for what is over; who has another way in may sign in for that
    if (shown.state === 'access-over') return bare(overPage(visit, returnPath));
    return beginSignIn(visit, { returnPath, link, about: { label: shown.label, owner: shown.ownerName } });
  }
  // the question is asked on a page of its own, so that the token does not stand in the address meanwhile
  const flow = visit.jar.begin({ returnPath, link });
  const person: PersonVisit = { ...visit, actor: visit.actor };
  if (link.isDirect) return await claim(person, { ...flow, link });
  if (shown.state !== 'access-over') return visit.redirect(`${visit.prefix}claim?flow=${flow.id}`);
  // nothing is left to be asked; no claim here, for the link may be opened again this very moment
  return (await pass(person, { ...flow, link })) ?? refuse(visit, flow, { kind: 'access-over' });
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
    const { link } = flow;
    const presented = presentationOf(visit, flow);
    const shown = await presentLink(visit.context, presented);
    if (shown.kind === 'wrong-pair') return refuse(visit, flow, shown);
    if (shown.state === 'revoked') return refuse(visit, flow, { kind: 'revoked' });
    const { actor } = visit;
    if (actor?.kind !== 'account') {
      visit.jar.end(flow.id);
      const about = { label: shown.label, owner: shown.ownerName };
      return beginSignIn(visit, { returnPath: flow.returnPath, link, about });
    }
    const person: PersonVisit = { ...visit, actor };
    if (link.isDirect || (await signedInAfter(person, link.begunAt))) return await claim(person, flow);
    // whoever is let in already is asked nothing
    const passed = await pass(person, flow);
    if (passed === null && shown.state === 'access-over') return refuse(visit, flow, { kind: 'access-over' });
    return passed ?? askPage(person, shown, flow.id);
  },
});

const claimForm = defineForm({
  path: 'claim',
  who: 'account',
  place: 'everywhere',
  form: z.object({ flow: z.string().max(40).default('') }),
  handle: async (visit, { form }) => {
    const flow = findFlow(visit, form.flow);
    return flow === null ? tooLatePage(visit) : await claim(visit, flow);
  },
});

export const claimPages: readonly PageRoute[] = [claimPage, claimForm];

async function claim(visit: PersonVisit, flow: FlowWithLink): Promise<PageAnswer> {
  const { context, actor, origin } = visit;
  const outcome = await claimLink(context, actor, presentationOf(visit, flow), origin.requestId || null);
  switch (outcome.kind) {
    case 'granted':
    case 'already':
    case 'yours-otherwise':
      return (await pass(visit, flow)) ?? visit.sorry(403);
    case 'full':
    case 'early':
    case 'past-window':
    case 'access-over':
    case 'revoked':
    case 'member-revoked':
    case 'wrong-pair':
    case 'account-not-able':
      return refuse(visit, flow, outcome);
    default:
      return outcome satisfies never;
  }
}

/** The pass, by the list as it is now, and the clean address; null for somebody whom nothing lets in. */
async function pass(visit: PersonVisit, flow: FlowWithLink): Promise<PageAnswer | null> {
  const { context, origin, actor, jar } = visit;
  const { host, path } = presentationOf(visit, flow);
  const question = { ...sessionOf(actor), host, path };
  const made = await makeAccessPass(context, question, 'cookie');
  if (made.kind === 'none') return null;
  if (made.kind === 'made') visit.givePass(made.pass);
  jar.end(flow.id);
  return origin.host === host ? visit.redirect(flow.returnPath) : visit.sorry(404);
}

function refuse(visit: Visit, flow: Flow, refusal: Parameters<typeof refusalPage>[1]): PageAnswer {
  visit.jar.end(flow.id);
  return bare(refusalPage(visit, refusal, flow.returnPath));
}

/** The flow cookie is sealed for this host, so what is in it was presented here. */
function presentationOf(visit: Visit, { returnPath, link }: FlowWithLink): Presentation {
  const mark = returnPath.indexOf('?');
  const path = canonicalPath(mark < 0 ? returnPath : returnPath.slice(0, mark)) ?? '';
  return { host: visit.origin.host, path, key: link.key, token: link.token };
}

function findFlow(visit: Visit, id: string | undefined): FlowWithLink | null {
  const flow = visit.jar.find(id);
  return flow === null || flow.link === null ? null : { ...flow, link: flow.link };
}

/**
 * Whether the visitor typed their password for this link. The sign-in page said what they were about to open; a session that was
 * there before says nothing, since any page can send a visitor through a hand-over.
 */
async function signedInAfter({ context, actor }: PersonVisit, begunAt: number): Promise<boolean> {
  const session = await context.store.sql
    .selectFrom('sessions')
    .select('created_at')
    .where('id', '=', actor.sessionId)
    .executeTakeFirst();
  return session !== undefined && session.created_at >= begunAt;
}

function sessionOf({ accountId, sessionId, deviceId }: Person): { account: string; session: string; device: string } {
  return { account: accountId, session: sessionId, device: deviceId };
}

/** The address of this answer holds the token. */
function bare(answer: PageAnswer): PageAnswer {
  return answer.kind === 'page' ? { ...answer, page: { ...answer.page, referrer: 'no-referrer' } } : answer;
}
