// Remembers for a moment who control said has to wait, so that a flood of passwords is refused for the price of a refusal and not for
// that of a question. Only in a flood: while control sends few away it is asked about each guess, as it alone counts. Only for
// strangers or for one name from one source: somebody known is asked about (known-guessers.ts). When the moment is over one guess
// goes to control, and the others wait a quarter of a second more for what it is told.

import { LRUCache } from 'lru-cache';
import { digestOf } from '../../core/model/digest.ts';
import type { PasswordAnswer } from '../../wire/questions.ts';

interface Wait {
  /** Until then control is not asked. */
  holdsUntilMs: number;
  /** What whoever comes before is told to wait for. */
  freeAtMs: number;
}

/** Guesses that are sent away in a second before anything is remembered. */
const floodPerSecond = 50;
/** The longest that control is not asked: it may have forgotten, somebody may have been forgiven. */
const longestMs = 1000;
/** For how long others wait for one that asks. */
const askingMs = 250;
/** Sources, and names with their source, each. */
const maxRemembered = 4096;

/** What control said of those who have to wait. */
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
      // one of this source was looked at: so may the next be
      if (this.#sources.size > 0) this.#sources.delete(source);
      return;
    }
    if (!this.#countSentAway(this.#nowMs())) return;
    this.#pairs.set(pairOf(source, user), this.#wait(answer.retryAfterSeconds));
    const { here = 0, everywhere = 0 } = answer.strangers ?? {};
    if (here > 0) this.#sources.set(source, this.#wait(here));
    if (everywhere > 0) Object.assign(this.#everywhere, this.#wait(everywhere));
  }

  /** Counts one that is sent away, here or by control. @returns whether this second or the last one is one of a flood */
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
    // what is long over holds nobody: there is no crowd to wait for this one
    if (now < wait.holdsUntilMs + longestMs) wait.holdsUntilMs = now + askingMs;
    return 0;
  }
}

/** A digest: what people type into the field of a name may be long, and may be their password. */
function pairOf(source: string, user: string): string {
  return digestOf(JSON.stringify([source, user]));
}
