// "Who can open this", for administrators: the collections of the configuration, and for each one everybody to whom it is open now, by what, and by
// whom that came.

import { z } from 'zod';
import type { CollectionConfig } from '../../config/compiled/control-config.ts';
import { collectionNamed } from '../../control/access/collections.ts';
import { listPeople, type PersonView } from '../../control/keys/list-people.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import { definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { collectionName } from '../serve/shapes.ts';
import { dotted } from './share-words.ts';

const pageSize = 50;
const section = 'admin/collections';

const list = definePage({
  path: 'admin/collections',
  who: 'admin',
  handle: async (visit) => {
    const { collections } = visit.context.config();
    return visit.page({
      title: 'Who can open this',
      section,
      body: html`<p class="lead">Choose a collection to see who can open it, and by what.</p>
<h2 class="unseen">Collections</h2>
${
  collections.length === 0
    ? html`<p class="soft">The configuration names no collections yet.</p>`
    : html`<ul class="items">${collections.map((one) => collectionItem(visit, one))}</ul>`
}
<p><a class="button plain" href="${visit.prefix}">Go to the first page</a></p>`,
    });
  },
});

function collectionItem({ prefix }: PersonVisit, { name, title, host, path }: CollectionConfig): Html {
  return html`<li class="card"><h3><a href="${prefix}admin/collections/${encodeURIComponent(name)}">${title ?? name}</a></h3><p class="soft">${host}${path}</p></li>`;
}

const people = definePage({
  path: 'admin/collections/:collection',
  who: 'admin',
  params: z.object({ collection: collectionName }),
  query: z.object({ after: z.string().max(80).optional() }),
  handle: async (visit, { params, query: { after } }) => {
    const { prefix, context, actor } = visit;
    const found = await listPeople(context, actor, { collection: params.collection, after, limit: pageSize });
    if (found.kind === 'refused') return visit.errorPage(found.reason === 'unknown' ? 404 : 403);
    const collection = collectionNamed(context.config(), params.collection);
    if (collection === null) return visit.errorPage(404);
    const { owners } = found;
    const items = found.people.map((person) => personItem(visit, collection.name, person));
    return visit.page({
      title: `Who can open ${collection.title ?? collection.name}`,
      section,
      body: html`<p class="lead">${collection.host}${collection.path}</p>
${
  owners.length === 0
    ? null
    : html`<h2>Owners</h2><ul class="items">${owners.map(({ email, accountId, collection: owned }) => {
        const who = accountId === null ? email : html`<a href="${prefix}admin/accounts/${accountId}">${email}</a>`;
        const note = [owned === collection.name ? null : `of ${owned}`, accountId === null ? 'no account yet' : null];
        return html`<li><h3>${who}</h3><p class="soft">${dotted(['by the configuration', ...note])}</p></li>`;
      })}</ul>`
}
<h2>By links and keys</h2>
${
  items.length === 0
    ? html`<p class="soft">${after === undefined && found.next === null ? 'Nobody at the moment.' : 'Nobody on this page.'}</p>`
    : html`<ul class="items">${items}</ul>`
}
<p class="pages">${found.next === null ? null : html`<a class="button plain" href="${prefix}admin/collections/${encodeURIComponent(collection.name)}?after=${found.next}">More</a>`}<a class="button plain" href="${prefix}admin/collections">All collections</a></p>`,
    });
  },
});

/** One way in: an account, by what it comes in, and through whose hands that came. Somebody with two of them stands there twice. */
function personItem({ prefix }: PersonVisit, collection: string, person: PersonView): Html {
  const { kind, accountId, email, name, label, path, chain, sinceAt, untilAt, usesLeft } = person;
  const hands = chain.map(({ giverId, giverEmail }) =>
    giverEmail === null ? 'somebody who is gone' : html`<a href="${prefix}admin/accounts/${giverId}">${giverEmail}</a>`,
  );
  const what =
    kind === 'link'
      ? html`by the link “${label}”`
      : kind === 'own-key'
        ? html`by the own key “${label}”`
        : html`by <a href="${prefix}shares/${person.id}">the key “${label}”</a>, which came from ${hands.map((hand, index) => html`${index === 0 ? null : ', then '}${hand}`)}`;
  const limits = [
    person.collection === collection ? null : `in ${person.collection}`,
    path,
    html`since ${moment(sinceAt)}`,
    untilAt === null ? null : html`until ${moment(untilAt)}`,
    usesLeft === null ? null : `${usesLeft} ${usesLeft === 1 ? 'use' : 'uses'} left`,
  ];
  return html`<li><h3><a href="${prefix}admin/accounts/${accountId}">${name || email}</a></h3>
<p>${name === '' || name === email ? null : html`${email}, `}${what}</p><p class="soft">${dotted(limits)}</p></li>`;
}

/** The pages of this file; `pages.ts` lists them. */
export const adminPeoplePages: readonly PageRoute[] = [list, people];
