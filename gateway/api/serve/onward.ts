// Leads a visitor out of latchkey's own pages after a form: by a small page that goes on by itself, and not by a redirect.
// Chromium and Safari check every hop of a redirect after a form against the `form-action` of the form's page. A hand-over goes to another
// host, and a site may redirect its visitors to hosts that latchkey does not know; the button would then do nothing at all.
// The small page ends the chain of redirects. It needs no script, leaves no entry in the history, and sends no referrer.

import { html } from '../look/html.ts';
import type { PageContent } from '../look/page-content.ts';

/**
 * Whether a redirect leads out of latchkey's own pages on this host.
 *
 * @param to  as in a `PageAnswer`: a path of this host or a whole URL
 */
export function leadsOut(to: string, prefix: string): boolean {
  if (!to.startsWith(prefix)) return true;
  // these two addresses redirect again: to another host, or to where the visitor came from
  const page = to.slice(prefix.length);
  return page.startsWith('login?return=') || page.startsWith('login?handover=');
}

/** The page that goes to `to` by itself, at once. A visitor sees it for a moment, if at all. */
export function onwardPage(to: string): PageContent {
  return {
    title: 'One moment',
    width: 'narrow',
    referrer: 'no-referrer',
    onwardTo: to,
    body: html`<p>If nothing happens, press this:</p><p><a class="button" href="${to}">Go on</a></p>`,
  };
}
