// Tests whether two samples of times come from one distribution: Welch's t for means, Mann-Whitney's U for ranks. Both are read as z by
// the normal approximation, which is good from about 100 values a side. Ranks show a difference that a few slow answers hide in the
// means. Pure.

/** How two samples differ. Differences are in the unit of the samples. */
export interface Comparison {
  /** Difference of the means, first minus second. */
  readonly meanDifference: number;
  /** Difference of the medians, first minus second. */
  readonly medianDifference: number;
  /** Welch's t. */
  readonly welch: number;
  /** z of Mann-Whitney's U, ties corrected. */
  readonly rank: number;
}

/** Compares two samples of at least two values each. */
export function compare(first: readonly number[], second: readonly number[]): Comparison {
  return {
    meanDifference: mean(first) - mean(second),
    medianDifference: median(first) - median(second),
    welch: welchT(first, second),
    rank: rankZ(first, second),
  };
}

/** Welch's t: positive when the first is larger. */
export function welchT(first: readonly number[], second: readonly number[]): number {
  const spread = variance(first) / first.length + variance(second) / second.length;
  return spread === 0 ? 0 : (mean(first) - mean(second)) / Math.sqrt(spread);
}

/** z of Mann-Whitney's U: positive when the first is larger. */
export function rankZ(first: readonly number[], second: readonly number[]): number {
  const all = [
    ...first.map((value) => ({ value, isFirst: true })),
    ...second.map((value) => ({ value, isFirst: false })),
  ].sort((one, other) => one.value - other.value);
  let rankSum = 0;
  let ties = 0;
  for (let from = 0; from < all.length; ) {
    let to = from;
    while (to < all.length && all[to]?.value === all[from]?.value) to += 1;
    // equal values share the mean of the ranks `from + 1` to `to`
    const rank = (from + 1 + to) / 2;
    for (let at = from; at < to; at++) if (all[at]?.isFirst === true) rankSum += rank;
    ties += (to - from) ** 3 - (to - from);
    from = to;
  }
  const [m, n] = [first.length, second.length];
  const u = rankSum - (m * (m + 1)) / 2;
  const total = m + n;
  const deviation = Math.sqrt(((m * n) / 12) * (total + 1 - ties / (total * (total - 1))));
  return deviation === 0 ? 0 : (u - (m * n) / 2) / deviation;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
