// `npm run crosstalk -- --requests N [--minutes N] [--seed S] [--pipelining N]`: the cross-talk test, as long as you
// like, through a real `latchkey serve` with two edges; clients and upstreams run in separate processes. Prints a line
// every ten seconds and the result at the end; exit code 1 when a byte was foreign or an answer is not explained.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { startServe } from '../support/rigs/serve-process.ts';
import { Child } from './children.ts';
import type { ClientMessage, ClientOrder } from './client-process.ts';
import { mintIdentityTokens } from './identity-tokens.ts';
import { identities, troublesAt } from './protocol.ts';
import { describeTally, emptyTally, sumTallies, verdictOn } from './tally.ts';
import type { UpstreamMessage } from './upstream-process.ts';

const progressMs = 10_000;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '200000' },
    minutes: { type: 'string', default: '1200' },
    seed: { type: 'string' },
    clients: { type: 'string', default: '1' },
    pipelining: { type: 'string', default: '1' },
  },
});
const [requests, minutes, clients, pipelining] = [
  values.requests,
  values.minutes,
  values.clients,
  values.pipelining,
].map(Number);
const seed = values.seed === undefined ? randomInt(1_000_000) : Number(values.seed);
if (
  !(requests !== undefined && requests >= 1 && minutes !== undefined && minutes > 0 && minutes <= 1200) ||
  !(clients !== undefined && clients >= 1 && clients <= 64 && Number.isInteger(seed)) ||
  !(pipelining !== undefined && pipelining >= 1 && pipelining <= 64)
) {
  process.stderr.write(
    'usage: npm run crosstalk -- [--requests N] [--minutes 0.1..1200] [--seed N] [--clients 1..64] [--pipelining 1..64]\n',
  );
  process.exit(2);
}

let isInterrupted = false;
process.once('SIGINT', () => {
  isInterrupted = true;
});

const upstream = new Child<UpstreamMessage>('crosstalk/upstream-process.ts', [], () => undefined);
const { urls } = await upstream.hear((message) => message.kind === 'urls');
const serve = await startServe({
  config: {
    edges: 2,
    upstreams: {
      web: {
        servers: [...urls],
        tls: { verify: false },
        max_idle_connections: 8,
        pipelining,
        ejection: 'off',
      },
    },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['token'] }],
    logs: { level: 'error', access: 'off', decisions: 'off' },
    // a machine with too much to do is no reason to refuse anything here
    limits: { max_event_loop_delay: '1h' },
  },
});
// also when something here fails: it has no channel that would tell it
process.once('exit', () => serve.child.kill());

const startMs = monotonicMs();
const endMs = startMs + minutes * 60_000;
const tallies = Array.from({ length: clients }, emptyTally);
const over = new Set<number>();
const visitors = tallies.map((_, index) => startClient(index, Math.ceil(requests / clients)));
process.stdout.write(
  `seed ${seed}: ${requests} requests of ${identities} identities, ${clients} client process(es), ` +
    `2 edges, ${urls.length} upstream servers, one of them behind TLS, pipelining ${pipelining}\n`,
);
let shownMs = startMs;
let shownRequests = 0;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const nowMs = monotonicMs();
    const isBroken = !upstream.isRunning || serve.child.exitCode !== null || visitors.some((one) => !one.isRunning);
    if (isInterrupted || nowMs >= endMs) for (const visitor of visitors) visitor.say({});
    if (nowMs - shownMs >= progressMs) show(nowMs);
    if (over.size < visitors.length && !isBroken) return;
    clearInterval(timer);
    resolve();
  }, 200);
});

const isComplete = over.size === visitors.length;
const tally = sumTallies(tallies);
const counted = upstream.hear((message) => message.kind === 'counts');
upstream.say({});
const { foreignBytes } = await counted;
const seconds = (monotonicMs() - startMs) / 1000;
for (const child of [...visitors, upstream]) await child.stop();
const restarts = serve.printed().match(/"msg":"[^"]*ended[^"]*"/g) ?? [];
await serve.dispose();

const verdict = verdictOn(tally, pipelining);
if (!isComplete) verdict.push('a process ended before the run was over');
if (foreignBytes > 0) verdict.push(`${foreignBytes} foreign bytes in uploads`);
if (restarts.length > 0) verdict.push(`processes of the gateway ended: ${restarts.join(', ')}`);
for (const line of verdict) process.stdout.write(`WRONG: ${line}\n`);
process.stdout.write(
  `${verdict.length === 0 ? 'ok' : 'FAILED'}: ${seconds.toFixed(0)} s, ${(tally.requests / seconds).toFixed(0)} requests/s, ` +
    `seed ${seed}: ${describeTally(tally)}\n`,
);
if (verdict.length > 0) process.exitCode = 1;

function startClient(index: number, share: number): Child<ClientMessage> {
  const child = new Child<ClientMessage>('crosstalk/client-process.ts', [], (message) => {
    tallies[index] = message.tally;
    if (message.isOver) over.add(index);
  });
  const order: ClientOrder = {
    port: serve.port,
    tokens: mintIdentityTokens(),
    seed: seed + index * 1009,
    clientName: `c${index}`,
    largeOneIn: 5000,
    troubleOneIn: 50,
    troubles: troublesAt(pipelining ?? 1),
    requests: share,
  };
  child.say(order);
  return child;
}

function show(nowMs: number): void {
  const sum = sumTallies(tallies);
  const rate = ((sum.requests - shownRequests) * 1000) / (nowMs - shownMs);
  process.stdout.write(
    `${((nowMs - startMs) / 1000).toFixed(0)} s: ${rate.toFixed(0)} requests/s; ${describeTally(sum)}\n`,
  );
  shownMs = nowMs;
  shownRequests = sum.requests;
}
