// Messages and hints of the credential commands for refusals, by the endpoint's reason.

import type { RefusalWords } from '../command/refusal-words.ts';

export const credentialWords: RefusalWords = {
  unknown: { hint: 'latchkey credential list, latchkey account list' },
  unverified: {
    message: 'nobody has shown yet that the address is theirs',
    hint: 'latchkey account invite ADDRESS, or vouch for it: latchkey account add ADDRESS',
  },
  disabled: { message: 'that account is blocked', hint: 'latchkey account enable WHO' },
  'bad-label': { message: '--name is one line of 1 to 120 characters', hint: "such as --name 'Hillside staff card'" },
  'bad-issuer': { message: '--issuer is one line of 1 to 120 characters', hint: 'such as --issuer Hillside' },
  'bad-picture': {
    message: '--picture has to be a PNG, JPEG or WebP of at most 64 KiB',
    hint: 'make it smaller: cards show it at 64 pixels',
  },
  'bad-window': {
    message: '--valid-from and --valid-until come in this order, and the end in the future',
    hint: 'write 7d or 12h from now, or 2026-07-01T18:00Z',
  },
  'bad-path': {
    message: '--path has to lie in the collection, in its plain form, without "*", ";" or ","',
    hint: 'such as /cam/hillside/door/; leave it out for the whole collection',
  },
  'bad-methods': {
    message: '--methods are at most 16 names of methods, GET among them',
    hint: 'leave them out for all',
  },
  withdrawn: {
    message: 'this credential was withdrawn, and stays so',
    hint: 'issue a new one: latchkey credential issue',
  },
};
