// One node for the bench of revocations: a control on a PostgreSQL, its edges, and a site behind them.
// Control is the gateway's own, without pages; edges are the gateway's own processes. The node ends with the process that started it.

import { type ChildProcess, fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { edgeRole, entryFile } from '../../gateway/cli/serve/role.ts';
import { loadConfig } from '../../gateway/config/load.ts';
import { loadState } from '../../gateway/control/node/load-state.ts';
import { startControl } from '../../gateway/control/node/start-control.ts';
import { openStore } from '../../gateway/store/engine/open-store.ts';
import { epochSeconds, machineMs, monotonicMs } from '../../gateway/telemetry/clock.ts';
import type { MessageFromChild } from '../../gateway/wire/process-messages.ts';
import { withoutStore } from '../../test/support/control-without-store.ts';

/** What a node is started with, as JSON in its first argument. */
export interface NodeJob {
  readonly folder: string;
  readonly database: string;
  readonly secret: string;
  readonly edges: number;
  readonly dropNotifications: boolean;
}

/** What a node tells the process that started it. */
export type NodeAnswer =
  | { readonly kind: 'ready'; readonly ports: readonly number[]; readonly epoch: string; readonly seq: number }
  /** `askedMs` and `answeredMs` are times of the machine's monotonic clock, which all processes share. */
  | { readonly kind: 'revoked'; readonly seq: number; readonly askedMs: number; readonly answeredMs: number };

/** The site behind the edges: below `/hold/` an answer begins and never ends, elsewhere it is two bytes. */
const site = createServer((socket) => {
  let head = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    head += chunk.toString('latin1');
    for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
      const isHeld = head.startsWith('GET /hold/');
      head = head.slice(end + 4);
      if (isHeld) socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    }
  });
});

const job = JSON.parse(process.argv[2] ?? '{}') as NodeJob;
const logger = pino({ level: 'error' }, pino.destination(2));
process.once('disconnect', () => process.exit(0));
const answer = (message: NodeAnswer) => process.send?.(message);

await new Promise<void>((resolve) => site.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, resolve));
const bound = site.address();
if (bound === null || typeof bound === 'string') throw new Error('no port');
mkdirSync(join(job.folder, 'run'), { recursive: true, mode: 0o700 });
writeFileSync(join(job.folder, 'key'), job.secret, { mode: 0o600 });
const file = join(job.folder, 'latchkey.yaml');
writeFileSync(
  file,
  JSON.stringify({
    listeners: [{ address: '127.0.0.1:0' }],
    operations: { address: '127.0.0.1:0' },
    data_dir: './data',
    edges: job.edges,
    common_keys: [{ id: 'k1', secret_file: './key', state: 'signing' }],
    upstreams: { site: { servers: [`http://127.0.0.1:${bound.port}`], max_connections: 20_000 } },
    routes: [{ name: 'all', path: '/', upstream: 'site', accept: ['token'] }],
    limits: { max_event_loop_delay: '1d', max_connections: 20_000 },
    logs: { level: 'error', access: 'off', decisions: 'off' },
  }),
);
const loaded = loadConfig(file, () => undefined);
if (loaded.kind === 'invalid') throw new Error(JSON.stringify(loaded.problems));
const read = loadState(loaded.config);
if (read.kind === 'refused') throw new Error(read.problem);
const store = await openStore({
  settings: { kind: 'postgres', url: job.database },
  clock: { epochSeconds },
  logger,
  dropNotifications: job.dropNotifications,
});
if ('kind' in store) throw new Error(store.problem);
const sockets = { edge: join(job.folder, 'run', 'edge.sock'), public: join(job.folder, 'run', 'public.sock') };
const { default: Fastify } = await import('fastify');
const control = await startControl({
  state: read.state,
  sockets,
  reload: () => ({ kind: 'refused', problems: ['no reloads here'] }),
  logger,
  clock: { monotonicMs, epochSeconds },
  visitors: () => Fastify({ logger: false }),
  ...withoutStore(read.state.config.passwordChecksPerSecond),
  changes: store,
});
const starting = Array.from({ length: job.edges }, (_, index) => startEdge(`e${index + 1}`));
const ports = await Promise.all(starting);
process.on('message', (message: { readonly revoke: readonly string[] }) => void revoke(message.revoke));
answer({ kind: 'ready', ports, ...(await store.readPosition()) });

async function revoke(nodes: readonly string[]): Promise<void> {
  if ('kind' in store) return;
  const askedMs = machineMs();
  const { position } = await store.write(async (unit) => {
    for (const node of nodes) await unit.append({ kind: 'revoke', node });
  });
  await control.confirm(position);
  answer({ kind: 'revoked', seq: position.seq, askedMs, answeredMs: machineMs() });
}

function startEdge(edgeId: string): Promise<number> {
  const child: ChildProcess = fork(entryFile, [edgeRole], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.send({ type: 'start-edge', edgeId, edgeSocket: sockets.edge, listenFds: [], level: 'error' });
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`${edgeId} ended`)));
    child.on('message', (message: MessageFromChild) => {
      if (message.type === 'edge-ready') resolve(message.listening[0]?.port ?? 0);
    });
  });
}
