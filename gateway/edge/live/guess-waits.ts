// Remembers for a moment which guesses control said have to wait, so that a flood of passwords is refused here and not asked about.
// Only in a flood: while control sends few guesses away it is asked about each of them, as control alone counts. Only for strangers,
// or for one name from one source: a user who is known there is asked about (known-guessers.ts). When the moment is over one guess
// goes to control, and the others wait a quarter of a second more for its answer.

import { LRUCache } from 'lru-cache';
import { digestOf } from '../../core/model/digest.ts';
import type { PasswordAnswer } from '../../wire/questions.ts';

interface Wait {
  /** Until then control is not asked. */
  holdsUntilMs: number;
  /** A guess that comes earlier is told to wait until then. */
  freeAtMs: number;
}

/** Guesses that are sent away in a second before anything is remembered. */
const floodPerSecond = 50;
/** The longest that control is not asked: its count may have run out meanwhile. */
const longestMs = 1000;
/** How long other guesses wait for the one that control is asked about. */
const askingMs = 250;
/** Sources, and names with their source, each. */
const maxRemembered = 4096;

/** What control said of the guesses that have to wait. */
export class GuessWaits {
  readonly #nowMs: () => number;
  readonly #pairs = new LRUCache<string, Wait>({ max: maxRemembered });
  readonly #sources = new LRUCache<string, Wait>({ max: maxRemembered });
  readonly #everywhere: Wait = { holdsUntilMs: 0, freeAtMs: 0 };
  #second = 0;
  #sentAway = 0;
  #sentAwayBefore = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Seconds that this name from this source was told to wait; 0: ask. */
  ofPair(source: string, user: string): number {
    // most of the time there is no flood, and nothing to look for
    return this.#pairs.size === 0 ? 0 : this.#held(this.#pairs.get(pairOf(source, user)));
  }

  /** Seconds that a stranger from this source was told to wait; 0: ask. */
  ofStrangers(source: string): number {
    return Math.max(this.#held(this.#everywhere), this.#sources.size === 0 ? 0 : this.#held(this.#sources.get(source)));
  }

  /** Takes in what control answered to a guess. */
  note(source: string, user: string, answer: PasswordAnswer): void {
    if (answer.kind !== 'busy') {
      // control looked at a guess of this source, so it may look at the next
      if (this.#sources.size > 0) this.#sources.delete(source);
      return;
    }
    if (!this.#countSentAway(this.#nowMs())) return;
    this.#pairs.set(pairOf(source, user), this.#wait(answer.retryAfterSeconds));
    const { here = 0, everywhere = 0 } = answer.strangers ?? {};
    if (here > 0) this.#sources.set(source, this.#wait(here));
    if (everywhere > 0) Object.assign(this.#everywhere, this.#wait(everywhere));
  }

  /** Counts a guess that is sent away, here or by control. @returns whether there is a flood in this second, or was in the one before */
  #countSentAway(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#sentAwayBefore = second === this.#second + 1 ? this.#sentAway : 0;
      this.#sentAway = 0;
      this.#second = second;
    }
    this.#sentAway += 1;
    return Math.max(this.#sentAway, this.#sentAwayBefore) > floodPerSecond;
  }

  #wait(seconds: number): Wait {
    const now = this.#nowMs();
    return { holdsUntilMs: now + Math.min(seconds * 1000, longestMs), freeAtMs: now + seconds * 1000 };
  }

  #held(wait: Wait | undefined): number {
    if (wait === undefined || wait.holdsUntilMs === 0) return 0;
    const now = this.#nowMs();
    if (now < wait.holdsUntilMs) {
      this.#countSentAway(now);
      return Math.max(1, Math.ceil((wait.freeAtMs - now) / 1000));
    }
    // a wait that is long over holds no further guess: there is no crowd that would wait for this one
    if (now < wait.holdsUntilMs + longestMs) wait.holdsUntilMs = now + askingMs;
    return 0;
  }
}

/** A digest: the text that people type as their name may be long, and may be their password. */
function pairOf(source: string, user: string): string {
  return digestOf(JSON.stringify([source, user]));
}
