// The page that the message about a key leads to: what the key is, who offers it, what they will see, and three answers: ask for it, no thanks, no
// more from this sender. Its one form asks; the other two have a page of their own, so a scanner that presses what it finds says no to nothing.
// The first answer moves the code from the address into the flow cookie, so it does not stay in the history. Opening
// the page asks for nothing and posting its form grants nothing, so scanners of mails do no harm; accept-share.ts is where the key is given.
// Signed in with the address, the same answers work without a code, from the portal's own pages.

import { z } from 'zod';
import { blockSender } from '../../control/sharing/block-sender.ts';
import { declineShare } from '../../control/sharing/decline-share.ts';
import { type Offer, type OfferReference, parseOfferCode, readOffer } from '../../control/sharing/find-offer.ts';
import { requestShare } from '../../control/sharing/request-share.ts';
import type { ShareStanding } from '../../core/model/share.ts';
import { html } from '../look/html.ts';
import { waitWords } from '../look/moments.ts';
import { buttonForm } from '../portal/fields.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { whoVisits } from '../serve/presented-url.ts';
import { code as codeShape, id } from '../serve/shapes.ts';
import { originOf } from './forms.ts';
import { offerSheet, seenOfRecipient } from './offer-words.ts';

const query = z.object({
  code: codeShape.optional(),
  flow: z.string().max(40).optional(),
  answer: z.enum(['decline', 'block']).optional().catch(undefined),
});

const openPage = definePage({
  path: 'shares/open',
  who: 'anyone',
  query,
  handle: async (visit, { query: { code, flow, answer } }) => {
    const visitor = whoVisits(visit);
    if (visitor === 'ahead' || visitor === 'preview') return silent(visit, visitor);
    if (code !== undefined) {
      const { id: begun } = visit.jar.begin({ code });
      return bare(visit.redirect(`${visit.prefix}shares/open?flow=${begun}`));
    }
    const reference = referenceOf(visit, flow);
    const offer = reference === null ? null : await readOffer(visit.context, reference);
    return offer === null ? unusable(visit) : bare(offerPage(visit, offer, answer));
  },
});

const openForm = defineForm({
  path: 'shares/open',
  who: 'anyone',
  query,
  form: z.object({ answer: z.enum(['ask', 'decline', 'block']).catch('ask') }),
  handle: async (visit, { query: { flow }, form: { answer } }) => {
    const reference = referenceOf(visit, flow);
    return reference === null ? unusable(visit) : await take(visit, reference, answer);
  },
});

const params = z.object({ share: id });

/** The same answers from the portal, by whoever is signed in with the address. */
const portalForms = (['ask', 'decline', 'block'] as const).map((answer) =>
  defineForm({
    path: `shares/:share/${answer}`,
    who: 'account',
    params,
    form: z.object({}),
    handle: async (visit, { params: { share } }) =>
      take(visit, { shareId: share, secret: null, actor: visit.actor }, answer),
  }),
);

/** The pages of this file; `pages.ts` lists them. */
export const openSharePages: readonly PageRoute[] = [openPage, openForm, ...portalForms];

function referenceOf(visit: Visit, flow: string | undefined): OfferReference | null {
  const parsed = parseOfferCode(visit.jar.find(flow)?.code ?? '');
  return parsed === null ? null : { ...parsed, actor: visit.actor };
}

function offerPage(visit: Visit, offer: Offer, answer: 'decline' | 'block' | undefined): PageAnswer {
  const { share, email } = offer;
  switch (share.state) {
    case 'pending':
    case 'requested':
      break;
    case 'accepted':
    case 'early':
    case 'disabled':
      return taken(visit, offer);
    case 'declined':
    case 'withdrawn':
    case 'revoked':
    case 'expired':
      return over(visit, share.state);
    default:
      return share.state satisfies never;
  }
  const giver = share.givenBy ?? 'Somebody';
  if (answer !== undefined) return sure(visit, share, answer);
  const no = (other: 'decline' | 'block') => `${visit.target}&answer=${other}`;
  return visit.page({
    title: share.key.name,
    heading: `${giver} offers you a key`,
    width: 'narrow',
    body: html`${offerSheet(visit, offer)}
<p>It is for <strong>${email}</strong> alone. If you take it, ${giver} will see:</p>
${seenOfRecipient(offer)}
${buttonForm({ action: visit.target, formToken: visit.formToken(), text: 'Ask for this key', hidden: { answer: 'ask' } })}
<p class="hint after">Asking opens nothing yet. On the next page you show that it is you.</p>
<p class="after"><a class="button plain" href="${no('decline')}">No, thanks</a></p>
<p class="hint">You do not know ${giver}? Then you need not do anything, or you can <a href="${no('block')}">block this sender</a>.</p>`,
  });
}

