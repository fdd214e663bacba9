// `npm run bench:timing:shares`: tests whether the time in which a key is offered tells what is known of the address. A process of its own
// serves the visitors' server on a real store; this program offers a key to addresses with an account, with one that nobody verified, with a
// blocked one, and to addresses that nobody ever named, in random order, each address once. After each request the next request of
// another client is timed as well.
// Prints each pair's difference in microseconds, with Welch's t and z by ranks. Exit code 1 when a t is not under 4.5.
// Option: --samples N, offers of each kind (default 2500, which is 10,000 in all).

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openClient, shuffled } from './client.ts';
import { compare } from './statistics.ts';

const { values: given } = parseArgs({ options: { samples: { type: 'string', default: '2500' } } });
const samples = Number(given.samples);
/** Rounds that do not count: they pay for compiling code and opening files. */
const warmUp = 50;
/** By chance, a difference of 4.5 standard deviations occurs once in 150,000 tries. */
const bound = 4.5;

/** All have five letters, so that echoing or hashing an address takes the same time. */
const kinds = { known: 'known', unverified: 'named', disabled: 'ended', unknown: 'nobod' } as const;
type Kind = keyof typeof kinds;
const names = Object.keys(kinds) as readonly Kind[];

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-timing-'));
const { send, close } = openClient(join(folder, 'p.sock'));
let child: ChildProcess | null = null;
try {
  child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [folder, String(samples + warmUp), 'shares']);
  const [ready] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [{ sessionToken?: string }];
  if (ready.sessionToken === undefined) throw new Error('the server did not start');
  process.exitCode = (await run(ready.sessionToken)) ? 0 : 1;
} finally {
  child?.kill();
  close();
  rmSync(folder, { recursive: true, force: true });
}

async function run(sessionToken: string): Promise<boolean> {
  const offers = new Map<Kind, number[]>(names.map((kind) => [kind, []]));
  const next = new Map<Kind, number[]>(names.map((kind) => [kind, []]));
  for (let at = 0; at < warmUp + samples; at++) {
    for (const kind of shuffled(names)) {
      const email = `${kinds[kind]}-${String(at).padStart(6, '0')}@example.org`;
      const offer = await send(
        'POST',
        'v1/me/keys/dk_key0000000000000000001/shares',
        { email },
        {
          ...{ cookie: `latchkey=${sessionToken}`, 'x-forwarded-for': '127.0.0.1' },
        },
      );
      if (offer.status !== 201) throw new Error(`an offer answered ${offer.status} and not 201`);
      const after = await send('GET', 'login', null, { 'x-forwarded-for': '127.0.0.1' });
      if (at < warmUp) continue;
      offers.get(kind)?.push(offer.ms);
      next.get(kind)?.push(after.ms);
    }
    if (at % 500 === 499) process.stderr.write(`${at + 1} of ${warmUp + samples} rounds\n`);
  }
  print('what                pair                        n      mean µs  median µs  t z     rank z');
  const isOffer = lines('offer a key', offers);
  return lines('the next request', next) && isOffer;
}

/** @returns whether Welch's t is under the bound for each pair */
function lines(what: string, times: ReadonlyMap<Kind, readonly number[]>): boolean {
  let isEqual = true;
  for (const [at, one] of names.entries()) {
    for (const other of names.slice(at + 1)) {
      const { meanDifference, medianDifference, welch, rank } = compare(times.get(one) ?? [], times.get(other) ?? []);
      const micro = (ms: number) => (ms * 1000).toFixed(1).padStart(8);
      print(
        `${what.padEnd(20)}${`${one} - ${other}`.padEnd(26)}${String(samples).padStart(6)} ${micro(meanDifference)} ${micro(medianDifference)}  ${welch.toFixed(2).padStart(6)} ${rank.toFixed(2).padStart(8)}`,
      );
      if (Math.abs(welch) >= bound) isEqual = false;
    }
  }
  return isEqual;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
