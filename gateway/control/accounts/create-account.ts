// Makes an account on behalf of an admin or the operator. The account is either invited by mail or vouched for.
// Vouched for (`invited: false`): the word of the administrator who makes it counts as the verification of the address. The first admin
// is made in this way, and then signs in by a one-time link.

import {
  type AccountRole,
  normaliseDisplayName,
  normaliseGroups,
  type PasswordRefusal,
  refusePassword,
} from '../../core/model/account.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import {
  type AccountRecord,
  findUnverifiedAccounts,
  findVerifiedAccount,
  insertAccount,
  updateAccount,
} from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { endCodes } from '../../store/rows/one-time-codes.ts';
import { repointPending } from '../../store/sharing/shares.ts';
import { type Actor, actorName, type ControlContext } from '../context/control-context.ts';
import { mayAdminister } from '../context/may-administer.ts';
import { issueCode } from '../proof/one-time-code.ts';
import { mailInvitation } from './account-mails.ts';
import { forgetUnverified } from './take-over-address.ts';

interface NewAccountInput {
  /** As typed. */
  readonly email: string;
  readonly displayName?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  /** Default `user`. */
  readonly role?: AccountRole | undefined;
  /** true: a mail goes to the address, and accepting the mail verifies the address. false: the administrator who makes the account answers for the address. */
  readonly invited: boolean;
  /** Only for accounts that are vouched for. */
  readonly password?: string | undefined;
  readonly requestId?: string | null | undefined;
}

type CreateAccountOutcome =
  /** `invitation`: the code that the mail carries, for an operator who hands it over; null when the account is vouched for. */
  | { readonly kind: 'created'; readonly accountId: string; readonly invitation: string | null }
  | {
      readonly kind: 'refused';
      readonly reason:
        | 'not-allowed'
        | 'bad-address'
        | 'bad-name'
        | 'bad-groups'
        | 'exists'
        | 'busy'
        | `password-${PasswordRefusal}`;
    };

export async function createAccount(
  context: ControlContext,
  actor: Actor,
  input: NewAccountInput,
): Promise<CreateAccountOutcome> {
  if (!mayAdminister(actor)) return { kind: 'refused', reason: 'not-allowed' };
  const email = normaliseMailAddress(input.email);
  if (email === null) return { kind: 'refused', reason: 'bad-address' };
  const displayName = normaliseDisplayName(input.displayName ?? '');
  if (displayName === null) return { kind: 'refused', reason: 'bad-name' };
  const groups = normaliseGroups(input.groups ?? []);
  if (groups === null) return { kind: 'refused', reason: 'bad-groups' };
  const password = input.invited ? undefined : input.password;
  let passwordHash: string | null = null;
  if (password !== undefined) {
    const why = refusePassword(password, email);
    if (why !== null) return { kind: 'refused', reason: `password-${why}` };
    const hashed = await context.passwords.hash(password, actorName(actor));
    if (hashed.kind === 'busy') return { kind: 'refused', reason: 'busy' };
    passwordHash = hashed.value;
  }
  const draft = { email, displayName, groups, role: input.role ?? 'user', passwordHash } as const;
  const written = await context.write(async (unit): Promise<CreateAccountOutcome> => {
    if ((await findVerifiedAccount(unit.sql, email)) !== null) return { kind: 'refused', reason: 'exists' };
    const accountId = input.invited
      ? await placeInvited(unit, context, draft)
      : await placeVouchedFor(unit, context, draft);
    const details = { invited: input.invited, role: draft.role };
    const requestId = input.requestId ?? null;
    await appendAudit(unit, {
      actor: actorName(actor),
      action: 'account.created',
      subject: accountId,
      details,
      requestId,
    });
    if (!input.invited) return { kind: 'created', accountId, invitation: null };
    const invitation = await sendInvitation(unit, context, actor, { accountId, email });
    return { kind: 'created', accountId, invitation };
  });
  return written.value;
}

/** Makes a new invitation code, voids the ones before, and queues the mail. */
export async function sendInvitation(
  unit: Unit,
  context: ControlContext,
  actor: Actor,
  to: { readonly accountId: string; readonly email: string },
): Promise<string> {
  await endCodes(unit, to.accountId, 'invitation');
  const code = await issueCode(unit, context, { purpose: 'invitation', accountId: to.accountId });
  const inviter = actor.kind === 'account' ? actor.email : null;
  await mailInvitation(unit, context, { to: to.email, accountId: to.accountId }, code, inviter);
  await appendAudit(unit, { actor: actorName(actor), action: 'account.invited', subject: to.accountId });
  return code;
}

type Draft = Pick<AccountRecord, 'email' | 'displayName' | 'groups' | 'role' | 'passwordHash'>;

/** There is one unverified account for each address: an account that a stranger registered takes the admin's settings, and stays unverified. */
async function placeInvited(unit: Unit, context: ControlContext, draft: Draft): Promise<string> {
  const [existing] = await findUnverifiedAccounts(unit.sql, draft.email);
  if (existing === undefined) return await place(unit, context, draft, null);
  const { displayName, groups, role } = draft;
  await updateAccount(unit.sql, existing.id, { displayName, groups, role, state: 'active', passwordHash: null });
  return existing.id;
}

async function placeVouchedFor(unit: Unit, context: ControlContext, draft: Draft): Promise<string> {
  await forgetUnverified(unit, draft.email, '');
  const id = await place(unit, context, draft, unit.now);
  await repointPending(unit.sql, draft.email, id);
  return id;
}

async function place(unit: Unit, context: ControlContext, draft: Draft, verifiedAt: number | null): Promise<string> {
  const id = makeId('account', context.random(idRandomBytes));
  await insertAccount(unit.sql, {
    ...draft,
    id,
    emailVerifiedAt: verifiedAt,
    state: 'active',
    createdAt: unit.now,
  });
  return id;
}
