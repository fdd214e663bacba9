// How a form's answer leads out of latchkey's own pages: by a small page that goes on by itself, and not by a redirect.
// Chromium and Safari hold every hop of a redirect that follows a form to the `form-action` of the form's page. A hand-over goes to
// another host, and a site may send its visitors on to places that nobody here knows: such a visitor stood before a dead button.
// A page ends that way. It needs no script, leaves no entry behind in the history, and tells nobody where the visitor came from.

import { html } from '../look/html.ts';
import type { PageContent } from '../look/page-content.ts';

/** Whether an address, as `PageAnswer` has it, is not one of latchkey's own pages of this host that shows itself. */
export function leadsOut(to: string, prefix: string): boolean {
  if (!to.startsWith(prefix)) return true;
  // these send on, to another host or to where the visitor came from
  const page = to.slice(prefix.length);
  return page.startsWith('login?return=') || page.startsWith('login?handover=');
}

/** Seen for a moment, if at all. */
export function onwardPage(to: string): PageContent {
  return {
    title: 'One moment',
    width: 'narrow',
    referrer: 'no-referrer',
    onwardTo: to,
    body: html`<p>If nothing happens, press this:</p><p><a class="button" href="${to}">Go on</a></p>`,
  };
}
