// A flood against one listener, as a process of its own: wrong passwords, or ClientHellos. It sends a fixed number a second, evenly spread
// over 64 networks, whether answers come or not, and prints how many it could send and which answers came back.
// It floods loopback only, and ends after its number of seconds or with the process that started it.

import { connect, type Socket } from 'node:net';

/** What a flood is started with, as JSON in its first argument. */
export interface FloodJob {
  /** `replays`: the same ClientHello every time. `hellos`: each ClientHello has a random of its own, so that it looks like a new client. */
  readonly kind: 'guesses' | 'replays' | 'hellos';
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
  /** The recorded ClientHello in base64; not used for guesses. */
  readonly hello: string;
}

/** What a flood prints at its end, as JSON. */
export interface FloodResult {
  readonly sent: number;
  /** Number of requests that were due but not sent, because the generator was late or had no free connection. */
  readonly missed: number;
  readonly seconds: number;
  /** CPU time of the flood's process. */
  readonly cpuSeconds: number;
  /** Answers to guesses by status, or `cut` for a connection that ended without one. */
  readonly answers: Readonly<Record<string, number>>;
}

const networks = 64;
const tickMs = 2;
/** A late timer makes up for at most this time in one tick; what is older counts as missed. */
const longestLateMs = 20;
const maxOpen = 3000;
const guessConnections = 512;
/** A connection stays open this long after its ClientHello, for the server's answer, and never replies. */
const helloStaysMs = 150;
/** Offset of the random in a recorded ClientHello: behind the record's header, the message's header and the version. */
const randomAt = 11;

const job = JSON.parse(process.argv[2] ?? '{}') as FloodJob;
const hello = Buffer.from(job.hello, 'base64');
const answers: Record<string, number> = {};
let sent = 0;
let missed = 0;
process.once('disconnect', () => process.exit(1));

const count = (outcome: string) => {
  answers[outcome] = (answers[outcome] ?? 0) + 1;
};
const addresses = Array.from({ length: networks }, (_, number) => `127.${20 + (job.seed % 100)}.${number}.1`);
const ignore = () => undefined;

interface Guesser {
  readonly socket: Socket;
  isAsked: boolean;
}

const idle: Guesser[] = [];
let idleFrom = 0;

function openGuesser(number: number): void {
  const localAddress = addresses[number % networks] ?? '';
  const socket = connect({ port: job.port, host: '127.0.0.1', localAddress, noDelay: true });
  const guesser: Guesser = { socket, isAsked: false };
  socket.on('connect', () => idle.push(guesser));
  socket.on('data', (chunk) => {
    if (chunk.length < 12 || chunk[0] !== 72) return;
    count(chunk.toString('latin1', 9, 12));
    guesser.isAsked = false;
    idle.push(guesser);
  });
  socket.on('error', ignore);
  socket.on('close', () => {
    if (guesser.isAsked) count('cut');
    if (performance.now() < endsMs) openGuesser(number);
  });
}

function guess(): void {
  let guesser = idle[idleFrom];
  while (guesser?.socket.destroyed === true) guesser = idle[++idleFrom];
  if (guesser === undefined) {
    missed += 1;
    return;
  }
  idleFrom += 1;
  if (idleFrom > 4096) {
    idle.splice(0, idleFrom);
    idleFrom = 0;
  }
  const credentials = Buffer.from(`u${job.seed}_${sent}:wrong`).toString('base64');
  sent += 1;
  guesser.isAsked = true;
  guesser.socket.write(`GET / HTTP/1.1\r\nHost: siege.test\r\nAuthorization: Basic ${credentials}\r\n\r\n`, 'latin1');
}

// open connections, oldest first, and when each was opened
const open: Socket[] = [];
const openedMs: number[] = [];
let openFrom = 0;

function sayHello(): void {
  if (open.length - openFrom >= maxOpen) {
    missed += 1;
    return;
  }
  const socket = connect({ port: job.port, host: '127.0.0.1', localAddress: addresses[sent % networks] ?? '' });
  socket.on('error', ignore);
  // the answer is never read: the flood has no use for it, and reading would double the cost of sending
  socket.pause();
  let bytes = hello;
  if (job.kind === 'hellos') {
    bytes = Buffer.from(hello);
    bytes.writeUInt32BE(job.seed, randomAt);
    bytes.writeUInt32BE(sent, randomAt + 4);
  }
  socket.write(bytes);
  sent += 1;
  open.push(socket);
  openedMs.push(performance.now());
}

function hangUp(): void {
  const before = performance.now() - helloStaysMs;
  while (openFrom < open.length && (openedMs[openFrom] ?? 0) < before) open[openFrom++]?.resetAndDestroy();
  if (openFrom > 4096) {
    open.splice(0, openFrom);
    openedMs.splice(0, openFrom);
    openFrom = 0;
  }
}

const startedMs = performance.now();
const endsMs = startedMs + job.seconds * 1000;
const step = job.kind === 'guesses' ? guess : sayHello;
if (job.kind === 'guesses') for (let number = 0; number < guessConnections; number++) openGuesser(number);
const mostAtOnce = Math.ceil((job.perSecond * longestLateMs) / 1000);
let due = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedMs;
  const wanted = Math.floor((Math.min(elapsedMs, job.seconds * 1000) / 1000) * job.perSecond);
  const now = Math.min(wanted - due, mostAtOnce);
  missed += wanted - due - now;
  due = wanted;
  hangUp();
  for (let at = 0; at < now; at++) step();
  if (elapsedMs < job.seconds * 1000) return;
  clearInterval(timer);
  const { user, system } = process.cpuUsage();
  const result: FloodResult = { sent, missed, seconds: elapsedMs / 1000, cpuSeconds: (user + system) / 1e6, answers };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}, tickMs);
