// Issues a credential to an account: by an administrator, or by a site's program that speaks as one or as the operator. US 9,923,879: a
// credential belongs to an account, and keys hang off it.

import { accountStanding } from '../../core/model/account.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { isId } from '../../core/model/node-id.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Sql } from '../../store/port/store.ts';
import {
  type AccountRecord,
  findUnverifiedAccounts,
  findVerifiedAccount,
  readAccount,
} from '../../store/rows/accounts.ts';
import { readListedCredential } from '../../store/sharing/credential-lists.ts';
import { insertCredential } from '../../store/sharing/credentials.ts';
import { placeLabel } from '../access/place-input.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { creationId } from './creation-id.ts';
import { isPicture, validityIsSound } from './credential-input.ts';
import { type CredentialView, credentialViewOf } from './credential-view.ts';
import { noteShare, type Origin } from './note-share.ts';

interface NewCredential {
  /** The account's id, or its verified address. */
  readonly account: string;
  readonly name: string;
  readonly issuer: string;
  /** `data:` URL of a PNG, JPEG or WebP picture. Default: none. */
  readonly picture?: string | null | undefined;
  /** Defaults null: no limit. */
  readonly validFromAt?: EpochSeconds | null | undefined;
  readonly validUntilAt?: EpochSeconds | null | undefined;
  /** The same key of the same actor makes one credential, however often it is sent. Default: no key. */
  readonly creationKey?: string | undefined;
  readonly origin: Origin;
}

type CredentialProblem = 'bad-label' | 'bad-issuer' | 'bad-picture' | 'bad-window';

export type CredentialIssued =
  | { readonly kind: 'issued'; readonly credential: CredentialView }
  | {
      readonly kind: 'refused';
      readonly reason: 'not-allowed' | 'unknown' | 'unverified' | 'disabled' | CredentialProblem;
    };

/** @throws StoreAway */
export async function issueCredential(
  context: ControlContext,
  actor: Actor,
  input: NewCredential,
): Promise<CredentialIssued> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const [name, issuer] = [placeLabel(input.name), placeLabel(input.issuer)];
  const { picture = null, validFromAt = null, validUntilAt = null } = input;
  if (name === null) return { kind: 'refused', reason: 'bad-label' };
  if (issuer === null) return { kind: 'refused', reason: 'bad-issuer' };
  if (picture !== null && !isPicture(picture)) return { kind: 'refused', reason: 'bad-picture' };
  const written = await context.write(async (unit): Promise<CredentialIssued> => {
    if (!validityIsSound(validFromAt, validUntilAt, unit.now)) return { kind: 'refused', reason: 'bad-window' };
    const account = await findAccount(unit.sql, input.account);
    if (account === null) return { kind: 'refused', reason: 'unknown' };
    const standing = accountStanding(account);
    if (standing !== 'usable') {
      return { kind: 'refused', reason: standing === 'unverified' ? 'unverified' : 'disabled' };
    }
    const id = creationId(context, actor, 'credential', input.creationKey);
    const before = await readListedCredential(unit.sql, id);
    if (before !== null) return { kind: 'issued', credential: credentialViewOf(before, unit.now) };
    await insertCredential(unit.sql, {
      ...{ id, account_id: account.id, name, issuer, picture },
      ...{ valid_from_at: validFromAt, valid_until_at: validUntilAt },
      ...{ created_at: unit.now, created_by: actorName(actor), withdrawn_at: null, withdrawn_by: null },
    });
    await noteShare(unit, {
      ...{ actor: actorName(actor), action: 'credential.issued', subject: id },
      details: { account: account.id, has_picture: picture !== null },
      origin: input.origin,
    });
    const row = await readListedCredential(unit.sql, id);
    if (row === null) throw new Error('the credential that was just inserted is not there');
    return { kind: 'issued', credential: credentialViewOf(row, unit.now) };
  });
  return written.value;
}

/** The account of an id or an address; of an address that nobody verified the oldest one. Deleted accounts are not there. */
async function findAccount(sql: Sql, named: string): Promise<AccountRecord | null> {
  if (isId('account', named)) {
    const account = await readAccount(sql, named);
    return account === null || account.state === 'deleted' ? null : account;
  }
  const email = normaliseMailAddress(named);
  if (email === null) return null;
  return (await findVerifiedAccount(sql, email)) ?? (await findUnverifiedAccounts(sql, email))[0] ?? null;
}
