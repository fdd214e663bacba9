// Merges a configuration that was loaded again with the running configuration: settings that are bound at the start stay as they are.
// Pure. The caller reports `needsRestart` and sends the rest to the edges.

import type { Config, ListenAddress, ListenerConfig } from '../../config/compiled/config.ts';

interface MergedReload {
  readonly config: Config;
  /** Keys of the file whose new value waits for a restart. */
  readonly needsRestart: readonly string[];
  /** For each running listener, the position of the loaded listener that its TLS settings come from; -1 when it keeps its own. */
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
  // Certificates are renewed even while another listener waits for a restart.
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

/** The position of the same listener among the loaded ones; the same position is tried first. */
function sourceOf(running: ListenerConfig, at: number, loaded: readonly ListenerConfig[]): number {
  const wanted = boundPart(running);
  const same = loaded[at];
  if (same !== undefined && boundPart(same) === wanted) return at;
  return loaded.findIndex((candidate) => boundPart(candidate) === wanted);
}

/** The settings that are fixed while a listener listens: all but the inside of `tls`. */
function boundPart(listener: ListenerConfig): string {
  const { tls, redirectPort, proxyFrom } = listener;
  return JSON.stringify([addressText(listener), tls !== null, redirectPort, proxyFrom]);
}

function addressText({ host, port }: ListenAddress): string {
  return `${host} ${port}`;
}
