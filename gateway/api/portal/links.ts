// The pages that list links: what others shared with the account, what it shared with others, and all links for administrators.
// control/links decides what an account may see and do; its lists leave out every link that the account may not see.

import { z } from 'zod';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import { listLost, listOwned, listShared } from '../../control/access/list-access.ts';
import { listLinks } from '../../control/links/list-links.ts';
import { type Html, html } from '../look/html.ts';
import { definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { field, select } from './fields.ts';
import { collectionEnds, listWords, sayDone } from './link-ends.ts';
import { linkCard, lostCard, openCard } from './link-words.ts';

const pageSize = 30;
/** Links of an owner on the front page. */
const newestShown = 3;
const noLinks = html`<p class="soft">No links yet. Make one, and send it to whoever you like.</p>`;
const cursor = z.string().max(80).optional();
const shown = ['live', 'ended', 'all'] as const;
const filterShape = { search: z.string().max(200).optional(), show: z.enum(shown).optional().catch(undefined) };

const myLinks = definePage({
  path: 'links',
  who: 'account',
  query: z.object({
    ...filterShape,
    ...{ after: cursor, afterShared: cursor, done: z.enum(['given-back', 'too-late']).optional() },
  }),
  handle: async (visit, { query }) => {
    const manages = managesAny(visit);
    const withMe = await sharedWithMe(visit, query, query.afterShared);
    const mine = manages ? await sharedByMe(visit, query, query.after) : null;
    const ends = await collectionEnds(visit);
    return visit.page({
      title: manages ? 'My links' : 'Shared with me',
      section: 'links',
      body: html`${query.done === undefined ? null : sayDone(listWords[query.done])}${ends.just}
${manages || withMe.count > 5 || isUsed(query) ? filterForm(visit, 'links', query) : null}${mine}
<h2${manages ? null : html` class="unseen"`}>Shared with me</h2>${withMe.list}`,
    });
  },
});

const allLinks = definePage({
  path: 'admin/links',
  who: 'admin',
  query: z.object({ ...filterShape, after: cursor }),
  handle: async (visit, { query }) => {
    const list = await linkList(visit, 'admin/links', query, query.after, {});
    return visit.page({
      title: 'All links',
      section: 'admin/links',
      body: html`<div class="between spaced"><p class="lead">Every link that was made here, the newest first.</p><a class="button" href="${visit.prefix}links/new">New link</a></div>
${filterForm(visit, 'admin/links', query)}<h2 class="unseen">Links</h2>${list}`,
    });
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const linkListPages: readonly PageRoute[] = [myLinks, allLinks];

/** Whether an account may make links: administrators, and owners of a collection. */
export function managesAny({ context, actor }: PersonVisit): boolean {
  return actor.role === 'admin' || collectionsOwnedBy(context.config(), actor.email).length > 0;
}

interface Filter {
  readonly search?: string | undefined;
  /** Default: live ones, with those that ended folded away. */
  readonly show?: (typeof shown)[number] | undefined;
}

interface SharedList {
  readonly list: Html;
  /** Entries on this page. */
  readonly count: number;
}

/** What others shared with the visitor: what is open, and what has ended. */
export async function sharedWithMe(visit: PersonVisit, filter: Filter, after: string | undefined): Promise<SharedList> {
  const { context, actor } = visit;
  const { search } = filter;
  const empty = { entries: [], next: null };
  const live = filter.show === 'ended' ? empty : await listShared(context, actor, { search, after, limit: pageSize });
  const lost =
    filter.show === 'live' || (filter.show !== 'ended' && after !== undefined)
      ? empty
      : await listLost(context, actor, { search, after: filter.show === 'ended' ? after : undefined, limit: pageSize });
  const none =
    search === undefined || search === ''
      ? html`<p class="soft">Nothing yet. When somebody shares something with you, they send you a link. Open it, and you find it here from then on.</p>`
      : html`<p class="soft">Nothing fits what you look for.</p>`;
  const open = live.entries.map((entry) => openCard(visit, entry));
  const shared = list(visit, 'links', filter, {
    live: { cards: open, more: live.next === null ? null : { afterShared: live.next } },
    ended: { cards: lost.entries.map(lostCard), more: lost.next === null ? null : { afterShared: lost.next } },
    none,
  });
  return { list: shared, count: live.entries.length + lost.entries.length };
}

/** The newest live links of an owner, for the front page, with the button that makes one. */
export async function newestLinks(visit: PersonVisit): Promise<Html> {
  const { context, actor, prefix } = visit;
  const { links, next } = await listLinks(context, actor, { onlyOwn: true, show: 'live', limit: newestShown });
  const cards = links.map((link) => linkCard(visit, link));
  const list = cards.length === 0 ? noLinks : html`<ul class="items">${cards}</ul>`;
  const more = next === null ? null : html` <a class="button plain" href="${prefix}links">All my links</a>`;
  return html`${list}<p class="pages"><a class="button" href="${prefix}links/new">New link</a>${more}</p>`;
}

async function sharedByMe(visit: PersonVisit, filter: Filter, after: string | undefined): Promise<Html> {
  const { context, actor, prefix } = visit;
  const links = await linkList(visit, 'links', filter, after, { onlyOwn: true });
  const owned = await listOwned(context, actor);
  const ends = await collectionEnds(visit);
  return html`<div class="between spaced"><h2>Shared by me</h2><a class="button" href="${prefix}links/new">New link</a></div>
${links}${
  owned.length === 0
    ? null
    : html`<h2>Mine</h2><ul class="items">${owned.map((entry) => openCard(visit, entry))}</ul>
<details><summary>End everything at once</summary><ul>${ends.ways}</ul></details>`
}`;
}

async function linkList(
  visit: PersonVisit,
  path: string,
  filter: Filter,
  after: string | undefined,
  whose: { readonly onlyOwn?: true },
): Promise<Html> {
  const read = async (show: 'live' | 'ended', from: string | undefined) => {
    const asked = {
      ...whose,
      show,
      limit: pageSize,
      ...(filter.search === undefined ? {} : { search: filter.search }),
    };
    return await listLinks(visit.context, visit.actor, { ...asked, ...(from === undefined ? {} : { after: from }) });
  };
  const nothing = { links: [], next: null };
  const live = filter.show === 'ended' ? nothing : await read('live', after);
  const isWithoutEnded = filter.show === 'live' || (filter.show !== 'ended' && after !== undefined);
  const ended = isWithoutEnded ? nothing : await read('ended', filter.show === 'ended' ? after : undefined);
  const card = (link: (typeof live.links)[number]) => linkCard(visit, link);
  const isSearched = filter.search !== undefined && filter.search !== '';
  return list(visit, path, filter, {
    live: { cards: live.links.map(card), more: live.next === null ? null : { after: live.next } },
    ended: { cards: ended.links.map(card), more: ended.next === null ? null : { after: ended.next } },
    none: isSearched ? html`<p class="soft">No link fits what you look for.</p>` : noLinks,
  });
}

interface Part {
  readonly cards: readonly Html[];
  /** What the address of the next page says beside the filter; null for the last page. */
  readonly more: Readonly<Record<string, string>> | null;
}

function list(
  visit: PersonVisit,
  path: string,
  filter: Filter,
  { live, ended, none }: { readonly live: Part; readonly ended: Part; readonly none: Html },
): Html {
  const items = ({ cards }: Part) => (cards.length === 0 ? null : html`<ul class="items">${cards}</ul>`);
  const more = ({ more: next }: Part, show: Filter['show']) =>
    next === null
      ? null
      : html`<p class="pages"><a class="button plain" href="${visit.prefix}${path}${queryOf({ ...filter, show }, next)}">More</a></p>`;
  // those that ended page on in a list of their own
  const over =
    ended.cards.length === 0
      ? null
      : html`${items(ended)}${more({ ...ended, more: filter.show === 'ended' ? ended.more : ended.more && {} }, 'ended')}`;
  const isFolded = filter.show === undefined;
  const isOpen = live.cards.length === 0 && filter.search !== undefined && filter.search !== '';
  const isEmpty = live.cards.length === 0 && (isFolded || ended.cards.length === 0);
  return html`${isEmpty ? none : items(live)}${more(live, filter.show)}${
    over === null || !isFolded
      ? over
      : html`<details${isOpen ? html` open` : null}><summary>Ended (${ended.cards.length}${ended.more === null ? '' : '+'})</summary>${over}</details>`
  }`;
}

function isUsed({ search, show }: Filter): boolean {
  return (search !== undefined && search !== '') || show !== undefined;
}

function filterForm(visit: PersonVisit, path: string, { search, show }: Filter): Html {
  const choices = [
    { value: '', label: 'Live, ended folded away' },
    { value: 'live', label: 'Only live' },
    { value: 'ended', label: 'Only ended' },
    { value: 'all', label: 'All' },
  ];
  return html`<form class="row spaced" method="get" action="${visit.prefix}${path}" role="search">
${field({ name: 'search', label: 'Look for a name, an address or a path', type: 'search', value: search ?? '', autocomplete: 'off', isRequired: false, maxLength: 200 })}
${select({ name: 'show', label: 'Show', choices, value: show ?? '' })}
<button class="plain" type="submit">Look</button>${isUsed({ search, show }) ? html`<a href="${visit.prefix}${path}">Show everything</a>` : null}</form>`;
}

function queryOf({ search, show }: Filter, next: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(next);
  if (search !== undefined && search !== '') query.set('search', search);
  if (show !== undefined) query.set('show', show);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
