// What a holder makes of a key to carry it: an address that opens once, its QR code, an address for a player, a token for a program. The form leads to
// a page that shows it to this session alone, so that a reload makes nothing. The form carries a key of its own: pressed twice, it makes one
// thing and spends one use.

import { z } from 'zod';
import { type RepresentationView, revokeRepresentation } from '../../control/representations/my-representations.ts';
import { representKey } from '../../control/representations/represent-key.ts';
import { type RepresentationKind, representationKinds } from '../../core/model/share.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { dataUrl, qrPng, qrSvg } from '../look/qr-code.ts';
import { buttonForm } from '../portal/fields.ts';
import { defineForm, definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { openText, sealText } from '../serve/sealed-text.ts';
import { id } from '../serve/shapes.ts';
import { formKey, newFormKey, originOf } from './forms.ts';

/** What each kind is called on its button and in lists. */
const kindWords: Readonly<Record<RepresentationKind, string>> = {
  url: 'An address that opens once',
  path_url: 'An address for a player',
  qr_svg: 'A QR code',
  qr_png: 'A QR code as a picture',
  bearer: 'A token for a program',
  header: 'A header for a program',
};

/** Those that people get a button for: the picture of a QR code can be saved from its page, and a token is the same in a header. */
const offered: readonly RepresentationKind[] = ['qr_svg', 'url', 'path_url', 'bearer'];

interface Carriable {
  readonly id: string;
  readonly name: string;
  readonly usesAllowed: number | null;
}

/** A form that opens a key here, which spends a use. For keys with a number of uses, which open by nothing else. */
export function openByUseForm(visit: PersonVisit, key: Carriable): Html {
  return buttonForm({
    ...{ action: `${visit.prefix}keys/${key.id}/carry`, formToken: visit.formToken() },
    ...{ text: 'Open, with one use', label: `Open, with one use: ${key.name}` },
    hidden: { kind: 'url', here: 'yes', key: newFormKey(visit) },
  });
}

/** The form behind the QR button of a card. */
export function qrForm(visit: PersonVisit, key: Carriable): Html {
  return buttonForm({
    ...{ action: `${visit.prefix}keys/${key.id}/carry`, formToken: visit.formToken() },
    ...{ text: 'QR code', label: `QR code: ${key.name}`, kind: 'plain' },
    hidden: { kind: 'qr_svg', key: newFormKey(visit) },
  });
}

/** The ways to carry a key, and what was made of it. */
export function carrySection(visit: PersonVisit, key: Carriable, made: readonly RepresentationView[]): Html {
  const hidden = newFormKey(visit);
  const forms = offered.map((kind) =>
    buttonForm({
      ...{ action: `${visit.prefix}keys/${key.id}/carry`, formToken: visit.formToken() },
      ...{ text: kindWords[kind], kind: 'plain', hidden: { kind, key: hidden } },
    }),
  );
  const cost = key.usesAllowed === null ? '' : ' Each of them spends one use.';
  return html`<section class="sheet" aria-labelledby="carry"><h2 id="carry">On another device, or in a program</h2>
<p class="soft">Each opens this key for an hour at most, and ends when you sign out here.${cost} Whoever has it can open the key, so give it to nobody else.</p>
<div class="row">${forms}</div></section>
${madeList(visit, 'What you made of it', made)}`;
}

/** Representations of a key or a share, each with a button that ends it while it may still open something; nothing without any. */
export function madeList(visit: PersonVisit, title: string, made: readonly RepresentationView[]): Html | null {
  if (made.length === 0) return null;
  return html`<h2 class="unseen">${title}</h2><details><summary>${title} (${made.length})</summary><ul class="items">${made.map((one) => madeItem(visit, one))}</ul></details>`;
}

function madeItem(visit: PersonVisit, { id: made, kind, state, createdAt, expiresAt }: RepresentationView): Html {
  const isLive = state === 'open' || state === 'opened';
  return html`<li><div class="between"><div><h3>${kindWords[kind]}</h3>
<p class="soft">made ${moment(createdAt)}${state === 'open' ? html`, until ${moment(expiresAt)}` : null}</p></div>${
    isLive
      ? buttonForm({
          ...{ action: `${visit.prefix}representations/${made}/revoke`, formToken: visit.formToken() },
          ...{ text: 'End it', kind: 'bad' },
        })
      : html`<span class="tag">${state === 'revoked' ? 'ended' : 'over'}</span>`
  }</div></li>`;
}

const params = z.object({ key: id });

const carryForm = defineForm({
  path: 'keys/:key/carry',
  who: 'account',
  params,
  form: z.object({ kind: z.enum(representationKinds), key: formKey.default(''), here: z.string().max(5).optional() }),
  handle: async (visit, { params: { key: keyId }, form }) => {
    const { context, actor, prefix } = visit;
    const { kind, key, here } = form;
    const asked = { keyId, kind, creationKey: key || undefined, origin: originOf(visit) };
    const made = await representKey(context, actor, asked);
    switch (made.kind) {
      case 'made': {
        const { carried, expiresAt, usesLeft } = made;
        if (here === 'yes' && carried.form === 'once') return visit.redirect(carried.url);
        const text = carried.form === 'token' ? carried.token : carried.url;
        const lasts = Math.max(1, expiresAt - context.clock.epochSeconds());
        const value = { id: made.id, kind, text, expiresAt, usesLeft };
        const ticket = sealText(context, ticketUse(visit), value, lasts);
        return visit.redirect(`${prefix}keys/${encodeURIComponent(keyId)}/carried?with=${ticket}`);
      }
      case 'made-before':
        return visit.redirect(`${prefix}keys/${encodeURIComponent(keyId)}?done=made-before`);
      case 'not-found':
        return visit.errorPage(404, { door: { label: 'My keys', path: `${prefix}keys` } });
      case 'used-up':
        return visit.errorPage(409, {
          title: 'This key is used up',
          text: 'It was opened as often as it may be. Ask whoever gave it to you.',
          door: { label: 'My keys', path: `${prefix}keys` },
        });
      case 'no-pass':
        return visit.errorPage(409, {
          title: 'This key cannot be carried now',
          text: 'It is over in a moment, or what it opens is not served at present. No use was spent. Ask whoever runs this place.',
          door: { label: 'Back to the key', path: `${prefix}keys/${encodeURIComponent(keyId)}` },
        });
      default:
        return made satisfies never;
    }
  },
});

/** What the page of something that was made is shown: to one session, while it lasts. */
const ticketShape = z.object({
  id: z.string(),
  kind: z.enum(representationKinds),
  text: z.string(),
  expiresAt: z.int(),
  usesLeft: z.int().nullable(),
});

function ticketUse({ actor }: PersonVisit) {
  return { use: 'carried-key', binding: actor.sessionId } as const;
}

const carriedPage = definePage({
  path: 'keys/:key/carried',
  who: 'account',
  params,
  query: z.object({ with: z.string().max(4096).optional() }),
  handle: async (visit, { params: { key: keyId }, query }) => {
    const { prefix } = visit;
    const carried = openText(visit.context, ticketUse(visit), query.with, ticketShape);
    if (carried === null) return visit.redirect(`${prefix}keys/${encodeURIComponent(keyId)}`);
    const { kind, text, expiresAt, usesLeft } = carried;
    const left = usesLeft === null ? null : html`<p>${usesLeft} ${usesLeft === 1 ? 'use is' : 'uses are'} left.</p>`;
    return visit.page({
      title: kindWords[kind],
      section: 'keys',
      width: 'narrow',
      referrer: 'no-referrer',
      body: html`${await showCarried(kind, text)}
<p class="hint">It works until ${moment(expiresAt)}. Whoever has it can open the key, so give it to nobody else.</p>${left}
${buttonForm({ action: `${prefix}representations/${carried.id}/revoke`, formToken: visit.formToken(), text: 'End it now', kind: 'bad', hidden: { key: keyId } })}
<p class="after"><a class="button plain" href="${prefix}keys/${encodeURIComponent(keyId)}">Back to the key</a></p>`,
    });
  },
});

async function showCarried(kind: RepresentationKind, text: string): Promise<Html> {
  switch (kind) {
    case 'qr_svg':
    case 'qr_png':
      return html`<p class="lead">Point the other device’s camera at this. It opens once.</p>${await picture(text)}
<details><summary>As an address</summary>${copyField('Address that opens once', text, true)}</details>`;
    case 'url':
      return html`<p class="lead">It opens once, in one browser.</p>${copyField('The address', text, true)}
<details><summary>As a QR code</summary>${await picture(text)}</details>`;
    case 'path_url':
      return html`<p class="lead">For a player or another program that takes an address.</p>${copyField('The address', text, true)}`;
    case 'bearer':
      return html`<p class="lead">For a program that sends a bearer token.</p>${copyField('The token', text, false)}
<details><summary>As a header</summary>${copyField('The header', `Authorization: Bearer ${text}`, false, 'header')}</details>`;
    case 'header':
      return html`<p class="lead">For a program that sends a header.</p>${copyField('The header', `Authorization: Bearer ${text}`, false)}`;
    default:
      return kind satisfies never;
  }
}

async function picture(url: string): Promise<Html> {
  return html`<p><img class="qr" src="${dataUrl('image/svg+xml', await qrSvg(url))}" alt="QR code of the key" width="256" height="256"></p>
<p><a href="${dataUrl('image/png', await qrPng(url))}" download="key.png">Save it as a picture</a></p>`;
}

function copyField(label: string, text: string, isAddress: boolean, name = 'carried'): Html {
  return html`<div class="field after"><label for="${name}">${label}</label><textarea id="${name}" class="once" rows="5" readonly>${text}</textarea></div>
<div class="row spaced-below"><button type="button" hidden data-copy="${name}">Copy</button>${
    isAddress ? html`<button type="button" class="plain" hidden data-share="${name}">Share</button>` : null
  }</div>`;
}

const revokeForm = defineForm({
  path: 'representations/:representation/revoke',
  who: 'account',
  params: z.object({ representation: id }),
  form: z.object({}),
  handle: async (visit, { params: { representation } }) => {
    const outcome = await revokeRepresentation(visit.context, visit.actor, representation, originOf(visit));
    if (outcome.kind === 'not-found') return visit.errorPage(404);
    const { prefix } = visit;
    // whoever made it reads of their key, whoever gave the key of the share
    const to = outcome.isTheirs ? `keys/${outcome.keyId}` : `shares/${outcome.shareId ?? ''}`;
    return visit.redirect(`${prefix}${to}?done=ended`);
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const carryKeyPages: readonly PageRoute[] = [carryForm, carriedPage, revokeForm];
