// The internal roles of the program: the supervisor starts the same entry file again, with one of these words as its argument.
// The roles are no commands: they do nothing without a supervisor on the other end of the IPC channel.

import { fileURLToPath } from 'node:url';

/** First argument of the control process. */
export const controlRole = '__control';
/** First argument of an edge process. */
export const edgeRole = '__edge';

/** The entry file: main.ts beside the sources, main.js in the built package. */
export const entryFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../main.ts' : '../../main.js', import.meta.url),
);

/**
 * Runs an internal role when the arguments name one.
 *
 * @param argv  arguments after the program's name
 * @returns true when a role was taken and no command must run
 */
export function runInternalRole(argv: readonly string[]): boolean {
  const [role] = argv;
  if (role !== controlRole && role !== edgeRole) return false;
  if (process.send === undefined) {
    process.stderr.write(`${role} is started by latchkey serve, not by hand\n`);
    process.exitCode = 1;
    return true;
  }
  // loaded on demand: an edge does not need control's modules, and should not spend memory on them
  if (role === controlRole) void import('./control-process.ts').then((module) => module.runControlProcess());
  else void import('./edge-process.ts').then((module) => module.runEdgeProcess());
  return true;
}
