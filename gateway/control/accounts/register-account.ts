// Registers somebody who asks for an account. The answer is the same whether the address is known or not; the mail differs. The answer
// is given once the request is counted, and the address is looked up afterwards, so the time of an answer tells nothing; the work
// that follows is the same for both, since the answer to the next request may have to wait for it.
// Nothing that is typed here survives: the person who reads the mailbox chooses password and name with the code (verify-address.ts),
// so registering somebody else's address plants nothing. The password is looked at early, to say "too weak" early; it is not kept,
// and no hash is computed for it, so the work is the same for known and unknown addresses and an open form costs little.

import { type PasswordRefusal, refusePassword } from '../../core/model/account.ts';
import { domainOf, normaliseMailAddress } from '../../core/model/mail-address.ts';
import { idRandomBytes, makeId } from '../../core/model/node-id.ts';
import type { Unit } from '../../store/port/store.ts';
import {
  findUnverifiedAccounts,
  findVerifiedAccount,
  insertAccount,
  removeAccountRow,
} from '../../store/rows/accounts.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import type { ControlContext } from '../context/control-context.ts';
import type { CarriedWay } from '../proof/carried-way.ts';
import { endEarlierCodes, issueCode, withdrawCode } from '../proof/one-time-code.ts';
import { busyRetrySeconds } from '../proof/password-work.ts';
import { noteLimit } from '../proof/reached-limits.ts';
import { mailAddressKnown, mailVerification } from './account-mails.ts';
import { countStranger, mayMail } from './count-strangers.ts';
import { hasRoomForUnverified } from './unverified-accounts.ts';

interface RegistrationInput {
  /** As typed. */
  readonly email: string;
  /** Optional. The page that the mail leads to asks for the password (again). */
  readonly password?: string | undefined;
  /** Address the request came from. */
  readonly clientAddress: string;
  readonly requestId?: string | null | undefined;
  /** Where the person was going; the mail carries it, so that it is not lost in another browser. */
  readonly way?: CarriedWay | null;
}

type RegistrationOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly reason: 'closed' | 'domain' | 'bad-address' }
  | { readonly kind: 'refused'; readonly reason: 'weak-password'; readonly why: PasswordRefusal }
  | { readonly kind: 'refused'; readonly reason: 'busy'; readonly retryAfterSeconds: number };

export async function registerAccount(context: ControlContext, input: RegistrationInput): Promise<RegistrationOutcome> {
  if (context.config().accounts.registration !== 'open') return { kind: 'refused', reason: 'closed' };
  const email = normaliseMailAddress(input.email);
  if (email === null) return { kind: 'refused', reason: 'bad-address' };
  if (!isAllowedDomain(context, email)) return { kind: 'refused', reason: 'domain' };
  const why = input.password === undefined ? null : refusePassword(input.password, email);
  if (why !== null) return { kind: 'refused', reason: 'weak-password', why };
  if (!context.afterwards.hasRoom()) return { kind: 'refused', reason: 'busy', retryAfterSeconds: busyRetrySeconds };
  const written = await context.write(async (unit) => {
    const retryAfterSeconds = await countStranger(unit, context, input.clientAddress, 'register');
    return {
      retryAfterSeconds,
      mayMail: retryAfterSeconds === null && (await mayMail(unit, context, email, 'register')),
    };
  });
  const { retryAfterSeconds } = written.value;
  if (retryAfterSeconds !== null) return { kind: 'refused', reason: 'busy', retryAfterSeconds };
  if (written.value.mayMail) context.afterwards.run(() => mailWhatIsTrue(context, email, input));
  return { kind: 'accepted' };
}

/** Whether the configuration lets addresses of this domain register, or accounts change to it. */
export function isAllowedDomain(context: ControlContext, email: string): boolean {
  const { domains } = context.config().accounts;
  return domains.length === 0 || domains.includes(domainOf(email));
}

async function mailWhatIsTrue(context: ControlContext, email: string, input: RegistrationInput): Promise<void> {
  const requestId = input.requestId ?? null;
  const way = input.way ?? null;
  await context.write(async (unit) => {
    const known = await findVerifiedAccount(unit.sql, email);
    // There is one unverified account for each address, invited or registered; groups and role that an admin gave the account stay.
    const [waiting] = await findUnverifiedAccounts(unit.sql, email);
    if (known === null && waiting !== undefined && waiting.state !== 'active') return;
    const hasRoom = waiting !== undefined || (await hasRoomForUnverified(unit, context.config().accounts.limits));
    if (!hasRoom && known === null) return await noteLimit(unit, context, 'unverified-accounts');
    const accountId = waiting?.id ?? (await placeRegistered(unit, context, email));
    const code = await issueCode(unit, context, {
      purpose: 'verify-address',
      accountId,
      ...(way === null ? {} : { carries: { email, way } }),
    });
    if (known === null) {
      // When this mail is left out, the mail that was sent before still works.
      const queued = await mailVerification(unit, context, { to: email, accountId }, code, way?.about ?? null);
      if (queued.kind === 'left-out') return await forgetAgain(unit, code, waiting === undefined ? accountId : null);
      await endEarlierCodes(unit, accountId, 'verify-address', code);
      await appendAudit(unit, { actor: 'system', action: 'account.registered', subject: accountId, requestId });
      return;
    }
    // The same work as for an unknown address is done, and nothing of it is kept.
    await mailAddressKnown(unit, context, { to: email, accountId: known.id });
    await endEarlierCodes(unit, accountId, 'verify-address', code);
    await forgetAgain(unit, code, waiting === undefined ? accountId : null);
  });
}

/** @param accountId  null for an account that was there before */
async function forgetAgain(unit: Unit, code: string, accountId: string | null): Promise<void> {
  await withdrawCode(unit, code);
  if (accountId !== null) await removeAccountRow(unit.sql, accountId);
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
