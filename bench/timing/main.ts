// `npm run bench:timing`: tests whether the time of an answer tells a known address from an unknown one. A process of its own serves the
// visitors' server on a real store. This program sends requests one after the other over a Unix socket: for a known address, for an unknown
// address and for another unknown one, in random order. The third is the control: a difference between the two unknown addresses is noise.
// Each address and each network is used once, so that no limit answers.
//
// After each request, the next request of another client is timed as well, and after some the whole half second that follows: work that is
// done after an answer must not tell the difference either.
// Prints each difference in microseconds, with Welch's t and z by ranks. Exit code 1 when either is beyond 4.5.
// Options: --samples N (default 600), --windows N (default 30), --gateway FOLDER (another checkout's server.ts is started).

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { monotonicMs } from '../../gateway/telemetry/clock.ts';
import { openClient, shuffled } from './client.ts';
import { type Comparison, compare } from './statistics.ts';

const { values: given } = parseArgs({
  options: {
    samples: { type: 'string', default: '600' },
    windows: { type: 'string', default: '30' },
    gateway: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
  },
});
const samples = Number(given.samples);
const windows = Number(given.windows);
/** By chance, a difference of 4.5 standard deviations occurs once in 150,000 tries. */
const bound = 4.5;
const windowMs = 500;

const kinds = ['known', 'unknown', 'control'] as const;
type Kind = (typeof kinds)[number];

interface Question {
  readonly name: string;
  readonly path: string;
  readonly body: (email: string) => object;
  /** Whether the request carries the session cookie of an account. */
  readonly isSignedIn?: boolean;
  /** Share of `samples` to take, default 1; less for sign-ins, since each costs a hash. */
  readonly share?: number;
}

const questions: readonly Question[] = [
  { name: 'new password', path: 'password-reset', body: (email) => ({ email }) },
  { name: 'register', path: 'register', body: (email) => ({ email }) },
  { name: 'another address', path: 'me/address', body: (email) => ({ email }), isSignedIn: true },
  { name: 'sign in', path: 'sign-in', body: (email) => ({ email, password: 'not this one at all' }), share: 0.5 },
];

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-timing-'));
const socketPath = join(folder, 'p.sock');
const { send, close } = openClient(socketPath);
const perQuestion = samples + windows + 20;
let child: ChildProcess | null = null;
try {
  child = fork(join(given.gateway, 'bench/timing/server.ts'), [
    folder,
    String(questions.length * perQuestion),
    'accounts',
  ]);
  const [ready] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [{ sessionToken?: string }];
  if (ready.sessionToken === undefined) throw new Error('the server did not start');
  process.exitCode = (await run(ready.sessionToken)) ? 0 : 1;
} finally {
  child?.kill();
  close();
  rmSync(folder, { recursive: true, force: true });
}

async function run(sessionToken: string): Promise<boolean> {
  let isEqual = true;
  let place = 0;
  print('                                 known - unknown                    unknown - unknown');
  print('what                      n      mean µs  median µs  t z   rank z    mean µs  median µs  t z   rank z');
  for (const [index, question] of questions.entries()) {
    const asked = new Map<Kind, number[]>();
    const next = new Map<Kind, number[]>();
    const following = new Map<Kind, number[]>();
    const rounds = Math.ceil(samples * (question.share ?? 1));
    const askAll = async (at: number, isCounted: boolean, isWindow: boolean): Promise<void> => {
      for (const kind of shuffled(kinds)) {
        place += 1;
        const email = emailOf(kind, index * perQuestion + at);
        const own = await ask(question, email, place, sessionToken);
        const after = isWindow ? await probeFor(windowMs) : await probe();
        if (!isCounted) continue;
        push(isWindow ? following : next, kind, after);
        if (!isWindow) push(asked, kind, own);
      }
    };
    // the first 20 rounds do not count: they pay for compiling code and opening files
    for (let at = 0; at < 20; at++) await askAll(at, false, false);
    for (let at = 20; at < 20 + rounds; at++) await askAll(at, true, false);
    for (let at = 20 + rounds; at < 20 + rounds + windows; at++) await askAll(at, true, true);
    for (const [name, times] of [
      [question.name, asked],
      ['  the next request', next],
      ['  the half second after', following],
    ] as const) {
      if ((times.get('known') ?? []).length === 0) continue;
      isEqual = line(name, times) && isEqual;
    }
  }
  return isEqual;
}

function line(name: string, times: ReadonlyMap<Kind, readonly number[]>): boolean {
  const [known = [], unknown = [], control = []] = kinds.map((kind) => times.get(kind));
  const own = compare(known, unknown);
  const noise = compare(control, unknown);
  print(`${name.padEnd(26)}${String(known.length).padEnd(6)}${cells(own)}  ${cells(noise)}`);
  return Math.abs(own.welch) < bound && Math.abs(own.rank) < bound;
}

function cells({ meanDifference, medianDifference, welch, rank }: Comparison): string {
  const micro = (ms: number) => (ms * 1000).toFixed(0).padStart(8);
  return `${micro(meanDifference)} ${micro(medianDifference)}  ${welch.toFixed(1).padStart(6)} ${rank.toFixed(1).padStart(6)}`;
}

function emailOf(kind: Kind, at: number): string {
  // all addresses have the same length, so that echoing or hashing them takes the same time
  const number = String(at).padStart(6, '0');
  return kind === 'known'
    ? `known-${number}@example.org`
    : `${kind === 'unknown' ? 'nobod' : 'other'}-${number}@example.org`;
}

/** Sends one request for an address. @param place  names a network that no other request has @returns ms to the end of the answer */
async function ask(question: Question, email: string, place: number, sessionToken: string): Promise<number> {
  const cookie = question.isSignedIn === true ? { cookie: `latchkey=${sessionToken}` } : {};
  const { status, ms } = await send('POST', `v1/${question.path}`, question.body(email), {
    ...cookie,
    'x-forwarded-for': `2a00:${(place >> 16).toString(16)}:${(place & 0xffff).toString(16)}::1, 127.0.0.1`,
  });
  const expected = question.path === 'sign-in' ? 403 : 204;
  if (status !== expected && !(question.path === 'sign-in' && status >= 400 && status < 429)) {
    throw new Error(`${question.name} answered ${status} and not ${expected}`);
  }
  return ms;
}

/** Times a request that has nothing to do with any address. @returns ms */
async function probe(): Promise<number> {
  return (await send('GET', 'login', null, { 'x-forwarded-for': '127.0.0.1' })).ms;
}

/** @returns the mean time of the probes, in ms, that were sent within `ms` milliseconds */
async function probeFor(ms: number): Promise<number> {
  const until = monotonicMs() + ms;
  const times: number[] = [];
  while (monotonicMs() < until) times.push(await probe());
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

function push(into: Map<Kind, number[]>, kind: Kind, value: number): void {
  into.set(kind, [...(into.get(kind) ?? []), value]);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
