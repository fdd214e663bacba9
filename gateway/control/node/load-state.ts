// What control hands out, read from files: the declared keys and what TLS needs, for a configuration that holds.
// All of it is read before any of it counts, so that one broken file leaves everything as it was.

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
