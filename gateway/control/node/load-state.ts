// Reads from files what control hands out for a valid configuration: the declared keys, and certificates and keys for TLS.
// All files are read before any of them counts, so that one broken file leaves everything as it was.

import type { Config } from '../../config/compiled/config.ts';
import type { ControlState } from '../../wire/process-messages.ts';
import { loadDeclaredKeys } from './load-declared-keys.ts';
import { loadTls } from './load-tls.ts';

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
