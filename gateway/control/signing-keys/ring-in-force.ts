// The ring of keys in force: the store's, and in place of its content keys those that YAML declares, when it declares some.
// Made complete at the start: a store without an internal key gets one, and one without a content key gets the one that an
// earlier version left in keys.json, or a new one. Nodes that start at once agree, since units are serial. Rules: gateway/RULES.md "Keys".

import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { SigningKey, SigningKeyPurpose } from '../../core/model/signing-key.ts';
import { buildKeyRing, type KeyRing } from '../../core/token/key-ring.ts';
import { readKeyFile } from '../../store/files/key-file.ts';
import type { Store } from '../../store/port/store.ts';
import { insertSigningKey, listSigningKeys } from '../../store/rows/signing-keys.ts';
import { randomBase32 } from '../../store/seal/random-base32.ts';
import type { Sealer } from '../../store/seal/sealing.ts';

interface RingOptions {
  readonly store: Pick<Store, 'sql' | 'write'>;
  readonly sealer: Sealer;
  readonly dataDir: string;
  readonly random: (bytes: number) => Uint8Array;
}

/** What making the ring complete did, for the log. */
type FirstSigningKeys =
  | { readonly kind: 'complete'; readonly made: readonly string[]; readonly movedFrom: string | null }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/**
 * Makes sure that sessions can be signed, and passes when no content key is declared elsewhere.
 *
 * @param needsContent  false when YAML declares the content keys
 * @throws StoreAway
 */
export async function makeFirstSigningKeys(options: RingOptions, needsContent: boolean): Promise<FirstSigningKeys> {
  const { store, sealer, dataDir } = options;
  const file = join(dataDir, 'keys.json');
  const known = await listSigningKeys(store.sql, sealer);
  const lacks = (purpose: SigningKeyPurpose) =>
    !known.some((key) => key.purpose === purpose && key.state === 'signing');
  const wanted: SigningKey[] = [];
  let movedFrom: string | null = null;
  if (lacks('internal')) wanted.push(makeSigningKey('internal', options));
  if (needsContent && lacks('content')) {
    const old = readKeyFile(file);
    if (old.kind === 'refused') return old;
    if (old.kind === 'read') {
      wanted.push(...old.keys.filter((key) => key.purpose === 'content'));
      movedFrom = file;
    } else wanted.push(makeSigningKey('content', options));
  }
  const made: string[] = [];
  if (wanted.length > 0) {
    const { value } = await store.write(async (unit) => {
      const inserted: string[] = [];
      for (const key of wanted) {
        // another node was first: its key is as good
        if ((await insertSigningKey(unit, sealer, key)).kind === 'inserted') inserted.push(key.id);
      }
      return inserted;
    });
    made.push(...value);
  }
  // the file is no longer read, and what it holds opens everything: a name that says so
  if (movedFrom !== null) renameSync(movedFrom, `${movedFrom}.moved-to-store`);
  return { kind: 'complete', made, movedFrom };
}

/**
 * A new key that signs, from 32 random bytes, with an id of `k_` or `i_` and 8 characters. A content key is the base64url text of
 * its bytes: servers that take a secret only as text (nginx, HAProxy, a file) can share it then.
 */
export function makeSigningKey(purpose: SigningKeyPurpose, { random }: Pick<RingOptions, 'random'>): SigningKey {
  const bytes = new Uint8Array(random(32));
  return {
    id: `${purpose === 'content' ? 'k' : 'i'}_${randomBase32(8)}`,
    algorithm: 'HS256',
    purpose,
    state: 'signing',
    secret: purpose === 'content' ? new Uint8Array(Buffer.from(Buffer.from(bytes).toString('base64url'))) : bytes,
  };
}

/** The keys as they are now, and the ring made of them; read anew when the log says that keys changed. */
export class RingInForce {
  readonly #options: Pick<RingOptions, 'store' | 'sealer'>;
  #stored: readonly SigningKey[] = [];
  #declared: readonly SigningKey[] = [];
  #keys: readonly SigningKey[] = [];
  #ring: KeyRing = buildKeyRing([]);

  constructor(options: Pick<RingOptions, 'store' | 'sealer'>) {
    this.#options = options;
  }

  get keys(): readonly SigningKey[] {
    return this.#keys;
  }

  get ring(): KeyRing {
    return this.#ring;
  }

  /** Reads the store's keys again. @throws StoreAway; the keys stay as they were then */
  async reload(): Promise<void> {
    const stored = await listSigningKeys(this.#options.store.sql, this.#options.sealer);
    this.#stored = stored.map(({ id, algorithm, purpose, state, secret }) => ({
      id,
      algorithm,
      purpose,
      state,
      secret,
    }));
    this.#rebuild();
  }

  /** Takes the keys that YAML declares; none leaves the content keys to the store. */
  declare(keys: readonly SigningKey[]): void {
    this.#declared = keys;
    this.#rebuild();
  }

  #rebuild(): void {
    const stored =
      this.#declared.length === 0 ? this.#stored : this.#stored.filter((key) => key.purpose === 'internal');
    this.#keys = [...this.#declared, ...stored];
    this.#ring = buildKeyRing(this.#keys);
  }
}
