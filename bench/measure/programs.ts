// Finds installed programs and asks them for their version. No process that it starts goes on running.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @returns absolute path of a program, which is also searched in folders of servers outside PATH; null when it is missing */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // the program is not in this folder
    }
  }
  return null;
}

/** @returns the first version number in a program's output; `unknown` when there is none */
export function readVersion(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
  return /[0-9]+(\.[0-9]+)+/.exec(`${result.stdout ?? ''}${result.stderr ?? ''}`)?.[0] ?? 'unknown';
}
