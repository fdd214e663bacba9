// What is measured of one proxy in one round, and how rounds become the figures of a table row. Pure.

import { type BodySize, bodyBytes } from '../workload/bodies.ts';
import type { LoadResult } from './load.ts';
import { median, spread } from './statistics.ts';

/** Null: not measured here (no /proc, not this proxy's row, or the rate was not held). */
export interface Figures {
  readonly cpuPerRequestUs: number | null;
  readonly requestsPerSecond: number | null;
  /** How much of its core the proxy used at saturation, 0 to 1: well below 1 the load's core was the limit. */
  readonly busyShare: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Requests per second that it completed when asked for the fixed rate. */
  readonly heldRate: number | null;
  readonly cpuPerMiBUs: number | null;
  /** The same with bodies of 64 KiB. */
  readonly cpuPerMiBSmallUs: number | null;
  /** Sum over the process tree, bytes. */
  readonly peakMemoryBytes: number | null;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly checks: boolean;
  /** Null: valid. Else why no figure of this proxy counts. */
  readonly problem: string | null;
  readonly median: Figures;
  /** Largest distance from the median CPU per request in any round, as a share; null with one round. */
  readonly spread: number | null;
  readonly rounds: readonly Figures[];
}

const mebibyte = 1_048_576;

/** CPU per MiB of body that a window of whole bodies moved. */
export function perMebibyte(cpuUs: number | null, completed: number, size: BodySize): number | null {
  return cpuUs === null || completed === 0 ? null : cpuUs / ((completed * bodyBytes[size]) / mebibyte);
}

/** Null when every answer of a window was right; else what was wrong. */
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

/** How far CPU per request lay apart in the rounds. */
export function spreadOf(rounds: readonly Figures[]): number | null {
  return spread(rounds.map((round) => round.cpuPerRequestUs).filter((value) => value !== null));
}