/** The question before a no. */
function sure(visit: Visit, { givenBy, key }: Offer['share'], answer: 'decline' | 'block'): PageAnswer {
  const giver = givenBy ?? 'this sender';
  const back = visit.target.replace(/&answer=\w+$/, '');
  const isBlock = answer === 'block';
  return visit.page({
    title: isBlock ? `Block ${giver}?` : `Say no to “${key.name}”?`,
    width: 'narrow',
    body: html`<p>${
      isBlock
        ? 'You get no more keys from them, and no more mail about keys. This offer ends. They are not told that you blocked them.'
        : 'This offer ends. Whoever made it can see that you did not want it, and nothing else about you.'
    }</p>
${buttonForm({ action: back, formToken: visit.formToken(), text: isBlock ? 'Block this sender' : 'No, thanks', kind: 'bad', hidden: { answer } })}
<p class="after"><a class="button plain" href="${back}">Back to the offer</a></p>`,
  });
}

async function take(visit: Visit, reference: OfferReference, answer: 'ask' | 'decline' | 'block'): Promise<PageAnswer> {
  switch (answer) {
    case 'ask':
      return await ask(visit, reference);
    case 'decline': {
      const outcome = await declineShare(visit.context, { ...reference, origin: originOf(visit) });
      if (outcome.kind === 'not-found') return gone(visit, reference);
      if (outcome.kind === 'wrong-state') return over(visit, outcome.share.state);
      return told(visit, reference, 'declined');
    }
    case 'block': {
      const outcome = await blockSender(visit.context, { ...reference, origin: originOf(visit) });
      return outcome.kind === 'not-found' ? gone(visit, reference) : told(visit, reference, 'blocked');
    }
    default:
      return answer satisfies never;
  }
}

async function ask(visit: Visit, reference: OfferReference): Promise<PageAnswer> {
  const { context, shareRequests, prefix } = visit;
  const outcome = await requestShare(context, {
    ...reference,
    ...{ held: shareRequests.all, wants: 'any', origin: originOf(visit) },
  });
  return answerToAsk(visit, outcome) ?? gone(visit, reference, `${prefix}shares/got`);
}

/** Where asking for a key leads, from this page and from the one that has new digits mailed; null where there is no such share. */
export function answerToAsk(
  visit: Visit,
  outcome: Awaited<ReturnType<typeof requestShare>>,
  instead: string | null = null,
): PageAnswer | null {
  const { context, shareRequests, prefix } = visit;
  switch (outcome.kind) {
    case 'requested': {
      const left = outcome.expiresAt - context.clock.epochSeconds();
      shareRequests.keep(outcome.request, left, instead);
      return visit.redirect(`${prefix}shares/accept?share=${outcome.shareId}`);
    }
    case 'not-found':
      return null;
    case 'over':
      return over(visit, outcome.standing);
    case 'not-yet':
      return visit.errorPage(409, {
        title: 'A moment, please',
        text: 'The mail about this key is only just on its way. Try again in a minute.',
      });
    case 'not-now':
      return visit.errorPage(409, {
        title: 'This key cannot be had at the moment',
        text: 'Whoever offers it cannot share it right now. The offer stays: try again later, or ask them.',
      });
    case 'second-factor':
      return visit.errorPage(409, {
        title: 'This key asks for more',
        text: 'It takes a second proof beside a password, which cannot be shown here yet. Nothing was changed.',
      });
    case 'too-many':
      return visit.errorPage(429, {
        title: 'Others are asking for this key',
        text: `Five browsers have this page open at this moment. Wait ${waitWords(outcome.retryAfterSeconds)}, then ask again: your offer stays.`,
        retryAfterSeconds: outcome.retryAfterSeconds,
      });
    case 'busy':
      return visit.errorPage(429, {
        title: 'Many codes were mailed to you',
        text: `No more codes are mailed to this address for now. Wait ${waitWords(outcome.retryAfterSeconds)}, then ask again. The newest code still works on the page that asked for it.`,
        retryAfterSeconds: outcome.retryAfterSeconds,
      });
    default:
      return outcome satisfies never;
  }
}

