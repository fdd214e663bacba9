// "Open on another device": the page that shows a QR code and a code to type, and the page on every host that takes the code.
// Opening the QR code's address does not spend the code; only the button does. So a preview of that address does not spend it either.

import { z } from 'zod';
import { askElsewhere, makePlayerUrl, offerElsewhere, openElsewhere } from '../../control/sessions/open-elsewhere.ts';
import { canonicalPath } from '../../core/model/path.ts';
import { html } from '../look/html.ts';
import { ago, moment, waitWords } from '../look/moments.ts';
import { dataUrl, qrPng, qrSvg } from '../look/qr-code.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type Visit } from '../serve/page-route.ts';
import { networkWords } from './devices.ts';
import { field, type Problems, problemSummary } from './fields.ts';

const offerForm = defineForm({
  path: 'elsewhere',
  who: 'account',
  form: z.object({ url: z.string().max(2200).default('') }),
  handle: async (visit, { form }) => {
    if (!URL.canParse(form.url)) return visit.errorPage(404);
    const { hostname: host, pathname } = new URL(form.url);
    const path = canonicalPath(pathname);
    if (path === null) return visit.errorPage(404);
    const { context, actor } = visit;
    const offer = await offerElsewhere(context, actor, { host, path });
    if (offer.kind === 'not-found') return visit.errorPage(404);
    const player = await makePlayerUrl(context, actor, { host, path });
    const picture = dataUrl('image/svg+xml', await qrSvg(offer.url));
    const png = dataUrl('image/png', await qrPng(offer.url));
    return visit.page({
      title: 'Open on another device',
      section: 'links',
      referrer: 'no-referrer',
      width: 'narrow',
      body: html`<p class="lead">Point the other device’s camera at this:</p>
<p><img class="qr" src="${picture}" alt="QR code for the other device" width="256" height="256"></p>
<p>Or open <strong>${offer.typeUrl}</strong> there, and type</p>
<p><strong class="once code big">${offer.code}</strong></p>
<p class="hint">It works once, in the next ten minutes (until ${moment(offer.expiresAt)}). What you open there ends when you sign out here.</p>
<details><summary>More ways</summary>
<p><a href="${png}" download="open.png">Save the QR code as a picture</a></p>
${
  player.kind === 'made'
    ? html`<p>For a player program, until ${moment(player.expiresAt)}. Whoever has this address can watch:</p><p><code class="once">${player.url}</code></p>`
    : null
}</details>
<p><a class="button plain" href="${visit.prefix}links">Back</a></p>`,
    });
  },
});

const openPage = definePage({
  path: 'open',
  who: 'anyone',
  place: 'everywhere',
  query: z.object({ code: z.string().max(40).optional() }),
  handle: async (visit, { query }) => {
    const code = query.code ?? '';
    if (!looksLikeCode(code)) return typePage(visit, {}, 200);
    const asked = await askElsewhere(visit.context, { typed: code, clientAddress: visit.origin.clientAddress });
    switch (asked.kind) {
      case 'asked':
        return questionPage(visit, code, asked);
      case 'refused':
        return typePage(visit, { code: notWorking }, 422);
      case 'busy':
        return tooMany(visit, asked.retryAfterSeconds);
      default:
        return asked satisfies never;
    }
  },
});

const openForm = defineForm({
  path: 'open',
  who: 'anyone',
  place: 'everywhere',
  form: z.object({ code: z.string().max(60).default('') }),
  handle: async (visit, { form }) => {
    const { context, origin } = visit;
    const { host, clientAddress, requestId } = origin;
    const asked = { typed: form.code, host, clientAddress, requestId: requestId || null };
    const outcome = await openElsewhere(context, asked);
    switch (outcome.kind) {
      case 'opened':
        visit.givePass(outcome.pass);
        return visit.redirect(outcome.path);
      case 'elsewhere':
        return visit.redirect(outcome.url);
      case 'refused':
        return typePage(visit, { code: notWorking }, 422);
      case 'busy':
        return tooMany(visit, outcome.retryAfterSeconds);
      default:
        return outcome satisfies never;
    }
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const elsewherePages: readonly PageRoute[] = [offerForm, openPage, openForm];

function tooMany(visit: Visit, seconds: number): PageAnswer {
  return visit.errorPage(429, {
    text: `There were too many tries. Wait ${waitWords(seconds)}, then try again with a new code.`,
    retryAfterSeconds: seconds,
  });
}

const notWorking = 'That code does not work. Codes last ten minutes and work once: get a new one on your other device.';

function looksLikeCode(text: string): boolean {
  return /^[A-Za-z0-9-]{8,9}$/.test(text);
}

/** The question before a code opens something: who made it, where and when, and what it opens. */
function questionPage(visit: Visit, code: string, asked: Extract<Asked, { readonly kind: 'asked' }>): PageAnswer {
  const now = visit.context.clock.epochSeconds();
  const where =
    asked.network === null || asked.network === 'unknown'
      ? null
      : html`, signed in from ${networkWords(asked.network)}`;
  return visit.page({
    title: 'Open it on this device?',
    width: 'narrow',
    referrer: 'no-referrer',
    body: html`<p class="lead">${asked.by} wants to open this here. No account is needed on this device.</p>
<dl class="facts"><dt>Opens</dt><dd>${asked.host}${asked.path}</dd>
<dt>Asked</dt><dd>${ago(asked.at, now)}${asked.browser === '' ? null : html`, with ${asked.browser}`}${where}</dd></dl>
<form method="post" action="${visit.prefix}open" novalidate>${visit.formToken()}<input type="hidden" name="code" value="${code}">
<button type="submit">Open</button></form>
<p class="hint after">If you did not ask for this, just close the page. Nothing has been opened.</p>`,
  });
}

type Asked = Awaited<ReturnType<typeof askElsewhere>>;

function typePage(visit: Visit, wrong: Problems, status: number): PageAnswer {
  return visit.page({
    title: 'Type the code',
    status,
    width: 'narrow',
    referrer: 'no-referrer',
    body: html`${problemSummary(wrong)}<form method="post" action="${visit.prefix}open" novalidate>${visit.formToken()}
${field({
  name: 'code',
  label: 'The code on your other device',
  hint: 'Eight letters and digits.',
  autocomplete: 'off',
  isCode: true,
  maxLength: 20,
  problem: wrong.code,
})}
<button type="submit">Open</button></form>`,
  });
}
