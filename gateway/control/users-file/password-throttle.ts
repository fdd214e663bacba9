// Slows guessing of the users file's passwords (Basic) by the one rule for guesses (proof/throttle.ts), with two things of its own.
//
// Programs without cookies send the right password with each request. So a place that gave the right one before is known, by name
// and source, and a right guess from there writes nothing: what runs is counted in memory, a wrong one is written after it. Guesses
// at once through several nodes may so be a few more than the free ones; for strangers each guess is written before it is looked at.
//
// The users file works while the store is away. Then guesses are counted by the same rule in memory, on top of what this process
// remembers: guessing gets no faster, and no user is locked out because a database is gone. A store that is too slow counts as away.

import { LRUCache } from 'lru-cache';
import type { EpochSeconds } from '../../core/model/time.ts';
import { countTry, type TryCount } from '../../core/model/try-count.ts';
import { clientNetworks } from '../../core/token/client-network.ts';
import { type Store, StoreAway } from '../../store/port/store.ts';
import { knownSourceKey, markKnownSource } from '../../store/rows/known-sources.ts';
import { readCounts, type ThrottleKey } from '../../store/rows/throttles.ts';
import type { StrangersWait } from '../../wire/questions.ts';
import {
  type Counter,
  countersOf,
  countGuess,
  forgiveGuess,
  type Guess,
  takeBackGuess,
  waitOf,
} from '../proof/throttle.ts';
import { type CounterName, guessPolicies } from '../proof/throttle-policies.ts';

/** A guess that may be looked at; to be settled once. */
interface TakenGuess {
  readonly guess: Guess;
  /** Whether the store counted it; false: memory did. */
  readonly isStored: boolean;
  /** What is known of the place; null for a stranger's. */
  readonly known: KnownPlace | null;
}

interface KnownPlace {
  readonly lastRightAt: EpochSeconds;
  /** Wrong guesses of it that are counted. */
  readonly wrongs: number;
}

type GuessOutcome = 'right' | 'wrong' | 'not-looked-at';

interface PasswordThrottleOptions {
  /** null: counted in memory alone. */
  readonly store: Pick<Store, 'sql' | 'write'> | null;
  /** With a store, its own time (`Store.logTime`): rows are compared with it. */
  readonly clock: { readonly epochSeconds: () => EpochSeconds };
  /** How long the store may take before memory counts in its place. Default 500. */
  readonly storePatienceMs?: number;
}

/** A place is known for so long after the last right password. */
export const knownSeconds = 30 * 24 * 3600;
/** The last time is written at most this often. */
const refreshSeconds = 24 * 3600;
/** Counts and places in memory, each. */
const maxRemembered = 50_000;

/** Counts guesses at the users file. */
export class PasswordThrottle {
  readonly #options: PasswordThrottleOptions;
  /** What was counted while the store was away. */
  readonly #counts = new LRUCache<string, TryCount>({ max: maxRemembered });
  /** Places that are known, for when the store is away. */
  readonly #places = new LRUCache<string, EpochSeconds>({ max: maxRemembered });
  /** Guesses of known places that are looked at now. */
  readonly #running = new Map<string, number>();

  constructor(options: PasswordThrottleOptions) {
    this.#options = options;
  }

  /** Whether the place is known, and how many seconds until a guess from it may be looked at; 0: now. Counts nothing. @param name  as it was sent */
  async look(
    name: string,
    clientAddress: string,
  ): Promise<{ readonly waitSeconds: number; readonly isKnown: boolean; readonly strangers: StrangersWait }> {
    const { wait, known, strangers } = await this.#look(name, clientAddress);
    return { waitSeconds: wait, isKnown: known !== null, strangers };
  }

