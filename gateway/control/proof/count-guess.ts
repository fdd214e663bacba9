// Counts guesses at secrets: what of a guess is counted, who has to wait, and what a right one forgets.
// A guess is counted before it is looked at, in one unit with the question whether it may be: parallel ones do not slip through.
// What is refused is not counted. Names are counted whether somebody has them or not.
// Rule: core/model/try-count.ts. Numbers: guess-policies.ts.

import { digestOf } from '../../core/model/digest.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { countTry, freeAt, type TryCount, triesAt, type WaitPolicy } from '../../core/model/try-count.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import type { Sql, Unit } from '../../store/port/store.ts';
import {
  forgetGuesses,
  noRoomSeconds,
  readCounts,
  type ThrottleKey,
  takeGuessBack,
  writeCounts,
} from '../../store/rows/throttles.ts';
import {
  type CounterName,
  freshTries,
  type GuessedSecret,
  guessPolicies,
  type SecretPolicy,
} from './guess-policies.ts';

/** One try at a secret. */
export interface Guess {
  readonly secret: GuessedSecret;
  /** Whose secret, in the one spelling that the secret's owner is found by; null where a secret is nobody's by name. */
  readonly name: string | null;
  /** Address that the guess came from, as the edge says it. */
  readonly clientAddress: string;
  /** What tells the known device or place; null for a stranger. */
  readonly known: string | null;
}

/** One of the things that a guess is counted under. */
export interface Counter {
  readonly name: CounterName;
  readonly policy: WaitPolicy;
  readonly key: ThrottleKey;
}

/** Seconds until this guess may be looked at; 0: now. Counts nothing. @param now  log time: see `Store.logTime` */
export async function guessWait(sql: Sql, guess: Guess, now: EpochSeconds): Promise<number> {
  const counters = countersOf(guess);
  return waitOf(counters, await readCounts(sql, keysOf(counters)), now);
}

/** Counts one guess. @returns null when it may be looked at, else the seconds to wait; then nothing was counted */
export async function countGuessAt(unit: Unit, guess: Guess): Promise<number | null> {
  const counters = countersOf(guess);
  const counts = await readCounts(unit.sql, keysOf(counters));
  // Every counter is asked before one is raised: a guess that is not looked at costs nothing.
  const wait = waitOf(counters, counts, unit.logTime);
  if (wait > 0) return wait;
  const raised = counters.map(({ key, policy }, at) => {
    const count = counts[at] ?? null;
    return { key, count: countTry(count, policy, unit.logTime), isNew: count === null };
  });
  return (await writeCounts(unit, raised)) ? null : noRoomSeconds;
}

/**
 * After a right guess: what this guesser alone filled is forgotten. Of what others share only this one guess is: one's own account
 * must not clear what was guessed at others, a school that signs in at nine o'clock must not slow itself, and who guesses at a
 * name from everywhere begins at nothing again each time that its owner comes.
 */
export async function forgiveGuess(unit: Unit, guess: Guess): Promise<void> {
  const { afterRight }: SecretPolicy = guessPolicies[guess.secret];
  if (afterRight === 'count') return;
  const counters = countersOf(guess);
  await forgetGuesses(unit, ...keysOf(counters.filter(({ name }) => isOwn(name))));
  await takeGuessBack(unit, ...keysOf(counters.filter(({ name }) => !isOwn(name))));
}

/** A guess that was counted and then not looked at. */
export async function takeBackGuess(unit: Unit, guess: Guess): Promise<void> {
  await takeGuessBack(unit, ...keysOf(countersOf(guess)));
}

/** After the owner of a name chose a new secret: guesses from all over the world at the old one are forgotten. */
export async function forgiveName(unit: Unit, secret: GuessedSecret, name: string): Promise<void> {
  await forgetGuesses(unit, counterKey(secret, 'name', [name]));
}

/** What a guess is counted under. */
export function countersOf(guess: Guess): readonly Counter[] {
  const { secret, name, known } = guess;
  const { counters }: SecretPolicy = guessPolicies[secret];
  const { source, network } = clientNetworks(guess.clientAddress);
  const parts: Readonly<Record<CounterName, readonly string[] | null>> =
    known !== null && counters.known !== undefined
      ? { known: [name ?? '', known], pair: null, name: null, source: null, network: null, all: null, flood: null }
      : {
          known: null,
          pair: name === null ? null : [name, source],
          name: name === null ? null : [name],
          source: [source],
          network: [network],
          all: [],
          flood: [],
        };
  const found: Counter[] = [];
  for (const counter of counterNames) {
    const [policy, part] = [counters[counter], parts[counter]];
    if (policy !== undefined && part !== null) {
      found.push({ name: counter, policy, key: counterKey(secret, counter, part) });
    }
  }
  return found;
}

/** Seconds until all counters let a guess through. @param counts  in the order of the counters */
export function waitOf(counters: readonly Counter[], counts: readonly (TryCount | null)[], now: EpochSeconds): number {
  const isAmongGuessers = counters.some(({ name, policy }, at) => {
    const tries = triesAt(counts[at] ?? null, policy, now);
    return (name === 'source' && tries >= freshTries.source) || (name === 'network' && tries >= freshTries.network);
  });
  let latest = now;
  for (const [at, { name, policy }] of counters.entries()) {
    if (name === 'all' && !isAmongGuessers) continue;
    latest = Math.max(latest, freeAt(counts[at] ?? null, policy, now));
  }
  return latest - now;
}

const counterNames: readonly CounterName[] = ['known', 'pair', 'name', 'source', 'network', 'all', 'flood'];

/** What nobody but the guesser can have filled. */
function isOwn(name: CounterName): boolean {
  return name === 'known' || name === 'pair';
}

/** A digest: neither names nor addresses stand in the table. */
function counterKey(secret: GuessedSecret, counter: CounterName, parts: readonly string[]): ThrottleKey {
  const text = JSON.stringify([secret, counter, ...parts]);
  return { kind: `guess-${secret}-${counter}`, keyDigest: digestOf(text) };
}

function keysOf(counters: readonly Counter[]): ThrottleKey[] {
  return counters.map(({ key }) => key);
}
