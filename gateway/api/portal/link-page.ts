// The page of one link for its owner: its members, when they came and with which devices, and forms to reopen the link. link-ends.ts ends it.
// A link of another owner answers 404, the same as a link that never existed.

import { z } from 'zod';
import { canGiveBack } from '../../control/links/give-back.ts';
import type { LinkProblem } from '../../control/links/link-input.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import { listMembers, type MemberView } from '../../control/links/list-links.ts';
import { reopenLink } from '../../control/links/reopen-link.ts';
import { type Html, html } from '../look/html.ts';
import { ago, moment } from '../look/moments.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { id } from '../serve/shapes.ts';
import { field, momentField, type Problems, problemSummary, readMoment, zoneField } from './fields.ts';
import {
  addressDoneWords,
  addressSection,
  addressTicket,
  linkAddressPages,
  makeSendForm,
  toAddress,
} from './link-address.ts';
import { type Done, endedWords, giveBackButton, sayDone } from './link-ends.ts';
import { linkFacts, stateTag } from './link-words.ts';

const pageSize = 50;

const doneWords = {
  ...endedWords,
  ...addressDoneWords,
  reopened: ['good', 'The link is changed.'],
} as const satisfies Readonly<Record<string, Done>>;
const doneNames = Object.keys(doneWords) as readonly (keyof typeof doneWords)[];

const linkParams = z.object({ link: id });

const linkPage = definePage({
  path: 'links/:link',
  who: 'account',
  params: linkParams,
  query: z.object({
    after: z.string().max(80).optional(),
    done: z.enum(doneNames).optional(),
    address: addressTicket,
  }),
  handle: async (visit, { params, query }) => showLink(visit, params.link, {}, 200, query),
});

const reopenForm = defineForm({
  path: 'links/:link/reopen',
  who: 'account',
  params: linkParams,
  form: z.object({
    people: z.string().max(20).default(''),
    claimUntil: z.string().max(40).default(''),
    accessUntil: z.string().max(40).default(''),
    zone: z.string().max(80).default(''),
  }),
  handle: async (visit, { params: { link }, form }) => {
    const claimUntil = readMoment(form.claimUntil, form.zone, visit.timeZone);
    const accessUntil = readMoment(form.accessUntil, form.zone, visit.timeZone);
    if (claimUntil.kind === 'problem') return showLink(visit, link, { claimUntil: claimUntil.problem }, 422, {});
    if (accessUntil.kind === 'problem') return showLink(visit, link, { accessUntil: accessUntil.problem }, 422, {});
    const claimsAllowed = Number(form.people);
    return reopen(visit, {
      linkId: link,
      claimsAllowed,
      claimUntilAt: claimUntil.kind === 'moment' ? claimUntil.at : null,
      accessUntilAt: accessUntil.kind === 'moment' ? accessUntil.at : null,
    });
  },
});

const newUrlForm = defineForm({
  path: 'links/:link/url',
  who: 'account',
  params: linkParams,
  form: z.object({}),
  handle: async (visit, { params: { link } }) => reopen(visit, { linkId: link, newSecret: true }),
});

const sendForm = makeSendForm((visit, link, wrong, address) => showLink(visit, link, wrong, 422, { address }));

/** The pages of this file and of link-address.ts; `pages.ts` lists them. */
export const linkPages: readonly PageRoute[] = [linkPage, reopenForm, newUrlForm, sendForm, ...linkAddressPages];

type Reopening = Omit<Parameters<typeof reopenLink>[2], 'requestId'>;

async function reopen(visit: PersonVisit, input: Reopening): Promise<PageAnswer> {
  const { context, actor, origin } = visit;
  const outcome = await reopenLink(context, actor, { ...input, requestId: origin.requestId || null });
  switch (outcome.kind) {
    case 'reopened':
      if (outcome.url !== null) return toAddress(visit, input.linkId, 'renewed');
      return done(visit, input.linkId, 'reopened');
    case 'refused':
      return showLink(visit, input.linkId, problemsOf(outcome.problem), 422, {});
    case 'not-found':
      return visit.errorPage(404);
    default:
      return outcome satisfies never;
  }
}

function problemsOf(problem: LinkProblem | 'revoked'): Problems {
  switch (problem) {
    case 'revoked':
      return { '': 'You stopped sharing this. Give it back first, or make a new link.' };
    case 'bad-claims':
      return { people: 'A number up to 10000, and not below those who opened it already.' };
    case 'bad-window':
      return { accessUntil: 'These times have to lie in the future.' };
    case 'bad-path':
    case 'bad-label':
    case 'bad-methods':
    case 'bad-addresses':
    case 'too-many-addresses':
      return { '': 'That cannot be changed like this.' };
    default:
      return problem satisfies never;
  }
}

function done(visit: PersonVisit, link: string, what: keyof typeof doneWords): PageAnswer {
  return visit.redirect(`${visit.prefix}links/${encodeURIComponent(link)}?done=${what}`);
}

