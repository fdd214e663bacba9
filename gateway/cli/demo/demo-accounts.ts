// The people of the demo: an administrator who owns the summer folder, and a guest. Each start makes new one-time sign-in links for both, and
// a new link to the folder; the link of the start before ends, with everybody who came in by it, so that ending the new link ends all access.
// All is made in the store before the gateway runs, so that the portal knows it from the beginning.

import { adminEnable, makeSignInLink } from '../../control/accounts/administer-accounts.ts';
import { createAccount } from '../../control/accounts/create-account.ts';
import { pageUrl } from '../../control/accounts/portal-pages.ts';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import { createLink } from '../../control/links/create-link.ts';
import { listLinks } from '../../control/links/list-links.ts';
import { revokeLink } from '../../control/links/revoke-link.ts';
import type { AccountRole } from '../../core/model/account.ts';
import { findVerifiedAccount } from '../../store/rows/accounts.ts';
import { demoNames } from './demo-names.ts';

/** The two people. Their addresses are in a domain that is reserved for examples (RFC 2606 §3). */
export const demoPeople = {
  owner: { email: 'owner@example.org', displayName: 'Olivia Owner', role: 'admin' },
  guest: { email: 'guest@example.org', displayName: 'Gustav Guest', role: 'user' },
} as const satisfies Record<
  string,
  { readonly email: string; readonly displayName: string; readonly role: AccountRole }
>;

/** What the people of the demo are given. */
export interface DemoPeople {
  /** One-time sign-in URLs of the portal; each works once, within an hour. */
  readonly ownerSignIn: string;
  readonly guestSignIn: string;
  /** The tokenized URL of the link to the summer folder. */
  readonly linkUrl: string;
  /** The portal's page of that link, for its owner. */
  readonly linkPage: string;
}

const operator: Actor = { kind: 'operator' };

/** By this label the link of an earlier start is known. */
const linkLabel = 'The summer film';
const linkClaims = 10;

/** Makes missing accounts, enables disabled ones, and makes the links; those of earlier starts become void. */
export async function prepareDemoPeople(context: ControlContext): Promise<DemoPeople> {
  const ownerSignIn = await signInUrl(context, demoPeople.owner);
  const guestSignIn = await signInUrl(context, demoPeople.guest);
  return { ownerSignIn, guestSignIn, ...(await makeLink(context)) };
}

async function makeLink(context: ControlContext): Promise<Pick<DemoPeople, 'linkUrl' | 'linkPage'>> {
  const { collection } = demoNames;
  const before = await listLinks(context, operator, { collection });
  for (const { id, label, revokedAt } of before.links) {
    if (label === linkLabel && revokedAt === null) await revokeLink(context, operator, id, null);
  }
  const made = await createLink(context, operator, {
    collection,
    label: linkLabel,
    claimsAllowed: linkClaims,
    requestId: null,
  });
  const { portal, reservedPrefix } = context.config();
  // the configuration is the demo's own, so a refusal here is a bug
  if (made.kind !== 'created' || portal === null) throw new Error('no link to the summer folder');
  return { linkUrl: made.url, linkPage: `${portal.publicUrl}${reservedPrefix}links/${made.link.id}` };
}

async function signInUrl(
  context: ControlContext,
  person: (typeof demoPeople)[keyof typeof demoPeople],
): Promise<string> {
  const accountId = await accountOf(context, person);
  const made = await makeSignInLink(context, operator, { accountId });
  const url = made.kind === 'made' ? pageUrl(context, 'signInByCode', made.code) : null;
  // the account is active and the configuration has a portal, so a refusal here is a bug
  if (url === null) throw new Error(`no sign-in link for ${person.email}`);
  return url;
}

async function accountOf(
  context: ControlContext,
  person: (typeof demoPeople)[keyof typeof demoPeople],
): Promise<string> {
  const known = await findVerifiedAccount(context.store.sql, person.email);
  if (known !== null) {
    if (known.state === 'disabled') await adminEnable(context, operator, { accountId: known.id });
    return known.id;
  }
  const created = await createAccount(context, operator, { ...person, invited: false });
  if (created.kind === 'refused') throw new Error(`the account ${person.email} was not made: ${created.reason}`);
  return created.accountId;
}
