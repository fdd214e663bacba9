// The pages that list links: what others opened to the account, what it opened to others, and all links for administrators.
// control/links decides what an account may see and do; its lists leave out every link that the account may not see.

import { z } from 'zod';
import { collectionsOwnedBy } from '../../control/access/collections.ts';
import { type AccessEntry, listAccess } from '../../control/access/list-access.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import { type LinkPage, listLinks } from '../../control/links/list-links.ts';
import { revokeAllLinks } from '../../control/links/revoke-link.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { defineForm, definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { collectionName } from '../serve/shapes.ts';
import { buttonForm, note } from './fields.ts';
import { claimsText, stateTag } from './link-words.ts';

const pageSize = 30;
const after = z.string().max(80).optional();

const myLinks = definePage({
  path: 'links',
  who: 'account',
  query: z.object({ after, done: z.enum(['revoked-all']).optional() }),
  handle: async (visit, { query }) => {
    const { context, actor, prefix } = visit;
    const isOwner = ownsAny(visit);
    const [entries, links] = await Promise.all([
      listAccess(context, actor),
      isOwner ? listLinks(context, actor, listing(query.after)) : nothing,
    ]);
    return visit.page({
      title: 'My links',
      section: 'links',
      body: html`${query.done === undefined ? null : note('good', 'All links are taken back. Nobody passes by them any more.')}
<h2>Opened to me</h2>
${
  entries.length === 0
    ? html`<p class="soft">Nothing yet. When somebody sends you a link and you open it, you find it here again.</p>`
    : html`<ul class="items">${entries.map((entry) => accessItem(visit, entry))}</ul>`
}
${
  isOwner
    ? html`<div class="between spaced"><h2>Opened by me</h2><a class="button" href="${prefix}links/new">New link</a></div>
${linkItems(prefix, links, 'links', 'h3')}${links.links.length > 1 ? takeAllBack(visit) : null}`
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

const revokeAllForm = defineForm({
  path: 'links/revoke-all',
  who: 'account',
  form: z.object({ collection: collectionName.default(''), sure: z.string().max(10).default('') }),
  handle: async (visit, { form }) => {
    if (form.sure !== 'yes') return visit.redirect(`${visit.prefix}links`);
    const { context, actor, origin } = visit;
    const outcome = await revokeAllLinks(context, actor, form.collection, origin.requestId || null);
    return outcome.kind === 'not-found'
      ? visit.errorPage(404)
      : visit.redirect(`${visit.prefix}links?done=revoked-all`);
  },
});

/** The pages of this file; `pages.ts` lists them. */
export const linkListPages: readonly PageRoute[] = [myLinks, allLinks, revokeAllForm];

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
  label: `Open ${entry.label} on another device`,
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

/** A form for each collection that ends all its links at once; a fold and a tick keep people from sending it by mistake. */
function takeAllBack(visit: PersonVisit): Html {
  const owned = collectionsOwnedBy(visit.context.config(), visit.actor.email);
  return html`${owned.map(
    ({ name }) => html`<details><summary>Take back all links to ${name}</summary>
<form method="post" action="${visit.prefix}links/revoke-all">${visit.formToken()}<input type="hidden" name="collection" value="${name}">
<div class="choice"><input type="checkbox" id="sure-${name}" name="sure" value="yes" required><label for="sure-${name}">Everybody who came in by any of them loses access at once. Yes, do it.</label></div>
<button class="bad" type="submit">Take all back</button></form></details>`,
  )}`;
}

function listing(from: string | undefined) {
  return { limit: pageSize, ...(from === undefined ? {} : { after: from }) };
}
