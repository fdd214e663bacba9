// The table of deliveries through the outbox: the kind of a row decides which carrier takes the row, and who may cause it.
// A new kind is a row here; a new carrier is a name in `CarrierName` and a file that makes its `Carrier`. The times at which a row is tried, put back
// and forgotten are the same for all carriers: deliver-outbox.ts.

import type { MessageKind } from '../../core/model/message-kinds.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { DeliveryOutcome } from './transport.ts';

/** How a delivery leaves. Mail is the only way today. */
type CarrierName = 'mail';

/** Who causes a delivery: somebody without a session, somebody with one, an owner who shares with an address, a holder who shares a key, an administrator. */
type Cause = 'register' | 'reset' | 'code' | 'member' | 'sharing' | 'key' | 'administrator';

interface DeliveryKind {
  readonly carrier: CarrierName;
  /** The ceilings that the delivery is counted under: mail-ceilings.ts. */
  readonly cause: Cause;
}

export const deliveryKinds = {
  'verify-address': { carrier: 'mail', cause: 'register' },
  'address-known': { carrier: 'mail', cause: 'register' },
  'reset-password': { carrier: 'mail', cause: 'reset' },
  'sign-in-code': { carrier: 'mail', cause: 'code' },
  'password-changed': { carrier: 'mail', cause: 'member' },
  'change-address-confirm': { carrier: 'mail', cause: 'member' },
  'change-address-notice': { carrier: 'mail', cause: 'member' },
  'new-device': { carrier: 'mail', cause: 'member' },
  'account-deleted': { carrier: 'mail', cause: 'member' },
  'link-claimed': { carrier: 'mail', cause: 'member' },
  'member-joined': { carrier: 'mail', cause: 'member' },
  'member-revoked': { carrier: 'mail', cause: 'member' },
  'key-accepted': { carrier: 'mail', cause: 'member' },
  'key-share-accepted': { carrier: 'mail', cause: 'member' },
  'key-code': { carrier: 'mail', cause: 'member' },
  'key-share-ends-soon': { carrier: 'mail', cause: 'member' },
  'key-share-ended': { carrier: 'mail', cause: 'member' },
  'key-shared': { carrier: 'mail', cause: 'key' },
  'link-for-you': { carrier: 'mail', cause: 'sharing' },
  invitation: { carrier: 'mail', cause: 'administrator' },
  'sign-in-link': { carrier: 'mail', cause: 'administrator' },
} as const satisfies Readonly<Record<MessageKind, DeliveryKind>>;

/** One row of the outbox for one attempt. */
interface OpenedDelivery {
  /** The row's id: the same in every attempt, so that a receiver can tell a repeat. */
  readonly id: string;
  readonly kind: string;
  readonly createdAt: EpochSeconds;
  /** The row's body as its maker wrote it; the seal has authenticated it. */
  readonly body: string;
}

export interface Carrier {
  /**
   * Tries to deliver once. May throw, which is a failed attempt; the error's text is not logged, since it may quote the body.
   *
   * @param signal  aborts at the attempt's deadline, and when the gateway ends; everything opened for the attempt is closed then
   */
  readonly deliver: (delivery: OpenedDelivery, signal: AbortSignal) => Promise<DeliveryOutcome>;
  readonly close: () => Promise<void>;
}

export type Carriers = Readonly<Record<CarrierName, Carrier>>;

/** The carrier of a row. A kind that this version does not know was written by another version of latchkey, and is a mail. */
export function carrierOf(carriers: Carriers, kind: string): Carrier {
  const known: Readonly<Record<string, DeliveryKind>> = deliveryKinds;
  return carriers[Object.hasOwn(known, kind) ? (known[kind]?.carrier ?? 'mail') : 'mail'];
}

/** The place that the body of a row is sealed to. */
export function deliveryPlace(id: string) {
  return { table: 'outbox', row: id, column: 'body_sealed' } as const;
}
