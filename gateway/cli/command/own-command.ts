// The command as the reader started it, so that a printed command can be copied as it stands.

import { relative } from 'node:path';
import { readEnvironment } from '../../config/files/environment.ts';

/** `latchkey` where the program is installed, `node gateway/latchkey.mjs` where a file of it was started. */
export function ownCommand(): string {
  const started = process.argv[1] ?? '';
  if (readEnvironment('npm_lifecycle_event') === 'latchkey') return 'npm run -s latchkey --';
  if (!/\.(mjs|js|ts)$/.test(started)) return 'latchkey';
  return `node ${quoted(relative(process.cwd(), started))}`;
}

/** A word as a shell takes it for one word. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
