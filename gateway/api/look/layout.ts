// The frame of every page: head, navigation, main, foot, and the one script. Nothing from other sites, one style sheet.
// The navigation shows only pages that the person may open. That is a help and no protection: serve/ checks each request.

import { Html, html } from './html.ts';
import { momentsIn } from './moments.ts';
import type { PageContent } from './page-content.ts';
import { pageScript } from './page-script.ts';

interface Frame {
  readonly page: PageContent;
  /** Name of the portal, from the configuration. */
  readonly name: string;
  readonly hasLogo: boolean;
  readonly prefix: string;
  /** The account that is signed in; null for nobody. */
  readonly actor: { readonly email: string; readonly role: 'user' | 'admin' } | null;
  /** Hidden field for the sign-out form; only used when somebody is signed in. */
  readonly formToken: () => Html;
  /** Version of the style sheet; it is part of the sheet's address, so that caches never serve an old one. */
  readonly styleVersion: string;
  /** False on hosts that are not the portal's: the frame then has no links to the portal's pages. */
  readonly isPortal: boolean;
  /** Time zone in which the page says its times where the script does not run: a name that Intl knows. */
  readonly timeZone: string;
}

interface Entry {
  readonly path: string;
  readonly label: string;
  readonly forAdmins: boolean;
}

const entries: readonly Entry[] = [
  { path: 'links', label: 'My links', forAdmins: false },
  { path: 'keys', label: 'My keys', forAdmins: false },
  { path: 'devices', label: 'My browsers', forAdmins: false },
  { path: 'account', label: 'My account', forAdmins: false },
  { path: 'admin/accounts', label: 'People', forAdmins: true },
  { path: 'admin/links', label: 'All links', forAdmins: true },
  { path: 'admin/credentials', label: 'Credentials', forAdmins: true },
  { path: 'admin/collections', label: 'Who can open', forAdmins: true },
  { path: 'admin/keys', label: 'Signing keys', forAdmins: true },
  { path: 'admin/audit', label: 'History', forAdmins: true },
];

/** @returns the whole HTML document */
export function renderLayout(frame: Frame): string {
  const { page, name, prefix, styleVersion } = frame;
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">${page.onwardTo === undefined ? null : html`\n<meta http-equiv="refresh" content="0; url=${page.onwardTo}">`}
<title>${page.status === 422 ? 'Look again: ' : null}${page.title} · ${name}</title>
<link rel="icon" href="${prefix}icon.svg" type="image/svg+xml">
<link rel="apple-touch-icon" href="${prefix}apple-touch-icon.png">
<link rel="stylesheet" href="${prefix}portal.css?v=${styleVersion}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header class="top">
<div class="bar">
${brand(frame)}
${account(frame)}
</div>
${navigation(frame)}
</header>
<main id="content" class="${page.width ?? 'wide'}">
<h1>${page.heading ?? page.title}</h1>
${page.body}
</main>
<footer class="foot"><p>${name}</p></footer>
<script>${Html.ofTrusted(pageScript)}</script>
</body>
</html>
`;
  return momentsIn(document.toString(), frame.timeZone);
}

function brand({ name, hasLogo, prefix, isPortal }: Frame): Html {
  const mark = hasLogo ? html`<img src="${prefix}logo" alt="" height="32">` : null;
  const inside = html`${mark}<span>${name}</span>`;
  return isPortal ? html`<a class="brand" href="${prefix}">${inside}</a>` : html`<span class="brand">${inside}</span>`;
}

function account({ actor, prefix, formToken, isPortal }: Frame): Html | null {
  if (actor === null || !isPortal) return null;
  return html`<form class="who" method="post" action="${prefix}logout">
${formToken()}
<span class="address">${actor.email}</span>
<button class="quiet" type="submit">Sign out</button>
</form>`;
}

function navigation({ actor, prefix, page, isPortal }: Frame): Html | null {
  if (actor === null || !isPortal) return null;
  const shown = (forAdmins: boolean): Html[] =>
    entries
      .filter((entry) => entry.forAdmins === forAdmins)
      .map(({ path, label }) => {
        const current = page.section === path ? Html.ofTrusted(' aria-current="page"') : null;
        return html`<li><a href="${prefix}${path}"${current}>${label}</a></li>`;
      });
  const admin =
    actor.role === 'admin' ? html`<nav aria-label="Administration"><ul class="admin">${shown(true)}</ul></nav>` : null;
  return html`<div class="navs"><nav aria-label="Yours"><ul>${shown(false)}</ul></nav>${admin}</div>`;
}
