// The lists of shares: those that an account gave, with whom the key is, and those that it got, with the keys that wait for its word first.
// control/sharing decides what an account may see; a giver reads nothing that comes from the registration of an address.

import { z } from 'zod';
import { listShares } from '../../control/sharing/list-shares.ts';
import { shareStandings } from '../../core/model/share.ts';
import { html } from '../look/html.ts';
import { field, note, select } from '../portal/fields.ts';
import { definePage, type PageRoute } from '../serve/page-route.ts';
import { offerButtons } from './offer-words.ts';
import { givenCard, giverStandings, gotCard, keyLists } from './share-words.ts';

const pageSize = 30;
const after = z.string().max(80).optional();
const section = 'keys';

const givenPage = definePage({
  path: 'shares/given',
  who: 'account',
  query: z.object({
    search: z.string().max(320).default(''),
    show: z
      .enum(['', ...shareStandings])
      .catch('')
      .default(''),
    after,
  }),
  handle: async (visit, { query }) => {
    const { prefix, context, actor } = visit;
    const search = query.search.trim();
    const state = query.show === '' ? undefined : query.show;
    const listing = { direction: 'given', search, state, after: query.after, limit: pageSize } as const;
    const { shares, next } = await listShares(context, actor, listing);
    const kept = { ...(search === '' ? {} : { search }), ...(state === undefined ? {} : { show: state }) };
    const isPart = Object.keys(kept).length > 0;
    const choices = shareStandings.map((value) => ({ value, label: giverStandings[value][1] }));
    const none = isPart
      ? html`<p class="soft">Nothing fits what you look for.</p>`
      : html`<p class="soft">You have shared no key yet. Open one of <a href="${prefix}keys">your keys</a> to share it.</p>`;
    return visit.page({
      title: 'Given by me',
      section,
      body: html`${keyLists(visit, 'shares/given')}
${
  shares.length === 0 && !isPart
    ? null
    : html`<form class="row spaced" method="get" action="${prefix}shares/given" role="search">
${field({ name: 'search', label: 'Look for an address or a key', type: 'search', value: search, autocomplete: 'off', isRequired: false })}
${select({ name: 'show', label: 'Show', choices: [{ value: '', label: 'everything' }, ...choices], value: query.show })}
<button class="plain" type="submit">Look</button>${isPart ? html`<a href="${prefix}shares/given">Show everything</a>` : null}</form>`
}
<h2 class="unseen">With whom</h2>${shares.length === 0 ? none : html`<ul class="items">${shares.map((share) => givenCard(visit, share))}</ul>`}
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}shares/given?${new URLSearchParams({ ...kept, after: next }).toString()}">More</a></p>`}`,
    });
  },
});

const doneWords = {
  declined: 'You said no to the key. Whoever offered it reads that you did not want it.',
  left: 'You gave the key back. It opens nothing for you any more.',
  blocked: 'You get no more keys from this person, and no mails about them.',
};

const gotPage = definePage({
  path: 'shares/got',
  who: 'account',
  query: z.object({ after, done: z.enum(['declined', 'left', 'blocked']).optional() }),
  handle: async (visit, { query }) => {
    const { prefix, context, actor } = visit;
    const { shares, next } = await listShares(context, actor, {
      direction: 'got',
      after: query.after,
      limit: pageSize,
    });
    const waiting = shares.filter(({ state }) => state === 'pending' || state === 'requested');
    const held = shares.filter(({ state }) => state === 'accepted' || state === 'early' || state === 'disabled');
    const over = shares.filter((share) => !waiting.includes(share) && !held.includes(share));
    return visit.page({
      title: 'Given to me',
      section,
      body: html`${query.done === undefined ? null : note('good', doneWords[query.done])}${keyLists(visit, 'shares/got')}
${shares.length === 0 ? html`<p class="soft">Nothing yet. When somebody shares a key with you, a mail tells you, and you find it here.</p>` : null}
${waiting.length === 0 ? null : html`<h2>Waiting for you</h2><ul class="items">${waiting.map((share) => gotCard(visit, share, offerButtons(visit, share)))}</ul>`}
${held.length === 0 ? null : html`<h2>Yours</h2><ul class="items">${held.map((share) => gotCard(visit, share))}</ul>`}
${over.length === 0 ? null : html`<h2 class="unseen">What is over</h2><details${waiting.length + held.length === 0 ? html` open` : null}><summary>Over (${over.length})</summary><ul class="items">${over.map((share) => gotCard(visit, share))}</ul></details>`}
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}shares/got?after=${next}">More</a></p>`}`,
    });
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const shareListPages: readonly PageRoute[] = [givenPage, gotPage];
