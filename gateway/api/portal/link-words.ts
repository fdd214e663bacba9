// The words and cards for links on pages: their states, numbers and times, for people who do not know what a token is.

import { collectionNamed } from '../../control/access/collections.ts';
import type { AccessEntry, LostEntry } from '../../control/access/list-access.ts';
import type { LinkView } from '../../control/links/link-view.ts';
import type { LostAccess } from '../../core/decision/state/access.ts';
import { type Html, html } from '../look/html.ts';
import { moment } from '../look/moments.ts';
import type { PersonVisit, Visit } from '../serve/page-route.ts';
import { buttonForm } from './fields.ts';

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
function claimsText(link: LinkView): string {
  const people = link.claimsAllowed === 1 ? 'person' : 'people';
  return `${link.claimsUsed} of ${link.claimsAllowed} ${people} opened it`;
}

/** The picture of a collection, where the configuration has one; the words beside it say what it is, so it has no text of its own. */
export function pictureOf({ context, prefix }: Pick<Visit, 'context' | 'prefix'>, collection: string): Html | null {
  const known = collectionNamed(context.config(), collection);
  if (known?.pictureFile === undefined) return null;
  return html`<img class="picture" src="${prefix}pictures/${collection}" alt="" loading="lazy">`;
}

/** A link in a list of its owner's: the whole card leads to its page. */
export function linkCard(visit: PersonVisit, link: LinkView): Html {
  const { prefix } = visit;
  return html`<li class="card">${pictureOf(visit, link.collection)}<div class="between"><h3><a href="${prefix}links/${link.id}">${link.label}</a></h3>${stateTag(link)}</div>
<p class="soft">${claimsText(link)} · ${link.host}${link.path} · ${moment(link.createdAt)}</p></li>`;
}

/** Something that is open to the visitor: the whole card leads there, and a button opens it on another device. */
export function openCard(visit: PersonVisit, entry: AccessEntry): Html {
  const from =
    entry.givenBy === null
      ? html`Yours · ${entry.host}${entry.path}`
      : html`From ${entry.givenBy}${entry.sinceAt === null ? null : html`, ${moment(entry.sinceAt)}`}`;
  return html`<li class="card">${pictureOf(visit, entry.collection)}<div class="between"><div><h3><a href="${entry.url}">${entry.label}</a></h3>
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

/** Something that was open to the visitor: by whom and when that ended. It leads nowhere. */
export function lostCard(entry: LostEntry): Html {
  return html`<li><h3>${entry.label}</h3><p class="soft">${lostWords(entry)}</p></li>`;
}

/** `Anna ended your access on 1 Dec 2026, 10:15 UTC.` */
function lostWords({ how, by, at }: LostAccess): Html {
  switch (how) {
    case 'removed':
      return html`${by} ended your access on ${moment(at)}.`;
    case 'stopped':
      return html`${by} stopped sharing this on ${moment(at)}.`;
    case 'over':
      return html`${by} shared this with you until ${moment(at)}.`;
    default:
      return how satisfies never;
  }
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
