// Loads the configuration and the keys that a command works with. Where that fails, its CommandError lists every problem.

import type { Config } from '../../config/compiled/config.ts';
import { readEnvironment } from '../../config/files/environment.ts';
import { type LoadOptions, loadConfig } from '../../config/load.ts';
import { formatProblems } from '../../config/problems/format.ts';
import { loadDeclaredKeys } from '../../control/node/load-declared-keys.ts';
import type { KeyRing, RingKey } from '../../core/token/key-ring.ts';
import { buildKeyRing } from '../../core/token/key-ring.ts';
import { CommandError, refusalError } from './command-error.ts';

/** Loads a configuration file; its warnings are not printed. @throws CommandError with all problems, one a line */
export function requireConfig(file: string, options: LoadOptions = {}): Config {
  const loaded = loadConfig(file, readEnvironment, options);
  if (loaded.kind === 'loaded') return loaded.config;
  const count = loaded.problems.length;
  throw new CommandError(`${file} has ${count} problem${count === 1 ? '' : 's'}\n${formatProblems(loaded.problems)}`, {
    hint: `latchkey check ${file}`,
  });
}

/**
 * The content keys of a configuration: those that YAML declares, else those of the store.
 *
 * @param options  `missing`: whether to make a store and first keys that are not there yet; a running gateway's store is never changed
 * @throws CommandError when the keys cannot be read
 */
export async function requireKeyRing(config: Config, { missing }: { missing: 'make' | 'refuse' }): Promise<KeyRing> {
  const declared = loadDeclaredKeys(config);
  if (declared.kind === 'refused') throw refusalError(declared);
  // a token needs no store where YAML owns the keys
  if (declared.keys.length > 0) return buildKeyRing(declared.keys);
  // imported only here: the store and its engines are most of the code that a command would load
  const { withStore } = await import('./open-store-for-command.ts');
  return withStore(config, missing === 'make' ? 'make' : 'read', ({ ring }) =>
    buildKeyRing(ring.keys.filter((key) => key.purpose === 'content')),
  );
}

/** The key to sign with: the key of that id, or without an id the signing key. @throws CommandError when no such key may sign */
export function requireSigner(ring: KeyRing, id: string | undefined): RingKey {
  const ids = ring
    .keys()
    .map(({ record }) => `${record.id} (${record.state})`)
    .join(', ');
  const key = id === undefined ? ring.signer('content') : (ring.find(id) ?? null);
  if (key === null) {
    throw new CommandError(id === undefined ? 'no key may sign' : `there is no key ${JSON.stringify(id)}`, {
      hint: `keys: ${ids}`,
    });
  }
  if (key.record.state !== 'signing') {
    throw new CommandError(`key ${key.record.id} is ${key.record.state}, it does not sign`, { hint: `keys: ${ids}` });
  }
  return key;
}
