// Reads the content keys that YAML declares. They are YAML's alone: nothing is made, promoted or retired beside them.
// Keys that latchkey made itself are in the store, see keys/ring-in-force.ts.

import type { Config } from '../../config/compiled/config.ts';
import { readKeyFile } from '../../config/files/secrets.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';

type DeclaredKeys =
  /** None when YAML declares none. */
  | { readonly kind: 'loaded'; readonly keys: readonly SigningKey[] }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** Reads their files anew each time. */
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
