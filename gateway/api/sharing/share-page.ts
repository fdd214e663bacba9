// The page of one share. Its giver, and whoever stands above, sees with whom the key is and how it is used, changes it and has its mail sent again;
// its recipient sees what is offered. share-ends.ts ends it. For everybody else the page is not there.

import { z } from 'zod';
import { listRepresentationsOfShare } from '../../control/representations/my-representations.ts';
import { changeShare } from '../../control/sharing/change-share.ts';
import { readOffer } from '../../control/sharing/find-offer.ts';
import { listSharesBelow, readShare } from '../../control/sharing/list-shares.ts';
import { resendShare } from '../../control/sharing/resend-share.ts';
import type { ShareView } from '../../control/sharing/share-view.ts';
import { type Html, html } from '../look/html.ts';
import { ago, moment, waitWords } from '../look/moments.ts';
import {
  buttonForm,
  field,
  momentField,
  note,
  type Problems,
  problemSummary,
  readMoment,
  zoneField,
} from '../portal/fields.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';
import { madeList } from './carry-key.ts';
import { originOf } from './forms.ts';
import { offerButtons, seenOfRecipient } from './offer-words.ts';
import { depthField, depthWords, limitProblem, noMailWords, readUses } from './share-fields.ts';
import { addressOf, givenCard, standingTag, usesWords } from './share-words.ts';

const section = 'keys';
const params = z.object({ share: id });

const doneWords = {
  given: 'A mail is on its way. Whoever reads it can ask for the key, and has it after they show that it is them.',
  resent: 'A mail is on its way again.',
  changed: 'The share is changed.',
  withdrawn: 'The offer is taken back. The mail opens nothing any more.',
  revoked: 'Sharing has stopped. The key opens nothing for them any more, nor for anybody they shared it with.',
  disabled: 'Sharing has stopped for a while. The key opens nothing for them until you go on.',
  enabled: 'Sharing goes on. The key opens for them again.',
  ended: 'It is ended, and so is what was open by it.',
};

/** What was just done to a share; its page says so. */
export type Done = keyof typeof doneWords;
const doneNames = Object.keys(doneWords) as readonly Done[];

const sharePage = definePage({
  path: 'shares/:share',
  who: 'account',
  params,
  query: z.object({ done: z.enum(doneNames).optional() }),
  handle: async (visit, input) => showShare(visit, input.params.share, {}, 200, input.query.done),
});

/** The page of a share. @param wrong  problems of its forms */
export async function showShare(
  visit: PersonVisit,
  shareId: string,
  wrong: Problems,
  status: number,
  done?: Done,
): Promise<PageAnswer> {
  const { context, actor } = visit;
  const share = await readShare(context, actor, shareId);
  if (share === null) return visit.errorPage(404);
  const said = html`${problemSummary(wrong)}${done === undefined ? null : note('good', doneWords[done])}`;
  const body = share.reader === 'recipient' ? await recipientBody(visit, share) : await giverBody(visit, share, wrong);
  const title = share.reader === 'recipient' ? share.key.name : `“${share.key.name}” for ${addressOf(share)}`;
  return visit.page({ title, section, status, body: html`${said}${body}` });
}

async function giverBody(visit: PersonVisit, share: ShareView, wrong: Problems): Promise<Html> {
  const { prefix, context, actor } = visit;
  const now = context.clock.epochSeconds();
  const below = await listSharesBelow(context, actor, share.id);
  const made = await listRepresentationsOfShare(context, actor, share.id);
  const cards = (below?.shares ?? []).map((one) => givenCard(visit, one));
  return html`${share.mail === 'failed' ? note('bad', 'The mail to this address could not be delivered. Look whether the address is right.') : null}
<section class="sheet" aria-label="About"><div class="between"><p>${standingTag(share)}</p>${giverButtons(visit, share)}</div>
<dl class="facts"><dt>Key</dt><dd>${share.key.name}</dd>
<dt>From</dt><dd>${share.key.credential.name}, ${share.key.credential.issuer}</dd>
${share.reader === 'giver' ? null : html`<dt>Given by</dt><dd>${share.givenBy ?? 'somebody who is gone'}</dd>`}
<dt>Offered</dt><dd>${moment(share.createdAt)}${isWaiting(share) ? html`; they can ask for it until ${moment(share.expiresAt)}` : null}</dd>
${share.acceptedAt === null ? null : html`<dt>Accepted</dt><dd>${moment(share.acceptedAt)}</dd><dt>Last used</dt><dd>${share.lastUsedAt === null ? 'not yet' : ago(share.lastUsedAt, now)}</dd>`}
${limits(share)}
${share.endedAt === null ? null : html`<dt>Ended</dt><dd>${moment(share.endedAt)}</dd>`}
${share.words === null ? null : html`<dt>Your words</dt><dd class="words">${share.words}</dd>`}</dl></section>
${cards.length === 0 ? null : html`<h2>They shared it on with</h2><ul class="items">${cards}</ul>`}
${madeList(visit, 'They made of it, to carry', made ?? [])}
${mayChange(share) ? changeForm(visit, share, wrong) : null}
<p class="pages"><a class="button plain" href="${prefix}shares/${share.id}/history">History</a><a class="button plain" href="${prefix}shares/given">All that I gave</a></p>`;
}

