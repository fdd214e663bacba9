// The form of a backup: lines of JSON, the same for both engines, so that a backup of one engine restores into the other.
// First a head, then for each table its name in a list and its rows as objects, last the digest of all lines before it.
// The digest finds damage, not forgery: anyone who can write the file can also write its digest.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { errorCode } from '../disk/atomic-file.ts';

/** The first line of a backup. */
export interface BackupHead {
  readonly format: 'latchkey-backup';
  readonly version: 1;
  /** Version of the tables; see engine/migrations.ts. */
  readonly migration: number;
  /** The engine that the backup was made from. */
  readonly engine: 'sqlite' | 'postgres';
  /** When it was made, in epoch seconds. */
  readonly at: number;
  /** Where the log ended. */
  readonly epoch: string;
  readonly seq: number;
}

/** A row as it stands in the file. NOT checked: the tables check their columns and types. */
export type BackupRow = Readonly<Record<string, string | number | null>>;

type BackupLine =
  | { readonly kind: 'head'; readonly head: BackupHead }
  | { readonly kind: 'table'; readonly table: string }
  | { readonly kind: 'row'; readonly table: string; readonly row: BackupRow }
  | { readonly kind: 'end'; readonly rows: number };

/** The file is no backup, is incomplete, or was changed since it was written. */
export class BackupDamaged extends Error {}

const headSchema = z.strictObject({
  format: z.literal('latchkey-backup'),
  version: z.literal(1),
  migration: z.int().positive(),
  engine: z.enum(['sqlite', 'postgres']),
  at: z.int(),
  epoch: z.string(),
  seq: z.int().nonnegative(),
});
const tableSchema = z.tuple([z.string()]);
const rowSchema = z.record(z.string(), z.union([z.string(), z.number(), z.null()]));
const endSchema = z.strictObject({ end: z.literal(true), rows: z.int(), sha256: z.string() });

/** Makes the file's text out of head and rows, piece by piece, and counts what it made. */
export async function* writeBackupLines(
  head: BackupHead,
  tables: AsyncIterable<{ readonly table: string; readonly rows: readonly BackupRow[] }>,
  count: { rows: number },
): AsyncIterable<string> {
  const hash = createHash('sha256');
  const piece = (text: string): string => {
    hash.update(text);
    return text;
  };
  yield piece(`${JSON.stringify(head)}\n`);
  let current: string | null = null;
  for await (const { table, rows } of tables) {
    if (table !== current) yield piece(`${JSON.stringify([table])}\n`);
    current = table;
    count.rows += rows.length;
    if (rows.length > 0) yield piece(`${rows.map(toLine).join('\n')}\n`);
  }
  yield `${JSON.stringify({ end: true, rows: count.rows, sha256: hash.digest('base64url') })}\n`;
}

/**
 * Reads a backup line by line. Only after the last line is it known that the backup is whole: the caller may keep nothing before.
 *
 * @throws BackupDamaged
 */
export async function* readBackupLines(file: string): AsyncIterable<BackupLine> {
  const input = createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 });
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  const failed = new Promise<never>((_, reject) => {
    input.once('error', (error) => reject(new BackupDamaged(`it cannot be read: ${errorCode(error)}`)));
  });
  failed.catch(() => {});
  const iterator = lines[Symbol.asyncIterator]();
  const hash = createHash('sha256');
  let table: string | null = null;
  let number = 0;
  let rows = 0;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), failed]);
      if (next.done === true) throw new BackupDamaged('its end is missing');
      number += 1;
      const value = parseLine(next.value, number);
      if (number === 1) {
        const head = headSchema.safeParse(value);
        if (!head.success) throw new BackupDamaged('it is no backup of latchkey, or one of another version');
        yield { kind: 'head', head: head.data };
      } else if (Array.isArray(value)) {
        const named = tableSchema.safeParse(value);
        if (!named.success) throw new BackupDamaged(`line ${number} is none of a backup`);
        table = named.data[0];
        yield { kind: 'table', table };
      } else {
        const end = endSchema.safeParse(value);
        if (end.success) {
          if (end.data.sha256 !== hash.digest('base64url') || end.data.rows !== rows) {
            throw new BackupDamaged('its digest does not match: it is not as it was written');
          }
          if ((await iterator.next()).done !== true) throw new BackupDamaged('something stands behind its end');
          yield { kind: 'end', rows };
          return;
        }
        const row = rowSchema.safeParse(value);
        if (!row.success || table === null) throw new BackupDamaged(`line ${number} is none of a backup`);
        rows += 1;
        yield { kind: 'row', table, row: row.data };
      }
      hash.update(`${next.value}\n`);
    }
  } finally {
    lines.close();
    input.destroy();
  }
}

/** JSON leaves U+2028 and U+2029 as they are, and node:readline ends a line at them: both are escaped. */
function toLine(row: BackupRow): string {
  return JSON.stringify(row).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new BackupDamaged(`line ${number} is no JSON`);
  }
}
