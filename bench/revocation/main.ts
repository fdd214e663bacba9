// `npm run bench:revocation`: measures how long after the answer to a revocation a token still passes, on the node that answered and on
// another node that shares its PostgreSQL, with NOTIFY and with every NOTIFY lost; and what it costs to decide again about many open
// answers. Exit code 1 when a promised bound did not hold.

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintToken } from '../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../gateway/core/token/key-ring.ts';
import { createDatabase, postgresMissing, removePostgres, startPostgres } from '../../test/support/store/postgres.ts';
import { epochSeconds, pause } from '../measure/clock.ts';
import { chooseGenerator, pace, saturate } from '../measure/load.ts';
import { stopAll } from '../measure/processes.ts';
import { percentile } from '../measure/statistics.ts';
import { separator } from '../workload/requests.ts';
import type { NodeAnswer, NodeJob } from './node-process.ts';
import { Prober } from './prober.ts';

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '100' },
    open: { type: 'string', default: '10000' },
  },
});
const samples = Number.parseInt(values.samples, 10);
const openAnswers = Number.parseInt(values.open, 10);
const missing = postgresMissing();
if (missing !== null || !(samples >= 1 && openAnswers >= 0)) {
  process.stderr.write(`${missing ?? 'usage: npm run bench:revocation -- [--samples N] [--open N]'}\n`);
  process.exit(2);
}

const free = { kind: 'free', why: 'edges, control and load share the machine' } as const;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-revocation-'));
const secret = randomBytes(24).toString('hex');
const key = buildKeyRing([
  { id: 'k1', algorithm: 'HS256', purpose: 'content', state: 'signing', secret: Buffer.from(secret) },
]).signer('content');
const children: ChildProcess[] = [];

interface BenchNode {
  readonly ports: readonly number[];
  readonly epoch: string;
  seq: number;
  revoke(...nodes: string[]): Promise<Extract<NodeAnswer, { kind: 'revoked' }>>;
}

async function startNode(name: string, job: Omit<NodeJob, 'folder' | 'secret'>): Promise<BenchNode> {
  const home = join(folder, name);
  mkdirSync(home);
  const whole: NodeJob = { ...job, folder: home, secret };
  const child = fork(join(import.meta.dirname, 'node-process.ts'), [JSON.stringify(whole)]);
  children.push(child);
  const next = <K extends NodeAnswer['kind']>(kind: K) =>
    new Promise<Extract<NodeAnswer, { kind: K }>>((resolve, reject) => {
      const ended = () => reject(new Error(`node ${name} ended`));
      child.once('exit', ended);
      child.once('message', (message: NodeAnswer) => {
        child.off('exit', ended);
        // the child is this program's own, and answers one question at a time
        if (message.kind === kind) resolve(message as Extract<NodeAnswer, { kind: K }>);
      });
    });
  const ready = await next('ready');
  const node: BenchNode = {
    ...ready,
    revoke: async (...nodes) => {
      child.send({ revoke: nodes });
      const revoked = await next('revoked');
      node.seq = revoked.seq;
      return revoked;
    },
  };
  return node;
}

function mint(node: BenchNode, hangsOn: string): string {
  if (key === null) throw new Error('no key');
  const claims = {
    exp: epochSeconds() + 3600,
    iat: epochSeconds(),
    paths: ['/*'],
    n: [hangsOn],
    v: [node.epoch, node.seq],
  };
  return mintToken(claims, { key, type: 'pass' });
}

/** Writes a file of requests with 500 tokens that are never revoked. @returns its path */
function writeLoad(node: BenchNode): string {
  const file = join(folder, 'requests');
  const requests = Array.from(
    { length: 500 },
    (_, at) => `GET /load/${at} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${mint(node, `load_${at}`)}\r\n\r\n`,
  );
  writeFileSync(file, requests.join(separator));
  return file;
}

function show(title: string, delays: number[]): void {
  const sorted = [...delays].sort((left, right) => left - right);
  const text = [0, 0.5, 0.9, 0.99, 1].map((share) => `${(percentile(sorted, share) ?? 0).toFixed(1)}`);
  process.stdout.write(
    `${title.padEnd(58)} min ${text[0]}  p50 ${text[1]}  p90 ${text[2]}  p99 ${text[3]}  max ${text[4]} ms\n`,
  );
}