  /** Whether the right password came from each of these lately. Counts nothing. @returns in the order of the places */
  async areKnown(places: readonly { readonly user: string; readonly address: string }[]): Promise<readonly boolean[]> {
    const keys = places.map(({ user, address }) => placeOf(strangerAt(user, address)));
    const counts = await this.#stored((store) => readCounts(store.sql, keys));
    const now = this.#options.clock.epochSeconds();
    return keys.map((key, at) => isKnownAt(counts === null ? this.#places.get(keyText(key)) : counts[at]?.lastAt, now));
  }

  /** Counts one guess. @returns the seconds to wait; then nothing was counted */
  async take(name: string, clientAddress: string): Promise<TakenGuess | { readonly waitSeconds: number }> {
    const { guess, known, wait, isStored } = await this.#look(name, clientAddress);
    if (wait > 0) return { waitSeconds: wait };
    if (known !== null) {
      // In one step with the count of those that run: others may have begun since the look.
      if (this.#isCrowded(guess, known)) return { waitSeconds: 1 };
      this.#running.set(keyText(placeOf(guess)), this.#runningOf(guess) + 1);
      return { guess, known, isStored };
    }
    const stored = await this.#stored((store) => store.write((unit) => countGuess(unit, guess)));
    if (stored !== null && stored.value !== null) return { waitSeconds: stored.value };
    if (stored === null) {
      // Between the look and this line others may have been counted here.
      const remembered = this.#rememberedWait(countersOf(guess));
      if (remembered > 0) return { waitSeconds: remembered };
      this.#count(countersOf(guess));
    }
    return { guess, known, isStored: stored !== null };
  }

  /** Says how a guess that was taken ended. */
  async settle(taken: TakenGuess, outcome: GuessOutcome): Promise<void> {
    const { guess, known, isStored } = taken;
    if (known !== null) {
      const left = this.#runningOf(guess) - 1;
      if (left > 0) this.#running.set(keyText(placeOf(guess)), left);
      else this.#running.delete(keyText(placeOf(guess)));
    }
    switch (outcome) {
      case 'right':
        return await this.#right(taken);
      case 'wrong': {
        if (known === null) return;
        const written = await this.#stored((store) => store.write((unit) => countGuess(unit, guess)));
        if (written === null) this.#count(countersOf(guess));
        return;
      }
      case 'not-looked-at':
        if (known !== null) return;
        if (isStored) await this.#stored((store) => store.write((unit) => takeBackGuess(unit, guess)));
        else this.#takeBack(countersOf(guess));
        return;
      default:
        return outcome satisfies never;
    }
  }

  async #right({ guess, known }: TakenGuess): Promise<void> {
    const place = placeOf(guess);
    const now = this.#options.clock.epochSeconds();
    const counters = countersOf(guess);
    this.#takeBack(counters);
    for (const { name, key } of counters) if (name === 'known' || name === 'pair') this.#counts.delete(keyText(key));
    this.#places.set(keyText(place), now);
    const isFresh = known !== null && known.lastRightAt + refreshSeconds > now;
    if (isFresh && known.wrongs === 0) return;
    await this.#stored((store) =>
      store.write(async (unit) => {
        await forgiveGuess(unit, guess);
        if (!isFresh) await markKnownSource(unit, place);
      }),
    );
  }

  /** Whether the guess comes from a known place, and how long it has to wait. */
  async #look(
    name: string,
    clientAddress: string,
  ): Promise<{
    readonly guess: Guess;
    readonly known: KnownPlace | null;
    readonly wait: number;
    readonly isStored: boolean;
    /** How long any stranger waits, whatever the name. */
    readonly strangers: StrangersWait;
  }> {
    const { clock } = this.#options;
    const stranger = strangerAt(name, clientAddress);
    const acquainted: Guess = { ...stranger, known: clientNetworks(clientAddress).source };
    const place = placeOf(stranger);
    const [strange, own] = [countersOf(stranger), countersOf(acquainted)];
    const keys = [place, ...own.map(({ key }) => key), ...strange.map(({ key }) => key)];
    const counts = await this.#stored((store) => readCounts(store.sql, keys));
    const now = clock.epochSeconds();
    const lastRightAt = counts === null ? this.#places.get(keyText(place)) : counts[0]?.lastAt;
    const isStored = counts !== null;
    if (!isKnownAt(lastRightAt, now)) {
      const strangeCounts = counts?.slice(1 + own.length) ?? null;
      const waitAmong = (isAmong: (name: CounterName) => boolean) => {
        const among = strange.filter((counter) => isAmong(counter.name));
        const amongCounts = strangeCounts?.filter((_, at) => isAmong(strange[at]?.name ?? 'known'));
        const stored = amongCounts === undefined ? 0 : waitOf(among, amongCounts, now);
        return Math.max(stored, this.#rememberedWait(among));
      };
      const wait = waitAmong(() => true);
      const strangers = wait === 0 ? nobody : { here: waitAmong(isOfAllNames), everywhere: waitAmong(isOfAllPlaces) };
      return { guess: stranger, known: null, wait, isStored, strangers };
    }
    const [count = null] = counts?.slice(1) ?? [];
    const remembered = own[0] === undefined ? undefined : this.#counts.get(keyText(own[0].key));
    const wrongs = Math.max(count?.tries ?? 0, remembered?.tries ?? 0);
    const known: KnownPlace = { lastRightAt, wrongs };
    const wait = isStored ? waitOf(own, counts.slice(1, 1 + own.length), now) : 0;
    const crowd = this.#isCrowded(acquainted, known) ? 1 : 0;
    return {
      guess: acquainted,
      known,
      wait: Math.max(wait, crowd, this.#rememberedWait(own)),
      isStored,
      strangers: nobody,
    };
  }

  /** Guesses sent at once must not slip through before the first of them was found wrong. */
  #isCrowded(guess: Guess, { wrongs }: KnownPlace): boolean {
    const running = this.#runningOf(guess);
    return running > 0 && wrongs + running >= guessPolicies['users-file'].counters.known.freeTries;
  }

  #runningOf(guess: Guess): number {
    return this.#running.get(keyText(placeOf(guess))) ?? 0;
  }

