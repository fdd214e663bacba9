// The steady load of a soak, as a process of its own: small requests, bodies of a mebibyte both ways, refusals, clients that
// leave, connections that are idle nearly all the time. Everything at a fixed pace; latency counts from when a request was
// due. Tells what it saw every ten seconds. Nobody misbehaves but the clients that leave, so every other answer must be right.

import { Agent, request } from 'node:http';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { identities, makeDice, type Question, userOf } from '../crosstalk/protocol.ts';
import { emptyTally, type Tally } from '../crosstalk/tally.ts';
import { type Manner, Visitor } from '../crosstalk/visitor.ts';

/** The first message to it; the second one ends it. */
export interface LoadOrder {
  readonly port: number;
  readonly tokens: readonly string[];
}

export interface LoadMessage {
  readonly kind: 'window';
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Since the beginning. */
  readonly tally: Tally;
  readonly refused: number;
  readonly isOver: boolean;
}

const windowMs = 10_000;
const mostBehindMs = 1000;
const mebibyte = 1024 * 1024;
const stay: Manner = { leaveAfter: Number.POSITIVE_INFINITY, pauseMs: 0 };

/** So many clients, each asking once in so many milliseconds. */
const paces = {
  small: { clients: 32, everyMs: 125 },
  large: { clients: 4, everyMs: 1000 },
  leaving: { clients: 4, everyMs: 500 },
  refused: { clients: 2, everyMs: 100 },
  idle: { clients: 200, everyMs: 30_000 },
} as const;

const tally = emptyTally();
let refused = 0;
let latencies: number[] = [];
let isOver = false;
let nonces = 0;

process.once('message', (order: LoadOrder) => {
  process.once('message', () => {
    isOver = true;
  });
  void run(order);
});
process.on('disconnect', () => process.exit(0));

async function run({ port, tokens }: LoadOrder): Promise<void> {
  const timer = setInterval(() => tell(false), windowMs);
  const agent = new Agent({ keepAlive: true, maxSockets: paces.refused.clients });
  const clients: Promise<void>[] = [];
  let number = 0;
  const start = (
    pace: { clients: number; everyMs: number },
    ask: (visitor: Visitor, turn: number) => Promise<void>,
  ) => {
    for (let index = 0; index < pace.clients; index++) {
      const identity = number++ % identities;
      const visitor = new Visitor({ port, user: userOf(identity), token: tokens[identity] ?? '', tally });
      const firstMs = monotonicMs() + (pace.everyMs * index) / pace.clients;
      clients.push(keepPace(firstMs, pace.everyMs, (turn) => ask(visitor, turn)).finally(() => visitor.hangUp()));
    }
  };
  start(paces.idle, (visitor) => visitor.ask([question(100, null)], stay));
  start(paces.small, (visitor, turn) => visitor.ask([question(500 + (turn % 1000), null)], stay));
  start(paces.large, (visitor, turn) =>
    visitor.ask([turn % 2 === 0 ? question(mebibyte, null) : question(100, mebibyte)], stay),
  );
  const dice = makeDice(1);
  start(paces.leaving, (visitor) =>
    visitor.ask([question(mebibyte, null)], { leaveAfter: dice(mebibyte), pauseMs: 0 }),
  );
  for (let index = 0; index < paces.refused.clients; index++) {
    clients.push(keepPace(monotonicMs(), paces.refused.everyMs, () => askWithoutToken(port, agent)));
  }
  await Promise.all(clients);
  clearInterval(timer);
  agent.destroy();
  tell(true);
}

/** Asks again and again; a slow answer delays none but its own client's, and counts from when it was due. */
async function keepPace(firstMs: number, everyMs: number, ask: (turn: number) => Promise<void>): Promise<void> {
  let dueMs = firstMs;
  for (let turn = 0; ; turn++) {
    while (!isOver && monotonicMs() < dueMs) await pause(Math.min(500, Math.max(1, dueMs - monotonicMs())));
    if (isOver) return;
    await ask(turn);
    if (everyMs === paces.small.everyMs) latencies.push(monotonicMs() - dueMs);
    // a machine that cannot keep up skips turns, or each answer would count from ever longer ago
    dueMs = Math.max(dueMs + everyMs, monotonicMs() - mostBehindMs);
  }
}

function question(size: number, upload: number | null): Question {
  return { act: nonces % 2 === 0 ? 'length' : 'chunked', size, upload, nonce: `s-${++nonces}` };
}

function askWithoutToken(port: number, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ agent, port, path: '/refused', headers: { host: 'a' } }, (answer) => {
      if (answer.statusCode === 401) refused++;
      else tally.wrong++;
      answer.resume();
      answer.on('end', () => resolve());
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end();
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function tell(isLast: boolean): void {
  const sorted = latencies.sort((a, b) => a - b);
  latencies = [];
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const message: LoadMessage = { kind: 'window', p50Ms: at(0.5), p99Ms: at(0.99), tally, refused, isOver: isLast };
  process.send?.(message);
}
