// The history of one share, for its parties: who did what, when, and from where, newest first.

import { z } from 'zod';
import { readShare } from '../../control/sharing/list-shares.ts';
import { readShareHistory } from '../../control/sharing/share-history.ts';
import { html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { networkWords } from '../portal/devices.ts';
import { definePage, type PageRoute } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';

const pageSize = 50;

const historyPage = definePage({
  path: 'shares/:share/history',
  who: 'account',
  params: z.object({ share: id }),
  query: z.object({ before: z.coerce.number().int().min(1).optional() }),
  handle: async (visit, { params: { share: shareId }, query: { before } }) => {
    const { prefix, context, actor } = visit;
    const share = await readShare(context, actor, shareId);
    const history =
      share === null ? null : await readShareHistory(context, actor, shareId, { before, limit: pageSize });
    if (share === null || history === null) return visit.errorPage(404);
    const { events, next } = history;
    return visit.page({
      title: `History of “${share.key.name}”`,
      section: 'keys',
      body: html`${
        events.length === 0
          ? html`<p>Nothing more happened.</p>`
          : html`<div class="scroll" role="region" aria-label="History" tabindex="0"><table class="stack" role="table"><thead role="rowgroup"><tr role="row"><th scope="col">When</th><th scope="col">What</th><th scope="col">From where</th></tr></thead>
<tbody role="rowgroup">${events.map(
              ({ at, text, network }) =>
                html`<tr role="row"><td role="cell" class="soft">${moment(at)}</td><td role="cell">${text}</td><td role="cell" class="soft">${network === null ? null : networkWords(network)}</td></tr>`,
            )}</tbody></table></div>`
      }
<p class="pages">${next === null ? null : html`<a class="button plain" href="${prefix}shares/${share.id}/history?before=${next}">Older</a> `}<a class="button plain" href="${prefix}shares/${share.id}">Back</a></p>`,
    });
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const shareHistoryPages: readonly PageRoute[] = [historyPage];
