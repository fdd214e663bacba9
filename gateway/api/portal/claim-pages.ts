// The pages that a visitor sees when opening a link: the question before it opens, and the reasons why it does not. Their readers need not
// know what a token is. Status as in gateway/RULES.md "Status": full 403, revoked or over 410, a pair of key and token without a link 404.
// No page tells which check failed inside.

import type { ClaimRefusal } from '../../control/links/claim-link.ts';
import type { PresentedLink } from '../../control/links/present-link.ts';
import type { LinkPreview } from '../../control/links/show-link-address.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import type { PageAnswer, PersonVisit, Visit } from '../serve/page-route.ts';
import { seenByOwner } from './about-note.ts';
import { note } from './fields.ts';
import { pictureOf } from './link-words.ts';

interface Question {
  readonly link: PresentedLink;
  /** Name of the account that is about to claim; empty when it has none. */
  readonly visitorName: string;
  /** Sealed consent that the form sends back; see claim.ts. */
  readonly consent: string;
}

/** The question before a claim: one button, the owner's name and what the owner will see. No referrer: a secret stood in the address. */
export function askPage(visit: PersonVisit, { link, visitorName, consent }: Question): PageAnswer {
  const { prefix, actor } = visit;
  return visit.page({
    title: link.label,
    heading: `${link.ownerName} shared this with you`,
    width: 'narrow',
    referrer: 'no-referrer',
    body: html`${told(visit, link, html`${visitorName === '' ? 'your address: ' : html`your name and address: ${visitorName}, `}${actor.email}`)}
<form method="post" action="${prefix}claim">${visit.formToken()}<input type="hidden" name="consent" value="${consent}">
<button type="submit">Open it</button></form>
<p class="hint after">If you did not expect this, just close the page. Nothing has happened yet, and ${link.ownerName} is told nothing.</p>
<p class="hint">Not ${actor.email}? <a href="${prefix}logout">Sign out</a>, then open the link again.</p>`,
  });
}

/** The same question as the owner of the link may look at it: it names nobody, and its button does nothing. */
export function tryPage(visit: PersonVisit, link: LinkPreview): PageAnswer {
  const { prefix } = visit;
  const account = link.forEmail === null ? 'Whoever opens the link' : `${link.forEmail}`;
  return visit.page({
    title: link.label,
    heading: `${link.ownerName} shared this with you`,
    width: 'narrow',
    section: 'links',
    body: html`${note('plain', `${account} reads this, after signing in with an account or by a code from a mail. Here nothing is opened.`)}
${told(visit, link, html`your name and address`)}
<p><button type="button" disabled>Open it</button></p>
<p class="hint after">If you did not expect this, just close the page. Nothing has happened yet, and ${link.ownerName} is told nothing.</p>
<p class="after"><a class="button plain" href="${prefix}links/${link.id}">Back to your link</a></p>`,
  });
}

type Told = Pick<PresentedLink, 'label' | 'ownerName' | 'accessUntilAt' | 'collection'>;

/** What is said before every first opening: what it is, for how long, and what the owner will see. @param visitor  name and address, as a part of a sentence */
function told(visit: Visit, link: Told, visitor: Html): Html {
  return html`<div class="sheet">${pictureOf(visit, link.collection)}<h2>${link.label}</h2>
<p class="soft">Once you open it you can come back any time, on any device where you sign in, without the link${
    link.accessUntilAt === null ? null : html`, until ${moment(link.accessUntilAt)}`
  }.</p></div>
<p>If you open it, ${link.ownerName} will see:</p>
${seenByOwner(visitor)}`;
}

/** The answer to a preview, a prefetch or a program: it tells nothing about the link. */
export function silentPage(visit: Visit, visitor: 'ahead' | 'preview' | 'program'): PageAnswer {
  const title = 'Something was shared with you';
  const text = 'Open this address in a browser to see it.';
  // a browser drops an error that it fetched in advance, and asks again when somebody opens the link
  if (visitor === 'ahead') return visit.errorPage(503, { title, text });
  if (visitor === 'program') return visit.errorPage(403, { title, text });
  return visit.page({ title, width: 'narrow', referrer: 'no-referrer', body: html`<p>${text}</p>` });
}

/** The page for a flow cookie that is gone or older than ten minutes. The link itself may still work. */
export function tooLatePage(visit: Visit): PageAnswer {
  return visit.errorPage(400, {
    title: 'Please open the link once more',
    text: 'This page was open for too long, or your browser keeps no cookies. Open the link that was sent to you again.',
    ...homeDoor(visit),
  });
}

