// What an account may be: its states, its roles, and which passwords, names and groups it may have.
// Pure. Hashing is store/seal/password-hash.ts. Rules: NIST SP 800-63B §3.1.1 (length before composition, a list of refused passwords).

import { Buffer } from 'node:buffer';
import type { EpochSeconds } from './time.ts';

export type AccountRole = 'user' | 'admin';

/** The state as stored. `deleted`: the row holds nothing personal any more; it stays so that no other account ever gets the id. */
export type AccountState = 'active' | 'disabled' | 'deleted';

/**
 * What an account may do: only `usable` accounts sign in, claim links, own resources and are found by others.
 * `unverified`: the holder has not shown yet that the address is theirs.
 */
type AccountStanding = 'usable' | 'unverified' | 'disabled' | 'deleted';

export function accountStanding(account: {
  readonly state: AccountState;
  readonly emailVerifiedAt: EpochSeconds | null;
}): AccountStanding {
  if (account.state !== 'active') return account.state;
  return account.emailVerifiedAt === null ? 'unverified' : 'usable';
}

export const minPasswordCharacters = 10;
/** The most bytes of a password, as UTF-8 in NFC. It bounds the work of hashing, not the strength of passwords. */
export const maxPasswordBytes = 1024;

export type PasswordRefusal = 'too-short' | 'too-long' | 'is-the-address' | 'too-common';

/**
 * Whether an account may choose a password. Passwords that were chosen before are not judged again when the rules become stricter.
 *
 * @param address  the account's mail address, normalised
 * @returns why the password is refused; null when it may be chosen
 */
export function refusePassword(password: string, address: string): PasswordRefusal | null {
  if (password.length > maxPasswordBytes) return 'too-long';
  const text = password.normalize('NFC');
  if (Buffer.byteLength(text) > maxPasswordBytes) return 'too-long';
  if ([...text].length < minPasswordCharacters) return 'too-short';
  const folded = text.toLowerCase();
  if (folded === address || folded === address.slice(0, address.lastIndexOf('@'))) return 'is-the-address';
  return isCommon(folded) ? 'too-common' : null;
}

/** Passwords that are long enough and still among the first that an attacker tries. Shorter ones are refused by their length. */
const common = new Set(
  `1234567890 0123456789 9876543210 0987654321 12345678910 1234567891 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc qwertyuiop
  qwertyuiop123 qwerty12345 qwerty123456 qwertz1234 asdfghjkl1 asdfghjkl123 zxcvbnm123 qazwsxedcrfv password12 password123
  password1234 password12345 password123456 password2024 password2025 password2026 passwordpassword passw0rd123 p@ssw0rd123
  p@ssword123 mypassword mypassword1 administrator admin12345 admin123456 adminadmin rootroot12 letmein123 letmein1234
  welcome123 welcome1234 welcome2024 welcome2025 welcome2026 iloveyou12 iloveyou123 ilovemyself changeme12 changeme123
  changeme1234 abcdefghij abcdefghijkl abcdefghijklmnopqrstuvwxyz abc1234567 abcd123456 abc123abc123 a1b2c3d4e5 football12
  football123 baseball12 baseball123 basketball superman12 superman123 batman12345 pokemon123 starwars123 princess12
  princess123 sunshine12 sunshine123 michael123 jennifer12 charlie123 liverpool1 manchester manchester1 chelsea123
  arsenal123 test123456 testtest12 test1234567 user123456 guest12345 secret1234 secret12345 supersecret trustno1234
  monkey12345 dragon12345 summer2024 summer2025 summer2026 winter2024 winter2025 winter2026 computer12 computer123
  internet12 internet123 whatever12 whatever123 correcthorsebatterystaple`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Whether a password is in the list, repeats one character or one short group, or is a run like `abcdefghijkl`. */
function isCommon(folded: string): boolean {
  if (common.has(folded)) return true;
  const characters = [...folded].map((character) => character.codePointAt(0) ?? 0);
  const isRepeated = [1, 2, 3].some((size) => characters.every((code, index) => code === characters[index % size]));
  const isRun = [1, -1].some((step) =>
    characters.every((code, index) => index === 0 || code === (characters[index - 1] ?? 0) + step),
  );
  return isRepeated || isRun;
}

export const maxNameCharacters = 100;

/** A display name as it is stored: one line, no control characters, NFC; may be empty. @returns null for any other text */
export function normaliseDisplayName(text: string): string | null {
  if (text.length > 4 * maxNameCharacters) return null;
  const name = text
    .normalize('NFC')
    .trim()
    .replace(/\p{Zs}+/gu, ' ');
  // direction overrides and other invisible formatting (category Cf, except joiners) would let a name change how the words around it
  // look
  if (
    /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(name) ||
    /[\u00ad\u061c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u.test(name)
  )
    return null;
  return [...name].length > maxNameCharacters ? null : name;
}

export const maxGroups = 64;
/**
 * The most bytes of all groups of an account together, as UTF-8. Every session token holds the groups, and browsers drop cookies of
 * more than 4096 bytes.
 */
const maxGroupBytes = 1024;

/**
 * Groups as they are stored: sorted, each once.
 *
 * @returns null when a group has a comma or a control character, which no header value can carry
 */
export function normaliseGroups(groups: readonly string[]): readonly string[] | null {
  const unique = [...new Set(groups.map((group) => group.normalize('NFC').trim()))].sort();
  if (unique.length > maxGroups || Buffer.byteLength(unique.join(',')) > maxGroupBytes) return null;
  return unique.every((group) => /^[^\p{C}\p{Zl}\p{Zp},]{1,64}$/u.test(group)) ? unique : null;
}
