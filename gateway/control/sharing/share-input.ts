// Checks what a giver typed about a share: words, window, number of uses, depth. The same rules for making and for changing one.

import { oneLine } from '../../core/model/plain-words.ts';
import { maxReshareDepth, maxWordsLength } from '../../core/model/share.ts';
import type { EpochSeconds } from '../../core/model/time.ts';

export type ShareProblem = 'bad-address' | 'bad-window' | 'bad-uses' | 'bad-depth' | 'words-too-long';

/** Most representations that a share may allow. */
export const maxUsesAllowed = 10_000;

/** The farthest end of a window, in seconds from now: a century. */
const farthest = 100 * 366 * 86_400;

/** Own words as they are kept: lines without control characters; null for too long ones. */
export function readWords(text: string): string | null {
  if (text.length > maxWordsLength * 8) return null;
  const words = text
    .split(/\r\n?|\n/)
    .map((line) => oneLine(line, maxWordsLength + 1))
    .join('\n')
    .trim();
  return [...words].length > maxWordsLength ? null : words;
}

/** Whether a window has a moment in it that is still to come. */
export function windowIsSound(
  { from, until }: { readonly from: EpochSeconds | null; readonly until: EpochSeconds | null },
  now: EpochSeconds,
): boolean {
  for (const at of [from, until]) {
    if (at !== null && (!Number.isSafeInteger(at) || at < 0 || at > now + farthest)) return false;
  }
  return until === null || until > Math.max(now, from ?? 0);
}

/** @param uses  null: no limit */
export function usesAreSound(uses: number | null): boolean {
  return uses === null || (Number.isInteger(uses) && uses >= 1 && uses <= maxUsesAllowed);
}

/** @param most  what the giver may give on */
export function depthIsSound(depth: number, most: number): boolean {
  return Number.isInteger(depth) && depth >= 0 && depth <= Math.min(most, maxReshareDepth);
}

/** What is wrong, in words for people. */
const texts: Readonly<Record<ShareProblem, string>> = {
  'bad-address': 'this is not a mail address',
  'bad-window': 'the end lies behind the beginning, and both not too far in the future',
  'bad-uses': `the number of uses is a number from 1 to ${maxUsesAllowed}`,
  'bad-depth': 'the key cannot be shared on so often',
  'words-too-long': `your own words have at most ${maxWordsLength} characters`,
};

export function shareProblemText(problem: ShareProblem): string {
  return texts[problem];
}