/** A way on from a link that does not open: the portal's front page, which lists what does. */
function homeDoor({ context, prefix }: Visit): { readonly door?: { readonly label: string; readonly path: string } } {
  const { portal } = context.config();
  return portal === null
    ? {}
    : { door: { label: 'See what is shared with you', path: `${portal.publicUrl}${prefix}` } };
}

interface Refused {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  /** A button that leads on, where there is one. `path` is given where the link leads to, without its token. */
  readonly door?: { readonly label: string; readonly path: (prefix: string, cleanTarget: string) => string };
}

/** Words for each refusal. Refusals have different words only where the visitor can do something different about them. */
const refusals: Readonly<Record<Exclude<(ClaimRefusal | LinkOver)['kind'], 'early'>, Refused>> = {
  'wrong-pair': {
    status: 404,
    title: 'This link does not work',
    text: 'A piece of it may be missing: links get cut off in mails and messages. Ask for it to be sent again.',
  },
  full: {
    status: 403,
    title: 'This link is already used',
    text: 'It was made for a certain number of people, and they have opened it. If it was meant for you, ask whoever sent it for a link of your own. If you opened it before, use the same account as then.',
    door: {
      label: 'Use another account',
      path: (prefix, target) => `${prefix}logout?return=${encodeURIComponent(target)}`,
    },
  },
  'not-for-you': {
    status: 403,
    title: 'This link was made for another address',
    text: 'Only one person can open it, by the mail address that it was sent to. If you have an account with that address, use that one. If not, ask whoever sent it for a link of your own.',
    door: {
      label: 'Use another account',
      path: (prefix, target) => `${prefix}logout?return=${encodeURIComponent(target)}`,
    },
  },
  'past-window': {
    status: 410,
    title: 'This link came too late',
    text: 'It could be opened for a certain time only, and that has passed. Ask whoever sent it to you for a new one.',
  },
  'access-over': {
    status: 410,
    title: 'The time for this is over',
    text: 'What was shared by this link was there until a certain day, and that has passed. Ask whoever sent it if it can be shared again.',
  },
  revoked: {
    status: 410,
    title: 'This link has ended',
    text: 'Whoever shared it has stopped sharing it. If you think that is a mistake, ask them for a new link.',
  },
  'member-revoked': {
    status: 410,
    title: 'Your access has ended',
    text: 'You had opened this link before, and whoever shared it has stopped sharing it with you. Ask them for a new link.',
  },
  'account-not-able': {
    status: 403,
    title: 'Your account cannot open this',
    text: 'Confirm the mail address of your account first, or sign in with another account. Then open the link again.',
    door: { label: 'Sign out', path: (prefix) => `${prefix}logout` },
  },
};

/** The page for a visitor whom a link did not let in. @param cleanTarget  path and query that the link leads to, without its token */
export function refusalPage(visit: Visit, refusal: ClaimRefusal | LinkOver, cleanTarget = '/'): PageAnswer {
  if (refusal.kind === 'early') return notYet(visit, refusal.claimFromAt);
  const { status, title, text, door } = refusals[refusal.kind];
  const way =
    door === undefined ? homeDoor(visit) : { door: { label: door.label, path: door.path(visit.prefix, cleanTarget) } };
  return visit.errorPage(status, { title, text, ...way });
}

/** Refusals that hold for everybody, so that they can be said before the visitor signs in. */
interface LinkOver {
  readonly kind: 'revoked' | 'access-over' | 'wrong-pair';
}

/** The page for a link whose time is over, when nobody is signed in. @param returnPath  of this host, checked by return-address.ts */
export function overPage(visit: Visit, returnPath: string): PageAnswer {
  const answer = refusalPage(visit, { kind: 'access-over' });
  if (answer.kind !== 'page') return answer;
  const login = `${visit.prefix}login?return=${encodeURIComponent(returnPath)}`;
  const body = html`${answer.page.body}<p>If something else lets you in, <a href="${login}">sign in</a> for that.</p>`;
  return { ...answer, page: { ...answer.page, body } };
}

function notYet(visit: Visit, from: EpochSeconds): PageAnswer {
  const { door } = homeDoor(visit);
  return visit.page({
    title: 'Not yet',
    status: 403,
    width: 'narrow',
    referrer: 'no-referrer',
    isDeadEnd: door === undefined,
    body: html`<p>This link opens on ${moment(from)}. Keep it, and come back then.</p>${door === undefined ? null : html`<p><a class="button plain" href="${door.path}">${door.label}</a></p>`}`,
  });
}
