// Medians and percentiles of what was measured. Pure.

/** The middle value, or the mean of the two in the middle; null for an empty list. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const high = sorted[sorted.length >> 1];
  const low = sorted[(sorted.length - 1) >> 1];
  if (high === undefined || low === undefined) return null;
  return (low + high) / 2;
}

/** The smallest value that at least `share` (0 to 1) of a sorted list does not exceed (nearest rank); null when empty. */
export function percentile(sorted: ArrayLike<number>, share: number): number | null {
  if (sorted.length === 0) return null;
  const rank = Math.max(1, Math.ceil(share * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] ?? null;
}

/** Largest distance of a value from the median, as a share of it; null when there are fewer than two values. */
export function spread(values: readonly number[]): number | null {
  const middle = median(values);
  if (middle === null || middle === 0 || values.length < 2) return null;
  return Math.max(...values.map((value) => Math.abs(value - middle))) / middle;
}
