// The metrics about what this node is and stands on: its version, its certificates, the room in its data folder.
// Labels come from the configuration: a certificate has the name of its file there.

import { X509Certificate } from 'node:crypto';
import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../../config/compiled/config.ts';
import { freeBytes } from '../../store/disk/free-bytes.ts';
import { packageVersion } from '../../telemetry/package-version.ts';
import type { FeedTls } from '../../wire/feed.ts';

/** What is in force at a scrape. */
interface NodeState {
  readonly config: Config;
  /** By position in `config.listeners`; null for a plain one. */
  readonly tls: readonly (FeedTls | null)[];
}

export function registerNodeMetrics(registry: Registry, state: () => NodeState): void {
  const registers = [registry];
  const version = packageVersion();
  const build = new Gauge({
    name: 'latchkey_build_info',
    help: 'Always 1; the versions of latchkey and of Node stand in the labels.',
    labelNames: ['version', 'node'],
    registers,
  });
  build.set({ version, node: process.versions.node }, 1);
  new Gauge({
    name: 'latchkey_certificate_expiry_timestamp_seconds',
    help: 'When each certificate of the listeners ends, in seconds since 1970.',
    labelNames: ['certificate'],
    registers,
    collect() {
      this.reset();
      for (const [file, expiresAt] of expiries(state())) this.set({ certificate: file }, expiresAt);
    },
  });
  new Gauge({
    name: 'latchkey_data_folder_free_bytes',
    help: 'Room for latchkey on the file system of the data folder; NaN when it cannot be asked.',
    registers,
    async collect() {
      this.set((await freeBytes(state().config.dataDir)) ?? Number.NaN);
    },
  });
}

/** By file; of a file that several listeners name, once. */
function expiries({ config, tls }: NodeState): Map<string, number> {
  const found = new Map<string, number>();
  for (const [at, listener] of config.listeners.entries()) {
    for (const [index, { certFile }] of (listener.tls?.certificates ?? []).entries()) {
      // the text that is in force: a renewed file counts once it was taken
      const pem = tls[at]?.certificates[index]?.cert;
      if (pem !== undefined) found.set(certFile, Date.parse(new X509Certificate(pem).validTo) / 1000);
    }
  }
  return found;
}
