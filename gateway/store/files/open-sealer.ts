// Finds the master key for a store: the given one, or the file in the data folder, which is made on the first run only.
// A store remembers a text sealed with its key, so a wrong key is told at the start and not at the first row that fails.
// Never makes a key when something is sealed already: that would hide the loss of the old one. Rules: gateway/RULES.md "Keys".

import { join } from 'node:path';
import type { Store } from '../port/store.ts';
import { countSealed } from '../rows/sealed-columns.ts';
import { readMark, writeMarkOnce } from '../rows/store-marks.ts';
import { makeMasterKey, readMasterKey } from '../seal/master-key.ts';
import { makeSealer, SealBroken, type SealedPlace, type Sealer } from '../seal/sealing.ts';

interface SealerOptions {
  readonly store: Pick<Store, 'sql' | 'write'>;
  /** Absolute path; the key's file there is `master.key`. */
  readonly dataDir: string;
  /** The key of `master_key_file` or of the environment, and what to call it in messages; it goes before the file. */
  readonly given?: { readonly key: Uint8Array; readonly name: string };
  /** `refuse` for commands that only read. Default `make`. */
  readonly missing?: 'make' | 'refuse';
}

type OpenedSealer =
  | {
      readonly kind: 'opened';
      readonly sealer: Sealer;
      /** The file that was made just now; the operator has to hear of it. */
      readonly made: string | null;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

const markName = 'master_key';
const markPlace: SealedPlace = { table: 'store_marks', row: markName, column: 'value' };

/** @throws StoreAway */
export async function openSealer({ store, dataDir, given, missing = 'make' }: SealerOptions): Promise<OpenedSealer> {
  const file = join(dataDir, 'master.key');
  const name = given?.name ?? file;
  const mark = await readMark(store.sql, markName);
  let key = given?.key;
  let made: string | null = null;
  if (key === undefined) {
    let read = readMasterKey(file);
    if (read.kind === 'missing') {
      const sealed = await countSealed(store.sql);
      if (mark !== null || sealed > 0) {
        return refused(
          `${file} does not exist, and the store holds ${sealed} sealed rows that only its key opens`,
          'bring the file back, or copy it from another node; it is never made anew while something is sealed',
        );
      }
      if (missing === 'refuse') return refused(`${file} does not exist`, 'start latchkey once: that makes it');
      read = makeMasterKey(file);
      made = file;
    }
    if (read.kind === 'missing')
      return refused(`${file} vanished while it was made`, 'see who else writes to data_dir');
    if (read.kind === 'refused') return read;
    key = read.key;
  }
  const sealer = makeSealer(key);
  // of two first starts at once one writes it, and both are measured by that one
  const known =
    mark ?? (await store.write((unit) => writeMarkOnce(unit.sql, markName, sealer.seal(markPlace, 'latchkey')))).value;
  try {
    sealer.open(markPlace, known);
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    return refused(
      `the master key of ${name} is not the one that this store was sealed with`,
      'use the key of the first start: all nodes of one store share it, and a restored store needs the old one',
    );
  }
  return { kind: 'opened', sealer, made };
}

function refused(problem: string, hint: string): OpenedSealer {
  return { kind: 'refused', problem, hint };
}
