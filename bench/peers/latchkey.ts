// The gateway itself, as an operator starts it: supervisor, control and one edge. The CPU time of all of them counts.
// Request id, metrics, Via and X-Forwarded-* are on; only the logs are switched off for the bench.

import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { pin } from '../measure/cores.ts';
import { settle, startProcess } from '../measure/processes.ts';
import { keyId } from '../workload/tokens.ts';
import type { Peer, Start } from './peer.ts';

const ownEntry = fileURLToPath(new URL('../../gateway/main.ts', import.meta.url));

/** Changes the configuration that all runs share into that of a variant. */
type Variation = (file: GatewayFile) => object;

/** A variant of the gateway, as a proxy of its own in a run. @param entry  entry file, by default that of this checkout */
export function latchkeyVariant(name: string, title: string, vary: Variation, entry: string = ownEntry): Peer {
  return {
    name,
    title,
    form: 'bearer',
    checks: true,
    measures: 'all',
    logs: true,
    find: () =>
      existsSync(entry)
        ? { kind: 'installed', version: `Node ${process.versions.node}` }
        : { kind: 'missing', hint: `${entry} is not there` },
    start: async (start) => {
      const file = join(start.folder, 'latchkey.yaml');
      writeFileSync(join(start.folder, 'secret'), start.secret, { mode: 0o600 });
      writeFileSync(file, stringify(vary(configure(start))));
      const command = [process.execPath, entry, 'serve', '--config', file, '--json-ready'];
      const child = startProcess(pin(start.plan, 'proxy', command));
      const port = await settle(child, child.readLine(90_000).then(readPort));
      return { port, process: child };
    },
  };
}

/** The gateway as it is. */
export const latchkey = latchkeyVariant('latchkey', 'latchkey', (file) => file);

/** The gateway with pipelining, which operators choose for each upstream, so it has a row of its own. */
export const latchkeyPipelining = latchkeyVariant('latchkey-pipelining', 'latchkey, pipelining: 16', (file) => ({
  ...file,
  upstreams: { media: { ...file.upstreams.media, pipelining: 16 } },
}));

/** The gateway of another checkout, with that checkout's dependencies. Its configuration is the same, so both versions must know it. */
export function latchkeyBefore(checkout: string): Peer {
  const entry = join(resolve(checkout), 'gateway', 'main.ts');
  return latchkeyVariant('latchkey-before', `latchkey of ${checkout}`, (file) => file, entry);
}

interface GatewayFile {
  readonly upstreams: { readonly media: { readonly servers: readonly string[] } };
  readonly routes: readonly object[];
  readonly [key: string]: unknown;
}

/** The configuration that the bench and the load test run with. */
function configure(start: Omit<Start, 'plan'>): GatewayFile {
  return {
    listeners: [{ address: '127.0.0.1:0' }],
    operations: { address: '127.0.0.1:0' },
    data_dir: join(start.folder, 'data'),
    edges: 1,
    common_keys: [{ id: keyId, secret_file: join(start.folder, 'secret'), state: 'signing' }],
    upstreams: { media: { servers: [`http://127.0.0.1:${start.backendPort}`] } },
    routes: [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['token'] }],
    logs: { level: 'warn', access: start.accessLog ?? 'off', decisions: 'off' },
  };
}

/** The first listener's port, from the line that `--json-ready` prints. */
function readPort(line: string): number {
  const ready = JSON.parse(line) as { readonly listeners?: readonly { readonly port: number }[] };
  const port = ready.listeners?.[0]?.port;
  if (port === undefined) throw new Error(`the gateway's ready line names no listener: ${line}`);
  return port;
}
