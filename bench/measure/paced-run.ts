// A load generator process: sends a fixed number of requests per second, evenly spread. Prints one LoadResult as JSON.
// It replaces autocannon, whose `overallRate` sends a second's requests at the beginning of each second and counts whole milliseconds, and
// so would measure bursts. Latency counts from the tick at which a request was due and not from when a connection was free, so a proxy that
// stalls pays for every request that had to wait (no coordinated omission).

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { separator } from '../workload/requests.ts';
import type { LoadResult, PacedJob } from './load.ts';
import { percentile } from './statistics.ts';

interface Connection {
  readonly socket: Socket;
  /** When the connection's present request was due; 0 while the connection is idle. */
  due: number;
  /** Bytes of an answer's head that are not parsed yet; empty while a body is read. */
  head: string;
  bodyLeft: number;
}

const job = JSON.parse(process.argv[2] ?? '{}') as PacedJob;
const requests = readFileSync(job.requestsFile, 'latin1').split(separator);
const idle: Connection[] = [];
/** Due times of requests that wait for a free connection. */
const waiting: number[] = [];
const latencies: number[] = [];
let waitingFrom = 0;
let sent = 0;
let bytes = 0;
let refused = 0;
let broken = 0;

function send(connection: Connection, due: number): void {
  connection.due = due;
  connection.socket.write(requests[sent % requests.length] ?? '', 'latin1');
  sent += 1;
}

function finish(connection: Connection): void {
  latencies.push(performance.now() - connection.due);
  connection.due = 0;
  const due = waiting[waitingFrom];
  if (due === undefined) {
    idle.push(connection);
    return;
  }
  waitingFrom += 1;
  send(connection, due);
}

function read(connection: Connection, chunk: Buffer): void {
  bytes += chunk.length;
  if (connection.bodyLeft > 0) {
    connection.bodyLeft -= chunk.length;
  } else {
    connection.head += chunk.toString('latin1');
    const end = connection.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (connection.head.charCodeAt(9) !== 0x32) refused += 1;
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(connection.head.slice(0, end + 2))?.[1];
    // all peers pass the backend's Content-Length on; without it the end of the answer would be unknown
    if (length === undefined) throw new Error(`an answer without Content-Length: ${connection.head.slice(0, 200)}`);
    connection.bodyLeft = Number(length) - (connection.head.length - end - 4);
    connection.head = '';
  }
  if (connection.bodyLeft === 0) finish(connection);
}

async function open(): Promise<Connection> {
  const socket = connect(job.port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  const connection: Connection = { socket, due: 0, head: '', bodyLeft: 0 };
  socket.on('data', (chunk: Buffer) => read(connection, chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (done) return;
    broken += 1;
    const at = idle.indexOf(connection);
    if (at >= 0) idle.splice(at, 1);
  });
  return connection;
}

let done = false;
idle.push(...(await Promise.all(Array.from({ length: job.connections }, open))));
const start = performance.now();
const end = start + job.seconds * 1000;
const gap = 1000 / job.requestsPerSecond;
let due = start;

await new Promise<void>((resolve) => {
  const tick = () => {
    const now = performance.now();
    for (; due <= now && due < end; due += gap) {
      const connection = idle.shift();
      // counted from this tick, since a late timer is the generator's fault and not the proxy's
      if (connection === undefined) waiting.push(now);
      else send(connection, now);
    }
    if (now >= end) resolve();
    else setTimeout(tick, 1);
  };
  tick();
});
done = true;
const seconds = (performance.now() - start) / 1000;
const sorted = Float64Array.from(latencies).sort();
const answer: LoadResult = {
  completed: latencies.length,
  seconds,
  bytes,
  refused,
  broken,
  p50Ms: percentile(sorted, 0.5),
  p90Ms: percentile(sorted, 0.9),
  p99Ms: percentile(sorted, 0.99),
};
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
