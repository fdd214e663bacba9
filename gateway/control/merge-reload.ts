// Joins a configuration that was loaded again with the one that runs: what is bound at the start stays as it is.
// Pure. The caller reports `needsRestart` and sends the rest to the edges.

import type { Config, ListenAddress } from '../config/config.ts';

export interface MergedReload {
  readonly config: Config;
  /** Keys of the file whose new value waits for a restart. */
  readonly needsRestart: readonly string[];
}

/** Takes everything from `loaded` but the settings that sockets, locks and processes hang on. */
export function mergeReload(running: Config, loaded: Config): MergedReload {
  const needsRestart: string[] = [];
  if (!sameAddresses(running.listeners, loaded.listeners)) needsRestart.push('listeners');
  if (!sameAddresses([running.operations], [loaded.operations])) needsRestart.push('operations.address');
  if (running.dataDir !== loaded.dataDir) needsRestart.push('data_dir');
  if (running.edges !== loaded.edges) needsRestart.push('edges');
  if (running.reservedPrefix !== loaded.reservedPrefix) needsRestart.push('reserved_prefix');
  const { listeners, operations, dataDir, edges, reservedPrefix } = running;
  return { config: { ...loaded, listeners, operations, dataDir, edges, reservedPrefix }, needsRestart };
}

function sameAddresses(left: readonly ListenAddress[], right: readonly ListenAddress[]): boolean {
  const text = (addresses: readonly ListenAddress[]) => addresses.map(({ host, port }) => `${host} ${port}`).join(',');
  return text(left) === text(right);
}
