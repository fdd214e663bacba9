// The portal's front page. A guest lands on what others shared with them, an owner on the links that they made; below is a tile for each
// page that the person may open, with one line that says what it is for.

import { listShares } from '../../control/sharing/list-shares.ts';
import { type Html, html } from '../look/html.ts';
import { definePage, type PageRoute, type PersonVisit } from '../serve/page-route.ts';
import { managesAny, newestLinks, sharedWithMe } from './links.ts';

const home = definePage({
  path: '',
  who: 'account',
  handle: async (visit) => {
    const { prefix, actor } = visit;
    const isAdmin = actor.role === 'admin';
    const first = managesAny(visit) ? await newestLinks(visit) : (await sharedWithMe(visit, {}, undefined)).list;
    const heading = managesAny(visit) ? 'Shared by me' : 'Shared with me';
    return visit.page({
      title: 'Welcome',
      body: html`${await offersNote(visit)}<h2>${heading}</h2>${first}
<h2 class="unseen">Yours</h2><ul class="tiles">
${tile(prefix, 'links', 'My links', 'What others shared with you, and what you share.')}
${tile(prefix, 'keys', 'My keys', 'Keys that others share with you, and that you share.')}
${tile(prefix, 'devices', 'Where I am signed in', 'Each browser that is signed in as you. Sign out what you do not know.')}
${tile(prefix, 'account', 'My account', 'Your name, address and password.')}
</ul>
${
  isAdmin
    ? html`<h2>Administration</h2><ul class="tiles">
${tile(prefix, 'admin/accounts', 'People', 'Invite somebody, or block an account.')}
${tile(prefix, 'admin/links', 'All links', 'Every link, and who came in by it.')}
${tile(prefix, 'admin/credentials', 'Credentials', 'Who has a credential, and which keys hang on it.')}
${tile(prefix, 'admin/collections', 'Who can open this', 'Everybody to whom a collection is open, and by what.')}
${tile(prefix, 'admin/keys', 'Signing keys', 'What signs the passes that players use.')}
${tile(prefix, 'admin/audit', 'History', 'Who did what, and when.')}
</ul>`
    : null
}`,
    });
  },
});

/** Most offers that the front page names. */
const offersShown = 3;

/** The keys that wait for the visitor's word; null for none. */
async function offersNote({ context, actor, prefix }: PersonVisit): Promise<Html | null> {
  const waiting = { direction: 'got', state: 'pending', limit: offersShown } as const;
  const { shares, next } = await listShares(context, actor, waiting);
  if (shares.length === 0) return null;
  const offers = shares.map(
    ({ id, key, givenBy }) =>
      html`<li><a href="${prefix}shares/${id}">${key.name}</a>, from ${givenBy ?? 'somebody who is gone'}</li>`,
  );
  return html`<div class="note plain"><h2>Waiting for you</h2><p>Somebody wants to share a key with you:</p><ul>${offers}</ul>${
    next === null ? null : html`<p><a href="${prefix}keys">All of them</a></p>`
  }</div>`;
}

function tile(prefix: string, path: string, title: string, text: string): Html {
  return html`<li><h3><a href="${prefix}${path}">${title}</a></h3><p>${text}</p></li>`;
}

/** The pages of this file; `pages.ts` lists them. */
export const homePages: readonly PageRoute[] = [home];
