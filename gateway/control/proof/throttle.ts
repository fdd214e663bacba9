// The one throttle of control: counts tries before they are looked at, and tells how long a try has to wait. It has two rules, both over rows that all
// nodes share: a guess at a secret waits longer with each further guess (core/model/try-count.ts), and a request is allowed so many
// times in a window. Counting and asking are one unit, so parallel tries do not slip through, and a try that is refused is not
// counted. Names are counted whether somebody has them or not. What is counted, and how hard: throttle-policies.ts.

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
import type { Logger } from '../../telemetry/logger.ts';
import { isInstallationLimit, noteLimit } from './reached-limits.ts';
import {
  type CounterName,
  freshTries,
  type GuessedSecret,
  guessPolicies,
  type SecretPolicy,
  type WindowConfig,
  type WindowKind,
  windowPolicies,
  windowTerms,
} from './throttle-policies.ts';

/** One try at a secret. */
export interface Guess {
  readonly secret: GuessedSecret;
  /** Name of the secret's owner, in the one spelling by which the owner is found; null for a secret without a name. */
  readonly name: string | null;
  /** Address that the guess came from, as the edge reports it. */
  readonly clientAddress: string;
  /** Identifies the known device or place; null for a stranger. */
  readonly known: string | null;
}

/** One of the things that a guess is counted under. */
export interface Counter {
  readonly name: CounterName;
  readonly policy: WaitPolicy;
  readonly key: ThrottleKey;
}

/** One of the windows that a request is counted in: a row of `windowPolicies`, for one subject. */
export interface WindowBound {
  readonly kind: WindowKind;
  /** The account, address or mailbox that is counted; only a digest of it is kept. Empty for a window that everybody shares. */
  readonly subject: string;
}

type WindowCounted =
  /** `keys`: of the rows that were raised, to take the request back. `tries`: with this one, in the order of the bounds. */
  | { readonly kind: 'allowed'; readonly keys: readonly ThrottleKey[]; readonly tries: readonly number[] }
  /** Nothing was counted. `waitSeconds`: until the window that is full ends, or until the table may have room again. */
  | { readonly kind: 'blocked'; readonly waitSeconds: number };

/** The limits that bound the windows, and the function that tells the operator of reached limits. */
export interface WindowContext {
  readonly config: () => WindowConfig;
  /** Default: nobody is told. */
  readonly logger?: Pick<Logger, 'warn'>;
}

/** Seconds until this guess may be looked at; 0: now. Counts nothing. @param now  log time: see `Store.logTime` */
export async function guessWait(sql: Sql, guess: Guess, now: EpochSeconds): Promise<number> {
  const counters = countersOf(guess);
  return waitOf(counters, await readCounts(sql, keysOf(counters)), now);
}

