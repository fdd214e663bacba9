// Registers somebody who asks for an account. The answer is the same whether the address is known or not; the mail differs.
// Nothing that is typed here survives: whoever reads the mailbox chooses password and name with the code (verify-address.ts),
// so registering somebody else's address plants nothing. The password is looked at early, to say "too weak" early; it is not kept,
// and no hash is computed for it, so the work is the same for known and unknown addresses and an open form costs little.

import { type PasswordRefusal, refusePassword } from '../../core/model/account.ts';
import { domainOf, normaliseAddress } from '../../core/model/address.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import { findUnverifiedAccounts, findVerifiedAccount, insertAccount } from '../../store/accounts.ts';
import { appendAudit } from '../../store/audit.ts';
import { endCodes } from '../../store/one-time-codes.ts';
import type { Unit } from '../../store/store.ts';
import type { ControlContext } from '../control-context.ts';
import { mailAddressKnown, mailCode } from './account-mails.ts';
import { issueCode } from './one-time-code.ts';
import { countRequest, mayMail } from './request-throttle.ts';

export interface RegistrationInput {
  /** As typed. */
  readonly email: string;
  /** Optional: it is asked for again, or for the first time, by the page that the mail leads to. */
  readonly password?: string | undefined;
  /** Address the request came from. */
  readonly address: string;
  readonly requestId?: string | null | undefined;
}

export type RegistrationOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: 'closed' | 'domain' | 'bad-address' }
  | { readonly kind: 'refused'; readonly reason: 'weak-password'; readonly why: PasswordRefusal }
  | { readonly kind: 'refused'; readonly reason: 'busy'; readonly retryAfterSeconds: number };

export async function registerAccount(context: ControlContext, input: RegistrationInput): Promise<RegistrationOutcome> {
  if (context.config().accounts.registration !== 'open') return { kind: 'refused', reason: 'closed' };
  const email = normaliseAddress(input.email);
  if (email === null) return { kind: 'refused', reason: 'bad-address' };
  if (!isAllowedDomain(context, email)) return { kind: 'refused', reason: 'domain' };
  const why = input.password === undefined ? null : refusePassword(input.password, email);
  if (why !== null) return { kind: 'refused', reason: 'weak-password', why };
  const written = await context.write(async (unit): Promise<RegistrationOutcome> => {
    const retryAfterSeconds = await countRequest(unit, input.address, 'register');
    if (retryAfterSeconds !== null) return { kind: 'refused', reason: 'busy', retryAfterSeconds };
    if (await mayMail(unit, email, 'register')) await mailWhatIsTrue(unit, context, email, input.requestId ?? null);
    return { kind: 'accepted' };
  });
  return written.value;
}

/** Whether the configuration lets addresses of this domain register, or accounts change to it. */
export function isAllowedDomain(context: ControlContext, email: string): boolean {
  const { domains } = context.config().accounts;
  return domains.length === 0 || domains.includes(domainOf(email));
}

async function mailWhatIsTrue(
  unit: Unit,
  context: ControlContext,
  email: string,
  requestId: string | null,
): Promise<void> {
  const known = await findVerifiedAccount(unit.sql, email);
  if (known !== null) {
    await mailAddressKnown(unit, context, { to: email, accountId: known.id });
    return;
  }
  // One unverified account for each address, invited or registered; what an admin gave it (groups, role) stays.
  const [waiting] = await findUnverifiedAccounts(unit.sql, email);
  if (waiting !== undefined && waiting.state !== 'active') return;
  const accountId = waiting?.id ?? (await placeRegistered(unit, context, email));
  await endCodes(unit, accountId, 'verify-address');
  const code = await issueCode(unit, context, { purpose: 'verify-address', accountId });
  await mailCode(unit, context, 'verify-address', { to: email, accountId }, code);
  await appendAudit(unit, { actor: 'system', action: 'account.registered', subject: accountId, requestId });
}

async function placeRegistered(unit: Unit, context: ControlContext, email: string): Promise<string> {
  const id = makeId('account', context.random(idRandomBytes));
  await insertAccount(unit.sql, {
    id,
    email,
    emailVerifiedAt: null,
    passwordHash: null,
    displayName: '',
    groups: [],
    role: 'user',
    state: 'active',
    createdAt: unit.now,
  });
  return id;
}
