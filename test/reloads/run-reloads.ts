// Reloads of a real `latchkey serve` by SIGHUP, with a load of small requests, long downloads and WebSockets running on it.
// Each reload changes routes, keys, limits and the upstreams' pools. Nothing may be lost; every loss is reported.

import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { hashDownload, startLoad } from '../support/clients/keep-alive-load.ts';
import { WebSocketClient, WebSocketUpstream } from '../support/clients/websocket.ts';
import { type FileInput, writeConfig } from '../support/rigs/gateway.ts';
import { residentMiB } from '../support/rigs/process-memory.ts';
import { type ServeProcess, startServe } from '../support/rigs/serve-process.ts';
import { portOf } from '../support/rigs/serve-rig.ts';

interface ReloadOptions {
  readonly count: number;
  /** Connections with small requests one after the other. */
  readonly connections: number;
  readonly downloads: number;
  readonly tunnels: number;
  readonly onProgress?: (done: number, answered: number) => void;
}

export interface ReloadReport {
  readonly reloads: number;
  readonly seconds: number;
  readonly requests: number;
  readonly downloadedBytes: number;
  readonly echoes: number;
  /** What was lost, in words; empty when nothing was. */
  readonly losses: readonly string[];
  /** By role: MiB after a tenth of the reloads, and at the end. Empty where /proc is not there. */
  readonly memory: readonly { readonly role: string; readonly beforeMiB: number; readonly afterMiB: number }[];
}

const small = 'a small answer of the upstream';
const block = Buffer.from(Array.from({ length: 16_384 }, (_, index) => (index * 31) % 251));

