// The top of a link's page: its address, to copy, share, mail and photograph, while the link lives. US 10,043,025, first step.
// The address is a secret. It is shown to whoever may manage the link, after a form of this page: the form leads back to the link's page with a
// ticket, which shows the address for ten minutes to this session alone. So a reload repeats no form, no other site can have it shown, and
// each showing is in the audit log once.

import { z } from 'zod';
import type { LinkMailed } from '../../control/links/link-mails.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import {
  previewLink,
  readLinkAddress,
  sendLinkAddress,
  showLinkAddress,
} from '../../control/links/show-link-address.ts';
import { type Html, html } from '../look/html.ts';
import { dataUrl, qrPng, qrSvg } from '../look/qr-code.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { openText, sealText } from '../serve/sealed-text.ts';
import { id } from '../serve/shapes.ts';
import { tryPage } from './claim-pages.ts';
import { buttonForm, field, type Problems } from './fields.ts';
import type { Done } from './link-ends.ts';

/** The words for what was just done; the link's page names one of them by `done`. */
export const addressDoneWords = {
  made: ['good', 'Your link is ready.'],
  mailed: ['good', 'Your link is ready, and a mail with it is on its way.'],
  unmailed: ['bad', 'Your link is ready, but no mail could be sent. Send the address yourself.'],
  renewed: ['good', 'The link has a new address. The one before lets nobody new in.'],
  sent: ['good', 'A mail with the address is on its way.'],
  unsent: ['bad', 'No mail could be sent just now. Send the address yourself, or try again in an hour.'],
} as const satisfies Readonly<Record<string, Done>>;

type AddressDone = keyof typeof addressDoneWords;

/** A ticket for one link: sealed for one session, for ten minutes. In characters it is far shorter than this. */
export const addressTicket = z.string().max(600).optional();

const ticketSeconds = 600;
const ticketShape = z.object({ link: z.string().max(40) });

function ticketUse({ actor }: PersonVisit): { readonly use: 'link-address'; readonly binding: string } {
  return { use: 'link-address', binding: actor.sessionId };
}

/** Leads to the link's page with its address at the top, and says what was done. */
export function toAddress(visit: PersonVisit, linkId: string, done: AddressDone | null): PageAnswer {
  const ticket = sealText(visit.context, ticketUse(visit), { link: linkId }, ticketSeconds);
  const query = new URLSearchParams({ ...(done === null ? {} : { done }), address: ticket });
  return visit.redirect(`${visit.prefix}links/${encodeURIComponent(linkId)}?${query}`);
}

/** The word for a link that was made, by what became of its mail. */
export function doneOfMail(mail: LinkMailed | null): AddressDone {
  return mail === null ? 'made' : mail === 'queued' ? 'mailed' : 'unmailed';
}

const linkParams = z.object({ link: id });

const showForm = defineForm({
  path: 'links/:link/address',
  who: 'account',
  params: linkParams,
  form: z.object({}),
  handle: async (visit, { params: { link } }) => {
    const shown = await showLinkAddress(visit.context, visit.actor, link, visit.origin.requestId || null);
    return shown.kind === 'not-found' ? visit.errorPage(404) : toAddress(visit, link, null);
  },
});

/** "Try it": what the person that the link is for will read. Opens nothing, since the owner passes anyway. */
const previewPage = definePage({
  path: 'links/:link/preview',
  who: 'account',
  params: linkParams,
  handle: async (visit, { params: { link } }) => {
    const preview = await previewLink(visit.context, visit.actor, link);
    return preview === null ? visit.errorPage(404) : tryPage(visit, preview);
  },
});

/** @param showAgain  the link's page with a problem of the form */
export function makeSendForm(
  showAgain: (visit: PersonVisit, link: string, wrong: Problems, ticket: string) => Promise<PageAnswer>,
): PageRoute {
  return defineForm({
    path: 'links/:link/send',
    who: 'account',
    params: linkParams,
    form: z.object({ to: z.string().max(1000).default(''), address: z.string().max(600).default('') }),
    handle: async (visit, { params: { link }, form }) => {
      const input = { linkId: link, to: form.to, requestId: visit.origin.requestId || null };
      const outcome = await sendLinkAddress(visit.context, visit.actor, input);
      switch (outcome.kind) {
        case 'sent':
          return toAddress(visit, link, outcome.mail === 'queued' ? 'sent' : 'unsent');
        case 'refused':
          return await showAgain(visit, link, { to: sendProblems[outcome.problem] }, form.address);
        case 'not-found':
          return visit.errorPage(404);
        default:
          return outcome satisfies never;
      }
    },
  });
}

const sendProblems = {
  'bad-address': 'This is no mail address. One address, like anna@example.org.',
  'other-address': 'This link opens for another address only. Make one for this person as well.',
  'no-address': 'The address of this link is not kept any more. Make a new one first.',
};

