// Bounds what anybody can cause without signing in: requests from one address, and mails to one mailbox. Numbers:
// proof/throttle-policies.ts. Somebody who asks too often is told so. Too many mails to a mailbox are not told, because the answer
// would say that somebody else asked before; the mail is left out and the answer is the same.

import { clientNetworks } from '../../core/token/client-network.ts';
import type { Unit } from '../../store/port/store.ts';
import { countRequest, type WindowContext } from '../proof/throttle.ts';

/** What is asked for without signing in. Counted apart: somebody who registers all day keeps no neighbour from a new password. */
type StrangerRequest = 'register' | 'reset-password';

/** Counts a request, by address and by network. @returns null when it may be served, else the seconds to wait */
export async function countStranger(
  unit: Unit,
  context: WindowContext,
  clientAddress: string,
  request: StrangerRequest,
): Promise<number | null> {
  const { source, network } = clientNetworks(clientAddress);
  const counted = await countRequest(unit, context, [
    { kind: 'request-address', subject: `${request} ${source}` },
    { kind: 'requests-per-network', subject: `${request} ${network}` },
  ]);
  return counted.kind === 'allowed' ? null : counted.waitSeconds;
}

/** What a mail was asked for by. Counted apart: somebody who asks for one kind of mail all day keeps no other kind from arriving. */
type MailReason = 'register' | 'reset-password' | 'change-address';

/** Counts a mail to a mailbox. @returns whether it may be sent */
export async function mayMail(unit: Unit, context: WindowContext, email: string, reason: MailReason): Promise<boolean> {
  return (
    (await countRequest(unit, context, [{ kind: 'mail-recipient', subject: `${reason} ${email}` }])).kind === 'allowed'
  );
}
