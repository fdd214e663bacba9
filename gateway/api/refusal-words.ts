// What the endpoints about accounts say when they refuse: a sentence of what is in the way and what to do, and its status.
// The same words for every endpoint, and never more than the page for the same would say.

import { minPasswordCharacters } from '../../core/model/account.ts';
import { type Refusal, refuse } from '../endpoint.ts';

const words: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  'not-allowed': [403, 'Only an administrator may do this.'],
  'wrong-password': [403, 'That is not the password of this account.'],
  'not-an-account': [403, 'This is about the account that asks, and the operator has none.'],
  'not-signed-in': [403, 'This is about the account that asks. Sign in first.'],
  unknown: [404, 'There is no such account; it may have been deleted.'],
  exists: [409, 'There is an account with this address already.'],
  'last-admin': [409, 'This is the only administrator. Make somebody else one first.'],
  verified: [409, 'The address of this account is verified already; send a sign-in link instead.'],
  unverified: [409, 'The address of this account is not verified yet; send an invitation instead.'],
  disabled: [409, 'This account is disabled. Enable it first.'],
  closed: [403, 'Accounts are by invitation here. Ask whoever runs this place for one.'],
  domain: [422, 'Accounts here are for addresses of certain domains only. Use one of them.'],
  'bad-address': [422, 'That is no mail address. It looks like you@example.org.'],
  'same-address': [422, 'That is the address of this account already.'],
  'bad-name': [422, 'That name cannot be used. Take up to 100 plain characters.'],
  'bad-groups': [422, 'A group’s name is of letters, digits and a few marks, without spaces or commas.'],
  'password-too-short': [422, `That password is too short. Use at least ${minPasswordCharacters} characters.`],
  'password-too-long': [422, 'That password is too long. Use a shorter one.'],
  'password-is-the-address': [422, 'A password cannot be the address. Choose something else.'],
  'password-too-common': [422, 'Many people use that password, so it is tried first. Choose something else.'],
  code: [410, 'That code was used, replaced by a newer one, or is over its time. Ask for a new mail.'],
  'sign-in': [403, 'That address and password do not fit together.'],
  busy: [503, 'A lot is going on right now. Try again in a few seconds.'],
};

/** @param reason  a word of a use case; one without words here is a 422 that says so little */
export function refusalFor(reason: string): Refusal {
  const [status, detail] = Object.hasOwn(words, reason) ? (words[reason] ?? plain) : plain;
  return refuse(status, reason, detail, reason === 'busy' ? 2 : null);
}

const plain = [422, 'This cannot be done with what was sent.'] as const;

/** Somebody tried too often. The right answer would not have been looked at either. */
export function tooManyTries(retryAfterSeconds: number): Refusal {
  return refuse(429, 'busy', `Too many tries. Wait ${retryAfterSeconds} seconds, then try again.`, retryAfterSeconds);
}
