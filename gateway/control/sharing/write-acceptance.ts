// The parts of the unit that accepts a share: the address becomes the account's own, the grant is written, both sides are told.
// A condition that does not hold throws, so that nothing of the unit is kept.

import { accountStanding } from '../../core/model/account.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import {
  findUnverifiedAccounts,
  findVerifiedAccount,
  insertAccount,
  readMailAddress,
  updateAccount,
} from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { findCredentialKey } from '../../store/sharing/credentials.ts';
import { couldHold } from '../../store/sharing/share-chains.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { findRequest, spendRequest } from '../../store/sharing/share-requests.ts';
import { acceptShare } from '../../store/sharing/shares.ts';
import { takeOverAddress } from '../accounts/take-over-address.ts';
import type { ControlContext } from '../context/control-context.ts';
import { noteShare } from '../keys/note-share.ts';
import { queueMail } from '../notify/queue-mail.ts';
import type { SplitSecret } from '../proof/one-time-code.ts';
import type { Browser } from '../sessions/start-session.ts';
import { keyOf } from './share-mails.ts';

/**
 * Why a share was not accepted, although somebody authenticated:
 * `over`           it ended, or somebody else accepted it
 * `not-now`        its giver is blocked, or something above does not hold
 * `not-able`       the account is blocked
 * `second-factor`  the key asks for one
 * `ask-again`      the account has a password by now, which is asked for
 * `no-request`     the request is not open any more
 */
export type NotAcceptedReason = 'over' | 'not-now' | 'not-able' | 'second-factor' | 'ask-again' | 'no-request';

/** Undoes the unit: nothing of it is kept. */
export class NotAccepted extends Error {
  readonly reason: NotAcceptedReason;

  constructor(reason: NotAcceptedReason) {
    super(`the share is not accepted: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Makes the address the account's own, after the digits that were mailed there were right, with the password that was typed beside them. A
 * verified account without a password gets this one.
 *
 * @returns the account's id
 * @throws NotAccepted
 */
export async function takeAddress(
  unit: Unit,
  context: ControlContext,
  taken: { readonly email: string; readonly passwordHash: string; readonly requestId: string | null },
): Promise<string> {
  const { email, passwordHash, requestId } = taken;
  const verified = await findVerifiedAccount(unit.sql, email);
  if (verified !== null) {
    if (accountStanding(verified) !== 'usable') throw new NotAccepted('not-able');
    if (verified.passwordHash !== null) throw new NotAccepted('ask-again');
    await updateAccount(unit.sql, verified.id, { passwordHash });
    const action = 'account.password-changed';
    await appendAudit(unit, { actor: verified.id, action, subject: verified.id, requestId });
    return verified.id;
  }
  const [waiting] = await findUnverifiedAccounts(unit.sql, email);
  const accountId = waiting?.id ?? (await placeAccount(unit, context, email));
  const action = 'account.address-verified';
  const isTaken = await takeOverAddress(unit, { accountId, passwordHash, displayName: null, action, requestId });
  if (!isTaken) throw new NotAccepted('not-able');
  return accountId;
}

/** The account that the share pointed at is gone: an administrator removed it. */
async function placeAccount(unit: Unit, context: ControlContext, email: string): Promise<string> {
  const id = makeId('account', context.random(idRandomBytes));
  await insertAccount(unit.sql, {
    ...{ id, email, emailVerifiedAt: null, passwordHash: null, displayName: '', groups: [] },
    ...{ role: 'user', state: 'active', createdAt: unit.now },
  });
  return id;
}

interface AcceptanceToWrite {
  readonly share: ListedShare;
  /** The account that authenticated in this unit. */
  readonly accountId: string;
  readonly request: SplitSecret;
  readonly browser: Browser;
}

/**
 * Writes the grant, and tells both sides. A message with the same proof that was faster leaves nothing to write: the account holds the key by
 * this very share and request.
 *
 * @throws NotAccepted
 */
export async function writeAcceptance(
  unit: Unit,
  context: ControlContext,
  { share, accountId, request, browser }: AcceptanceToWrite,
): Promise<void> {
  const attempt = { shareId: share.id, accountId, request, now: unit.now };
  if (!(await acceptShare(unit.sql, attempt))) {
    const why = await whyNot(unit, attempt);
    if (why === null) return;
    throw new NotAccepted(why);
  }
  await spendRequest(unit.sql, request, unit.now);
  // The answers that edges remember about this account were read before it held the key.
  await unit.append({ kind: 'touch', node: accountId });
  const origin = { requestId: browser.requestId ?? null, clientAddress: browser.clientAddress };
  await noteShare(unit, {
    ...{ actor: accountId, action: 'share.accepted', subject: share.id, origin },
    details: { key: share.key_id, credential: share.credentialId, parent: share.parent_id },
  });
  await confirm(unit, context, share, accountId);
}

/** The first of the conditions of acceptance that does not hold; null where this account accepted by this request. */
async function whyNot(unit: Unit, attempt: Parameters<typeof acceptShare>[1]): Promise<NotAcceptedReason | null> {
  const { shareId, accountId, request, now } = attempt;
  const found = await findRequest(unit.sql, request, now);
  const share = await readListedShare(unit.sql, shareId, now);
  if (found === null || share === null || found.shareId !== shareId) return 'no-request';
  if (found.isUsed) {
    return share.state === 'accepted' && share.account_id === accountId ? null : 'no-request';
  }
  const isOver = share.usable_until_at !== null && share.usable_until_at <= now;
  if (share.state !== 'pending' || share.expires_at <= now || isOver) return 'over';
  if ((await findCredentialKey(unit.sql, share.key_id))?.needs_second_factor === 1) return 'second-factor';
  return (await couldHold(unit.sql, shareId, now)) ? 'not-able' : 'not-now';
}

/** This account holds the key now, by name; and the giver is told that the address does. */
async function confirm(unit: Unit, context: ControlContext, share: ListedShare, accountId: string): Promise<void> {
  const { reservedPrefix, portal } = context.config();
  const shared = { ...keyOf(share), at: unit.now };
  await queueMail(unit, context, {
    kind: 'key-accepted',
    accountId,
    to: share.email,
    values: {
      path: `${reservedPrefix}keys`,
      giver: share.giverName || share.giverEmail || portal?.name || 'The owner',
      ...shared,
    },
  });
  const giver = await readMailAddress(unit.sql, share.giver_id);
  if (giver === null) return;
  await queueMail(unit, context, {
    kind: 'key-share-accepted',
    accountId: share.giver_id,
    to: giver,
    values: { path: `${reservedPrefix}shares/${share.id}`, recipient: share.email, ...shared },
  });
}
