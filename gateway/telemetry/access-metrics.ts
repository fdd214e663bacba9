// Metrics of an edge's questions to control about signed-in accounts, and of the answers that it keeps.
// Labels come from the closed lists below.

import { Counter, Gauge, type Registry } from 'prom-client';

/** `access`: may this account open this path. `session`: does this session go on. */
type AskedAbout = 'access' | 'session';

const outcomes = {
  access: ['granted', 'none', 'ended', 'away'],
  session: ['renewed', 'ended', 'away'],
} as const;

export class AccessMetrics {
  /** Answers kept; set before each collection. */
  kept = 0;
  readonly #asked = new Map<string, number>();
  #guessesTurnedAway = 0;

  asked(about: AskedAbout, outcome: (typeof outcomes)[AskedAbout][number]): void {
    const key = `${about} ${outcome}`;
    this.#asked.set(key, (this.#asked.get(key) ?? 0) + 1);
  }

  /** Counts a password that was not checked, because too many were on their way to control. */
  guessTurnedAway(): void {
    this.#guessesTurnedAway += 1;
  }

  register(registry: Registry): void {
    const registers = [registry];
    const metrics = this;
    new Gauge({
      name: 'latchkey_access_answers_kept',
      help: 'Answers about access that are kept.',
      registers,
      collect() {
        this.set(metrics.kept);
      },
    });
    new Counter({
      name: 'latchkey_guesses_turned_away_total',
      help: 'Passwords answered 429 by the edge, because too many were on their way to control.',
      registers,
      collect() {
        this.reset();
        this.inc(metrics.#guessesTurnedAway);
      },
    });
    new Counter({
      name: 'latchkey_access_questions_total',
      help: 'Questions that control was asked about accounts and sessions, by what was answered.',
      labelNames: ['about', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const about of ['access', 'session'] as const) {
          for (const outcome of outcomes[about]) {
            this.inc({ about, outcome }, metrics.#asked.get(`${about} ${outcome}`) ?? 0);
          }
        }
      },
    });
  }
}
