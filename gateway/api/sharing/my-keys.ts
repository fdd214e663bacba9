// The pages for the keys that somebody has, own ones and received ones: what each opens, of which credential it is, from whom it came, for how
// long and how often; with the ways to open it, to share it on, and to give it back. Offers that wait for a word come first.

import { z } from 'zod';
import { listMyKeys, type MyKey } from '../../control/keys/list-my-keys.ts';
import { listMyRepresentations } from '../../control/representations/my-representations.ts';
import { listShares } from '../../control/sharing/list-shares.ts';
import type { ShareView } from '../../control/sharing/share-view.ts';
import { type Html, html } from '../look/html.ts';
import { ago, moment } from '../look/moments.ts';
import { note } from '../portal/fields.ts';
import { definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';
import { carrySection, madeList, openByUseForm, qrForm } from './carry-key.ts';
import { offerButtons } from './offer-words.ts';
import { depthWords } from './share-fields.ts';
import { dotted, gotCard, keyLists, usesWords, windowWords } from './share-words.ts';

const section = 'keys';
const pageSize = 30;

const list = definePage({
  path: 'keys',
  who: 'account',
  query: z.object({ after: z.string().max(80).optional() }),
  handle: async (visit, { query }) => {
    const { prefix, context, actor } = visit;
    const waiting = query.after === undefined ? await offersOf(visit) : [];
    const { keys, next } = await listMyKeys(context, actor, { after: query.after, limit: pageSize });
    return visit.page({
      title: 'My keys',
      section,
      body: html`${keyLists(visit, 'keys')}
${waiting.length === 0 ? null : html`<h2>Waiting for you</h2><ul class="items">${waiting.map((share) => gotCard(visit, share, offerButtons(visit, share)))}</ul><h2>My keys</h2>`}
${waiting.length === 0 ? html`<h2 class="unseen">All of them</h2>` : null}
${
  keys.length === 0
    ? html`<p class="soft">No keys yet. When somebody shares one with you, a mail tells you, and you find it here.</p>`
    : html`<ul class="items">${keys.map((key) => keyCard(visit, key))}</ul>`
}
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}keys?after=${next}">More</a></p>`}`,
    });
  },
});

/** Offers that wait for the word of whoever is signed in. */
async function offersOf({ context, actor }: PersonVisit): Promise<readonly ShareView[]> {
  const read = async (state: 'pending' | 'requested') =>
    (await listShares(context, actor, { direction: 'got', state, limit: 10 })).shares;
  return [...(await read('requested')), ...(await read('pending'))];
}

function keyCard(visit: PersonVisit, key: MyKey): Html {
  return html`<li class="card">${badge(key)}<div class="between"><h3><a href="${visit.prefix}keys/${key.id}">${key.name}</a></h3>${stateTag(key)}</div>
<p class="soft">${dotted([`${key.credential.name}, ${key.credential.issuer}`, fromWords(key), limitWords(visit, key)])}</p>
<div class="row">${keyButtons(visit, key)}</div></li>`;
}

function badge({ credential }: MyKey): Html | null {
  return credential.picture === null ? null : html`<img class="badge" src="${credential.picture}" alt="">`;
}

function stateTag({ state }: MyKey): Html {
  switch (state) {
    case 'open':
      return html`<span class="tag good">opens</span>`;
    case 'early':
      return html`<span class="tag">not open yet</span>`;
    case 'stopped':
      return html`<span class="tag bad">does not open now</span>`;
    case 'used-up':
      return html`<span class="tag bad">used up</span>`;
    default:
      return state satisfies never;
  }
}

function fromWords({ givenBy }: MyKey): string {
  if (givenBy === null) return 'yours';
  return `from ${givenBy || 'somebody who is gone'}`;
}

function limitWords({ context }: PersonVisit, key: MyKey): Html | null {
  const window = { usableFromAt: key.usableFromAt, usableUntilAt: key.untilAt };
  const parts = [windowWords(window, context.clock.epochSeconds()), usesWords(key)].filter((part) => part !== null);
  return parts.length === 0 ? null : dotted(parts);
}

/** What can be done with a key in one step. What costs a use of a key that has a number of them says so. */
function keyButtons(visit: PersonVisit, key: MyKey): Html {
  const { prefix } = visit;
  const named = (text: string) => html` aria-label="${text}: ${key.name}"`;
  const isCounted = key.usesAllowed !== null;
  const open = isCounted
    ? openByUseForm(visit, key)
    : html`<a class="button" href="${key.cleanUrl}"${named('Open')}>Open</a>`;
  const address = `address-${key.shareId ?? key.id}`;
  // without a use left, or before it opens, nothing can be made of it
  const ways =
    key.state !== 'open'
      ? null
      : html`${open}${qrForm(visit, key)}${
          isCounted
            ? null
            : html`<span class="unseen" id="${address}">${key.cleanUrl}</span><button type="button" class="plain" hidden data-copy="${address}"${named('Copy the address')}>Copy the address</button>`
        }`;
  const share =
    key.mostDepth === null
      ? null
      : html`<a class="button plain" href="${prefix}keys/${key.id}/share"${named('Share it')}>Share it</a>`;
  const back =
    key.shareId === null
      ? null
      : html`<a class="button plain" href="${prefix}shares/${key.shareId}/give-back"${named('Give it back')}>Give it back</a>`;
  return html`${ways}${share}${back}`;
}

const madeTitle = 'What you made of it';

const doneWords = {
  ended: 'It is ended, and so is what was open by it.',
  'made-before':
    'That form was sent before, and what it made is over. Nothing was made a second time, and no use was spent.',
};

const keyPage = definePage({
  path: 'keys/:key',
  who: 'account',
  params: z.object({ key: id }),
  query: z.object({ done: z.enum(['ended', 'made-before']).optional() }),
  handle: async (visit, { params: { key: keyId }, query: { done } }) => {
    const { prefix, context, actor } = visit;
    const { keys } = await listMyKeys(context, actor, { keyId });
    const [first] = keys;
    if (first === undefined) return visit.errorPage(404);
    // one without a number of uses opens without spending any
    const open = keys.filter(({ state }) => state === 'open');
    const best = open.find(({ usesAllowed }) => usesAllowed === null) ?? open[0] ?? first;
    const made = await listMyRepresentations(context, actor, keyId);
    return visit.page({
      title: best.name,
      section,
      body: html`${done === undefined ? null : note(done === 'ended' ? 'good' : 'plain', doneWords[done])}
<section class="sheet" aria-label="About">${badge(best)}<p>${stateTag(best)}</p>
<dl class="facts"><dt>Credential</dt><dd>${best.credential.name}, ${best.credential.issuer}</dd>
<dt>Opens</dt><dd>${best.cleanUrl}</dd>
${best.methods === null ? null : html`<dt>Allowed</dt><dd>${best.methods.join(', ')}</dd>`}</dl>
<div class="row">${keyButtons(visit, best)}</div></section>
${best.state === 'open' ? carrySection(visit, best, made) : madeList(visit, madeTitle, made)}
<h2>How you have it</h2><ul class="items">${keys.map((key) => wayItem(visit, key))}</ul>
<p><a class="button plain" href="${prefix}keys">All my keys</a></p>`,
    });
  },
});

/** One way in which the account has a key: by its own credential, or by a share. */
function wayItem(visit: PersonVisit, key: MyKey): Html {
  const { prefix, context } = visit;
  const now = context.clock.epochSeconds();
  const title = key.shareId === null ? 'By your own credential' : `From ${key.givenBy || 'somebody who is gone'}`;
  return html`<li><div class="between"><h3>${title}</h3>${stateTag(key)}</div>
<dl class="facts"><dt>Since</dt><dd>${moment(key.sinceAt)}</dd>
<dt>Until</dt><dd>${key.untilAt !== null ? moment(key.untilAt) : key.shareId === null ? 'it is withdrawn' : 'sharing stops'}</dd>
${key.usesAllowed === null ? null : html`<dt>Uses</dt><dd>${usesWords(key)}</dd>`}
${
  key.shareId === null
    ? null
    : html`<dt>Sharing on</dt><dd>${depthWords(key.mostDepth === null ? 0 : key.mostDepth + 1)}</dd>
<dt>Last used</dt><dd>${key.lastUsedAt === null ? 'not yet' : ago(key.lastUsedAt, now)}</dd>`
}</dl>
${key.shareId === null ? null : html`<p><a href="${prefix}shares/${key.shareId}">More about this share</a></p>`}</li>`;
}

/** The pages of this file; `pages.ts` lists them. */
export const myKeyPages: readonly PageRoute[] = [list, keyPage];