/** After a no. Whoever is signed in with the address goes on to their list, which says the same. */
function told(visit: Visit, { secret }: OfferReference, done: 'declined' | 'blocked'): PageAnswer {
  if (secret === null) return visit.redirect(`${visit.prefix}shares/got?done=${done}`);
  const text =
    done === 'declined'
      ? 'You said no to this key. Whoever offered it can see that, and nothing else about you.'
      : 'You get no more keys from this sender, and no more mail about keys.';
  return visit.page({
    title: done === 'declined' ? 'No, thanks' : 'This sender is blocked',
    width: 'narrow',
    body: html`<p>${text}</p><p class="soft">You can close this page.</p>`,
    isDeadEnd: true,
  });
}

function taken(visit: Visit, { share, isHeld }: Offer): PageAnswer {
  const { prefix } = visit;
  if (isHeld) return visit.redirect(`${prefix}shares/${share.id}`);
  return visit.page({
    title: 'This key has its owner',
    width: 'narrow',
    body: html`<p>“${share.key.name}” was accepted already. If that was you, sign in with the same address: it is among your keys, on every device.</p>
<p><a class="button" href="${prefix}keys">See my keys</a></p>`,
  });
}

const overWords: Readonly<Record<'declined' | 'withdrawn' | 'revoked' | 'expired', string>> = {
  declined: 'You said no to it, or gave it back. If you want it after all, ask whoever offered it to offer it again.',
  withdrawn: 'Whoever offered this key took the offer back. If you think that is a mistake, ask them.',
  revoked: 'Whoever offered this key has stopped sharing it. If you think that is a mistake, ask them.',
  expired: 'The time to take this key has passed. Ask whoever offered it to offer it again.',
};

/** The page for an offer that cannot be answered any more. */
export function over(visit: Visit, standing: ShareStanding): PageAnswer {
  switch (standing) {
    case 'declined':
    case 'withdrawn':
    case 'revoked':
    case 'expired':
      return visit.errorPage(410, { title: 'This offer is over', text: overWords[standing], ...door(visit) });
    case 'accepted':
    case 'early':
    case 'disabled':
      return visit.errorPage(410, {
        title: 'This key was accepted already',
        text: 'If that was you, it is among your keys.',
        ...door(visit),
      });
    case 'pending':
    case 'requested':
      return visit.errorPage(409);
    default:
      return standing satisfies never;
  }
}

function door({ prefix }: Visit) {
  return { door: { label: 'See my keys', path: `${prefix}keys` } } as const;
}

/** For a code that is wrong, and for one whose page was open too long: the answer does not say which. */
function unusable(visit: Visit): PageAnswer {
  return visit.errorPage(404, {
    title: 'Please open the mail once more',
    text: 'This page works for ten minutes after you open it from the mail, in the browser that opened it, and browsers have to keep its cookies. A piece of the address may be missing as well: mails get cut off.',
  });
}

function gone(visit: Visit, { secret }: OfferReference, list = `${visit.prefix}shares/got`): PageAnswer {
  return secret === null
    ? visit.errorPage(404, { door: { label: 'What was given to me', path: list } })
    : unusable(visit);
}

/** The answer to a preview or a prefetch: it tells nothing about the offer. */
function silent(visit: Visit, visitor: 'ahead' | 'preview'): PageAnswer {
  const title = 'Something was offered to you';
  const text = 'Open this address in a browser to see it.';
  // a browser drops an error that it fetched in advance, and asks again when somebody opens the page
  if (visitor === 'ahead') return visit.errorPage(503, { title, text });
  return bare(visit.page({ title, width: 'narrow', body: html`<p>${text}</p>` }));
}

/** No referrer: the address before held a secret. */
function bare(answer: PageAnswer): PageAnswer {
  return answer.kind === 'page' ? { ...answer, page: { ...answer.page, referrer: 'no-referrer' } } : answer;
}
