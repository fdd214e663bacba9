// Keeps one child process running: starts it again when it ends, after a longer pause each time, until `stop` is called.
// Knows nothing about what the child does.

import type { ChildProcess } from 'node:child_process';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type ChildOrder, type MessageFromChild, readMessageFromChild } from '../../wire/process-messages.ts';

interface RestartingChildOptions {
  /** Name in the log: `control`, `edge 1`. */
  readonly name: string;
  /** Starts the process and sends its first message. */
  readonly spawn: () => ChildProcess;
  readonly onMessage: (message: MessageFromChild) => void;
  /** Called when the process ended without being told to. @param how  signal or exit code @returns whether to start it again */
  readonly onExit: (how: string) => boolean;
  readonly logger: Logger;
}

const firstBackoffMs = 100;
const maxBackoffMs = 5000;
/** After a process that lived this long the next restart is quick again. */
const goodLifeMs = 30_000;

/** One child process and those that are started after it. */
export class RestartingChild {
  readonly #options: RestartingChildOptions;
  #child: ChildProcess | null = null;
  #backoffMs = firstBackoffMs;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;
  #onGone: (() => void)[] = [];

  constructor(options: RestartingChildOptions) {
    this.#options = options;
  }

  /** Starts the process now. */
  start(): void {
    const { name, logger } = this.#options;
    this.#timer = null;
    const born = monotonicMs();
    const child = this.#options.spawn();
    this.#child = child;
    logger.debug({ child: name, childPid: child.pid }, 'a process was started');
    child.on('message', (received) => {
      const message = readMessageFromChild(received);
      if (message === null) logger.error({ child: name }, 'a process sent a message of no known form');
      else this.#options.onMessage(message);
    });
    // sending to a process that just died emits an error; the exit event that follows is the one that counts
    child.on('error', (error) => logger.debug({ child: name, problem: error.message }, 'a process was not reached'));
    child.on('exit', (code, signal) => {
      this.#child = null;
      for (const gone of this.#onGone.splice(0)) gone();
      const how = signal ?? `code ${code}`;
      if (!this.#stopping && this.#options.onExit(how)) this.#planRestart(monotonicMs() - born, how);
    });
  }

  /** Sends an order, if the process runs. */
  send(order: ChildOrder): void {
    if (this.#child?.connected === true) this.#child.send(order);
  }

  /** Ends all restarts. A process that runs goes on. */
  stop(): void {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Ends the process at once. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Resolves when no process runs. Call `stop` before. */
  gone(): Promise<void> {
    if (this.#child === null) return Promise.resolve();
    return new Promise((resolve) => this.#onGone.push(resolve));
  }

  #planRestart(livedMs: number, how: string): void {
    if (livedMs >= goodLifeMs) this.#backoffMs = firstBackoffMs;
    const restartInMs = this.#backoffMs;
    this.#backoffMs = Math.min(maxBackoffMs, this.#backoffMs * 2);
    this.#options.logger.error({ child: this.#options.name, how, restartInMs }, 'a process ended and is started again');
    this.#timer = setTimeout(() => this.start(), restartInMs);
  }
}

/** Waits for processes that were told to end, and kills those that are still there after the deadline. */
export async function endWithin(
  children: readonly RestartingChild[],
  deadlineMs: number,
  logger: Logger,
): Promise<void> {
  const timer = setTimeout(() => {
    logger.warn({ deadlineMs }, 'a process did not end in time and was killed');
    for (const child of children) child.kill();
  }, deadlineMs);
  await Promise.all(children.map((child) => child.gone()));
  clearTimeout(timer);
}
