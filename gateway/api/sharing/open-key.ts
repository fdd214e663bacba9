// The page that a key's one-time URL leads to, on the host of what the key opens. Opening the URL spends nothing, so a preview or a camera that looks
// ahead does no harm; the button spends it and lets this browser in.

import { z } from 'zod';
import { askKeyUrl, openKeyUrl } from '../../control/representations/open-representation.ts';
import { html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';

const code = z.string().max(100).default('');

const askPage = definePage({
  path: 'key',
  who: 'anyone',
  place: 'everywhere',
  query: z.object({ code }),
  handle: async (visit, { query }) => {
    const asked = await askKeyUrl(visit.context, { code: query.code, host: visit.origin.host });
    if (asked.kind === 'refused') return overPage(visit);
    return visit.page({
      title: `Open with the key “${asked.keyName}”?`,
      width: 'narrow',
      referrer: 'no-referrer',
      body: html`<p class="lead">${asked.by ?? 'Somebody'} made this for you to open once. No account is needed in this browser.</p>
<dl class="facts"><dt>Opens</dt><dd>${asked.host}${asked.path}</dd>
<dt>Works until</dt><dd>${moment(asked.expiresAt)}</dd></dl>
<form method="post" action="${visit.prefix}key" novalidate>${visit.formToken()}<input type="hidden" name="code" value="${query.code}">
<button type="submit">Open</button></form>
<p class="hint after">Nothing has been opened yet. If you did not expect this, just close the page.</p>`,
    });
  },
});

const openForm = defineForm({
  path: 'key',
  who: 'anyone',
  place: 'everywhere',
  form: z.object({ code }),
  handle: async (visit, { form }) => {
    const { host, clientAddress, requestId } = visit.origin;
    const origin = { clientAddress, requestId: requestId || null };
    const opened = await openKeyUrl(visit.context, { code: form.code, host, origin });
    if (opened.kind === 'refused') return overPage(visit);
    visit.givePass(opened.pass);
    return visit.redirect(opened.path);
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const openKeyPages: readonly PageRoute[] = [askPage, openForm];

function overPage(visit: Visit): PageAnswer {
  return visit.errorPage(410, {
    title: 'This does not open anything any more',
    text: 'It works once, and for ten minutes. Ask whoever showed it to you for a new one.',
  });
}
