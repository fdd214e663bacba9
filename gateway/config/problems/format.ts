// Turns problems into the lines a person reads.
// Text only: colours are the CLI's business.

import type { Problem } from './problem.ts';

/** `routes[3].accept[0]: unknown kind "tokn" (did you mean "token"?)`; no path, no colon. */
export function formatProblem(problem: Problem): string {
  const place = problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place}${problem.problem}${hint}`;
}

/** One line a problem, in the order they stand in. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}
