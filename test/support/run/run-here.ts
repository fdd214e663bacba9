// Runs a command line in the test's own process, for the many cases that ask what a command prints and how it ends.
// Everything that a command can see is as in a process of its own: arguments, outputs, input, folder, environment. That the
// program itself does what this does is tested with run-latchkey.ts, once for each command.

import { Readable } from 'node:stream';
import { vi } from 'vitest';
import { runProgram } from '../../../gateway/cli/program.ts';
import { childEnvironment } from './child-environment.ts';
import type { CommandResult } from './run-command.ts';

/**
 * Runs one command line to its end. One at a time: outputs belong to the process.
 *
 * @param options.stdin  what it reads; nothing by default
 */
export async function runHere(
  args: readonly string[],
  options: { readonly cwd?: string; readonly stdin?: string } = {},
): Promise<CommandResult> {
  let stdout = '';
  let stderr = '';
  const { env } = process;
  const folder = process.cwd();
  const listeners = process.stdout.listeners('error');
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += text;
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += text;
      return true;
    }),
    vi
      .spyOn(process, 'stdin', 'get')
      .mockReturnValue(Readable.from([Buffer.from(options.stdin ?? '')]) as typeof process.stdin),
  ];
  process.env = { ...childEnvironment() };
  if (options.cwd !== undefined) process.chdir(options.cwd);
  try {
    const code = await runProgram(args);
    return { code, stdout, stderr };
  } finally {
    process.chdir(folder);
    process.env = env;
    for (const spy of spies) spy.mockRestore();
    for (const listener of process.stdout.listeners('error')) {
      if (!listeners.includes(listener)) process.stdout.off('error', listener as () => void);
    }
  }
}
