// The results of a cross-talk run, as numbers that can be added up over processes, and the verdict on them.
// Pure.

import { type FaultAct, faultActs } from './protocol.ts';

/** Counts of one client, or of all of them. */
export interface Tally {
  /** Sent, whatever came of them. */
  requests: number;
  /** Answers that were their request's own to the last byte. */
  right: number;
  /** Bytes of bodies compared, both ways. */
  bytes: number;
  /** Bytes, names or nonces that were not the request's own. Must be zero. */
  foreign: number;
  /** Answers that nothing explains. Must be zero; the first of them are in `problems`. */
  wrong: number;
  /** Requests that the client left, those behind them on the connection included. */
  left: number;
  /** Requests that an upstream's fault was asked for, answered as they should be; by fault. */
  faults: Record<FaultAct, number>;
  /** Sound requests that another's fault hit: they got a 502, 503 or 504, or the end of their connection. */
  collateral: number;
  /** Sound requests lost with the client connection behind a cut answer. */
  lost: number;
  /** What may hit others: faults, early ends and late poison that were asked for. */
  hazards: number;
  problems: string[];
}

const mostProblems = 10;

export function emptyTally(): Tally {
  const faults: Record<FaultAct, number> = { reset: 0, nothing: 0, junk: 0, early: 0 };
  return {
    requests: 0,
    right: 0,
    bytes: 0,
    foreign: 0,
    wrong: 0,
    left: 0,
    faults,
    collateral: 0,
    lost: 0,
    hazards: 0,
    problems: [],
  };
}

export function addProblem(tally: Tally, problem: string): void {
  if (tally.problems.length < mostProblems) tally.problems.push(problem);
}

/** The sum of several. */
export function sumTallies(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) {
    sum.requests += tally.requests;
    sum.right += tally.right;
    sum.bytes += tally.bytes;
    sum.foreign += tally.foreign;
    sum.wrong += tally.wrong;
    sum.left += tally.left;
    sum.collateral += tally.collateral;
    sum.lost += tally.lost;
    sum.hazards += tally.hazards;
    for (const fault of faultActs) sum.faults[fault] += tally.faults[fault];
    for (const problem of tally.problems) addProblem(sum, problem);
  }
  return sum;
}

/**
 * What speaks against a run; empty when nothing does.
 *
 * @param depth  requests at most on one upstream connection: a hazard can hit that many others
 */
export function verdictOn(tally: Tally, depth: number): string[] {
  const verdict = [...tally.problems];
  if (tally.foreign > 0) verdict.push(`${tally.foreign} foreign bytes`);
  if (tally.wrong > 0) verdict.push(`${tally.wrong} answers that nothing explains`);
  if (tally.collateral > tally.hazards * depth) {
    verdict.push(`${tally.collateral} sound requests failed, but only ${tally.hazards} faults could have hit them`);
  }
  return verdict;
}

export function describeTally(tally: Tally): string {
  const faults = faultActs.map((fault) => `${fault} ${tally.faults[fault]}`).join(', ');
  return (
    `${tally.requests} requests, ${tally.right} right, ${(tally.bytes / 2 ** 20).toFixed(0)} MiB compared, ` +
    `foreign bytes = ${tally.foreign}, wrong ${tally.wrong}, left ${tally.left}, lost ${tally.lost}, ` +
    `expected faults (${faults}), hit by others' faults ${tally.collateral}`
  );
}