/** Measures how long after the answer to a revocation the last request that still passed was sent, in ms; negative: before the answer. */
async function measure(
  own: BenchNode,
  other: BenchNode,
): Promise<{ own: number[]; other: number[]; answers: number[] }> {
  const ownProbers = own.ports.map((port) => new Prober(port));
  const otherProbers = other.ports.map((port) => new Prober(port));
  const all = [...ownProbers, ...otherProbers];
  const result = { own: [] as number[], other: [] as number[], answers: [] as number[] };
  for (let sample = 0; sample < samples; sample++) {
    const node = `ac_${randomBytes(8).toString('hex')}`;
    const token = mint(own, node);
    for (const prober of all) prober.start(token);
    await pause(20 + (sample % 40));
    const { askedMs, answeredMs } = await own.revoke(node);
    result.answers.push(answeredMs - askedMs);
    await pause(60);
    const deadline = performance.now() + 2000;
    while (otherProbers.some((prober) => prober.probes.at(-1)?.status === 200) && performance.now() < deadline) {
      await pause(5);
    }
    await pause(10);
    for (const prober of all) prober.stop();
    await pause(10);
    const last = (prober: Prober) =>
      Math.max(...prober.probes.filter(({ status }) => status === 200).map(({ sentMs }) => sentMs)) - answeredMs;
    // a prober that got no answer before the revocation has nothing to measure
    result.own.push(...ownProbers.map(last).filter(Number.isFinite));
    result.other.push(...otherProbers.map(last).filter(Number.isFinite));
  }
  for (const prober of all) prober.close();
  return result;
}

/** Opens `count` answers that never end; the token of each hangs on the node `nodeOf(at)`. */
async function open(node: BenchNode, count: number, nodeOf: (at: number) => string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  const lanes = Array.from({ length: 50 }, async (_, lane) => {
    for (let at = lane; at < count; at += 50) {
      const socket = connect({ port: node.ports[at % node.ports.length] ?? 0, host: '127.0.0.1' });
      socket.on('error', () => undefined);
      sockets.push(socket);
      socket.write(`GET /hold/${at} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${mint(node, nodeOf(at))}\r\n\r\n`);
      await new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
    }
  });
  await Promise.all(lanes);
  return sockets;
}

/** Shows the time of ten revocations, and that of the requests that were sent meanwhile. @param revoked  names the node to revoke */
async function cost(node: BenchNode, title: string, revoked: () => string): Promise<void> {
  const prober = new Prober(node.ports[0] ?? 0);
  prober.start(mint(node, 'nobody'));
  const took: number[] = [];
  for (let round = 0; round < 10; round++) {
    await pause(50);
    const { askedMs, answeredMs } = await node.revoke(revoked());
    took.push(answeredMs - askedMs);
  }
  await pause(50);
  prober.close();
  show(`${title}: revoke to its answer`, took);
  show(
    `${title}: requests meanwhile`,
    prober.probes.map(({ tookMs }) => tookMs),
  );
}

const server = await startPostgres();
try {
  const database = await createDatabase(server, 'bench');
  const own = await startNode('own', { database, edges: 2, dropNotifications: false });
  const told = await startNode('told', { database, edges: 1, dropNotifications: false });
  const deaf = await startNode('deaf', { database, edges: 1, dropNotifications: true });
  const requestsFile = writeLoad(own);
  const job = { port: own.ports[0] ?? 0, requestsFile, connections: 8, seconds: 2 };
  const full = await saturate(chooseGenerator(), free, job);
  // each of the two edges gets a quarter of what one edge alone took: both, and both generators, share the machine
  const requestsPerSecond = Math.round(full.completed / full.seconds / 4);
  process.stdout.write(
    `load: ${requestsPerSecond}/s on each of two edges (one alone: ${Math.round(full.completed / full.seconds)}/s)\n`,
  );

  let failed = false;
  for (const [title, other, boundMs] of [
    ['another node, with NOTIFY', told, 50],
    ['another node, every NOTIFY lost', deaf, 1000],
  ] as const) {
    const seconds = Math.ceil(samples * 0.2) + 1;
    const loads = own.ports.map((port) => pace(free, { ...job, port, requestsPerSecond, seconds }));
    const { own: here, other: there, answers } = await measure(own, other);
    const results = await Promise.all(loads);
    show('revoke to its answer', answers);
    show('own edges: last request let through, after the answer', here);
    show(`${title}: the same`, there);
    const broken = results.reduce((sum, result) => sum + result.refused + result.broken, 0);
    const p99 =
      percentile(
        [...there].sort((left, right) => left - right),
        boundMs === 50 ? 0.99 : 1,
      ) ?? 0;
    const late = here.filter((delay) => delay > 0).length;
    if (late > 0 || p99 > boundMs || broken > 0) failed = true;
    process.stdout.write(
      `own edges let through after the answer: ${late} of ${here.length}; load requests that failed: ${broken}\n`,
    );
  }

  await cost(own, 'nothing open', () => `x_${randomBytes(4).toString('hex')}`);
  const sockets = await open(own, openAnswers, (at) => (at < 10 ? `one_${at}` : 'all'));
  await cost(own, `${openAnswers} answers open, none ends`, () => `x_${randomBytes(4).toString('hex')}`);
  let next = 0;
  await cost(own, `${openAnswers} answers open, one ends`, () => `one_${next++}`);
  const { askedMs, answeredMs } = await own.revoke('all');
  process.stdout.write(`all of them end: revoke to its answer ${(answeredMs - askedMs).toFixed(1)} ms\n`);
  for (const socket of sockets) socket.destroy();
  if (failed) process.exitCode = 1;
} finally {
  for (const child of children) child.disconnect();
  await stopAll();
  await removePostgres(server);
  rmSync(folder, { recursive: true, force: true });
}
