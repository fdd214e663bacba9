// The slot of one edge: the process that serves in it, its restarts after a crash, and its planned replacement.
// In a replacement the new process is ready before the old one is told to drain, so the slot is never without a serving process.

import type { ChildProcess } from 'node:child_process';
import type { Logger } from '../../telemetry/logger.ts';
import type { BoundAddress, ChildOrder, MessageFromChild } from '../../wire/process-messages.ts';
import { endWithin, RestartingChild } from './restarting-child.ts';

interface EdgeSlotOptions {
  /** Number of the slot, from 1. */
  readonly slot: number;
  /** Starts a process and sends its first message. */
  readonly spawn: (edgeId: string) => ChildProcess;
  /** @param at  place of the address in the configuration @param code  error code of the system */
  readonly onCannotListen: (at: string, code: string) => void;
  readonly onCannotStart: (problem: string, hint: string) => void;
  /** Called when a process listens and serves. */
  readonly onReady: (edgeId: string) => void;
  /** Called when a process ended without being told to. @returns whether to start another one */
  readonly onExit: (edgeId: string, how: string) => boolean;
  /** Whether the supervisor ended this process on purpose. Such an end does not make a replacement fail: another process is started. */
  readonly wasEndedOnOrder: (edgeId: string) => boolean;
  readonly logger: Logger;
}

/** How long an edge may take after its drain time to report and exit before it is killed. */
export const drainGraceMs = 1000;

/** One slot and the processes in it. */
export class EdgeSlot {
  readonly #options: EdgeSlotOptions;
  /** The serving process, and the processes that start or drain beside it. */
  readonly #processes = new Set<RestartingChild>();
  #serving: RestartingChild | null = null;
  #spawned = 0;
  #isStopping = false;

  constructor(options: EdgeSlotOptions) {
    this.#options = options;
  }

  /** Starts the first process. @returns the addresses that it listens on, once it serves */
  async start(): Promise<readonly BoundAddress[]> {
    const first = this.#make(this.#options.onExit);
    this.#serving = first.process;
    first.process.start();
    return first.ready;
  }

  /**
   * Starts a new process, and drains the old one when the new one serves.
   *
   * @param drainMs  how long requests on the old process may still run
   * @returns true once the old process is gone; false when the new process could not start, and the old one goes on
   */
  async replace(drainMs: number): Promise<boolean> {
    const old = this.#serving;
    if (old === null || this.#isStopping) return false;
    let isReady = false;
    const failed = Promise.withResolvers<null>();
    const next = this.#make((edgeId, how) => {
      if (isReady) return this.#options.onExit(edgeId, how);
      if (this.#options.wasEndedOnOrder(edgeId)) return true;
      failed.resolve(null);
      return false;
    });
    next.process.start();
    const listening = await Promise.race([next.ready, failed.promise]);
    if (listening === null) {
      this.#processes.delete(next.process);
      return false;
    }
    isReady = true;
    this.#serving = next.process;
    old.stop();
    old.send({ type: 'drain', deadlineMs: drainMs });
    await endWithin([old], drainMs + drainGraceMs, this.#options.logger);
    this.#processes.delete(old);
    return true;
  }

  /** Ends all restarts. @returns every process of the slot, for the caller to end */
  stop(): readonly RestartingChild[] {
    this.#isStopping = true;
    for (const process of this.#processes) process.stop();
    return [...this.#processes];
  }

  /** Sends an order to every process of the slot. */
  send(order: ChildOrder): void {
    for (const process of this.#processes) process.send(order);
  }

  #make(onExit: (edgeId: string, how: string) => boolean) {
    const { slot, spawn, onCannotListen, onCannotStart, onReady, logger } = this.#options;
    let edgeId = '';
    const ready = Promise.withResolvers<readonly BoundAddress[]>();
    const process = new RestartingChild({
      name: `edge ${slot}`,
      spawn: () => {
        this.#spawned++;
        edgeId = this.#spawned === 1 ? `e${slot}` : `e${slot}.${this.#spawned}`;
        return spawn(edgeId);
      },
      onMessage: (message: MessageFromChild) => {
        if (message.type === 'edge-ready') {
          onReady(edgeId);
          ready.resolve(message.listening);
        }
        if (message.type === 'cannot-start') onCannotStart(message.problem, message.hint);
        if (message.type === 'cannot-listen') onCannotListen(message.at, message.code);
      },
      onExit: (how) => onExit(edgeId, how),
      logger,
    });
    this.#processes.add(process);
    return { process, ready: ready.promise };
  }
}
