// The words, tags and cards for keys that people share: what a share is to its giver and to its recipient, in words of every day.

import type { ShareView } from '../../control/sharing/share-view.ts';
import type { ShareStanding } from '../../core/model/share.ts';
import { type Html, html } from '../look/html.ts';
import { ago, moment } from '../look/moments.ts';
import type { Visit } from '../serve/page-route.ts';

type Said = readonly [tone: 'good' | 'bad' | '', text: string];

/** What a giver, and whoever stands above, reads of a share. */
export const giverStandings: Readonly<Record<ShareStanding, Said>> = {
  pending: ['', 'waiting for an answer'],
  requested: ['', 'being asked for'],
  accepted: ['good', 'has the key'],
  early: ['', 'accepted, not open yet'],
  expired: ['bad', 'time is over'],
  declined: ['bad', 'not wanted'],
  withdrawn: ['bad', 'taken back'],
  revoked: ['bad', 'sharing stopped'],
  disabled: ['', 'stopped for a while'],
};

const recipientStandings: Readonly<Record<ShareStanding, Said>> = {
  pending: ['', 'waits for you'],
  requested: ['', 'you are asking for it'],
  accepted: ['good', 'yours to use'],
  early: ['', 'not open yet'],
  expired: ['bad', 'time is over'],
  declined: ['bad', 'you did not want it'],
  withdrawn: ['bad', 'taken back'],
  revoked: ['bad', 'no longer shared'],
  disabled: ['', 'stopped for a while'],
};

/** A tag that says in a few words how a share stands. */
export function standingTag({ state, reader, acceptedAt, isHeld }: ShareView): Html {
  // an accepted share that does not hold: something above it is stopped or over, and may come back
  if (state === 'accepted' && !isHeld) return html`<span class="tag bad">opens nothing now</span>`;
  const [tone, text] = (reader === 'recipient' ? recipientStandings : giverStandings)[state];
  // who accepted a key first and then gave it back did want it
  const said = state === 'declined' && acceptedAt !== null ? 'given back' : text;
  return html`<span class="tag ${tone}">${said}</span>`;
}

/** `from 1 Dec 2026, 10:15 UTC until 3 Dec 2026, 10:15 UTC`; null without a limit. */
export function windowWords(
  { usableFromAt, usableUntilAt }: Pick<ShareView, 'usableFromAt' | 'usableUntilAt'>,
  now: number,
): Html | null {
  const from = usableFromAt !== null && usableFromAt > now ? html`from ${moment(usableFromAt)}` : null;
  const until = usableUntilAt === null ? null : html`until ${moment(usableUntilAt)}`;
  if (from === null && until === null) return null;
  return html`${from}${from === null || until === null ? null : ' '}${until}`;
}

/** `2 of 3 uses left`; null without a number. */
export function usesWords({ usesAllowed, usesLeft }: Pick<ShareView, 'usesAllowed' | 'usesLeft'>): string | null {
  if (usesAllowed === null) return null;
  return `${usesLeft ?? 0} of ${usesAllowed} ${usesAllowed === 1 ? 'use' : 'uses'} left`;
}

/** `used 3 days ago`, for a share that somebody accepted; null before. */
function lastUseWords({ acceptedAt, lastUsedAt }: ShareView, now: number): Html | null {
  if (acceptedAt === null) return null;
  return lastUsedAt === null ? html`not used yet` : html`used ${ago(lastUsedAt, now)}`;
}

/** The parts that are there, with a dot between them. */
export function dotted(parts: readonly (Html | string | null)[]): Html {
  const shown = parts.filter((part) => part !== null && part !== '');
  return html`${shown.map((part, index) => html`${index === 0 ? null : ' · '}${part}`)}`;
}

/** Whom a share is for. An address is forgotten some time after the end of a share that nobody accepted. */
export function addressOf({ email }: Pick<ShareView, 'email'>): string {
  return email ?? 'somebody whose address is forgotten';
}

/** A share in a list of its giver's: the whole card leads to its page. */
export function givenCard({ prefix, context }: Pick<Visit, 'prefix' | 'context'>, share: ShareView): Html {
  const now = context.clock.epochSeconds();
  const { key, mail } = share;
  return html`<li class="card"><div class="between"><h3><a href="${prefix}shares/${share.id}">${addressOf(share)}</a></h3>${standingTag(share)}</div>
<p class="soft">${dotted([key.name, key.credential.name, windowWords(share, now), usesWords(share), lastUseWords(share, now)])}</p>${
    mail === 'failed' ? html`<p class="problem">The mail to this address could not be delivered.</p>` : null
  }</li>`;
}

/** A share in a list of its recipient's: the whole card leads to its page. @param answers  buttons for an offer that waits */
export function gotCard(
  { prefix, context }: Pick<Visit, 'prefix' | 'context'>,
  share: ShareView,
  answers: Html | null = null,
): Html {
  const now = context.clock.epochSeconds();
  const { key } = share;
  return html`<li class="card"><div class="between"><h3><a href="${prefix}shares/${share.id}">${key.name}</a></h3>${standingTag(share)}</div>
<p class="soft">${dotted([`From ${share.givenBy ?? 'somebody who is gone'}`, `${key.credential.name}, ${key.credential.issuer}`, windowWords(share, now), usesWords(share)])}</p>${answers}</li>`;
}

/** The three lists of keys, for the top of each of them. @param current  its path */
export function keyLists({ prefix }: Pick<Visit, 'prefix'>, current: 'keys' | 'shares/got' | 'shares/given'): Html {
  const entries = [
    ['keys', 'My keys'],
    ['shares/got', 'Given to me'],
    ['shares/given', 'Given by me'],
  ] as const;
  return html`<nav class="lists" aria-label="Keys"><ul>${entries.map(
    ([path, label]) =>
      html`<li><a href="${prefix}${path}"${path === current ? html` aria-current="page"` : null}>${label}</a></li>`,
  )}</ul></nav>`;
}
