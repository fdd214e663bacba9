// The words for refusals about accounts: a sentence that says what is in the way and what to do, with its status over `v1`.
// Endpoints and pages use the same words, so that neither tells more than the other.

import type { PasswordRefusal } from '../../core/model/account.ts';
import { passwordProblem } from '../look/password-words.ts';
import { type Refusal, refuse } from './endpoint.ts';
import type { RefusalReason } from './refusal-reasons.ts';

const words = {
  'not-allowed': [403, 'Only an administrator may do this.'],
  'wrong-password': [403, 'That is not the password of this account.'],
  'not-an-account': [403, 'This is about the account that asks, and the operator has none.'],
  'not-signed-in': [403, 'This is about the account that asks. Sign in first.'],
  unknown: [404, 'There is no such account; it may have been deleted.'],
  exists: [409, 'There is an account with this address already.'],
  'last-admin': [409, 'This is the only administrator. Make somebody else one first.'],
  verified: [409, 'The address of this account is verified already; send a sign-in link instead.'],
  unverified: [409, 'The address of this account is not verified yet; send an invitation instead.'],
  disabled: [409, 'This account is blocked. Unblock it first.'],
  closed: [403, 'Nobody registers here: people come in by a link that was shared with them, or by invitation.'],
  digits: [422, 'The code has six digits, like 012345.'],
  domain: [422, 'Accounts here are for addresses of certain domains only. Use one of them.'],
  'bad-address': [422, 'That is no mail address. It looks like you@example.org.'],
  'same-address': [422, 'That is the address of this account already.'],
  'bad-name': [422, 'That name cannot be used. Take up to 100 plain characters.'],
  'bad-groups': [422, 'A group’s name is of letters, digits and a few marks, without spaces or commas.'],
  'password-too-short': [422, passwordProblem('too-short')],
  'password-too-long': [422, passwordProblem('too-long')],
  'password-is-the-address': [422, passwordProblem('is-the-address')],
  'password-too-common': [422, passwordProblem('too-common')],
  code: [410, 'That code was used, replaced by a newer one, or is over its time. Ask for a new mail.'],
  'sign-in': [403, 'That address and password do not fit together.'],
  busy: [503, 'A lot is going on right now. Try again in a few seconds.'],
} satisfies Partial<Record<RefusalReason, readonly [status: number, detail: string]>>;

/** A reason whose words stand here; the reasons of links and keys have theirs beside their endpoints. */
type WordedReason = keyof typeof words;

/** What a use case about accounts answers when it did nothing. A refusal without a reason means that a one-time code does not work. */
export type Undone =
  | { readonly kind: 'refused'; readonly reason?: WordedReason }
  | { readonly kind: 'wrong-password' }
  | { readonly kind: 'weak-password'; readonly why: PasswordRefusal }
  | { readonly kind: 'busy' | 'too-many'; readonly retryAfterSeconds: number };

/** The refusal over `v1` for an outcome that changed nothing. */
export function refusalOf(outcome: Undone): Refusal {
  switch (outcome.kind) {
    case 'refused':
      return refusalFor(outcome.reason ?? 'code');
    case 'wrong-password':
      return refusalFor('wrong-password');
    case 'weak-password':
      return refusalFor(`password-${outcome.why}`);
    case 'busy':
    case 'too-many':
      return tooManyTries(outcome.retryAfterSeconds);
    default:
      return outcome satisfies never;
  }
}

/** The refusal over `v1` for a reason of a use case. */
export function refusalFor(reason: WordedReason): Refusal {
  const [status, detail] = words[reason];
  return refuse(status, reason, detail, reason === 'busy' ? 2 : null);
}

/** The sentence alone, for a page. */
export function refusalText(reason: WordedReason): string {
  return words[reason][1];
}

/** The refusal of a throttled request (429), with `Retry-After`. */
export function tooManyTries(retryAfterSeconds: number): Refusal {
  return refuse(429, 'busy', `Too many tries. Wait ${retryAfterSeconds} seconds, then try again.`, retryAfterSeconds);
}
