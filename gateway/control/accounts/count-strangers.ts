// Bounds what people can cause without signing in: requests from one address, and mails to one mailbox. The numbers are in
// proof/throttle-policies.ts. A client that asks too often is told so. A client is not told of too many mails to a mailbox, because the answer
// would reveal that somebody else asked before; the mail is left out and the answer is the same.

import { clientNetworks } from '../../core/token/client-network.ts';
import type { Unit } from '../../store/port/store.ts';
import { countRequest, type WindowBound, type WindowContext } from '../proof/throttle.ts';

/** The requests that need no sign-in. They are counted apart: a client that registers all day keeps no neighbour from a new password. */
type StrangerRequest = 'register' | 'reset-password' | 'sign-in-code';

/** Counts a request, by address and by network. @returns null when the request may be served, else the seconds to wait */
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

/** The kinds of mail that strangers can cause. They are counted apart: a flood of one kind keeps no other kind from arriving. */
type MailReason = 'register' | 'reset-password' | 'change-address';

/** Counts a mail to a mailbox. @returns whether the mail may be sent */
export async function mayMail(unit: Unit, context: WindowContext, email: string, reason: MailReason): Promise<boolean> {
  return (
    (await countRequest(unit, context, [{ kind: 'mail-recipient', subject: `${reason} ${email}` }])).kind === 'allowed'
  );
}

/**
 * Counts a code to sign in that goes to a mailbox: for a device that the account knows by that device alone, else by the network that asks and in
 * all.
 *
 * @returns whether the mail may be sent
 */
export async function mayMailCode(
  unit: Unit,
  context: WindowContext,
  asked: { readonly email: string; readonly clientAddress: string; readonly knownDevice: string | null },
): Promise<boolean> {
  const { email, clientAddress, knownDevice } = asked;
  const { network } = clientNetworks(clientAddress);
  const bounds: readonly WindowBound[] =
    knownDevice === null
      ? [
          { kind: 'code-recipient', subject: `${email} ${network}` },
          { kind: 'codes-of-address', subject: email },
        ]
      : [{ kind: 'code-recipient', subject: `${email} ${knownDevice}` }];
  return (await countRequest(unit, context, bounds)).kind === 'allowed';
}
