// How many mails may be caused in an hour, by whom: every mail is counted here before it is queued. One row for each kind of mail, so
// a new kind has its ceiling from the start. Beyond a ceiling a mail is left out; whoever caused it gets the same answer.
// Strangers cause mails to mailboxes that they name. They have the narrow ceiling, and neither registrations nor resets can use all of
// it, so that a flood of the one leaves room for the other. Mails that need a session or an administrator are counted apart.

import type { MessageKind } from '../../core/model/message.ts';
import type { Unit } from '../../store/port/store.ts';
import { countWindows, type WindowBound } from '../proof/count-window.ts';
import type { InstallationLimit } from '../proof/reached-limits.ts';

/** Who causes a mail: somebody without a session, somebody with one, an administrator. */
type Cause = 'register' | 'reset' | 'member' | 'administrator';

const causes: Readonly<Record<MessageKind, Cause>> = {
  'verify-address': 'register',
  'address-known': 'register',
  'reset-password': 'reset',
  'password-changed': 'member',
  'change-address-confirm': 'member',
  'change-address-notice': 'member',
  'new-device': 'member',
  'account-deleted': 'member',
  'link-claimed': 'member',
  'member-joined': 'member',
  'member-revoked': 'member',
  invitation: 'administrator',
  'sign-in-link': 'administrator',
};

const hour = 3600;
/** Mails of one kind about one account, or to one mailbox: a notice is left out only after so many of its kind. */
const perAccount = 60;
/** What members and administrators may cause, as a multiple of what strangers may. */
const trustedFactor = 10;

interface CountedMail {
  readonly kind: MessageKind;
  readonly to: string;
  readonly accountId: string | null;
}

/** Counts one mail. @param mailsPerHour  `accounts.limits.mails_per_hour` */
export async function countMail(unit: Unit, mail: CountedMail, mailsPerHour = 500) {
  return await countWindows(unit, boundsOf(mail, mailsPerHour));
}

function boundsOf(mail: CountedMail, mailsPerHour: number): readonly WindowBound<InstallationLimit>[] {
  const bound = (kind: InstallationLimit, most: number, subject = ''): WindowBound<InstallationLimit> => ({
    kind,
    subject,
    most: Math.ceil(most),
    windowSeconds: hour,
  });
  const cause = causes[mail.kind];
  switch (cause) {
    case 'register':
      return [bound('mails-register', mailsPerHour / 2), bound('mails', mailsPerHour)];
    case 'reset':
      return [bound('mails-reset', (mailsPerHour * 3) / 4), bound('mails', mailsPerHour)];
    case 'member':
      return [
        bound('mails-of-account', perAccount, `${mail.kind} ${mail.accountId ?? mail.to}`),
        bound('mails-members', mailsPerHour * trustedFactor),
      ];
    case 'administrator':
      return [bound('mails-administrators', mailsPerHour * trustedFactor)];
    default:
      return cause satisfies never;
  }
}
