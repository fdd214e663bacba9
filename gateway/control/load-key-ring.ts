// Brings the content keys together: those that YAML declares, else the ones that latchkey made itself in data_dir.
// Keys that YAML declares are YAML's alone: nothing is made, promoted or retired beside them.

import type { Config } from '../config/config.ts';
import { readKeyFile } from '../config/secrets.ts';
import type { KeyRecord } from '../core/model/key.ts';
import { type KeyOptions, loadKeyFile } from '../store/key-file.ts';

export type LoadedKeyRing =
  | {
      readonly kind: 'loaded';
      readonly keys: readonly KeyRecord[];
      /** A key was made just now, in `file`. */
      readonly generated: boolean;
      /** The keys.json they come from; null when YAML owns them. */
      readonly file: string | null;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** Loads the keys a configuration stands for. Reads their files anew each time; makes keys.json on the first run. */
export function loadKeyRing(config: Pick<Config, 'commonKeys' | 'dataDir'>, options: KeyOptions = {}): LoadedKeyRing {
  if (config.commonKeys.length === 0) return loadKeyFile(config.dataDir, options);
  const keys: KeyRecord[] = [];
  for (const { id, secretFile, state } of config.commonKeys) {
    const read = readKeyFile(secretFile);
    if (read.kind === 'refused') {
      return { kind: 'refused', problem: `common key ${id}: ${read.problem}`, hint: read.hint };
    }
    keys.push({ id, algorithm: 'HS256', purpose: 'content', state, secret: read.secret });
  }
  return { kind: 'loaded', keys, generated: false, file: null };
}
