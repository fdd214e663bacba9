// The page of the demo's web site: what the gateway told it about the visitor, and whether the signed assertion proves that.
// Every value on the page came from a request, so every value is escaped.

import type { SeenRequest } from './seen-request.ts';
import { escapeText, renderSitePage } from './site-page.ts';

/** Renders the page. @param style  text of the style sheet; it stands in the page, since the site answers every path with this page */
export function renderHeadersPage(seen: SeenRequest, style: string): string {
  return renderSitePage({
    heading: seen.user === null ? 'Hello, whoever you are' : `Hello, ${seen.user}`,
    title: 'What the web site knows about you',
    style,
    body: `<p class="lede">This site has no sign-in of its own. All it knows about you came with the request, from the gateway.</p>
      <h2>Signed assertion</h2>
      ${renderAssertion(seen)}
      <h2>Headers received</h2>
      ${renderFields(seen.headers)}`,
  });
}

function renderAssertion({ assertion }: SeenRequest): string {
  switch (assertion.kind) {
    case 'absent':
      return '<p>None. This path is open to everybody, or its route sends none.</p>';
    case 'refused':
      return `<p class="bad">It does not hold: ${escapeText(assertion.problem)}.</p>`;
    case 'verified': {
      const claims = Object.entries(assertion.claims).map(([name, value]): [string, string] => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]);
      return `<p class="good">Verified with the key that the gateway publishes.</p>\n      ${renderFields(claims)}`;
    }
    default:
      return assertion satisfies never;
  }
}

function renderFields(fields: readonly (readonly [string, string])[]): string {
  const rows = fields.map(([name, value]) => `<div><dt>${escapeText(name)}</dt><dd>${escapeText(value)}</dd></div>`);
  return `<dl class="fields">${rows.join('')}</dl>`;
}
