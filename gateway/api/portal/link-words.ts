// The words for links on pages: their states, numbers and times, for people who do not know what a token is.

import type { LinkView } from '../../control/links/link-view.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';

/** A tag that says the state of a link in a few words. */
export function stateTag(link: LinkView): Html {
  switch (link.state) {
    case 'open':
      return html`<span class="tag good">open</span>`;
    case 'full':
      return html`<span class="tag">everybody opened it</span>`;
    case 'early':
      return html`<span class="tag">not open yet</span>`;
    case 'past-window':
      return html`<span class="tag">closed to new people</span>`;
    case 'access-over':
      return html`<span class="tag bad">time is over</span>`;
    case 'revoked':
      return html`<span class="tag bad">sharing stopped</span>`;
    default:
      return link.state satisfies never;
  }
}

/** `2 of 3 people opened it`. */
export function claimsText(link: LinkView): string {
  const people = link.claimsAllowed === 1 ? 'person' : 'people';
  return `${link.claimsUsed} of ${link.claimsAllowed} ${people} opened it`;
}

/** The facts about a link as a list: where it leads, its numbers and its times. Its token is not among them. */
export function linkFacts(link: LinkView): Html {
  return html`<dl class="facts">
<dt>Leads to</dt><dd>${link.cleanUrl}</dd>
${link.forEmail === null ? null : html`<dt>Only for</dt><dd>${link.forEmail}</dd>`}
<dt>People</dt><dd>${claimsText(link)}</dd>
${link.claimFromAt === null ? null : html`<dt>Opens</dt><dd>${moment(link.claimFromAt)}</dd>`}
${link.claimUntilAt === null ? null : html`<dt>New people until</dt><dd>${moment(link.claimUntilAt)}</dd>`}
${link.revokedAt === null ? html`<dt>Access until</dt><dd>${link.accessUntilAt === null ? 'you stop sharing' : moment(link.accessUntilAt)}</dd>` : null}
${link.methods === null ? null : html`<dt>Allowed</dt><dd>${methodWords(link.methods)}</dd>`}
<dt>Made</dt><dd>${moment(link.createdAt)}</dd>
${link.revokedAt === null ? null : html`<dt>Stopped</dt><dd>${moment(link.revokedAt)}</dd>`}
</dl>`;
}

/** The allowed methods: the usual GET and HEAD in plain words, others by their names, since the owner chose them by name. */
function methodWords(methods: readonly string[]): string {
  const onlyReads = methods.every((method) => method === 'GET' || method === 'HEAD');
  return onlyReads ? 'to look and to download, not to change' : methods.join(', ');
}

/** The path in what somebody typed: a path, or a whole URL as a browser shows it. NOT checked. */
export function readPath(text: string): string {
  const typed = text.trim();
  return /^https?:\/\//i.test(typed) && URL.canParse(typed) ? new URL(typed).pathname : typed;
}
