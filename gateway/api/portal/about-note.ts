// The note on sign-in pages that says what the visitor is about to open. Signing in is no consent to open it: claim.ts asks for that.

import { type Html, html } from '../look/html.ts';
import { note } from './fields.ts';
import type { HandoverRequest } from './sign-in-flow.ts';

/**
 * @param request  the hand-over request of the sign-in; null when it leads to the portal itself
 * @param name     of the portal
 * @returns null when there is nothing to say
 */
export function aboutNote(request: HandoverRequest | null, name: string): Html | null {
  if (request === null) return null;
  const { about, host } = request;
  if (about === null) return note('plain', html`Sign in to ${name} to go on to <strong>${host}</strong>.`);
  const from = about.owner === null ? null : html`, sent to you by <strong>${about.owner}</strong>`;
  return note(
    'plain',
    html`You are about to open <strong>${about.label}</strong>${from}. Sign in first. After that you can open it on every device where you sign in.`,
  );
}
