// Every page and form of the portal. One that is not in this list is served nowhere.
// `presentation` answers what is no page of ours at all: an edge sends a request here whose query carries a link's token.

import { accountPages } from './portal/account.ts';
import { adminAccountPages } from './portal/admin-accounts.ts';
import { adminAuditPages } from './portal/admin-audit.ts';
import { signingKeyPages } from './portal/admin-signing-keys.ts';
import { claimPages, presentation as claimPresentation } from './portal/claim.ts';
import { devicePages } from './portal/devices.ts';
import { elsewherePages } from './portal/elsewhere.ts';
import { homePages } from './portal/home.ts';
import { joinPages } from './portal/join.ts';
import { newLinkPages } from './portal/link-new.ts';
import { linkPages } from './portal/link-page.ts';
import { linkListPages } from './portal/links.ts';
import { mailCodePages } from './portal/mail-codes.ts';
import { signInPages } from './portal/sign-in.ts';
import type { PageRoute } from './serve/page-route.ts';

export const pages: readonly PageRoute[] = [
  ...homePages,
  ...signInPages,
  ...joinPages,
  ...mailCodePages,
  ...accountPages,
  ...devicePages,
  ...linkListPages,
  ...newLinkPages,
  ...linkPages,
  ...elsewherePages,
  ...claimPages,
  ...adminAccountPages,
  ...signingKeyPages,
  ...adminAuditPages,
];

/** Answers any GET, HEAD or POST outside the reserved prefix; null: 404. */
export const presentation: PageRoute['run'] | null = claimPresentation;
