// The place of one edge: the process that serves there, its restarts after a crash, and its planned replacement.
// A successor is ready before its predecessor is told to drain, so at no moment does the place stand empty.

import type { ChildProcess } from 'node:child_process';
import type { Logger } from '../../telemetry/logger.ts';
import type { BoundAddress, ChildOrder, MessageFromChild } from '../../wire/process-messages.ts';
import { endWithin, RestartingChild } from './restarting-child.ts';

interface EdgeSlotOptions {
  /** From 1. */
  readonly slot: number;
  /** Starts a process and sends its first message. */
  readonly spawn: (edgeId: string) => ChildProcess;
  readonly onCannotListen: (at: string, code: string) => void;
  readonly onCannotStart: (problem: string, hint: string) => void;
  /** A process serves. */
  readonly onReady: (edgeId: string) => void;
  /** A process that was not told to ended. @returns whether to start it again */
  readonly onExit: (edgeId: string, how: string) => boolean;
  /** Whether control had this one ended: it was slow, which is no reason to give up what was begun. */
  readonly wasEndedOnOrder: (edgeId: string) => boolean;
  readonly logger: Logger;
}

/** After its drain time an edge gets this long to report and leave before it is killed. */
export const drainGraceMs = 1000;

/** One slot and the processes in it. */
export class EdgeSlot {
  readonly #options: EdgeSlotOptions;
  /** The one that serves, and those that start or drain beside it. */
  readonly #processes = new Set<RestartingChild>();
  #serving: RestartingChild | null = null;
  #spawned = 0;
  #isStopping = false;

  constructor(options: EdgeSlotOptions) {
    this.#options = options;
  }

  /** Starts the first process; resolves with where it listens. */
  async start(): Promise<readonly BoundAddress[]> {
    const first = this.#make(this.#options.onExit);
    this.#serving = first.process;
    first.process.start();
    return first.ready;
  }

  /**
   * Puts a new process in the place of the one that serves.
   *
   * @param drainMs  for the requests that run on the old one
   * @returns resolves once the old one is gone; false when the new one could not start, and the old one goes on
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

  /** Every process of the slot, for the end of all. No restart from here on. */
  stop(): readonly RestartingChild[] {
    this.#isStopping = true;
    for (const process of this.#processes) process.stop();
    return [...this.#processes];
  }

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