async function showLink(
  visit: PersonVisit,
  linkId: string,
  wrong: Problems,
  status: number,
  query: {
    readonly after?: string | undefined;
    readonly done?: keyof typeof doneWords | undefined;
    /** Shows the link's address at the top; see link-address.ts. */
    readonly address?: string | undefined;
  },
): Promise<PageAnswer> {
  const { context, actor, prefix } = visit;
  const listing = { limit: pageSize, ...(query.after === undefined ? {} : { after: query.after }) };
  const listed = await listMembers(context, actor, linkId, listing);
  if (listed.kind === 'not-found') return visit.errorPage(404);
  const { link, members, next } = listed;
  const now = context.clock.epochSeconds();
  const isLive = link.revokedAt === null;
  const top = await addressSection(visit, link, query.address, wrong);
  return visit.page({
    title: link.label,
    section: 'links',
    status,
    referrer: top.isShown ? 'no-referrer' : 'same-origin',
    body: html`${problemSummary(wrong)}${query.done === undefined ? null : sayDone(doneWords[query.done])}${top.part}
<div class="sheet"><div class="between"><p>${stateTag(link)}</p>${
      isLive
        ? html`<a class="button bad" href="${prefix}links/${link.id}/stop">Stop sharing</a>`
        : canGiveBack(link.revokedAt, now)
          ? giveBackButton(visit, `links/${link.id}/give-back`, link.label)
          : null
    }</div>
${linkFacts(link)}</div>
<h2>Who opened it</h2>
${
  members.length === 0
    ? html`<p class="soft">${isLive ? 'Nobody yet. Send the link to whoever you like.' : 'Nobody opened it.'}</p>`
    : html`<ul class="items">${members.map((member) => memberItem(visit, link, member, now))}</ul>`
}
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}links/${link.id}?after=${next}">More</a></p>`}
${isLive ? changeForms(visit, link, wrong) : html`<p><a class="button" href="${prefix}links/new">Make a new link</a></p>`}`,
  });
}

function memberItem(visit: PersonVisit, link: LinkView, member: MemberView, now: number): Html {
  const name = member.displayName || member.email || 'An account that is gone';
  const isIn = member.revokedAt === null && link.revokedAt === null;
  const at = `links/${link.id}/members/${member.id}`;
  return html`<li><div class="between"><h3>${name}</h3>${
    isIn
      ? html`<a class="button bad" href="${visit.prefix}${at}/remove" aria-label="Remove ${name}">Remove</a>`
      : html`<span class="row"><span class="tag bad">${member.revokedAt === null ? 'sharing stopped' : 'removed'}</span>${
          link.revokedAt === null && canGiveBack(member.revokedAt, now)
            ? giveBackButton(visit, `${at}/give-back`, name)
            : null
        }</span>`
  }</div>
<dl class="facts">
${member.email === null ? null : html`<dt>Address</dt><dd>${member.email}</dd>`}
<dt>Opened</dt><dd>${moment(member.claimedAt)}${member.claimedOn === null || member.claimedOn === '' ? null : html`, with ${member.claimedOn}`}</dd>
${member.revokedAt === null ? null : html`<dt>Removed</dt><dd>${moment(member.revokedAt)}</dd>`}
<dt>Last here</dt><dd>${member.lastSeenAt === null ? 'not seen since' : ago(member.lastSeenAt, now)}</dd>
${
  member.devices.length === 0
    ? null
    : html`<dt>Browsers</dt><dd>${member.devices.map(
        ({ name: device, lastSeenAt }, index) =>
          html`${index === 0 ? null : ', '}${device || 'one without a name'} (${ago(lastSeenAt, now)})`,
      )}</dd>`
}
</dl></li>`;
}

function changeForms(visit: PersonVisit, link: LinkView, wrong: Problems): Html {
  const { prefix } = visit;
  const isOpen = Object.keys(wrong).some((name) => name !== 'to');
  return html`<details${isOpen ? html` open` : null}><summary>${link.forEmail === null ? 'Let more people open it, or change its dates' : 'Change its dates'}</summary>
<form method="post" action="${prefix}links/${link.id}/reopen" novalidate>${visit.formToken()}${zoneField()}
${
  // a link for one address stays a link for one person
  link.forEmail === null
    ? field({
        name: 'people',
        label: 'How many people may open it, all together?',
        type: 'number',
        value: link.claimsAllowed,
        autocomplete: 'off',
        problem: wrong.people,
      })
    : html`<input type="hidden" name="people" value="${link.claimsAllowed}">`
}
${momentField({ name: 'claimUntil', label: 'New people until', hint: 'Empty: no end.', value: link.claimUntilAt, problem: wrong.claimUntil, timeZone: visit.timeZone })}
${momentField({ name: 'accessUntil', label: 'Access until', hint: 'Empty: until you stop sharing.', value: link.accessUntilAt, problem: wrong.accessUntil, timeZone: visit.timeZone })}
<button class="plain" type="submit">Save</button></form></details>`;
}
