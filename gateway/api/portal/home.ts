// The portal's front page: a tile for each page that the person may open, with one line that says what it is for.

import { type Html, html } from '../look/html.ts';
import { definePage, type PageRoute } from '../serve/page-route.ts';

const home = definePage({
  path: '',
  who: 'account',
  handle: async (visit) => {
    const { prefix, actor } = visit;
    const isAdmin = actor.role === 'admin';
    return visit.page({
      title: 'Welcome',
      body: html`<h2 class="unseen">Yours</h2><ul class="tiles">
${tile(prefix, 'links', 'My links', 'What was opened to you, and what you opened to others.')}
${tile(prefix, 'devices', 'Where I am signed in', 'Each browser that is signed in as you. Sign out what you do not know.')}
${tile(prefix, 'account', 'My account', 'Your name, address and password.')}
</ul>
${
  isAdmin
    ? html`<h2>Administration</h2><ul class="tiles">
${tile(prefix, 'admin/accounts', 'People', 'Invite somebody, or close an account.')}
${tile(prefix, 'admin/links', 'All links', 'Every link, and who came in by it.')}
${tile(prefix, 'admin/keys', 'Signing keys', 'What signs the passes that players use.')}
${tile(prefix, 'admin/audit', 'History', 'Who did what, and when.')}
</ul>`
    : null
}`,
    });
  },
});

function tile(prefix: string, path: string, title: string, text: string): Html {
  return html`<li><h3><a href="${prefix}${path}">${title}</a></h3><p>${text}</p></li>`;
}

/** The pages of this file; `pages.ts` lists them. */
export const homePages: readonly PageRoute[] = [home];
