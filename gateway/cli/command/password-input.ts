// Reads a password from a terminal without showing it, or from stdin.
// The password is never printed and never kept.

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { secretOddities } from '../../config/problems/secret-form.ts';
import { CommandError, usageError } from './command-error.ts';
import { printNote } from './terminal.ts';

/** Reads a password: all of stdin less one final newline. Warns about odd characters. @throws CommandError when stdin is not UTF-8 */
export async function readPasswordFromStdin(): Promise<string> {
  const bytes = await buffer(process.stdin);
  for (const { problem, hint } of secretOddities(bytes, 'one-newline-dropped')) {
    printNote(`warning: the password on stdin ${problem} (hint: ${hint})`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch {
    throw new CommandError('the password on stdin is not UTF-8');
  }
}

/** Asks for a new password twice on the terminal, without echo. @throws CommandError without a terminal, or when both differ */
export async function askPassword(name: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw usageError('no terminal to ask for the password on', 'pipe it in with --password-stdin');
  }
  // Readline edits the line but writes its echo here, into nothing. It holds the terminal from before the first prompt until the last
  // answer, so that the terminal itself does not echo keys that are typed early.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  try {
    const answers = lines[Symbol.asyncIterator]();
    const interrupted = new Promise<never>((_, refuse) => {
      lines.once('SIGINT', () => refuse(new CommandError('interrupted')));
    });
    const ask = async (prompt: string) => {
      process.stderr.write(prompt);
      const answer = await Promise.race([answers.next(), interrupted]).finally(() => process.stderr.write('\n'));
      if (answer.done === true) throw new CommandError('no password given');
      return answer.value;
    };
    const password = await ask(`password for ${name}: `);
    if ((await ask('once more: ')) === password) return password;
    throw new CommandError('the two passwords differ', { hint: 'try again' });
  } finally {
    lines.close();
  }
}
