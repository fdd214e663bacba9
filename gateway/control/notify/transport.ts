// The contract of the transports, which send mails. A transport makes one attempt; deliver-outbox.ts decides when to try again.
// A transport's text about a failure goes into the store and the log, so the text never repeats the mail, an address or a secret.

import type { EpochSeconds } from '../../core/model/time.ts';

/** One mail for one attempt. */
export interface OutgoingMessage {
  /** The row's id: the same in every attempt, so that a receiver can tell a repeat. */
  readonly id: string;
  readonly kind: string;
  /** Exactly one mailbox. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly createdAt: EpochSeconds;
}

/** The outcome of an attempt. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'failed';
      /** The receiver said that this mail will never be taken; otherwise trying again may help. */
      readonly isFinal: boolean;
      /** For operators: the step that failed, with codes, without texts of the other side. */
      readonly problem: string;
    };

export interface MailTransport {
  /**
   * Tries to send once. Does not throw.
   *
   * @param signal  aborts at the attempt's deadline, and when the gateway ends; everything opened for the attempt is closed then
   */
  readonly deliver: (message: OutgoingMessage, signal: AbortSignal) => Promise<DeliveryOutcome>;
  readonly close: () => Promise<void>;
}

export function failed(problem: string, isFinal = false): DeliveryOutcome {
  return { kind: 'failed', isFinal, problem };
}
