// What the link commands share: words for refusals, and how counts are typed.
// The commands read answers by the shapes of `v1`, see api/v1/link-shapes.ts; `--json` prints the answers as they come.

import { usageError } from '../command/command-error.ts';
import type { RefusalWords } from '../command/refusal-words.ts';

/** Messages and hints for refusals, by the endpoint's reason. */
export const linkWords: RefusalWords = {
  unknown: { hint: 'latchkey link list, latchkey link members' },
  revoked: {
    message: 'a revoked link stays revoked',
    hint: 'within ten minutes: latchkey link give-back LINK; later make a new one: latchkey link create',
  },
  'not-ended': { message: 'it has not ended', hint: 'see what has: latchkey link list, latchkey link members' },
  'too-late': {
    message: 'it ended more than ten minutes ago, and stays ended',
    hint: 'make a new link: latchkey link create',
  },
  'link-ended': { message: 'its link has ended too', hint: 'give the link back first: latchkey link give-back LINK' },
  gone: {
    message: 'its account was deleted, or a restored backup ended it',
    hint: 'make a new link: latchkey link create',
  },
  'bad-label': { message: '--label is one line of 1 to 120 characters', hint: "such as --label 'for the choir'" },
  'bad-addresses': {
    message: '--for has something that is no mail address',
    hint: 'such as --for anna@example.org,ben@example.org',
  },
  'too-many-addresses': { message: '--for takes at most 50 addresses', hint: 'run it once more for the others' },
  'bad-claims': {
    message: '--claims is a number from 1 to 10000, and not below those who came in already',
    hint: 'see who did: latchkey link members LINK',
  },
  'bad-window': {
    message: '--claim-from, --claim-until and --access-until come in this order, and the last two in the future',
    hint: 'write 7d or 12h from now, or 2026-07-01T18:00Z',
  },
  'bad-path': {
    message: '--path has to lie in the collection, in its plain form, without "*", ";" or ","',
    hint: 'such as /vod/summer/film/; leave it out for the whole collection',
  },
  'bad-methods': {
    message: '--methods are at most 16 names of methods, GET among them',
    hint: 'leave them out for all',
  },
};

/** Reads `--claims`. @returns 1 to 999999; the endpoint has the real limit @throws CommandError (exit code 2) for any other text */
export function readClaims(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text) || count === 0) {
    throw usageError(`--claims: ${JSON.stringify(text)} is no number of accounts`, 'write 1 or more');
  }
  return count;
}
