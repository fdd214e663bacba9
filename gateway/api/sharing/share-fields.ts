// Fields of the forms that give a key and that change a share: how often it may be opened, and how often it may be shared on.

import { maxUsesAllowed, type ShareProblem } from '../../control/sharing/share-input.ts';
import { maxWordsLength } from '../../core/model/share.ts';
import type { Html } from '../look/html.ts';
import { type Problems, select } from '../portal/fields.ts';

/** What was typed as a number of uses: null for none, and a number that no share can have for what is no number. */
export function readUses(text: string): number | null {
  const typed = text.trim();
  if (typed === '') return null;
  return /^\d{1,6}$/.test(typed) ? Number(typed) : -1;
}

/** The choice of how often a key may be shared on; nothing where it may not be at all. */
export function depthField(mostDepth: number, chosen: number, wrong: Problems): Html | null {
  if (mostDepth < 1) return null;
  const choices = Array.from({ length: mostDepth + 1 }, (_, depth) => ({
    value: String(depth),
    label: depthWords(depth),
  }));
  const value = String(chosen);
  return select({ name: 'depth', label: 'May they share it on?', choices, value, problem: wrong.depth });
}

/** How often a key may be shared on, one after the other. */
export function depthWords(depth: number): string {
  if (depth === 0) return 'No';
  return depth === 1 ? 'Yes, with people who cannot share it on' : `Yes, ${depth} times one after the other`;
}

/** What stands beside a field that the use case refused. A problem of addresses names them, where they are known. */
const limitProblems: Readonly<Record<ShareProblem, Problems>> = {
  'bad-address': { to: 'This is no mail address.' },
  'bad-window': { until: 'The end has to lie in the future, and behind the beginning.' },
  'bad-uses': { uses: `A number from 1 to ${maxUsesAllowed}, please. A key that was shared on cannot have one.` },
  'bad-depth': { depth: 'This key cannot be shared on that often.' },
  'words-too-long': { words: `At most ${maxWordsLength} characters, please.` },
};

export function limitProblem(problem: ShareProblem): Problems {
  return limitProblems[problem];
}

export const noMailWords = 'No mail can be sent from here, so no key can be shared.';