/** Starts everything, reloads, and ends everything. */
export async function runReloads(options: ReloadOptions): Promise<ReloadReport> {
  const losses: string[] = [];
  const long: LongAnswer[] = [];
  const upstream = createServer((request, response) => {
    if (request.url === '/long/') long.push(new LongAnswer(response));
    else response.end(small);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const sockets = await WebSocketUpstream.start();
  const config = (round: number): FileInput => configOf(round, `http://127.0.0.1:${portOf(upstream)}`, sockets.url);
  const serve = await startServe({ config: config(0) });
  try {
    const started = monotonicMs();
    const downloads = Array.from({ length: options.downloads }, () => hashDownload(serve.port, '/long/'));
    for (const download of downloads) download.catch((error) => losses.push(`a download: ${error}`));
    const tunnels = await openTunnels(serve.port, options.tunnels);
    const load = startLoad(serve.port, options.connections, '/', small);
    let echoes = 0;
    let before: ReadonlyMap<string, number> = new Map();
    for (let round = 1; round <= options.count; round++) {
      await reload(serve, config(round), round);
      for (const [index, tunnel] of tunnels.entries()) {
        const text = `${index} ${round}`;
        const back = await tunnel.echo(text).catch((error) => String(error));
        if (back === text) echoes++;
        else losses.push(`tunnel ${index} after reload ${round}: ${back}`);
      }
      if (round === Math.ceil(options.count / 10)) before = memoryOf(serve);
      options.onProgress?.(round, load.answered());
    }
    await untilApplied(serve, options.count);
    const after = memoryOf(serve);
    const { answered, failures } = await load.stop();
    losses.push(...failures.map((failure) => `a request: ${failure}`));
    for (const answer of long) answer.finish();
    const received = await Promise.allSettled(downloads);
    const sent = new Set(long.map((answer) => answer.digest()));
    let downloadedBytes = 0;
    for (const result of received) {
      if (result.status === 'rejected') continue;
      downloadedBytes += result.value.bytes;
      if (!sent.has(result.value.digest)) losses.push(`a download has other bytes than were sent`);
    }
    for (const tunnel of tunnels) tunnel.destroy();
    return {
      reloads: options.count,
      seconds: (monotonicMs() - started) / 1000,
      requests: answered,
      downloadedBytes,
      echoes,
      losses,
      memory: [...before].map(([role, beforeMiB]) => ({ role, beforeMiB, afterMiB: after.get(role) ?? Number.NaN })),
    };
  } finally {
    for (const answer of long) answer.finish();
    await serve.dispose();
    await sockets.close();
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  }
}

/** An answer that goes on until it is told to end. */
class LongAnswer {
  readonly #hash = createHash('sha256');
  readonly #timer: NodeJS.Timeout;
  readonly #response: ServerResponse;
  #digest = '';

  constructor(response: ServerResponse) {
    this.#response = response;
    this.#timer = setInterval(() => {
      if (response.writableNeedDrain) return;
      this.#hash.update(block);
      response.write(block);
    }, 20);
  }

  finish(): void {
    if (this.#digest !== '') return;
    clearInterval(this.#timer);
    this.#digest = this.#hash.digest('hex');
    this.#response.end();
  }

  digest(): string {
    return this.#digest;
  }
}

function configOf(round: number, web: string, sockets: string): FileInput {
  const isOdd = round % 2 === 1;
  return {
    edges: 2,
    reload: { watch: false },
    logs: { level: 'info', access: 'off', decisions: 'off' },
    common_keys: [
      { id: 'k1', secret_file: './k1.secret', state: isOdd ? 'verifying' : 'signing' },
      { id: 'k2', secret_file: './k2.secret', state: isOdd ? 'signing' : 'verifying' },
    ],
    upstreams: {
      web: { servers: [web], max_idle_connections: isOdd ? 64 : 32 },
      sockets: { servers: [sockets] },
    },
    routes: [
      { name: `round-${round}`, path: '/', upstream: 'web', accept: ['anyone'] },
      { name: 'long', path: '/long/', upstream: 'web', accept: ['anyone'], assertion: isOdd },
      { name: 'sockets', path: '/sockets/', upstream: 'sockets', accept: ['anyone'] },
      ...(isOdd ? [{ name: 'sometimes', path: '/sometimes/', upstream: 'web', accept: ['token' as const] }] : []),
    ],
    // a machine with too much to do is no reason to refuse anything here
    limits: { max_connections: isOdd ? 16_384 : 8192, max_event_loop_delay: '1d' },
  };
}

async function openTunnels(port: number, count: number): Promise<WebSocketClient[]> {
  const tunnels: WebSocketClient[] = [];
  for (let index = 0; index < count; index++) {
    const tunnel = await WebSocketClient.open(port, '/sockets/');
    if (tunnel.answer.status !== 101) throw new Error(`no tunnel: ${tunnel.answer.head}`);
    tunnels.push(tunnel);
  }
  return tunnels;
}

async function reload(serve: ServeProcess, config: FileInput, round: number): Promise<void> {
  await writeConfig(serve.folder, { config });
  serve.child.kill('SIGHUP');
  const said = `"seq":${round + 1},`;
  const deadline = monotonicMs() + 30_000;
  while (!serve.printed().slice(-20_000).includes(said)) {
    if (monotonicMs() > deadline) throw new Error(`reload ${round} was not applied: ${serve.printed().slice(-2000)}`);
    await pause(2);
  }
}

/** Resolves once both edges count under the route name of the last round. */
async function untilApplied(serve: ServeProcess, round: number): Promise<void> {
  const deadline = monotonicMs() + 30_000;
  for (;;) {
    const metrics = await fetch(`http://${serve.operations.host}:${serve.operations.port}/metrics`);
    if ((await metrics.text()).includes(`latchkey_requests_total{route="round-${round}"`)) return;
    if (monotonicMs() > deadline) throw new Error('the edges do not have the last configuration');
    await pause(50);
  }
}

function memoryOf(serve: ServeProcess): Map<string, number> {
  if (process.platform !== 'linux') return new Map();
  const found = new Map<string, number>([['supervisor', residentMiB(serve.child.pid ?? 0)]]);
  for (const line of serve.printed().split('\n')) {
    if (!line.includes(' is ready"') || line.startsWith('{"ready"')) continue;
    const { role, edge, pid } = JSON.parse(line);
    found.set(edge === undefined ? role : `edge ${edge}`, residentMiB(pid));
  }
  return found;
}
