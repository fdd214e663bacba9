// The note on the pages of a sign-in that says what the visitor is about to open, and what the owner of a link will see of them. Signing in
// is no consent to open it: claim.ts asks for that, in the same words.

import { type Html, html } from '../look/html.ts';
import { note } from './fields.ts';

interface AboutToOpen {
  /** The link that is about to be opened; null for a page. */
  readonly about: { readonly label: string; readonly owner: string | null } | null;
  readonly host: string;
}

/**
 * @param going  where the sign-in leads; null when it leads to the portal itself
 * @param name   of the portal
 * @param shown  what the page's heading says: the link's label, or something else
 * @returns null when there is nothing to say
 */
export function aboutNote(going: AboutToOpen | null, name: string, shown: 'label' | 'other' = 'other'): Html | null {
  if (going === null) return null;
  const { about, host } = going;
  if (about === null) return note('plain', html`Sign in to ${name} to go on to <strong>${host}</strong>.`);
  const { label, owner } = about;
  const sharer = owner ?? 'whoever shared it';
  const what = shown === 'label' ? 'this' : html`<strong>${label}</strong>`;
  const first =
    owner === null ? html`You are about to open ${what}.` : html`<strong>${owner}</strong> shared ${what} with you.`;
  return html`<div class="note plain"><p>${first}</p>
<p>If you open it, ${sharer} will see:</p>
${seenByOwner('your name and mail address')}
<p>Until you press “Open it” on the last page, ${sharer} sees nothing.</p></div>`;
}

/** What the owner of a link sees of somebody who opened it. @param who  name and address, as the reader is told them */
export function seenByOwner(who: Html | string): Html {
  return html`<ul><li>${who}</li><li>when you opened it, and when you were last here</li><li>which browsers you use, such as “Firefox on Windows”</li></ul>`;
}
