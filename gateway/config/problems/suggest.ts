// Finds the word that a mistyped one was meant to be.
// Optimal string alignment distance (a swap of neighbours counts once), for short words only.

/**
 * The nearest of `known` to `word`, when it is near enough to be a typing mistake.
 *
 * @returns the known word, or undefined when none is within a third of the word's length (at least one change, at most three)
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const folded = word.toLowerCase().replaceAll('-', '_');
  const limit = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of known) {
    const distance = editDistance(folded, candidate.toLowerCase().replaceAll('-', '_'));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The hint for a word outside a closed list: `did you mean "token"?`, else the list itself. */
export function suggestionHint(word: string, known: readonly string[]): string {
  const near = suggest(word, known);
  return near === undefined ? `one of ${known.join(', ')}` : `did you mean "${near}"?`;
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
