// What becomes of shared keys when an account changes its address, as part of the unit that does it. A share belongs to the address that it was sent
// to: what the account accepted by the old one ends, and both sides are told; what waits for the old address goes on waiting there, for whoever
// reads that mailbox; and what waits for the new one waits for this account from now on. Rules: gateway/RULES.md "Shared keys".

import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { insertAccount, readMailAddress } from '../../store/rows/accounts.ts';
import { findAcceptedAt, hasPendingAt } from '../../store/sharing/account-shares.ts';
import { type ListedShare, readListedShare } from '../../store/sharing/share-lists.ts';
import { moveShare, repointPending } from '../../store/sharing/shares.ts';
import type { ControlContext } from '../context/control-context.ts';
import { queueMail } from '../notify/queue-mail.ts';
import { noteShare, type Origin } from './note-share.ts';

interface AddressLeft {
  readonly accountId: string;
  /** Both normalised. */
  readonly from: string;
  readonly to: string;
  readonly origin: Origin;
}

/** To be called when the account has the new address. */
export async function leaveAddress(unit: Unit, context: ControlContext, left: AddressLeft): Promise<void> {
  const { accountId, from, to, origin } = left;
  const { sql, now } = unit;
  for (const id of await findAcceptedAt(sql, accountId, from)) {
    const share = await readListedShare(sql, id, now);
    if (share === null || !(await moveShare(sql, id, 'revoke', 'system', now))) continue;
    await unit.append({ kind: 'revoke', node: id });
    const details = { key: share.key_id, account: accountId };
    await noteShare(unit, { actor: 'system', action: 'share.revoked', subject: id, details, origin });
    await tellBoth(unit, context, share, to);
  }
  await repointPending(sql, to, accountId);
  if (await hasPendingAt(sql, from)) await repointPending(sql, from, await placeUnverified(unit, context, from));
}

async function placeUnverified(unit: Unit, context: ControlContext, email: string): Promise<string> {
  const id = makeId('account', context.random(idRandomBytes));
  await insertAccount(unit.sql, {
    ...{ id, email, emailVerifiedAt: null, passwordHash: null, displayName: '', groups: [] },
    ...{ role: 'user', state: 'active', createdAt: unit.now },
  });
  return id;
}

/** The giver is told of the address that was typed, and of no other. */
async function tellBoth(unit: Unit, context: ControlContext, share: ListedShare, holderAt: string): Promise<void> {
  const { reservedPrefix, portal } = context.config();
  const values = {
    key: share.keyName,
    credential: { name: share.credentialName, issuer: share.credentialIssuer },
    reason: 'address-changed',
    at: unit.now,
  } as const;
  const kind = 'key-share-ended';
  await queueMail(unit, context, {
    ...{ kind, to: holderAt, accountId: share.account_id },
    values: {
      ...{ ...values, reader: 'holder', path: `${reservedPrefix}keys` },
      other: share.giverName || share.giverEmail || (portal?.name ?? 'latchkey'),
    },
  });
  const giver = await readMailAddress(unit.sql, share.giver_id);
  if (giver === null) return;
  await queueMail(unit, context, {
    ...{ kind, to: giver, accountId: share.giver_id },
    values: { ...values, reader: 'giver', path: `${reservedPrefix}shares/${share.id}`, other: share.email },
  });
}
