// A flood against one listener, as a process of its own: wrong passwords, or one recorded ClientHello again and again. It begins so many
// a second, evenly spread over 64 networks, whether answers come or not, and prints what it could send and what came back.
// Only against loopback; it ends by its count of seconds, and with whoever started it.

import { connect, type Socket } from 'node:net';

export interface FloodJob {
  readonly kind: 'guesses' | 'hellos';
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
  /** base64; for `hellos`. */
  readonly hello: string;
}

export interface FloodResult {
  readonly sent: number;
  /** Due, and not sent because the generator had no connection free. */
  readonly missed: number;
  readonly seconds: number;
  /** Answers by status, or `cut` for a connection that ended without one. */
  readonly answers: Readonly<Record<string, number>>;
}

const networks = 64;
const tickMs = 10;
/** Open connections of this generator. */
const maxOpen = 2000;
const guessConnections = 512;
/** Who replays a hello stays for the server's flight, and never answers it. */
const helloStaysMs = 150;

const job = JSON.parse(process.argv[2] ?? '{}') as FloodJob;
const hello = Buffer.from(job.hello, 'base64');
const answers: Record<string, number> = {};
let sent = 0;
let missed = 0;
let open = 0;
process.once('disconnect', () => process.exit(1));

const count = (outcome: string) => {
  answers[outcome] = (answers[outcome] ?? 0) + 1;
};
const networkOf = (number: number) => `127.${20 + (job.seed % 100)}.${number % networks}.1`;

const idle: Socket[] = [];

function openGuesser(number: number): void {
  open += 1;
  const socket = connect({ port: job.port, host: '127.0.0.1', localAddress: networkOf(number), noDelay: true });
  let isAsked = false;
  socket.on('connect', () => idle.push(socket));
  socket.on('data', (chunk) => {
    if (chunk.length < 12 || chunk[0] !== 72) return;
    count(chunk.toString('latin1', 9, 12));
    isAsked = false;
    idle.push(socket);
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    open -= 1;
    if (isAsked) count('cut');
    const at = idle.indexOf(socket);
    if (at >= 0) idle.splice(at, 1);
    if (performance.now() < endsMs) openGuesser(number);
  });
  Object.assign(socket, {
    ask: (text: string) => {
      isAsked = true;
      socket.write(text);
    },
  });
}

function guess(): void {
  const socket = idle.shift() as (Socket & { ask(text: string): void }) | undefined;
  if (socket === undefined) {
    missed += 1;
    return;
  }
  const credentials = Buffer.from(`u${job.seed}_${sent}:wrong`).toString('base64');
  sent += 1;
  socket.ask(`GET / HTTP/1.1\r\nHost: siege.test\r\nAuthorization: Basic ${credentials}\r\n\r\n`);
}

function replay(): void {
  if (open >= maxOpen) {
    missed += 1;
    return;
  }
  open += 1;
  const socket = connect({ port: job.port, host: '127.0.0.1', localAddress: networkOf(sent) });
  sent += 1;
  let isAnswered = false;
  socket.on('connect', () => socket.write(hello));
  socket.on('data', () => {
    isAnswered = true;
  });
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.resetAndDestroy(), helloStaysMs);
  socket.on('close', () => {
    clearTimeout(timer);
    open -= 1;
    count(isAnswered ? 'answered' : 'cut');
  });
}

const startedMs = performance.now();
const endsMs = startedMs + job.seconds * 1000;
const step = job.kind === 'guesses' ? guess : replay;
if (job.kind === 'guesses') for (let number = 0; number < guessConnections; number++) openGuesser(number);
let due = 0;
const timer = setInterval(() => {
  const elapsedMs = performance.now() - startedMs;
  const wanted = Math.floor((Math.min(elapsedMs, job.seconds * 1000) / 1000) * job.perSecond);
  // what a late timer could not send is not made up for in one burst
  const now = Math.min(wanted - due, Math.ceil((job.perSecond * tickMs * 5) / 1000));
  missed += wanted - due - now;
  due = wanted;
  for (let at = 0; at < now; at++) step();
  if (elapsedMs < job.seconds * 1000) return;
  clearInterval(timer);
  const result: FloodResult = { sent, missed, seconds: elapsedMs / 1000, answers };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}, tickMs);
