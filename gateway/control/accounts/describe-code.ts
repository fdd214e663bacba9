// What a page may show about a one-time code before anybody presses the page's button: what the code does, and for which address.
// Describing a code spends nothing, so mail scanners and link previews that open the page spend nothing either. A person who has the code has the
// mailbox (or was handed the link), so the address is no news to that person.

import { readAccount } from '../../store/rows/accounts.ts';
import type { ControlContext } from '../context/control-context.ts';
import type { CarriedWay } from '../proof/carried-way.ts';
import { type AccountCodePurpose, detailText, lookAtCode } from '../proof/one-time-code.ts';

export type DescribedCode =
  | {
      readonly kind: 'usable';
      readonly purpose: AccountCodePurpose;
      /** The address that the code is about; for a change of address, the new address. */
      readonly email: string;
      readonly displayName: string;
      /** What its reader was about to open when the code was mailed; null for nothing. */
      readonly way: CarriedWay | null;
    }
  /** Unknown, spent, expired, or its account is gone: one page for all. */
  | { readonly kind: 'unusable' };

export async function describeCode(context: ControlContext, code: string): Promise<DescribedCode> {
  const open = await lookAtCode(context, code);
  if (open === null || open.purpose === 'open-elsewhere') return { kind: 'unusable' };
  const way = open.carried?.way ?? null;
  if (open.accountId === null) {
    // a code to sign in for an address that gets its account with the code, if it may have one
    if (open.purpose !== 'mail-code' || open.carried?.mayJoin !== true) return { kind: 'unusable' };
    return { kind: 'usable', purpose: open.purpose, email: open.carried.email, displayName: '', way };
  }
  const account = await readAccount(context.store.sql, open.accountId);
  if (account?.state !== 'active') return { kind: 'unusable' };
  const newEmail = open.purpose === 'change-address' ? detailText(open.details, 'newEmail') : '';
  return {
    kind: 'usable',
    purpose: open.purpose,
    email: newEmail === '' ? account.email : newEmail,
    displayName: account.displayName,
    way,
  };
}
