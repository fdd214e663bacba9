// The internal roles of the one program: the supervisor starts the same entry file again under these words.
// They are no commands: they do nothing without a supervisor on the other end of the IPC channel.

import { fileURLToPath } from 'node:url';

export const controlRole = '__control';
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
  // Loaded on demand: an edge has no use for control's modules, and no memory to spare for them.
  if (role === controlRole) void import('./control-process.ts').then((module) => module.runControlProcess());
  else void import('./edge-process.ts').then((module) => module.runEdgeProcess());
  return true;
}