/** What a giver may do with a share as it stands. */
function giverButtons(visit: PersonVisit, share: ShareView): Html | null {
  const at = (verb: string): string => `${visit.prefix}shares/${share.id}/${verb}`;
  const button = (verb: string, text: string): Html =>
    buttonForm({ action: at(verb), formToken: visit.formToken(), text, kind: 'plain' });
  const stop = html`<a class="button bad" href="${at('stop')}">Stop sharing</a>`;
  switch (share.state) {
    case 'pending':
    case 'requested':
      return html`<div class="row">${button('resend', 'Send the mail again')}<a class="button bad" href="${at('take-back')}">Take the offer back</a></div>`;
    case 'accepted':
    case 'early':
      return html`<div class="row">${button('disable', 'Stop for a while')}${stop}</div>`;
    case 'disabled':
      return html`<div class="row">${button('enable', 'Go on sharing')}${stop}</div>`;
    case 'expired':
    case 'declined':
    case 'withdrawn':
    case 'revoked':
      return null;
    default:
      return share.state satisfies never;
  }
}

/** Whether a later end, or other limits, could make a difference. An offer that nobody accepted in time is over for good. */
function mayChange({ state, acceptedAt }: ShareView): boolean {
  const isOver = state === 'declined' || state === 'withdrawn' || state === 'revoked';
  return !isOver && (state !== 'expired' || acceptedAt !== null);
}

const changeShape = z.object({
  from: z.string().max(40).default(''),
  until: z.string().max(40).default(''),
  zone: z.string().max(80).default(''),
  uses: z.string().max(20).default(''),
  depth: z.string().max(5).default('0'),
});

function changeForm(visit: PersonVisit, share: ShareView, wrong: Problems): Html {
  const { prefix, timeZone, context } = visit;
  const mostDepth = Math.max(share.reshareDepth, context.config().sharing.reshareDepth - share.depth);
  return html`<details${Object.keys(wrong).length === 0 ? null : html` open`}><summary>Change for how long, and how often</summary>
<form method="post" action="${prefix}shares/${share.id}/change" novalidate>${visit.formToken()}${zoneField()}
${momentField({ name: 'from', label: 'From', hint: 'Empty: at once.', value: share.usableFromAt, problem: wrong.from, timeZone })}
${momentField({ name: 'until', label: 'Until', hint: 'Empty: until you stop sharing, or have it no longer yourself.', value: share.usableUntilAt, problem: wrong.until, timeZone })}
${field({ name: 'uses', label: 'How often may they open it, all together?', hint: 'Empty: as often as they like. Those that they used count.', type: 'number', value: share.usesAllowed ?? '', autocomplete: 'off', isRequired: false, maxLength: 5, problem: wrong.uses })}
${depthField(mostDepth, share.reshareDepth, wrong)}
<button class="plain" type="submit">Save</button></form></details>`;
}

const changeShareForm = defineForm({
  path: 'shares/:share/change',
  who: 'account',
  params,
  form: changeShape,
  handle: async (visit, { params: { share }, form }) => {
    const [from, until] = [form.from, form.until].map((text) => readMoment(text, form.zone, visit.timeZone));
    if (from?.kind === 'problem') return showShare(visit, share, { from: from.problem }, 422);
    if (until?.kind === 'problem') return showShare(visit, share, { until: until.problem }, 422);
    const outcome = await changeShare(visit.context, visit.actor, {
      ...{ shareId: share, usesAllowed: readUses(form.uses), reshareDepth: Number(form.depth) },
      usableFromAt: from?.kind === 'moment' ? from.at : null,
      usableUntilAt: until?.kind === 'moment' ? until.at : null,
      origin: originOf(visit),
    });
    switch (outcome.kind) {
      case 'changed':
        return toShare(visit, share, 'changed');
      case 'refused':
        return showShare(visit, share, limitProblem(outcome.problem), 422);
      case 'ended':
        return showShare(visit, share, { '': 'This share is over by now, so nothing was changed.' }, 409);
      case 'not-found':
        return visit.errorPage(404);
      default:
        return outcome satisfies never;
    }
  },
});

