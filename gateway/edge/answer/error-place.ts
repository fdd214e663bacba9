// What the gateway's error pages say of the place they belong to: its name and logo, in the portal's look, and the ways on from there.
// The texts are built once for each snapshot, when the first such page is sent. All of it is ASCII, so that a length in characters is
// one in bytes.

import type { Snapshot } from '../../core/decision/state/snapshot.ts';

type Place = Pick<Snapshot, 'portal' | 'reservedPrefix'>;

/** Ready markup of one configuration. */
interface ErrorPlace {
  /** From behind the title's own words to the start of `main`. */
  readonly opening: string;
  /** The button that leads to the first page. */
  readonly homeButton: string;
  /** The button that asks for the same address once more, and the way to the first page as a link. */
  readonly retryButton: string;
  /** The line that says whom to ask, where the configuration names somebody. */
  readonly whom: string;
}

const places = new WeakMap<Place, ErrorPlace>();

/** The texts for a snapshot. */
export function errorPlaceOf(snapshot: Place): ErrorPlace {
  const known = places.get(snapshot);
  if (known !== undefined) return known;
  const { portal, reservedPrefix } = snapshot;
  const name = asciiMarkup(portal?.name ?? 'latchkey');
  const home = portal === null ? '/' : asciiMarkup(portal.url + reservedPrefix);
  const words = portal === null ? 'Go to the first page' : `Go to ${name}`;
  // served by latchkey itself on every host, so the page's policy needs no other host; while control is away the name stands alone
  const logo = portal?.hasLogo === true ? `<img src="${asciiMarkup(reservedPrefix)}logo" alt="" height="32">` : '';
  const brand = portal === null ? `<span>${name}</span>` : `<a href="${home}">${logo}<span>${name}</span></a>`;
  const contact = portal?.contact ?? null;
  const place = {
    opening: `${opening(name)}<header>${brand}</header>\n<main>\n`,
    homeButton: `<p><a class="button" href="${home}">${words}</a></p>\n`,
    // an empty reference is the page's own address (RFC 3986 §4.4): the answer needs nothing of the request
    retryButton: `<p><a class="button" href="">Try again</a></p>\n<p><a href="${home}">${words}</a></p>\n`,
    whom:
      contact === null
        ? ''
        : `<p>Whom to ask: <a href="${asciiMarkup(`mailto:${encodeURI(contact)}`)}">${asciiMarkup(contact)}</a></p>\n`,
  };
  places.set(snapshot, place);
  return place;
}

// The colours are those of api/look/style.ts.
function opening(name: string): string {
  return ` &#183; ${name}</title>
<style>
body { margin: 0; font: 100%/1.55 system-ui, sans-serif; background: #f6f5f2; color: #22252b; }
header { background: #fff; border-bottom: 1px solid #dcdad4; }
header > * { display: flex; align-items: center; gap: .6rem; max-width: 59.5rem; min-height: 3.75rem; margin: 0 auto; padding: 0 1.25rem; color: inherit; font-weight: 650; text-decoration: none; overflow-wrap: anywhere; }
img { max-width: 10rem; }
main { max-width: 26.5rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; }
p { margin: 0 0 1rem; }
a { color: #1f5f5b; }
:focus-visible { outline: 3px solid; outline-offset: 2px; }
.button { display: block; padding: .6rem; border-radius: .5rem; background: #1f5f5b; color: #fff; font-weight: 600; text-align: center; text-decoration: none; }
small { color: #5a606b; }
@media (prefers-color-scheme: dark) {
body { background: #15181c; color: #e8e6e1; }
header { background: #1e2227; border-color: #343a42; }
a { color: #7cc7bf; }
.button { background: #7cc7bf; color: #10201f; }
small { color: #a6acb5; }
}
</style>
</head>
<body>
`;
}

/** Escapes what a configuration may hold, for text and for attributes: every character that is not plain becomes a reference. */
export function asciiMarkup(text: string): string {
  return text.replace(/[^\x20-\x7e]|[&<>"']/gu, (character) => `&#${character.codePointAt(0)};`);
}
