// What control hands out, read from files: the declared keys and what TLS needs, for a configuration that holds.
// All of it is read before any of it counts, so that one broken file leaves everything as it was.

import type { Config } from '../../config/compiled/config.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import { loadDeclaredKeys } from './load-declared-keys.ts';
import { loadTls, type TlsState } from './load-tls.ts';

/**
 * The configuration with what was in its files: secrets, never logged. It goes to the edges' feeds, and to the supervisor,
 * so that a control that starts anew needs no file.
 */
export interface ControlState extends TlsState {
  readonly config: Config;
  /** Those that YAML declares; while control runs, the whole ring. */
  readonly keys: readonly SigningKey[];
}

type LoadedState =
  | { readonly kind: 'loaded'; readonly state: ControlState }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

export function loadState(config: Config): LoadedState {
  const declared = loadDeclaredKeys(config);
  if (declared.kind === 'refused') return declared;
  const tls = loadTls(config);
  if (tls.kind === 'refused') return tls;
  return { kind: 'loaded', state: { config, keys: declared.keys, tls: tls.tls, upstreamTls: tls.upstreamTls } };
}
