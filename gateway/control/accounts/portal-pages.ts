// Where the portal's pages for accounts are, as mails and commands name them. api/portal serves them.
// A code stands in the query, because a page has to work without JavaScript; the code is spent by a POST from that page, never by
// opening the page, so that mail scanners and link previews spend nothing.

import type { ControlContext } from '../context/control-context.ts';

/** Last part of a page's path, behind the reserved prefix. */
const accountPages = {
  signIn: 'login',
  verifyAddress: 'verify',
  acceptInvitation: 'invitation',
  signInByCode: 'sign-in',
  enterByMail: 'enter',
  forgotPassword: 'forgot',
  resetPassword: 'reset',
  confirmAddress: 'confirm-address',
  account: 'account',
  devices: 'devices',
} as const;

export type AccountPage = keyof typeof accountPages;

/** Path and query of a page, for mails. @param code  `<selector>.<secret>` when the page asks for one */
export function pagePath(context: ControlContext, page: AccountPage, code?: string): string {
  const query = code === undefined ? '' : `?code=${encodeURIComponent(code)}`;
  return `${context.config().reservedPrefix}${accountPages[page]}${query}`;
}

/** The whole URL. @returns null when no portal is configured */
export function pageUrl(context: ControlContext, page: AccountPage, code?: string): string | null {
  const portal = context.config().portal;
  return portal === null ? null : `${portal.publicUrl}${pagePath(context, page, code)}`;
}
