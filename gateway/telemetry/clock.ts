// The one place that reads clocks, so that every other room takes the time as an argument or from here.
// Wall-clock time is for tokens and log lines; `monotonicMs` is for deadlines and ages, because wall clocks jump.

import type { EpochSeconds } from '../core/model/time.ts';

/** Wall-clock time in whole seconds. */
export function epochSeconds(): EpochSeconds {
  return Math.floor(Date.now() / 1000);
}

/** Wall-clock time in milliseconds. */
export function epochMilliseconds(): number {
  return Date.now();
}

/** Milliseconds since some point in this process's past; never goes back. Only differences mean something. */
export function monotonicMs(): number {
  return performance.now();
}

/** Milliseconds by the machine's monotonic clock: every process on it reads the same one. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** `2026-01-31T08:15:30.123Z` for a time in epoch milliseconds. */
export function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