  #rememberedWait(counters: readonly Counter[]): number {
    if (this.#counts.size === 0) return 0;
    const now = this.#options.clock.epochSeconds();
    const counts = counters.map(({ key }) => this.#counts.get(keyText(key)) ?? null);
    return waitOf(counters, counts, now);
  }

  #count(counters: readonly Counter[]): void {
    const now = this.#options.clock.epochSeconds();
    for (const { key, policy } of counters) {
      this.#counts.set(keyText(key), countTry(this.#counts.get(keyText(key)) ?? null, policy, now));
    }
  }

  #takeBack(counters: readonly Counter[]): void {
    for (const { key } of counters) {
      const count = this.#counts.get(keyText(key));
      if (count !== undefined) this.#counts.set(keyText(key), { ...count, tries: Math.max(0, count.tries - 1) });
    }
  }

  /** @returns null when there is no store, or it is away or too slow */
  async #stored<T>(work: (store: Pick<Store, 'sql' | 'write'>) => Promise<T>): Promise<T | null> {
    const { store, storePatienceMs = 500 } = this.#options;
    if (store === null) return null;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), storePatienceMs);
    });
    try {
      return await Promise.race([work(store), late]);
    } catch (error) {
      if (error instanceof StoreAway) return null;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

const nobody: StrangersWait = { here: 0, everywhere: 0 };

function isOfAllNames(name: CounterName): boolean {
  return name === 'source' || name === 'network' || name === 'all' || name === 'flood';
}

function isOfAllPlaces(name: CounterName): boolean {
  return name === 'flood';
}

function strangerAt(name: string, clientAddress: string): Guess {
  // As the users file compares names: another spelling is no second set of free guesses.
  return { secret: 'users-file', name: name.normalize('NFC'), clientAddress, known: null };
}

function isKnownAt(lastRightAt: EpochSeconds | undefined, now: EpochSeconds): lastRightAt is EpochSeconds {
  return lastRightAt !== undefined && lastRightAt + knownSeconds > now;
}

function placeOf({ name, clientAddress }: Guess): ThrottleKey {
  return knownSourceKey('users-file', name ?? '', clientNetworks(clientAddress).source);
}

function keyText({ kind, keyDigest }: ThrottleKey): string {
  return `${kind} ${keyDigest}`;
}
