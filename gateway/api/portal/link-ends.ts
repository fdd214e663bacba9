// Ends and gives back: one link, one person, all links of a collection. Each end asks once on a page of its own, which says for how many
// people; for ten minutes afterwards a button gives back what ended. Something that the account may not manage answers 404.

import { z } from 'zod';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import { foreseeCollectionEnd, foreseeLinkEnd, foreseeMemberEnd } from '../../control/links/foresee-end.ts';
import {
  type GiveBackProblem,
  giveBackAllLinks,
  giveBackLink,
  giveBackMember,
  giveBackSeconds,
  listRecentEnds,
} from '../../control/links/give-back.ts';
import { revokeAllLinks, revokeLink } from '../../control/links/revoke-link.ts';
import { revokeMember } from '../../control/links/revoke-member.ts';
import { type Html, html } from '../look/html.ts';
import { defineForm, definePage, type PageAnswer, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { collectionName, id } from '../serve/shapes.ts';
import { buttonForm, note } from './fields.ts';

const minutes = giveBackSeconds / 60;
const tooLateText = `That was more than ${minutes} minutes ago, so it stays as it is. Make a new link instead.`;

/** What is said after something was done, and whether it was. */
export type Done = readonly ['good' | 'bad', string];

/** What a link's page says after an end or a giving back, by the word that stands in its address. */
export const endedWords = {
  revoked: ['good', 'Sharing has stopped. Nobody gets in by this link any more.'],
  member: ['good', 'That person is removed, and has no access any more.'],
  'given-back': ['good', 'The link is given back. Whoever had opened it gets in again.'],
  'member-given-back': ['good', 'That person has access again.'],
  'not-ended': ['good', 'There is nothing to give back: this is shared.'],
  'too-late': ['bad', tooLateText],
  'link-ended': ['bad', 'The link itself has ended. Give the link back first.'],
  gone: ['bad', 'This cannot be given back, because an account behind it was deleted. Make a new link instead.'],
} as const satisfies Readonly<Record<string, Done>>;

export function sayDone([kind, text]: Done): Html {
  return note(kind, text);
}

/** The button that gives back what ended. @param action  behind the reserved prefix. @param what  names the link or person for screen readers */
export function giveBackButton(visit: PersonVisit, action: string, what: string): Html {
  return buttonForm({
    action: `${visit.prefix}${action}`,
    formToken: visit.formToken(),
    text: 'Give back',
    label: `Give back: ${what}`,
    kind: 'plain',
  });
}

/** What the list of links says of whole collections: those that just ended, with a button, and ways to the question that ends one. */
export async function collectionEnds(visit: PersonVisit): Promise<{ readonly just: Html; readonly ways: Html }> {
  const { context, actor, prefix } = visit;
  const owned = collectionsOwnedBy(context.config(), actor.email).map(({ name }) => name);
  const ended = await listRecentEnds(context, owned);
  const just = ended.map(({ collection, links }) => {
    const action = `${prefix}links/give-back-all`;
    const said = `You stopped sharing ${collection}: ${links === 1 ? '1 link' : `${links} links`}. You can give this back for ${minutes} minutes.`;
    return html`<div class="note plain"><p>${said}</p>${buttonForm({ action, formToken: visit.formToken(), text: 'Give back', label: `Give back ${collection}`, kind: 'plain', hidden: { collection } })}</div>`;
  });
  const ways = owned.map(
    (name) =>
      html`<li><a href="${prefix}links/stop-all?collection=${encodeURIComponent(name)}">Stop sharing all of ${name}</a></li>`,
  );
  return { just: html`${just}`, ways: html`${ways}` };
}

const linkParams = z.object({ link: id });
const memberParams = linkParams.extend({ member: id });
const ofCollection = z.object({ collection: collectionName.default('') });

const stopPage = definePage({
  path: 'links/:link/stop',
  who: 'account',
  params: linkParams,
  handle: async (visit, { params }) => {
    const foreseen = await foreseeLinkEnd(visit.context, visit.actor, params.link);
    if (foreseen.kind === 'not-found') return visit.errorPage(404);
    const { link, people } = foreseen;
    if (link.revokedAt !== null) return visit.redirect(pageOf(visit, link.id));
    return question(visit, {
      title: `Stop sharing ${link.label}?`,
      loss: `${lossWords(people)} Nobody can open the link any more.`,
      action: `links/${link.id}/revoke`,
      yes: 'Stop sharing',
      no: 'Keep sharing',
      back: `links/${link.id}`,
    });
  },
});

const removePage = definePage({
  path: 'links/:link/members/:member/remove',
  who: 'account',
  params: memberParams,
  handle: async (visit, { params }) => {
    const foreseen = await foreseeMemberEnd(visit.context, visit.actor, params.member);
    if (foreseen.kind === 'not-found' || foreseen.link.id !== params.link) return visit.errorPage(404);
    const { link, isIn } = foreseen;
    if (!isIn) return visit.redirect(pageOf(visit, link.id));
    const name = foreseen.name ?? 'this person';
    return question(visit, {
      title: `Remove ${name}?`,
      loss: `1 person loses access to ${link.label} at once. Everybody else keeps it.`,
      action: `links/${link.id}/members/${params.member}/revoke`,
      yes: `Remove ${name}`,
      no: 'Keep',
      back: `links/${link.id}`,
    });
  },
});

const stopAllPage = definePage({
  path: 'links/stop-all',
  who: 'account',
  query: ofCollection,
  handle: async (visit, { query: { collection } }) => {
    const foreseen = await foreseeCollectionEnd(visit.context, visit.actor, collection);
    if (foreseen.kind === 'not-found') return visit.errorPage(404);
    const { links, people } = foreseen;
    if (links === 0) return visit.redirect(`${visit.prefix}links`);
    return question(visit, {
      title: `Stop sharing all of ${collection}?`,
      loss: `${links === 1 ? 'One link ends' : `${links} links end`}. ${lossWords(people)}`,
      action: 'links/revoke-all',
      yes: 'Stop sharing all of it',
      no: 'Keep sharing',
      back: 'links',
      hidden: { collection },
    });
  },
});

const revokeForm = defineForm({
  path: 'links/:link/revoke',
  who: 'account',
  params: linkParams,
  form: z.object({}),
  handle: async (visit, { params: { link } }) => {
    const outcome = await revokeLink(visit.context, visit.actor, link, visit.origin.requestId || null);
    return outcome.kind === 'not-found' ? visit.errorPage(404) : done(visit, link, 'revoked');
  },
});

const memberForm = defineForm({
  path: 'links/:link/members/:member/revoke',
  who: 'account',
  params: memberParams,
  form: z.object({}),
  handle: async (visit, { params: { link, member } }) => {
    const outcome = await revokeMember(visit.context, visit.actor, member, visit.origin.requestId || null);
    return outcome.kind === 'not-found' ? visit.errorPage(404) : done(visit, link, 'member');
  },
});

const revokeAllForm = defineForm({
  path: 'links/revoke-all',
  who: 'account',
  form: ofCollection,
  handle: async (visit, { form }) => {
    const outcome = await revokeAllLinks(visit.context, visit.actor, form.collection, visit.origin.requestId || null);
    return outcome.kind === 'not-found' ? visit.errorPage(404) : visit.redirect(`${visit.prefix}links`);
  },
});

const giveBackForm = defineForm({
  path: 'links/:link/give-back',
  who: 'account',
  params: linkParams,
  form: z.object({}),
  handle: async (visit, { params: { link } }) => {
    const outcome = await giveBackLink(visit.context, visit.actor, link, visit.origin.requestId || null);
    return givenBack(visit, link, outcome, 'given-back');
  },
});

const giveMemberBackForm = defineForm({
  path: 'links/:link/members/:member/give-back',
  who: 'account',
  params: memberParams,
  form: z.object({}),
  handle: async (visit, { params: { link, member } }) => {
    const outcome = await giveBackMember(visit.context, visit.actor, member, visit.origin.requestId || null);
    return givenBack(visit, link, outcome, 'member-given-back');
  },
});

const giveAllBackForm = defineForm({
  path: 'links/give-back-all',
  who: 'account',
  form: ofCollection,
  handle: async (visit, { form }) => {
    const { context, actor, prefix, origin } = visit;
    const outcome = await giveBackAllLinks(context, actor, form.collection, origin.requestId || null);
    if (outcome.kind === 'not-found') return visit.errorPage(404);
    return visit.redirect(`${prefix}links?done=${outcome.links === 0 ? 'too-late' : 'given-back'}`);
  },
});

/** What the list of links says after a collection was given back. */
export const listWords = {
  'given-back': ['good', 'The links are given back. Whoever had opened them gets in again.'],
  'too-late': ['bad', tooLateText],
} as const satisfies Readonly<Record<string, Done>>;

/** The pages of this file; `pages.ts` lists them. */
export const linkEndPages: readonly PageRoute[] = [
  ...[stopPage, removePage, stopAllPage, revokeForm, memberForm, revokeAllForm],
  ...[giveBackForm, giveMemberBackForm, giveAllBackForm],
];

interface Question {
  readonly title: string;
  readonly loss: string;
  /** Behind the reserved prefix, as `back` is. */
  readonly action: string;
  readonly back: string;
  readonly yes: string;
  readonly no: string;
  readonly hidden?: Readonly<Record<string, string>>;
}

function question(visit: PersonVisit, { title, loss, action, back, yes, no, hidden }: Question): PageAnswer {
  const { prefix } = visit;
  const form = { action: `${prefix}${action}`, formToken: visit.formToken(), text: yes, kind: 'bad' as const };
  return visit.page({
    title,
    section: 'links',
    width: 'narrow',
    body: html`${note('plain', loss)}
<p>You can give it back for ${minutes} minutes.</p>
${buttonForm({ ...form, ...(hidden === undefined ? {} : { hidden }) })}
<p class="after"><a class="button plain" href="${prefix}${back}">${no}</a></p>`,
  });
}

function lossWords(people: number): string {
  if (people === 0) return 'Nobody has access by it yet.';
  return people === 1 ? '1 person loses access at once.' : `${people} people lose access at once.`;
}

type GivenBack =
  | { readonly kind: 'given-back' | 'not-found' }
  | { readonly kind: 'refused'; readonly problem: GiveBackProblem };

function givenBack(visit: PersonVisit, link: string, outcome: GivenBack, good: keyof typeof endedWords): PageAnswer {
  switch (outcome.kind) {
    case 'given-back':
      return done(visit, link, good);
    case 'refused':
      return done(visit, link, outcome.problem);
    case 'not-found':
      return visit.errorPage(404);
    default:
      return outcome satisfies never;
  }
}

function pageOf(visit: PersonVisit, link: string): string {
  return `${visit.prefix}links/${encodeURIComponent(link)}`;
}

function done(visit: PersonVisit, link: string, what: keyof typeof endedWords): PageAnswer {
  return visit.redirect(`${pageOf(visit, link)}?done=${what}`);
}
