// How the differential tests say that two parsers, or two readings of one parser, differ.

import { isDeepStrictEqual } from 'node:util';

/** Two readings of the same bytes differ. */
export class Disagreement extends Error {}

/** @throws Disagreement when they are not deeply equal */
export function same(what: string, ours: unknown, theirs: unknown): void {
  if (isDeepStrictEqual(ours, theirs)) return;
  throw new Disagreement(`${what}: ours ${print(ours)}, theirs ${print(theirs)}`);
}

function print(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 2000 ? `${text.slice(0, 2000)}… (${text.length} characters)` : text;
}
