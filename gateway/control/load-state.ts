// What control hands out, read from files: the ring of keys and what TLS needs, for a configuration that holds.
// All of it is read before any of it counts, so that one broken file leaves everything as it was.

import type { Config } from '../config/config.ts';
import type { KeyRecord } from '../core/model/key.ts';
import { loadKeyRing } from './load-key-ring.ts';
import { loadTls, type TlsState } from './load-tls.ts';

/**
 * The configuration with what was in its files: secrets, never logged. It goes to the edges' feeds, and to the supervisor,
 * so that a control that starts anew needs no file.
 */
export interface ControlState extends TlsState {
  readonly config: Config;
  readonly keys: readonly KeyRecord[];
}

export type LoadedState =
  | {
      readonly kind: 'loaded';
      readonly state: ControlState;
      /** A key was made just now, in this file; null otherwise. */
      readonly madeKeyIn: string | null;
    }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** @param dataDir  of the folder that this gateway holds, whatever a new file says about `data_dir` */
export function loadState(config: Config, dataDir: string): LoadedState {
  const ring = loadKeyRing({ commonKeys: config.commonKeys, dataDir });
  if (ring.kind === 'refused') return ring;
  const tls = loadTls(config);
  if (tls.kind === 'refused') return tls;
  return {
    kind: 'loaded',
    state: { config, keys: ring.keys, tls: tls.tls, upstreamTls: tls.upstreamTls },
    madeKeyIn: ring.generated ? ring.file : null,
  };
}
