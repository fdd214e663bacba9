// Steady requests of several kinds to one node, each with its answer and its moment. Judges nothing.

import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'undici';

interface TrafficKind {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface TrafficAnswer {
  /** When it was asked, by `performance.now()`. */
  readonly atMs: number;
  /** When the answer was there: the node decided at some moment between the two. */
  readonly answeredMs: number;
  /** 0: no answer. */
  readonly status: number;
  readonly retryAfter: string | null;
}

const betweenMs = 10;

export class NodeTraffic {
  readonly #pool: Pool;
  readonly #kinds: Readonly<Record<string, TrafficKind>>;
  readonly #seen = new Map<string, TrafficAnswer[]>();
  #isOver = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(pool: Pool, kinds: Readonly<Record<string, TrafficKind>>) {
    this.#pool = pool;
    this.#kinds = kinds;
  }

  /** Resolves when each kind was let in; what came before is forgotten. */
  async start(): Promise<void> {
    this.#running = Promise.all(Object.entries(this.#kinds).map(([name, kind]) => this.#run(name, kind)));
    while (!Object.keys(this.#kinds).every((name) => this.last(name)?.status === 200)) await pause(betweenMs);
    this.clear();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  clear(): void {
    this.#seen.clear();
  }

  seen(name: string): readonly TrafficAnswer[] {
    return this.#seen.get(name) ?? [];
  }

  last(name: string): TrafficAnswer | null {
    return this.seen(name).at(-1) ?? null;
  }

  /** Everything that was not let in. */
  failed(): readonly TrafficAnswer[] {
    return [...this.#seen.values()].flat().filter(({ status }) => status !== 200);
  }

  async #run(name: string, { url, fields }: TrafficKind): Promise<void> {
    const { host, pathname } = new URL(url);
    while (!this.#isOver) {
      const atMs = performance.now();
      const answer = await this.#pool
        .request({ method: 'GET', path: pathname, headers: { host, ...fields } })
        .then(async ({ statusCode, headers, body }): Promise<TrafficAnswer> => {
          await body.dump();
          const retryAfter = headers['retry-after'];
          return {
            atMs,
            answeredMs: performance.now(),
            status: statusCode,
            retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
          };
        })
        .catch((): TrafficAnswer => ({ atMs, answeredMs: performance.now(), status: 0, retryAfter: null }));
      const answers = this.#seen.get(name) ?? [];
      answers.push(answer);
      this.#seen.set(name, answers);
      await pause(betweenMs);
    }
  }
}
