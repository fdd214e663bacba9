// Finds installed programs and asks them for their version. Starts nothing that stays.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Absolute path of a program, also looked for where servers are installed outside a user's PATH; null when missing. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** The first version number in what a program prints when asked; `unknown` when it prints none. */
export function readVersion(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return /[0-9]+(\.[0-9]+)+/.exec(`${result.stdout ?? ''}${result.stderr ?? ''}`)?.[0] ?? 'unknown';
}
