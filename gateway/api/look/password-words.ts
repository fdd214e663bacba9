// Says why a chosen password was refused, and what to do instead. The words stand in one place, since several pages let people choose a
// password.

import { minPasswordCharacters, type PasswordRefusal } from '../../core/model/account.ts';

/** Hint beside a field for a new password. */
export const passwordHint = `At least ${minPasswordCharacters} characters. A few words you can remember are good.`;

/** @returns one or two sentences for the person who chose the password */
export function passwordProblem(why: PasswordRefusal): string {
  switch (why) {
    case 'too-short':
      return `That password is too short. Use at least ${minPasswordCharacters} characters.`;
    case 'too-long':
      return 'That password is too long. Use a shorter one.';
    case 'is-the-address':
      return 'Your password cannot be your address. Choose something else.';
    case 'too-common':
      return 'Many people use that password, so it is tried first. Choose something else.';
    default:
      return why satisfies never;
  }
}
