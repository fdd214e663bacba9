// Reads the content keys that YAML declares. Only YAML changes them: latchkey makes, promotes and retires no content key beside them.
// Keys that latchkey made itself are in the store, see control/signing-keys/ring-in-force.ts.

import type { Config } from '../../config/compiled/config.ts';
import { readKeyFile } from '../../config/files/secrets.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';

type DeclaredKeys =
  /** Empty when YAML declares no content key. */
  | { readonly kind: 'loaded'; readonly keys: readonly SigningKey[] }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** Reads the declared keys; their files are read anew at each call. */
export function loadDeclaredKeys({ commonKeys }: Pick<Config, 'commonKeys'>): DeclaredKeys {
  const keys: SigningKey[] = [];
  for (const { id, secretFile, state } of commonKeys) {
    const read = readKeyFile(secretFile);
    if (read.kind === 'refused') {
      return { kind: 'refused', problem: `common key ${id}: ${read.problem}`, hint: read.hint };
    }
    keys.push({ id, algorithm: 'HS256', purpose: 'content', state, secret: read.secret });
  }
  return { kind: 'loaded', keys };
}
