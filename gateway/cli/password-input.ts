// Takes a password from a terminal without showing it, or from stdin.
// Never prints it, never keeps it.

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CommandError, usageError } from './command-error.ts';

/** Everything on stdin, one final newline dropped. @throws CommandError when it is not UTF-8 */
export async function readPasswordFromStdin(): Promise<string> {
  const bytes = await buffer(process.stdin);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw new CommandError('the password on stdin is not UTF-8');
  }
}

/** Asks twice on the terminal, without echo. @throws CommandError without a terminal, or when both differ */
export async function askPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY)
    throw usageError('no terminal to ask for the password on', 'pipe it in with --password-stdin');
  const password = await askHidden(`password for ${name}: `);
  if ((await askHidden('once more: ')) !== password)
    throw new CommandError('the two passwords differ', { hint: 'try again' });
  return password;
}

async function askHidden(prompt: string): Promise<string> {
  process.stderr.write(prompt);
  // Readline edits the line but writes its echo here, into nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await new Promise<string>((answered, refused) => {
      lines.once('line', answered);
      lines.once('SIGINT', () => refused(new CommandError('interrupted')));
      lines.once('close', () => refused(new CommandError('no password given')));
    });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
