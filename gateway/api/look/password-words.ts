// Why a chosen password was not taken, in words that say what to do instead. One place, since four pages choose passwords.

import { minPasswordCharacters, type PasswordRefusal } from '../../core/model/account.ts';

export const passwordHint = `At least ${minPasswordCharacters} characters. A few words you can remember are good.`;

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
