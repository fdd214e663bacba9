// Whom a message about a key may go to, by `sharing.invite` and `accounts.domains`. What a giver is told does not depend on it.

import { domainOf } from '../../core/model/mail-address.ts';
import type { ControlContext } from '../context/control-context.ts';

/** Whether a message about a key may go to an address. What the giver is told does not depend on it. */
export function mayInvite(
  { config }: Pick<ControlContext, 'config'>,
  { email, isVerified }: { readonly email: string; readonly isVerified: boolean },
): boolean {
  const { sharing, accounts } = config();
  const isListed = accounts.domains.includes(domainOf(email));
  switch (sharing.invite) {
    case 'anyone':
      return isVerified || accounts.domains.length === 0 || isListed;
    case 'domains':
      return isVerified || isListed;
    case 'known':
      return isVerified;
    default:
      return sharing.invite satisfies never;
  }
}
