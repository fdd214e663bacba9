// Keeps which records of the users file this node saw last, in `<data_dir>/credentials.json`: ids and versions, nothing secret.
// The file stands beside the store and not in it, since each node of a shared store has a users file of its own. Without it, a user
// who was removed from the users file while latchkey was stopped would keep passes that were given before.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, replaceFile } from '../disk/atomic-file.ts';

/** Credential ids, and the version of each. */
export type UserRecordVersions = ReadonlyMap<string, number>;

/** Kept between one start and the next. */
export interface UserRecordMemory {
  /** null: no file was written yet. `refused`: the file cannot be read, so the last versions are unknown. */
  read(): UserRecordVersions | null | { readonly kind: 'refused'; readonly problem: string };
  /** @throws a system error when the file cannot be written; the old file stays */
  write(versions: UserRecordVersions): void;
}

const shape = z.strictObject({ version: z.literal(1), credentials: z.record(z.string(), z.int()) });

/** The memory of one data folder. @param dataDir  its absolute path */
export function userRecordMemoryIn(dataDir: string): UserRecordMemory {
  const file = join(dataDir, 'credentials.json');
  return {
    read() {
      try {
        return new Map(Object.entries(shape.parse(JSON.parse(readFileSync(file, 'utf8'))).credentials));
      } catch (error) {
        const code = errorCode(error);
        if (code === 'ENOENT') return null;
        return { kind: 'refused', problem: `${file} ${code === 'unknown error' ? 'is damaged' : `gave ${code}`}` };
      }
    },
    write(versions) {
      replaceFile(file, `${JSON.stringify({ version: 1, credentials: Object.fromEntries(versions) })}\n`);
    },
  };
}
