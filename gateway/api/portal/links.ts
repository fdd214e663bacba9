// The pages that list links: what others shared with the account, what it shared with others, and all links for administrators.
// control/links decides what an account may see and do; its lists leave out every link that the account may not see.

import { z } from 'zod';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import { type AccessEntry, listAccess } from '../../control/access/list-access.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import { type LinkPage, listLinks } from '../../control/links/list-links.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { buttonForm } from './fields.ts';
import { collectionEnds, listWords, sayDone } from './link-ends.ts';
import { claimsText, stateTag } from './link-words.ts';

const pageSize = 30;
const after = z.string().max(80).optional();

const myLinks = definePage({
  path: 'links',
  who: 'account',
  query: z.object({ after, done: z.enum(['given-back', 'too-late']).optional() }),
  handle: async (visit, { query }) => {
    const { context, actor, prefix } = visit;
    const isOwner = ownsAny(visit);
    const [entries, links, ends] = await Promise.all([
      listAccess(context, actor),
      isOwner ? listLinks(context, actor, listing(query.after)) : nothing,
      collectionEnds(visit),
    ]);
    return visit.page({
      title: 'My links',
      section: 'links',
      body: html`${query.done === undefined ? null : sayDone(listWords[query.done])}${ends.just}
<h2>Shared with me</h2>
${
  entries.length === 0
    ? html`<p class="soft">Nothing yet. When somebody sends you a link and you open it, you find it here again.</p>`
    : html`<ul class="items">${entries.map((entry) => accessItem(visit, entry))}</ul>`
}
${
  isOwner
    ? html`<div class="between spaced"><h2>Shared by me</h2><a class="button" href="${prefix}links/new">New link</a></div>
${linkItems(prefix, links, 'links', 'h3')}${links.links.length > 1 ? html`<details><summary>End everything at once</summary><ul>${ends.ways}</ul></details>` : null}`
    : null
}`,
    });
  },
});

const allLinks = definePage({
  path: 'admin/links',
  who: 'admin',
  query: z.object({ after }),
  handle: async (visit, { query }) => {
    const { context, actor, prefix } = visit;
    const links = await listLinks(context, actor, listing(query.after));
    return visit.page({
      title: 'All links',
      section: 'admin/links',
      body: html`<div class="between spaced"><p class="lead">Every link that was made here, the newest first.</p><a class="button" href="${prefix}links/new">New link</a></div>
${linkItems(prefix, links, 'admin/links', 'h2')}`,
    });
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const linkListPages: readonly PageRoute[] = [myLinks, allLinks];

const nothing: LinkPage = { links: [], next: null };

/** Whether an account may make links: administrators, and owners of a collection. */
function ownsAny({ context, actor }: PersonVisit): boolean {
  return actor.role === 'admin' || collectionsOwnedBy(context.config(), actor.email).length > 0;
}

function accessItem(visit: PersonVisit, entry: AccessEntry): Html {
  const from =
    entry.givenBy === null
      ? 'Yours'
      : html`From ${entry.givenBy}${entry.sinceAt === null ? null : html`, ${moment(entry.sinceAt)}`}`;
  return html`<li><div class="between"><div><h3><a href="${entry.url}">${entry.label}</a></h3>
<p class="soft">${from}${entry.untilAt === null ? null : html`, until ${moment(entry.untilAt)}`}</p></div>
${buttonForm({
  action: `${visit.prefix}elsewhere`,
  formToken: visit.formToken(),
  text: 'Open on another device',
  label: `Open on another device: ${entry.label}`,
  kind: 'plain',
  hidden: { url: entry.url },
})}</div></li>`;
}

function linkItems(prefix: string, { links, next }: LinkPage, path: string, heading: 'h2' | 'h3'): Html {
  if (links.length === 0) return html`<p class="soft">No links yet. Make one and send it to whoever you like.</p>`;
  return html`<ul class="items">${links.map((link) => linkItem(prefix, link, heading))}</ul>
${next === null ? null : html`<p class="pages"><a class="button plain" href="${prefix}${path}?after=${next}">More</a></p>`}`;
}

function linkItem(prefix: string, link: LinkView, heading: 'h2' | 'h3'): Html {
  const label = html`<a href="${prefix}links/${link.id}">${link.label}</a>`;
  const title = heading === 'h2' ? html`<h2>${label}</h2>` : html`<h3>${label}</h3>`;
  return html`<li><div class="between">${title}${stateTag(link)}</div>
<p class="soft">${claimsText(link)} · ${link.host}${link.path} · ${moment(link.createdAt)}</p></li>`;
}

function listing(from: string | undefined) {
  return { limit: pageSize, ...(from === undefined ? {} : { after: from }) };
}
