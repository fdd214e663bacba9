// The bench's clock and its only timers for waiting. Load windows are timed by the load generators themselves.

/** Whole seconds since 1970. */
export function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Milliseconds of a clock that never goes back. */
export function monotonicMs(): number {
  return performance.now();
}

/** The date as `2026-01-31`, in UTC. */
export function isoDate(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Resolves after about `milliseconds`. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
