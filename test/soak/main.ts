// `npm run soak -- --minutes N`: a real `latchkey serve` with two edges under a steady mixed load, with a reload each minute.
// Samples memory, sockets and latency every ten seconds, prints a line for each sample, and judges at the end whether the soak
// was flat. Exit code 1 when not, or when an answer was wrong.

import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { Child } from '../crosstalk/children.ts';
import { mintIdentityTokens } from '../crosstalk/identity-tokens.ts';
import { verdictOn } from '../crosstalk/tally.ts';
import type { UpstreamMessage } from '../crosstalk/upstream-process.ts';
import { startServe } from '../support/rigs/serve-process.ts';
import { judgeFlatness, type SoakSample } from './flatness.ts';
import type { LoadMessage, LoadOrder } from './load-process.ts';
import { countSockets, edgesOf, sumMetric } from './processes.ts';

const reloadMs = 60_000;
const edges = 2;
const mebibyte = 1024 * 1024;
// idle upstream connections end after 4 s, closing client connections after 2
const settleMs = 20_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
const minutes = Number(values.minutes);
if (!(minutes >= 1 && minutes <= 20_000)) {
  process.stderr.write('usage: npm run soak -- [--minutes 1..20000]\n');
  process.exit(2);
}
if (!readdirSync('/proc').includes('self')) throw new Error('the soak reads /proc, which only Linux has');

let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});

const upstream = new Child<UpstreamMessage>('crosstalk/upstream-process.ts', [], () => undefined);
const { urls } = await upstream.hear((message) => message.kind === 'urls');
const serve = await startServe({
  config: {
    edges,
    upstreams: { web: { servers: [...urls], tls: { verify: false } } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['token'] }],
    logs: { level: 'error', access: 'off', decisions: 'off' },
    // a machine with too much to do is no reason to refuse anything here
    limits: { max_event_loop_delay: '1h' },
  },
});
// also when something here fails: it has no channel that would tell it
process.once('exit', () => serve.child.kill());
const pids = edgesOf(serve.child.pid ?? 0);
if (pids.length !== edges) throw new Error(`${pids.length} edges found, ${edges} expected`);
const before = countSockets(pids);
process.stdout.write(`soak of ${minutes} min, ${edges} edges, ${before} sockets before the load\n`);

const samples: SoakSample[] = [];
let reloads = 0;
const startMs = monotonicMs();
const load = new Child<LoadMessage>('soak/load-process.ts', [], (message) => {
  if (!message.isOver) sampling = sampling.then(() => sample(message));
});
let sampling: Promise<void> = Promise.resolve();
const order: LoadOrder = { port: serve.port, tokens: mintIdentityTokens() };
load.say(order);
const over = load.hear((message): message is LoadMessage => message.isOver);
const reloading = setInterval(() => {
  serve.child.kill('SIGHUP');
  reloads++;
}, reloadMs);
while (
  !isInterrupted &&
  monotonicMs() < startMs + minutes * 60_000 &&
  load.isRunning &&
  serve.child.exitCode === null
) {
  await pause(200);
}
clearInterval(reloading);
load.say({});
const end = await over;
await sampling;

const complaints = verdictOn(end.tally, 0);
const after = await settledSockets();
complaints.push(...judgeFlatness(samples, { before, after }));
const loaded = sumMetric(await scrape(), 'latchkey_config_reloads_total', 'outcome="loaded"');
if (loaded < reloads) complaints.push(`${loaded} of ${reloads} reloads were loaded`);
if (edgesOf(serve.child.pid ?? 0).join() !== pids.join()) complaints.push('an edge was replaced');
await load.stop();
await upstream.stop();
await serve.dispose();

for (const complaint of complaints) process.stdout.write(`NOT FLAT: ${complaint}\n`);
process.stdout.write(
  `${complaints.length === 0 ? 'flat' : 'FAILED'}: ${((monotonicMs() - startMs) / 60_000).toFixed(1)} min, ` +
    `${end.tally.requests} requests, ${end.refused} refused, ${end.tally.left} left, foreign bytes = ${end.tally.foreign}, ` +
    `wrong ${end.tally.wrong}, reloads ${loaded}, sockets ${before} before, ${after} after\n`,
);
if (complaints.length > 0) process.exitCode = 1;

async function sample(message: LoadMessage): Promise<void> {
  const text = await scrape();
  const one: SoakSample = {
    seconds: Math.round((monotonicMs() - startMs) / 1000),
    heapBytes: sumMetric(text, 'latchkey_edge_heap_used_bytes'),
    residentBytes: sumMetric(text, 'latchkey_edge_resident_memory_bytes'),
    sockets: countSockets(pids),
    p50Ms: message.p50Ms,
    p99Ms: message.p99Ms,
  };
  samples.push(one);
  process.stdout.write(
    `${one.seconds} s: ${message.tally.requests} requests, p50 ${one.p50Ms.toFixed(1)} ms, p99 ${one.p99Ms.toFixed(1)} ms, ` +
      `heap ${mebibytes(one.heapBytes)}, resident ${mebibytes(one.residentBytes)}, sockets ${one.sockets}, ` +
      `refused ${message.refused}, left ${message.tally.left}, wrong ${message.tally.wrong}, reloads ${reloads}\n`,
  );
}

/** The least that was seen until the time is over; ends early at the number before the load. */
async function settledSockets(): Promise<number> {
  const endMs = monotonicMs() + settleMs;
  let least = countSockets(pids);
  while (least > before && monotonicMs() < endMs) {
    await pause(200);
    least = Math.min(least, countSockets(pids));
  }
  return least;
}

async function scrape(): Promise<string> {
  const { host, port } = serve.operations;
  const answer = await fetch(`http://${host}:${port}/metrics`);
  return answer.text();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function mebibytes(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(0)} MiB`;
}
