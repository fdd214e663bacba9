// What becomes of the keys of an account when the account is blocked, let back in or deleted, as part of the unit that does it. Nothing that
// is made from a key names the account that gave the key, since a new password or a sign-out of the giver changes nothing for others; so a
// block names the giver's credentials, and each key that it gave on. Rules: gateway/RULES.md "Shared keys".

import type { AuditAction } from '../../core/model/audit.ts';
import { digestOf } from '../../core/model/digest.ts';
import { collectionSubject } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import { removeWaitingMails } from '../../store/rows/outbox.ts';
import {
  type EndedShare,
  endSharesOf,
  eraseSharesOf,
  findCollectionsOfGiver,
  findGivenOn,
} from '../../store/sharing/account-shares.ts';
import { findStandingCredentials, markCredentialWithdrawn } from '../../store/sharing/credentials.ts';
import { noOrigin, noteShare, type Origin } from './note-share.ts';

/** Cuts what others hold of an account that was blocked. The shares stay accepted: they hold again once the account is let back in. */
export async function stopAccountKeys(unit: Unit, accountId: string): Promise<void> {
  for (const node of await findStandingCredentials(unit.sql, accountId)) await unit.append({ kind: 'revoke', node });
  for (const node of await findGivenOn(unit.sql, accountId)) await unit.append({ kind: 'revoke', node });
}

/** Has edges ask again about everything that keys of the account open: what they remember says that it is refused. */
export async function resumeAccountKeys(unit: Unit, accountId: string): Promise<void> {
  for (const name of await findCollectionsOfGiver(unit.sql, accountId)) {
    await unit.append({ kind: 'touch', node: collectionSubject(name) });
  }
}

const actions = {
  revoke: 'share.revoked',
  withdraw: 'share.withdrawn',
  leave: 'share.left',
  decline: 'share.declined',
} as const satisfies Readonly<Record<EndedShare['event'], AuditAction>>;

interface DeletedAccount {
  readonly id: string;
  /** The address until now. */
  readonly email: string;
  /** Whoever deletes it, as rows keep it. */
  readonly by: string;
  readonly requestId: string | null;
}

/**
 * Ends the credentials of an account that is deleted, the shares that it gave, and those that it got, and forgets what they hold of the
 * person.
 *
 * @returns how many there were, for the audit list
 */
export async function endAccountKeys(
  unit: Unit,
  { id, email, by, requestId }: DeletedAccount,
): Promise<{ readonly credentials_withdrawn: number; readonly shares_ended: number }> {
  const origin: Origin = { ...noOrigin, requestId };
  const credentials = await findStandingCredentials(unit.sql, id);
  for (const node of credentials) {
    await markCredentialWithdrawn(unit.sql, node, by, unit.now);
    await unit.append({ kind: 'revoke', node });
    await noteShare(unit, {
      ...{ actor: by, action: 'credential.withdrawn', subject: node, details: { account: id } },
      origin,
    });
  }
  const shares = await endSharesOf(unit.sql, id, by, unit.now);
  for (const share of shares) {
    // what was pending opened nothing, so no edge has to hear of it
    if (share.event === 'revoke' || share.event === 'leave') await unit.append({ kind: 'revoke', node: share.id });
    else await removeWaitingMails(unit, share.id);
    await noteShare(unit, { actor: by, action: actions[share.event], subject: share.id, origin });
  }
  await eraseSharesOf(unit.sql, id, digestOf(email));
  return { credentials_withdrawn: credentials.length, shares_ended: shares.length };
}
