// Asks control whether a user gave the right password from an address lately, before a guess from there is refused without asking:
// users who are known where they are do not wait for what strangers do. One question is about many guesses, one question at a time,
// client networks in turn; so a flood costs control a few questions a second. Keeps no answer.

import { FairQueue } from '../../core/model/fair-queue.ts';
import { type KnownAnswer, type KnownQuestion, maxPlacesPerQuestion } from '../../wire/questions.ts';
import { networkOf } from '../request/rate-limits.ts';
import type { Away } from './control-questions.ts';

/** `crowded`: too many guesses of the same network wait already. */
type Acquaintance = 'known' | 'stranger' | 'crowded' | 'away';

interface Waiting {
  readonly user: string;
  readonly address: string;
  readonly tell: (acquaintance: Acquaintance) => void;
}

/** From one question to the next: guesses that come meanwhile are asked about together. */
const betweenMs = 20;
/** When control has not answered by then, the guesses that wait are told that there are too many. */
const patienceMs = 250;
const bounds = { max: 512, maxPerSource: 64 };

export class KnownGuessers {
  readonly #ask: (question: KnownQuestion) => Promise<KnownAnswer | Away>;
  readonly #waiting = new FairQueue<Waiting>(bounds);
  #isAsking = false;
  /** The question on its way takes too long. */
  #isLate = false;

  constructor(ask: (question: KnownQuestion) => Promise<KnownAnswer | Away>) {
    this.#ask = ask;
  }

  find(user: string, address: string): Promise<Acquaintance> {
    if (this.#isLate) return Promise.resolve('crowded');
    return new Promise((tell) => {
      this.#waiting.push(networkOf(address), { user, address, tell })?.tell('crowded');
      if (!this.#isAsking) void this.#askAll();
    });
  }

  async #askAll(): Promise<void> {
    this.#isAsking = true;
    while (this.#waiting.size > 0) {
      await this.#askSome(this.#take());
      // also when no guess waits now: the next guess begins no question of its own before
      await new Promise((resolve) => setTimeout(resolve, betweenMs).unref());
    }
    this.#isAsking = false;
  }

  async #askSome(asked: readonly Waiting[]): Promise<void> {
    const patience = setTimeout(() => {
      this.#isLate = true;
      for (const { tell } of [...asked, ...this.#waiting.removeWhere(() => true)]) tell('crowded');
    }, patienceMs);
    const answer = await this.#ask({ places: asked.map(({ user, address }) => ({ user, address })) });
    clearTimeout(patience);
    this.#isLate = false;
    for (const [at, { tell }] of asked.entries()) {
      if ('known' in answer) tell(answer.known[at] === true ? 'known' : 'stranger');
      else tell('away');
    }
  }

  #take(): readonly Waiting[] {
    const taken: Waiting[] = [];
    while (taken.length < maxPlacesPerQuestion) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      taken.push(next);
    }
    return taken;
  }
}
