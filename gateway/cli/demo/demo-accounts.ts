// The accounts of the demo: an administrator who owns the summer folder, and a guest. Each start makes new one-time sign-in links for both.
// The accounts are made in the store before the gateway runs, so that the portal knows them from the beginning.

import { adminEnable, makeSignInLink } from '../../control/accounts/administer-accounts.ts';
import { createAccount } from '../../control/accounts/create-account.ts';
import { pageUrl } from '../../control/accounts/portal-pages.ts';
import type { Actor, ControlContext } from '../../control/context/control-context.ts';
import type { AccountRole } from '../../core/model/account.ts';
import { findVerifiedAccount } from '../../store/rows/accounts.ts';

/** The two people. Their addresses are in a domain that is reserved for examples (RFC 2606 §3). */
export const demoPeople = {
  owner: { email: 'owner@example.org', displayName: 'Olivia Owner', role: 'admin' },
  guest: { email: 'guest@example.org', displayName: 'Gustav Guest', role: 'user' },
} as const satisfies Record<
  string,
  { readonly email: string; readonly displayName: string; readonly role: AccountRole }
>;

/** One-time sign-in URLs of the portal; each works once, within an hour. */
export interface DemoSignIns {
  readonly ownerSignIn: string;
  readonly guestSignIn: string;
}

const operator: Actor = { kind: 'operator' };

/** Makes missing accounts, enables disabled ones, and makes the sign-in links; the links of earlier starts become void. */
export async function prepareDemoAccounts(context: ControlContext): Promise<DemoSignIns> {
  return {
    ownerSignIn: await signInUrl(context, demoPeople.owner),
    guestSignIn: await signInUrl(context, demoPeople.guest),
  };
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
