// Which user records, of the users file, this node acted on last: `<data_dir>/credentials.json`, ids and versions and nothing secret.
// It is beside the store and not in it, since each node of a shared store has a users file of its own. Without it, whoever was
// taken out of the file while nothing ran would keep what was given before.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode, replaceFile } from '../disk/atomic-file.ts';

/** Credential ids, and the version of each. */
export type UserRecordVersions = ReadonlyMap<string, number>;

/** Kept between one start and the next. */
export interface UserRecordMemory {
  /** null: nothing was kept. `refused`: it cannot be read, and what was kept is not known. */
  read(): UserRecordVersions | null | { readonly kind: 'refused'; readonly problem: string };
  /** @throws a system error when it cannot be written; what was there before stays */
  write(versions: UserRecordVersions): void;
}

const shape = z.strictObject({ version: z.literal(1), credentials: z.record(z.string(), z.int()) });

/** @param dataDir  absolute path of the data folder */
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