/** The pages of this file that need nothing of the link's page; `pages.ts` lists them by way of it. */
export const linkAddressPages: readonly PageRoute[] = [showForm, previewPage];

/** The top of the page, and whether the address stands in it. */
interface AddressSection {
  readonly part: Html | null;
  readonly isShown: boolean;
}

/** @param ticket  as the page's query has it, NOT checked */
export async function addressSection(
  visit: PersonVisit,
  link: LinkView,
  ticket: string | undefined,
  wrong: Problems,
): Promise<AddressSection> {
  if (link.state === 'revoked' || link.state === 'access-over') return { part: null, isShown: false };
  const opened = openText(visit.context, ticketUse(visit), ticket, ticketShape);
  if (opened !== null && opened.link === link.id) {
    const shown = await readLinkAddress(visit.context, visit.actor, link.id);
    if (shown.kind === 'shown') {
      return { part: await shownPart(visit, shown.link, shown.url, ticket ?? '', wrong), isShown: true };
    }
  }
  return { part: link.hasAddress ? hiddenPart(visit, link) : lostPart(visit, link), isShown: false };
}

async function shownPart(
  visit: PersonVisit,
  link: LinkView,
  url: string,
  ticket: string,
  wrong: Problems,
): Promise<Html> {
  const { prefix, context } = visit;
  const base = `${prefix}links/${link.id}`;
  const hasMail = context.config().mail !== null;
  const to = link.forEmail ?? '';
  const mailto = `mailto:${encodeURIComponent(to)}?${mailQuery(link.label, url)}`;
  return html`<section class="sheet" aria-labelledby="address-title">
<h2 id="address-title">${to === '' ? 'Send this address' : `Send this address to ${to}`}</h2>
<p class="hint">${openedBy(link)}</p>
<div class="field after"><label for="link-address">The address</label><textarea id="link-address" class="once" rows="5" readonly>${url}</textarea></div>
<div class="row"><button type="button" hidden data-copy="link-address">Copy</button>
<button type="button" class="plain" hidden data-share="link-address">Share</button>
<a class="button plain" href="${mailto}">Write a mail</a>
<a class="button plain" href="${base}/preview">Try it</a></div>
${
  hasMail
    ? html`<form method="post" action="${base}/send" class="after" novalidate>${visit.formToken()}<input type="hidden" name="address" value="${ticket}">
${field({ name: 'to', label: `Or let ${context.config().portal?.name ?? 'this site'} mail it to`, type: 'email', value: to, autocomplete: 'off', problem: wrong.to })}
<button type="submit" class="plain">Send it</button></form>`
    : null
}
<details class="after"><summary>For a phone beside you</summary>
<p><img class="qr" src="${dataUrl('image/svg+xml', await qrSvg(url))}" alt="QR code of the link" width="256" height="256"></p>
<p><a href="${dataUrl('image/png', await qrPng(url))}" download="link.png">Save it as a picture</a></p></details>
<details class="after"><summary>Make a new address for it</summary>${renewForm(visit, link)}</details>
</section>`;
}

/** Who can open it, how often, and what that means for whom it is sent to. */
function openedBy({ claimsAllowed, forEmail }: LinkView): string {
  if (forEmail !== null) return 'It opens with that mail address only, and then at any time, on any device.';
  const first = claimsAllowed === 1 ? 'The first person' : `The first ${claimsAllowed} people`;
  return `${first} who ${claimsAllowed === 1 ? 'opens' : 'open'} it can come back at any time, on any device. Send it only to whom it is for.`;
}

/** Subject and text of a mail that the reader's own mail program begins. */
function mailQuery(label: string, url: string): string {
  return `subject=${encodeURIComponent(label)}&body=${encodeURIComponent(`${label}\n\n${url}\n`)}`;
}

function hiddenPart(visit: PersonVisit, link: LinkView): Html {
  const action = `${visit.prefix}links/${link.id}/address`;
  return html`<section class="sheet" aria-labelledby="address-title"><h2 id="address-title">Its address</h2>
${link.forEmail === null ? null : html`<p>It was made for ${link.forEmail}.</p>`}
${buttonForm({ action, formToken: visit.formToken(), text: 'Show the address' })}
<details class="after"><summary>Make a new address for it</summary>${renewForm(visit, link)}</details></section>`;
}

function lostPart(visit: PersonVisit, link: LinkView): Html {
  return html`<section class="sheet" aria-labelledby="address-title"><h2 id="address-title">Its address</h2>
<p class="soft">The address that you sent is not kept here any more. You can make a new one.</p>${renewForm(visit, link)}</section>`;
}

function renewForm(visit: PersonVisit, link: LinkView): Html {
  const action = `${visit.prefix}links/${link.id}/url`;
  return html`<p>The address that you sent stops working for new people. Whoever came in stays.</p>
${buttonForm({ action, formToken: visit.formToken(), text: 'New address', kind: 'plain' })}`;
}
