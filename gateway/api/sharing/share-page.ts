// The page of one share. Its giver, and whoever stands above, sees with whom the key is and how it is used, and changes or ends it; its recipient
// sees what is offered, and asks for it, says no, or gives it back. For everybody else the page is not there.

import { z } from 'zod';
import { listSharesBelow, readShare } from '../../control/sharing/list-shares.ts';
import type { ShareView } from '../../control/sharing/share-view.ts';
import { type Html, html } from '../look/html.ts';
import { ago, moment } from '../look/moments.ts';
import { note, type Problems, problemSummary } from '../portal/fields.ts';
import { definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';
import { depthWords } from './share-fields.ts';
import { addressOf, givenCard, standingTag, usesWords } from './share-words.ts';

const section = 'shares/got';
const params = z.object({ share: id });

const doneWords = {
  given: 'A mail is on its way. Whoever reads it can ask for the key, and has it after they show that it is them.',
};

type Done = keyof typeof doneWords;
const doneNames = Object.keys(doneWords) as readonly Done[];

const sharePage = definePage({
  path: 'shares/:share',
  who: 'account',
  params,
  query: z.object({ done: z.enum(doneNames).optional() }),
  handle: async (visit, input) => showShare(visit, input.params.share, {}, 200, input.query.done),
});

async function showShare(
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
  const body = share.reader === 'recipient' ? recipientBody(visit, share) : await giverBody(visit, share);
  const title = share.reader === 'recipient' ? share.key.name : `“${share.key.name}” for ${addressOf(share)}`;
  return visit.page({ title, section, status, body: html`${said}${body}` });
}

async function giverBody(visit: PersonVisit, share: ShareView): Promise<Html> {
  const { prefix, context, actor } = visit;
  const now = context.clock.epochSeconds();
  const below = await listSharesBelow(context, actor, share.id);
  const cards = (below?.shares ?? []).map((one) => givenCard(visit, one));
  return html`${share.mail === 'failed' ? note('bad', 'The mail to this address could not be delivered. Look whether the address is right.') : null}
<section class="sheet" aria-label="About"><p>${standingTag(share)}</p>
<dl class="facts"><dt>Key</dt><dd>${share.key.name}</dd>
<dt>From</dt><dd>${share.key.credential.name}, ${share.key.credential.issuer}</dd>
${share.reader === 'giver' ? null : html`<dt>Given by</dt><dd>${share.givenBy ?? 'somebody who is gone'}</dd>`}
<dt>Offered</dt><dd>${moment(share.createdAt)}${isWaiting(share) ? html`; they can ask for it until ${moment(share.expiresAt)}` : null}</dd>
${share.acceptedAt === null ? null : html`<dt>Accepted</dt><dd>${moment(share.acceptedAt)}</dd><dt>Last used</dt><dd>${share.lastUsedAt === null ? 'not yet' : ago(share.lastUsedAt, now)}</dd>`}
${limits(share)}
${share.endedAt === null ? null : html`<dt>Ended</dt><dd>${moment(share.endedAt)}</dd>`}
${share.words === null ? null : html`<dt>Your words</dt><dd class="words">${share.words}</dd>`}</dl></section>
${cards.length === 0 ? null : html`<h2>They shared it on with</h2><ul class="items">${cards}</ul>`}
<p><a class="button plain" href="${prefix}shares/given">All that I gave</a></p>`;
}

function recipientBody({ prefix }: PersonVisit, share: ShareView): Html {
  const giver = share.givenBy ?? 'somebody who is gone';
  return html`<section class="sheet" aria-label="About"><p>${standingTag(share)}</p>
<dl class="facts"><dt>From</dt><dd>${giver}</dd>
<dt>Credential</dt><dd>${share.key.credential.name}, ${share.key.credential.issuer}</dd>
<dt>Offered</dt><dd>${moment(share.createdAt)}${isWaiting(share) ? html`; you can ask for it until ${moment(share.expiresAt)}` : null}</dd>
${share.acceptedAt === null ? null : html`<dt>Yours since</dt><dd>${moment(share.acceptedAt)}</dd>`}
${limits(share)}
${share.endedAt === null ? null : html`<dt>Ended</dt><dd>${moment(share.endedAt)}</dd>`}
${share.words === null ? null : html`<dt>Their words</dt><dd class="words">${share.words}</dd>`}</dl></section>
<p><a class="button plain" href="${prefix}shares/got">All that was given to me</a></p>`;
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
export const sharePages: readonly PageRoute[] = [sharePage];