const resendForm = defineForm({
  path: 'shares/:share/resend',
  who: 'account',
  params,
  form: z.object({}),
  handle: async (visit, { params: { share } }) => {
    const outcome = await resendShare(visit.context, visit.actor, { shareId: share, origin: originOf(visit) });
    switch (outcome.kind) {
      case 'resent':
        return toShare(visit, share, 'resent');
      case 'too-many': {
        const wait = `A mail was sent a moment ago. Wait ${waitWords(outcome.retryAfterSeconds)}, then send the next one.`;
        return showShare(visit, share, { '': wait }, 429);
      }
      case 'not-pending':
        return showShare(visit, share, { '': 'Nobody can ask for the key by a mail any more.' }, 409);
      case 'no-mail':
        return showShare(visit, share, { '': noMailWords }, 409);
      case 'not-found':
        return visit.errorPage(404);
      default:
        return outcome satisfies never;
    }
  },
});

/** Leads to the page of a share, which says what was done. */
export function toShare(visit: PersonVisit, share: string, done: Done): PageAnswer {
  return visit.redirect(`${visit.prefix}shares/${encodeURIComponent(share)}?done=${done}`);
}

async function recipientBody(visit: PersonVisit, share: ShareView): Promise<Html> {
  const { prefix, context, actor } = visit;
  const offer = await readOffer(context, { shareId: share.id, secret: null, actor });
  const picture = offer?.picture ?? null;
  const giver = share.givenBy ?? 'somebody who is gone';
  return html`<section class="sheet" aria-label="About">${picture === null ? null : html`<img class="badge" src="${picture}" alt="">`}<div class="between"><p>${standingTag(share)}</p>${recipientButtons(visit, share)}</div>
<dl class="facts"><dt>From</dt><dd>${giver}</dd>
<dt>Credential</dt><dd>${share.key.credential.name}, ${share.key.credential.issuer}</dd>
<dt>Offered</dt><dd>${moment(share.createdAt)}${isWaiting(share) ? html`; you can ask for it until ${moment(share.expiresAt)}` : null}</dd>
${share.acceptedAt === null ? null : html`<dt>Yours since</dt><dd>${moment(share.acceptedAt)}</dd>`}
${limits(share)}
${share.endedAt === null ? null : html`<dt>Ended</dt><dd>${moment(share.endedAt)}</dd>`}
${share.words === null ? null : html`<dt>Their words</dt><dd class="words">${share.words}</dd>`}</dl></section>
${isWaiting(share) ? answerPart(visit, share, giver) : null}
<p class="pages"><a class="button plain" href="${prefix}shares/${share.id}/history">History</a><a class="button plain" href="${prefix}shares/got">All that was given to me</a></p>`;
}

/** What a recipient may do with a key that is theirs. */
function recipientButtons(visit: PersonVisit, share: ShareView): Html | null {
  const { prefix } = visit;
  const { id: shareId, key, state } = share;
  if (state !== 'accepted' && state !== 'early' && state !== 'disabled') return null;
  const open = state === 'disabled' ? null : html`<a class="button" href="${prefix}keys/${key.id}">To the key</a>`;
  return html`<div class="row">${open}<a class="button bad" href="${prefix}shares/${shareId}/give-back">Give it back</a></div>`;
}

/** The answers to an offer, behind what there is to know before. */
function answerPart(visit: PersonVisit, share: ShareView, giver: string): Html {
  return html`<p>If you take it, ${giver} will see:</p>${seenOfRecipient({ share })}
<p class="hint">Asking opens nothing yet. On the next page you show that it is you.</p>${offerButtons(visit, share)}`;
}

function isWaiting({ state }: ShareView): boolean {
  return state === 'pending' || state === 'requested';
}

/** For how long, how often, and how often it may be shared on. */
function limits(share: ShareView): Html {
  return html`${share.usableFromAt === null ? null : html`<dt>Opens from</dt><dd>${moment(share.usableFromAt)}</dd>`}
<dt>Until</dt><dd>${share.usableUntilAt === null ? 'sharing stops' : moment(share.usableUntilAt)}</dd>
${share.usesAllowed === null ? null : html`<dt>Uses</dt><dd>${usesWords(share)}</dd>`}
<dt>Sharing on</dt><dd>${share.usesAllowed === null ? depthWords(share.reshareDepth) : 'No'}</dd>`;
}

/** The pages of this file; `pages.ts` lists them. */
export const sharePages: readonly PageRoute[] = [sharePage, changeShareForm, resendForm];
