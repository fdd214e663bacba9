// Runs a program to its end and keeps what it printed, for tests that look at commands from the outside.
// It never throws for a bad exit code: the code is what most of these tests ask about.

import { type SpawnOptions, spawn } from 'node:child_process';

export interface CommandResult {
  /** Exit code; 128 and more when a signal ended the program, as shells say it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `file` with `args` and waits until its streams are closed. Rejects only when it cannot be started. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'> = {},
): Promise<CommandResult> {
  const child = spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 128, stdout, stderr }));
  });
}
