// Asks control whether somebody gave the right password from where they are lately, before their guess is refused unasked: nobody known
// waits for what strangers do. Many are asked about in one question, one question at a time, networks in turn; so a flood costs
// control a few questions a second. Keeps no answer.

import { FairQueue } from '../../core/model/fair-queue.ts';
import { type KnownAnswer, type KnownQuestion, maxPlacesPerQuestion } from '../../wire/questions.ts';
import { networkOf } from '../request/rate-limits.ts';
import type { Away } from './control-questions.ts';

/** `crowded`: too many of its network wait already. */
type Acquaintance = 'known' | 'stranger' | 'crowded' | 'away';

interface Waiting {
  readonly user: string;
  readonly address: string;
  readonly tell: (acquaintance: Acquaintance) => void;
}

/** From one question to the next: what comes meanwhile is asked about together. */
const betweenMs = 20;
/** A control that has not answered by then is not waited for: whoever asks is told that there are too many. */
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
      // also when nobody waits now: the next one begins no question of its own before
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
