// Runs `latchkey …` as a program of its own, as a shell would, and keeps what it printed.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { childEnvironment } from './child-environment.ts';
import type { CommandResult } from './run-command.ts';

const main = join(import.meta.dirname, '../../../gateway/main.ts');

/**
 * Runs one command line to its end.
 *
 * @param options.stdin  what it reads; nothing by default
 */
export function runLatchkey(
  args: readonly string[],
  options: { readonly cwd?: string; readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: childEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that reads nothing may be gone before this is written.
  child.stdin.on('error', () => undefined).end(options.stdin ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
}
