// Joins a configuration that was loaded again with the one that runs: what is bound at the start stays as it is.
// Pure. The caller reports `needsRestart` and sends the rest to the edges.

import type { Config, ListenAddress, ListenerConfig } from '../../config/compiled/config.ts';

interface MergedReload {
  readonly config: Config;
  /** Keys of the file whose new value waits for a restart. */
  readonly needsRestart: readonly string[];
  /** For each listener that runs, the position of the loaded one that its TLS settings come from; -1 for its own. */
  readonly listenerSources: readonly number[];
}

/** Takes everything from `loaded` but the settings that sockets, locks and processes hang on. */
export function mergeReload(running: Config, loaded: Config): MergedReload {
  const needsRestart: string[] = [];
  const boundText = (config: Config) => config.listeners.map(boundPart).join(',');
  if (boundText(running) !== boundText(loaded)) needsRestart.push('listeners');
  if (addressText(running.operations) !== addressText(loaded.operations)) needsRestart.push('operations.address');
  if (running.dataDir !== loaded.dataDir) needsRestart.push('data_dir');
  if (running.edges !== loaded.edges) needsRestart.push('edges');
  if (running.reservedPrefix !== loaded.reservedPrefix) needsRestart.push('reserved_prefix');
  const { operations, dataDir, edges, reservedPrefix } = running;
  const listenerSources = running.listeners.map((listener, at) => sourceOf(listener, at, loaded.listeners));
  // certificates are renewed also while another listener waits for a restart
  const listeners = running.listeners.map((listener, at) => {
    const source = loaded.listeners[listenerSources[at] ?? -1];
    return source === undefined ? listener : { ...listener, tls: source.tls };
  });
  return {
    config: { ...loaded, listeners, operations, dataDir, edges, reservedPrefix },
    needsRestart,
    listenerSources,
  };
}

/** The listener in the same place if it is the same one, else any that is. */
function sourceOf(running: ListenerConfig, at: number, loaded: readonly ListenerConfig[]): number {
  const wanted = boundPart(running);
  const same = loaded[at];
  if (same !== undefined && boundPart(same) === wanted) return at;
  return loaded.findIndex((candidate) => boundPart(candidate) === wanted);
}

/** What of a listener is fixed while it listens: all but the inside of `tls`. */
function boundPart(listener: ListenerConfig): string {
  const { tls, redirectPort, proxyFrom } = listener;
  return JSON.stringify([addressText(listener), tls !== null, redirectPort, proxyFrom]);
}

function addressText({ host, port }: ListenAddress): string {
  return `${host} ${port}`;
}
