// The figures that are measured of one proxy in one round, and how rounds become a row of the table. Pure.

import { type BodySize, bodyBytes } from '../workload/bodies.ts';
import type { LoadResult } from './load.ts';
import { median, spread } from './statistics.ts';

/** The figures of one round. A figure is null when it was not measured: no /proc, not part of this visit, or the rate was not held. */
export interface Figures {
  readonly cpuPerRequestUs: number | null;
  readonly requestsPerSecond: number | null;
  /** Share of its core that the proxy used at saturation. Well below 1, the load's core was the limit. */
  readonly busyShare: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Requests per second that the proxy completed while the fixed rate was sent. */
  readonly heldRate: number | null;
  /** CPU microseconds per MiB, with bodies of 1 MiB. */
  readonly cpuPerMiBUs: number | null;
  /** CPU microseconds per MiB, with bodies of 64 KiB. */
  readonly cpuPerMiBSmallUs: number | null;
  /** Sum over the proxy's process tree, in bytes. */
  readonly peakMemoryBytes: number | null;
}

/** One proxy's row of the table. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly checks: boolean;
  /** Why no figure of this proxy counts; null when the row is valid. */
  readonly problem: string | null;
  readonly median: Figures;
  /** Largest distance from the median CPU per request in any round, as a share; null with one round. */
  readonly spread: number | null;
  readonly rounds: readonly Figures[];
}

const mebibyte = 1_048_576;

/** CPU microseconds per MiB of body. @param completed  number of whole bodies that the window moved */
export function perMebibyte(cpuUs: number | null, completed: number, size: BodySize): number | null {
  return cpuUs === null || completed === 0 ? null : cpuUs / ((completed * bodyBytes[size]) / mebibyte);
}

/** Judges the answers of a window. @returns what was wrong; null when every answer was right */
export function judgeWindow(result: LoadResult, size: BodySize): string | null {
  if (result.completed === 0) return 'no request was answered';
  if (result.refused > 0) return `${result.refused} of ${result.completed} answers were not 2xx`;
  if (result.broken > 0) return `${result.broken} connections or requests failed`;
  if (result.bytes < result.completed * bodyBytes[size]) return 'answers were shorter than their bodies';
  return null;
}

/** The median of each figure over the rounds that have it. */
export function mergeRounds(rounds: readonly Figures[]): Figures {
  const middle = (name: keyof Figures) => median(rounds.map((round) => round[name]).filter((value) => value !== null));
  return {
    cpuPerRequestUs: middle('cpuPerRequestUs'),
    requestsPerSecond: middle('requestsPerSecond'),
    busyShare: middle('busyShare'),
    p50Ms: middle('p50Ms'),
    p99Ms: middle('p99Ms'),
    heldRate: middle('heldRate'),
    cpuPerMiBUs: middle('cpuPerMiBUs'),
    cpuPerMiBSmallUs: middle('cpuPerMiBSmallUs'),
    peakMemoryBytes: middle('peakMemoryBytes'),
  };
}

/** Spread of CPU per request over the rounds, as a share of its median; null with fewer than two values. */
export function spreadOf(rounds: readonly Figures[]): number | null {
  return spread(rounds.map((round) => round.cpuPerRequestUs).filter((value) => value !== null));
}
