// How commands print: results on stdout, warnings, notes and errors on stderr, colours on a terminal only.
// Nearly all output of the commands goes through these functions, so that `--json` and colours work everywhere alike.

import { styleText } from 'node:util';
import { formatProblem } from '../../config/problems/format.ts';
import type { Problem } from '../../config/problems/problem.ts';
import type { CommandError } from './command-error.ts';

type Style = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** Prints a result: as one JSON document for scripts, else as text for people. */
export function printResult(options: { readonly json?: boolean | undefined }, value: unknown, text: string): void {
  process.stdout.write(options.json === true ? `${JSON.stringify(value, null, 2)}\n` : `${text}\n`);
}

/** Text in a style, if stdout is a terminal and NO_COLOR is not set. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** `warning: …` on stderr. */
export function printWarning(problem: Problem): void {
  process.stderr.write(`${styleText('yellow', 'warning:', { stream: process.stderr })} ${formatProblem(problem)}\n`);
}

/** A line on stderr beside the result, such as "made a key". */
export function printNote(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `error: …` and `hint: …` on stderr. */
export function printError(error: CommandError): void {
  const stream = { stream: process.stderr };
  process.stderr.write(`${styleText('red', 'error:', stream)} ${error.message}\n`);
  if (error.hint !== undefined) process.stderr.write(`${styleText('dim', 'hint:', stream)} ${error.hint}\n`);
}

/** A table as text: each column is padded to its widest cell. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