/** Counts one guess. @returns null when it may be looked at, else the seconds to wait; then nothing was counted */
export async function countGuess(unit: Unit, guess: Guess): Promise<number | null> {
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
 * After a right guess: what this guesser alone filled is forgotten. Of what others share only this one guess is: a sign-in to one's
 * own account must not clear what was guessed at other accounts, a school that signs in at nine o'clock must not slow itself, and the
 * count of guesses at a name from everywhere must not begin at nothing each time that its owner signs in.
 */
export async function forgiveGuess(unit: Unit, guess: Guess): Promise<void> {
  const { afterRight }: SecretPolicy = guessPolicies[guess.secret];
  if (afterRight === 'count') return;
  const counters = countersOf(guess);
  await forgetGuesses(unit, ...keysOf(counters.filter(({ name }) => isOwn(name))));
  await takeGuessBack(unit, ...keysOf(counters.filter(({ name }) => !isOwn(name))));
}

/** Takes back a guess that was counted and then not looked at. */
export async function takeBackGuess(unit: Unit, guess: Guess): Promise<void> {
  await takeGuessBack(unit, ...keysOf(countersOf(guess)));
}

/** After the owner of a name chose a new secret: guesses from all over the world at the old one are forgotten. */
export async function forgiveName(unit: Unit, secret: GuessedSecret, name: string): Promise<void> {
  await forgetGuesses(unit, counterKey(secret, 'name', [name]));
}

/** The counters that a guess is added to. */
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

/**
 * Counts one request in all its windows, if none of them is full: what one window stops costs nothing of the others. Windows are of
 * the log's own time, so no clock that is set begins a new one. A limit of the installation that is reached is told to the operator.
 */
export async function countRequest(
  unit: Unit,
  context: WindowContext,
  bounds: readonly WindowBound[],
): Promise<WindowCounted> {
  const config = context.config();
  const windows = bounds.map((bound) => windowOf(bound, config, unit.logTime));
  const counts = await readCounts(
    unit.sql,
    windows.map(({ key }) => key),
  );
  const raised: Parameters<typeof writeCounts>[1][number][] = [];
  for (const [at, { kind, key, most, endsAt }] of windows.entries()) {
    const count = counts[at] ?? null;
    const tries = (count?.tries ?? 0) + 1;
    if (tries > most) {
      if (isInstallationLimit(kind)) await noteLimit(unit, context, kind);
      return { kind: 'blocked', waitSeconds: endsAt - unit.logTime };
    }
    const blockedUntilAt = tries >= most ? endsAt : unit.logTime;
    const leakedAt = count?.leakedAt ?? unit.logTime;
    raised.push({ key, count: { tries, leakedAt, lastAt: unit.logTime, blockedUntilAt }, isNew: count === null });
  }
  if (!(await writeCounts(unit, raised))) return { kind: 'blocked', waitSeconds: noRoomSeconds };
  return { kind: 'allowed', keys: raised.map(({ key }) => key), tries: raised.map(({ count }) => count.tries) };
}

/** Windows from the present one on that `bookRequest` looks at. */
const windowsBooked = 12;

/**
 * Counts one request in the first window that has room, the present one or a later one, so that it waits in place of being refused. The
 * last window that is looked at takes what is beyond all of them. The number of statements is the same whatever the counts say.
 *
 * @returns how long the request has to wait, 0 for now; and the counts that were raised, none where the table has no room
 */
export async function bookRequest(
  unit: Unit,
  context: WindowContext,
  bound: WindowBound,
): Promise<{ readonly waitSeconds: number; readonly keys: readonly ThrottleKey[] }> {
  const { windowSeconds } = windowTerms(windowPolicies[bound.kind], context.config());
  const windows = Array.from({ length: windowsBooked }, (_, ahead) =>
    windowOf(bound, context.config(), unit.logTime + ahead * windowSeconds),
  );
  const counts = await readCounts(
    unit.sql,
    windows.map(({ key }) => key),
  );
  const free = windows.findIndex(({ most }, at) => (counts[at]?.tries ?? 0) < most);
  const at = free < 0 ? windowsBooked - 1 : free;
  const [window, before] = [windows[at], counts[at] ?? null];
  if (window === undefined) throw new Error('a place in a list of windows is one of them');
  const startsAt = window.endsAt - windowSeconds;
  const tries = (before?.tries ?? 0) + 1;
  // A window that has not begun counts as grown when it begins: until then it is not pruned.
  const lastAt = Math.max(unit.logTime, startsAt);
  const count = {
    tries,
    leakedAt: before?.leakedAt ?? unit.logTime,
    lastAt,
    blockedUntilAt: tries >= window.most ? window.endsAt : unit.logTime,
  };
  if (!(await writeCounts(unit, [{ key: window.key, count, isNew: before === null }])))
    return { waitSeconds: noRoomSeconds, keys: [] };
  return { waitSeconds: Math.max(0, startsAt - unit.logTime), keys: [window.key] };
}

const counterNames: readonly CounterName[] = ['known', 'pair', 'name', 'source', 'network', 'all', 'flood'];

/** Whether only the guesser can have filled the counter. */
function isOwn(name: CounterName): boolean {
  return name === 'known' || name === 'pair';
}

/** A digest: neither names nor addresses stand in the table. */
function counterKey(secret: GuessedSecret, counter: CounterName, parts: readonly string[]): ThrottleKey {
  return { kind: `guess-${secret}-${counter}`, keyDigest: digestOf(JSON.stringify([secret, counter, ...parts])) };
}

function keysOf(counters: readonly Counter[]): ThrottleKey[] {
  return counters.map(({ key }) => key);
}

function windowOf({ kind, subject }: WindowBound, config: WindowConfig, now: EpochSeconds) {
  const { most, windowSeconds } = windowTerms(windowPolicies[kind], config);
  const window = Math.floor(now / windowSeconds);
  const key: ThrottleKey = { kind, keyDigest: digestOf(JSON.stringify([kind, subject, window])) };
  return { kind, key, most, endsAt: (window + 1) * windowSeconds };
}
