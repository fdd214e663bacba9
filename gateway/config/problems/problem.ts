// What is wrong with a configuration: where, what, and what to do about it.
// Shapes and path texts only; how a terminal shows them is format.ts.

/** One finding in a configuration file. */
export interface Problem {
  /** Place in the file, e.g. `routes[3].accept[0]`; `line 3, column 5` for broken YAML; empty for the file as a whole. */
  readonly path: string;
  /** Lower case, no full stop, never the value of a secret. */
  readonly problem: string;
  /** What the reader can do. */
  readonly hint?: string;
}

/** Steps from the document's root: keys and list positions. */
export type ProblemPath = readonly (string | number)[];

/** `['routes', 3, 'accept', 0]` as `routes[3].accept[0]`; keys that are no plain words stand quoted in brackets. */
export function pathText(path: ProblemPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** Builds a Problem; leaves `hint` out when there is none. */
export function problemAt(path: ProblemPath, problem: string, hint?: string): Problem {
  return hint === undefined ? { path: pathText(path), problem } : { path: pathText(path), problem, hint };
}
