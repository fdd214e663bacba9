// Puts a mail into the outbox, inside the unit that causes the mail: either both are committed or neither.
// The text is made here, from the configuration in force, and sealed to its row; nothing of the text is readable in the store.
// Delivery is deliver-outbox.ts.

import type { Buffer } from 'node:buffer';
import { isMailbox } from '../../core/model/mailbox.ts';
import { type Message, renderMessage } from '../../core/model/message.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { readTimeZone } from '../../store/rows/accounts.ts';
import { insertMail, removeMail } from '../../store/rows/outbox.ts';
import { type ThrottleKey, takeGuessBack } from '../../store/rows/throttles.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { WindowContext } from '../proof/throttle.ts';
import { deliveryPlace } from './deliveries.ts';
import type { MailBody } from './mail-carrier.ts';
import { countMail } from './mail-ceilings.ts';

/** The part of the ControlContext that mails need. */
interface MailContext {
  readonly sealing: {
    readonly seal: (
      place: { readonly table: 'outbox'; readonly row: string; readonly column: string },
      plain: string,
    ) => string;
  };
  readonly random: (bytes: number) => Buffer;
  readonly config: () => {
    /** null: no mail can be sent. */
    readonly mail: { readonly from: string } | null;
    /** null: there is no portal that links in mails could lead to. */
    readonly portal: { readonly publicUrl: string; readonly name: string } | null;
    /** The ceilings of mail-ceilings.ts. */
    readonly accounts: ReturnType<WindowContext['config']>['accounts'];
    readonly sharing: ReturnType<WindowContext['config']>['sharing'];
  };
  /** Called for ceilings that are reached. Default: nobody is told. */
  readonly logger?: Pick<Logger, 'warn'>;
}

/** A mail to one mailbox. `kind` and `values` belong together, see core/model/message.ts. */
type OutgoingMail = Message & {
  /** A verified address, or an address that this very mail is to verify. */
  readonly to: string;
  /** The account that the mail is about, or null; the mail is exported and erased with that account. */
  readonly accountId: string | null;
  /** Id of the share whose first message this is: the share is told when the mail was handed over or given up. Default none. */
  readonly subject?: string;
};

/**
 * `off`: no mail or no portal is configured. `bad-address`: the address is not exactly one mailbox. `left-out`: a ceiling was reached, see mail-ceilings.ts;
 * a kind of mail that is put off in place of that is never left out.
 * In these three cases nothing was queued.
 */
export type QueuedMail =
  /** `counted`: the counts that the mail was added to, for a caller that takes the mail back. */
  | { readonly kind: 'queued'; readonly id: string; readonly counted: readonly ThrottleKey[] }
  | { readonly kind: 'left-out' }
  | { readonly kind: 'off' }
  | { readonly kind: 'bad-address' };

const unitsWithMail = new WeakSet<Unit>();

/** Whether a unit put mail into the outbox; the code that commits the unit wakes the delivery. */
export function hasQueuedMail(unit: Unit): boolean {
  return unitsWithMail.has(unit);
}

/**
 * Queues one mail, which is sent after the unit is durable, at least once.
 *
 * @throws RangeError  a path among the values leads away from the portal
 * @throws StoreAway
 */
export async function queueMail(unit: Unit, context: MailContext, mail: OutgoingMail): Promise<QueuedMail> {
  const { mail: settings, portal } = context.config();
  if (settings === null || portal === null) return { kind: 'off' };
  if (!isMailbox(mail.to)) return { kind: 'bad-address' };
  const counted = await countMail(unit, context, mail);
  if (counted.kind === 'blocked') return { kind: 'left-out' };
  const id = makeId('message', context.random(idRandomBytes));
  const body: MailBody = { to: mail.to, ...renderMessage(mail, { ...portal, timeZone: await zoneOf(unit, mail) }) };
  const bodySealed = context.sealing.seal(deliveryPlace(id), JSON.stringify(body));
  const { kind, accountId, subject = null } = mail;
  await insertMail(unit, { id, kind, accountId, bodySealed, subject, deferSeconds: counted.waitSeconds });
  unitsWithMail.add(unit);
  return { kind: 'queued', id, counted: counted.keys };
}

/** Takes a mail back in the unit that queued it, as if the mail had never been queued. */
export async function withdrawMail(unit: Unit, queued: QueuedMail): Promise<void> {
  if (queued.kind !== 'queued') return;
  await removeMail(unit, queued.id);
  await takeGuessBack(unit, ...queued.counted);
}

/**
 * Keeps a mail or takes it back, in the unit that queued it. Both are the same statements, so their number tells nobody whether a mail goes
 * out.
 */
export async function settleMail(unit: Unit, queued: QueuedMail, fate: 'send' | 'withdraw'): Promise<void> {
  if (queued.kind !== 'queued') return;
  const isBack = fate === 'withdraw';
  // no mail has the empty id, and no count the empty digest
  await removeMail(unit, isBack ? queued.id : '');
  await takeGuessBack(unit, ...queued.counted.map((key) => (isBack ? key : { ...key, keyDigest: '' })));
}

/** The zone of a mail's reader, looked up only for a mail that tells a time. */
async function zoneOf(unit: Unit, { accountId, values }: OutgoingMail): Promise<string | null> {
  return accountId !== null && 'at' in values ? readTimeZone(unit.sql, accountId) : null;
}
