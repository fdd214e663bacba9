// Keeps one child process running: starts it again when it ends, later each time, and stops doing so when told.
// Knows nothing about what the child does.

import type { ChildProcess } from 'node:child_process';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type ChildOrder, type MessageFromChild, readMessageFromChild } from '../../wire/process-messages.ts';

interface RestartingChildOptions {
  /** For logs: `control`, `edge 1`. */
  readonly name: string;
  /** Starts the process and sends its first message. */
  readonly spawn: () => ChildProcess;
  readonly onMessage: (message: MessageFromChild) => void;
  /** The process ended without having been told to. @returns whether to start it again */
  readonly onExit: (how: string) => boolean;
  readonly logger: Logger;
}

const firstBackoffMs = 100;
const maxBackoffMs = 5000;
/** A process that lived this long was a good one: the next restart is quick again. */
const goodLifeMs = 30_000;

/** One child and its successors. */
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
    // Sending to a process that just died fails with an error event; its exit says all there is to say.
    child.on('error', (error) => logger.debug({ child: name, problem: error.message }, 'a process was not reached'));
    child.on('exit', (code, signal) => {
      this.#child = null;
      for (const gone of this.#onGone.splice(0)) gone();
      const how = signal ?? `code ${code}`;
      if (!this.#stopping && this.#options.onExit(how)) this.#planRestart(monotonicMs() - born, how);
    });
  }

  send(order: ChildOrder): void {
    if (this.#child?.connected === true) this.#child.send(order);
  }

  /** No restart from here on. */
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

/** Waits for processes that were told to end, and kills those that did not in time. */
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
