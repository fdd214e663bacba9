// Every page and form of the portal. A page that is not in this list is served nowhere.
// `presentation` answers requests for paths of a site: an edge sends such a request here when its query carries a link's token.

import { accountPages } from './portal/account.ts';
import { adminAccountPages } from './portal/admin-accounts.ts';
import { adminAuditPages } from './portal/admin-audit.ts';
import { signingKeyPages } from './portal/admin-signing-keys.ts';
import { claimPages, presentation as claimPresentation } from './portal/claim.ts';
import { devicePages } from './portal/devices.ts';
import { elsewherePages } from './portal/elsewhere.ts';
import { homePages } from './portal/home.ts';
import { joinPages } from './portal/join.ts';
import { linkEndPages } from './portal/link-ends.ts';
import { newLinkPages } from './portal/link-new.ts';
import { linkPages } from './portal/link-page.ts';
import { linkListPages } from './portal/links.ts';
import { mailCodeSignInPages } from './portal/mail-code.ts';
import { mailCodePages } from './portal/mail-codes.ts';
import { signInPages } from './portal/sign-in.ts';
import type { PageRoute } from './serve/page-route.ts';
import { acceptSharePages } from './sharing/accept-share.ts';
import { adminCredentialPages } from './sharing/admin-credentials.ts';
import { adminPeoplePages } from './sharing/admin-people.ts';
import { carryKeyPages } from './sharing/carry-key.ts';
import { giveKeyPages } from './sharing/give-key.ts';
import { myKeyPages } from './sharing/my-keys.ts';
import { openKeyPages } from './sharing/open-key.ts';
import { openSharePages } from './sharing/open-share.ts';
import { shareEndPages } from './sharing/share-ends.ts';
import { shareHistoryPages } from './sharing/share-history.ts';
import { shareListPages } from './sharing/share-lists.ts';
import { sharePages } from './sharing/share-page.ts';

/** All pages and forms; the paths stand behind the reserved prefix. */
export const pages: readonly PageRoute[] = [
  ...homePages,
  ...signInPages,
  ...mailCodeSignInPages,
  ...joinPages,
  ...mailCodePages,
  ...accountPages,
  ...devicePages,
  ...linkListPages,
  ...newLinkPages,
  ...linkPages,
  ...linkEndPages,
  ...elsewherePages,
  ...claimPages,
  ...myKeyPages,
  ...carryKeyPages,
  ...giveKeyPages,
  ...openKeyPages,
  ...shareListPages,
  ...sharePages,
  ...openSharePages,
  ...acceptSharePages,
  ...shareEndPages,
  ...shareHistoryPages,
  ...adminAccountPages,
  ...adminCredentialPages,
  ...adminPeoplePages,
  ...signingKeyPages,
  ...adminAuditPages,
];

/** Answers every GET, HEAD and POST outside the reserved prefix. */
export const presentation: PageRoute['run'] | null = claimPresentation;
