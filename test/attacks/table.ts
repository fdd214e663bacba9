// The table of rows and results: per family for a test run, row by row in a file, and on the screen when it is asked for.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One row's results. */
interface TableRow {
  readonly id: string;
  readonly family: string;
  readonly isVariant: boolean;
  /** Per way, or per peer: whether it held; null when it was not looked at. */
  readonly results: readonly (readonly [name: string, held: boolean | null])[];
}

const folder = join(import.meta.dirname, '../../bench/out');

/**
 * Prints the families and writes every row to `bench/out/attacks-NAME.txt`. With `LATCHKEY_ATTACKS=whole` (that is
 * `npm run attacks`) every row is printed as well.
 */
export function printTable(name: string, rows: readonly TableRow[]): void {
  const whole = wholeTable(rows);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `attacks-${name}.txt`);
  writeFileSync(file, whole);
  if (process.env.LATCHKEY_ATTACKS === 'whole') console.log(whole);
  console.log(`${familyTable(name, rows)}\nevery row: bench/out/attacks-${name}.txt (npm run attacks prints it)`);
}

/** One line a row. */
function wholeTable(rows: readonly TableRow[]): string {
  const widest = Math.max(...rows.map(({ id }) => id.length));
  return `${rows.map((row) => `${row.id.padEnd(widest)}  ${row.results.map(shown).join('  ')}`).join('\n')}\n`;
}

/** One line a family: rows, one-byte variants, and how many held in each way. */
function familyTable(name: string, rows: readonly TableRow[]): string {
  const families = [...new Set(rows.map(({ family }) => family))];
  const columns = [...new Set(rows.flatMap(({ results }) => results.map(([column]) => column)))];
  const lines = [...families, null].map((family) => {
    const own = family === null ? rows : rows.filter((row) => row.family === family);
    const cells = columns.map((column) => count(own, column).padStart(Math.max(column.length, 9)));
    const variants = own.filter(({ isVariant }) => isVariant).length;
    const counts = `${String(own.length - variants).padStart(4)} ${String(variants).padStart(8)}`;
    return `${(family ?? 'all').padEnd(20)} ${counts}  ${cells.join('  ')}`;
  });
  const head = `${`attacks: ${name}`.padEnd(20)} rows variants  ${columns.map((column) => column.padStart(9)).join('  ')}`;
  return [head, ...lines].join('\n');
}

function count(rows: readonly TableRow[], column: string): string {
  const looked = rows.flatMap(({ results }) => results.filter(([name, held]) => name === column && held !== null));
  return `${looked.filter(([, held]) => held).length}/${looked.length}`;
}

function shown([name, held]: readonly [string, boolean | null]): string {
  return `${name} ${held === null ? '-' : held ? 'held' : 'FAILED'}`;
}
