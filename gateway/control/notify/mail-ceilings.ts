// The ceilings that a mail is counted under: every mail is counted here before it is queued. The table in deliveries.ts says who causes a kind
// of mail, so a new kind has its ceilings from the start; the numbers are in proof/throttle-policies.ts. Beyond a ceiling a mail is left out, and the person who
// caused it gets the same answer.
// Strangers cause mails to mailboxes that they name. Their ceiling is the narrow one, and none of registrations, resets and codes can use all of
// that ceiling, so that a flood of one kind leaves room for the other. Mails that need a session or an administrator are counted apart.
// A message that offers a key is never left out: beyond its ceilings it is put off, to a later window of its recipient.

import type { MessageKind } from '../../core/model/message-kinds.ts';
import type { Unit } from '../../store/port/store.ts';
import type { ThrottleKey } from '../../store/rows/throttles.ts';
import { bookRequest, countRequest, type WindowBound, type WindowContext } from '../proof/throttle.ts';
import { deliveryKinds } from './deliveries.ts';

interface CountedMail {
  readonly kind: MessageKind;
  readonly to: string;
  readonly accountId: string | null;
}

type MailCounted =
  /** `waitSeconds`: how long the mail has to wait before it is sent. `keys`: of the counts that were raised, to take the mail back. */
  | { readonly kind: 'allowed'; readonly keys: readonly ThrottleKey[]; readonly waitSeconds: number }
  /** A ceiling is reached, and nothing was counted. */
  | { readonly kind: 'blocked' };

/** Counts one mail. */
export async function countMail(unit: Unit, context: WindowContext, mail: CountedMail): Promise<MailCounted> {
  const counted = await countRequest(unit, context, boundsOf(mail));
  if (deliveryKinds[mail.kind].cause !== 'key')
    return counted.kind === 'blocked' ? counted : { ...counted, waitSeconds: 0 };
  const booked = await bookRequest(unit, context, { kind: 'share-mails-to-address', subject: mail.to });
  return counted.kind === 'blocked'
    ? { kind: 'allowed', keys: booked.keys, waitSeconds: Math.max(booked.waitSeconds, counted.waitSeconds) }
    : { kind: 'allowed', keys: [...counted.keys, ...booked.keys], waitSeconds: booked.waitSeconds };
}

function boundsOf({ kind, to, accountId }: CountedMail): readonly WindowBound[] {
  const shared = (window: WindowBound['kind']): WindowBound => ({ kind: window, subject: '' });
  const { cause } = deliveryKinds[kind];
  switch (cause) {
    case 'register':
      return [shared('mails-register'), shared('mails')];
    case 'reset':
      return [shared('mails-reset'), shared('mails')];
    case 'code':
      return [shared('mails-code'), shared('mails')];
    case 'member':
      return [{ kind: 'mails-of-account', subject: `${kind} ${accountId ?? to}` }, shared('mails-members')];
    case 'sharing':
      return [
        { kind: 'shares-of-account', subject: accountId ?? '' },
        { kind: 'shares-to-address', subject: to },
        shared('mails-members'),
      ];
    case 'key':
      // the window of the recipient is booked by countMail
      return [shared('mails-members')];
    case 'administrator':
      return [shared('mails-administrators')];
    default:
      return cause satisfies never;
  }
}
