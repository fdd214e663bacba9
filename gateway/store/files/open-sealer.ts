// Finds the master key of a store: a given key, or the key's file in the data folder, which is made on the first run only.
// The store keeps a text that was sealed with its key, so a wrong key is found at the start and not at the first row that fails.
// No key is made once something is sealed: that would hide the loss of the old key. Rules: gateway/RULES.md "Keys".

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
  /** The key of `master_key_file` or of the environment, with its name for messages. It is used in place of the file. */
  readonly given?: { readonly key: Uint8Array; readonly name: string };
  /** `refuse` for commands that only read. Default `make`. */
  readonly missing?: 'make' | 'refuse';
}

type OpenedSealer =
  | {
      readonly kind: 'opened';
      readonly sealer: Sealer;
      /** Path of the file when it was made just now, since the operator has to be told; otherwise null. */
      readonly made: string | null;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

const markName = 'master_key';
const markPlace: SealedPlace = { table: 'store_marks', row: markName, column: 'value' };

/** Finds the key, checks it against the store's mark, and makes the sealer. @throws StoreAway */
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
  // of two nodes that start for the first time at once, one writes the mark, and both compare their key with it
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
