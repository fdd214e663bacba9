// The supervisor: starts control and the edges, restarts what dies, forwards signals, ends everything in order.
// It parses no network input. It holds the data folder and the last good state, for a control that has to start anew.

import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import type { Config } from '../../config/config.ts';
import type { KeyRecord } from '../../core/model/key.ts';
import type { DataFolder } from '../../store/data-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { describeListenProblem } from './listen-problem.ts';
import type { BoundAddress, ChildOrder, MessageFromChild, StartControl, StartEdge } from './process-messages.ts';
import { RestartingChild } from './restarting-child.ts';
import { controlRole, edgeRole, entryFile } from './role.ts';

export interface SupervisorOptions {
  /** The YAML file, for reloads. */
  readonly file: string;
  readonly config: Config;
  readonly keys: readonly KeyRecord[];
  readonly folder: DataFolder;
  readonly logger: Logger;
}

/** What everything listens on, once it does. */
export interface ReadyGateway {
  readonly listeners: readonly BoundAddress[];
  readonly operations: BoundAddress;
}

export type StartOutcome =
  | ({ readonly kind: 'ready' } & ReadyGateway)
  /** `problem` is a line for people. Everything that was started has ended. */
  | { readonly kind: 'failed'; readonly problem: string };

// Young objects get 8 MiB: requests cost the same CPU with 1 to 64, and an idle connection keeps 2.7 KiB instead of 6.6,
// since what it needed while it was opened is collected sooner.
const edgeFlags = ['--max-semi-space-size=8'];
const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
/** After its drain time an edge gets this long to report and leave before it is killed. */
const drainGraceMs = 1000;
const controlStopMs = 2000;

/** Control and the edges of one gateway. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #control: RestartingChild;
  readonly #edges: readonly RestartingChild[];
  readonly #failure = Promise.withResolvers<Extract<StartOutcome, { readonly kind: 'failed' }>>();
  readonly #controlReady = Promise.withResolvers<BoundAddress>();
  readonly #edgesReady: readonly PromiseWithResolvers<readonly BoundAddress[]>[];
  #config: Config;
  #keys: readonly KeyRecord[];
  #operationsPort: number | null = null;
  #started = false;
  #stopped: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#keys = options.keys;
    const { logger } = options;
    this.#control = new RestartingChild({
      name: 'control',
      spawn: () => this.#spawnControl(),
      onMessage: (message) => this.#takeFromControl(message),
      onExit: (how) => this.#takeExit('control', how),
      logger,
    });
    const slots = Array.from({ length: options.config.edges }, (_, index) => index + 1);
    this.#edgesReady = slots.map(() => Promise.withResolvers<readonly BoundAddress[]>());
    this.#edges = slots.map(
      (slot, index) =>
        new RestartingChild({
          name: `edge ${slot}`,
          spawn: (generation) => this.#spawnEdge(generation === 1 ? `e${slot}` : `e${slot}.${generation}`),
          onMessage: (message) => this.#takeFromEdge(index, message),
          onExit: (how) => this.#takeExit(`edge ${slot}`, how),
          logger,
        }),
    );
    // One shared listening handle: with reusePort a closing edge would reset the connections queued on its own socket.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: entryFile,
      args: [edgeRole],
      stdio: [...stdio],
      execArgv: [...process.execArgv, ...edgeFlags],
    });
  }

  /** Starts everything; resolves when all of it listens, or when any of it cannot. */
  async start(): Promise<StartOutcome> {
    this.#control.start();
    // The edges' first act is to ask control, so control is up before them.
    const outcome = await Promise.race([this.#waitUntilReady(), this.#failure.promise]);
    if (outcome.kind === 'failed') this.#killAll();
    if (outcome.kind === 'failed') await this.#allGone();
    else this.#started = true;
    return outcome;
  }

  /** Has control load the file again. */
  reload(): void {
    this.#control.send({ type: 'reload' });
  }

  /** Has all processes open their log files again. */
  reopenLogs(): void {
    this.#sendToEdges({ type: 'reopen-logs' });
    this.#control.send({ type: 'reopen-logs' });
  }

  /** Drains the edges, then ends control. Resolves when all are gone; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  /** Ends everything at once. */
  killNow(): void {
    this.#killAll();
  }

  async #waitUntilReady(): Promise<StartOutcome> {
    const operations = await this.#controlReady.promise;
    for (const edge of this.#edges) edge.start();
    const [listeners = []] = await Promise.all(this.#edgesReady.map(({ promise }) => promise));
    return { kind: 'ready', listeners, operations };
  }

  async #stopInOrder(): Promise<void> {
    const { drainMs } = this.#config.limits;
    for (const child of [...this.#edges, this.#control]) child.stop();
    this.#sendToEdges({ type: 'drain', deadlineMs: drainMs });
    await this.#endWithin(this.#edges, drainMs + drainGraceMs);
    this.#control.send({ type: 'drain', deadlineMs: 0 });
    await this.#endWithin([this.#control], controlStopMs);
  }

  async #endWithin(children: readonly RestartingChild[], deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#options.logger.warn({ deadlineMs }, 'a process did not end in time and was killed');
      for (const child of children) child.kill();
    }, deadlineMs);
    await Promise.all(children.map((child) => child.gone()));
    clearTimeout(timer);
  }

  #spawnControl() {
    const child = fork(entryFile, [controlRole], { stdio: [...stdio], serialization: 'advanced' });
    child.send({
      type: 'start-control',
      file: this.#options.file,
      config: this.#config,
      keys: this.#keys,
      sockets: { edge: this.#options.folder.edgeSocket, public: this.#options.folder.publicSocket },
      operationsPort: this.#operationsPort,
    } satisfies StartControl);
    return child;
  }

  #spawnEdge(edgeId: string) {
    const child = cluster.fork().process;
    child.send({
      type: 'start-edge',
      edgeId,
      edgeSocket: this.#options.folder.edgeSocket,
      level: this.#config.logs.level,
    } satisfies StartEdge);
    return child;
  }

  #takeFromControl(message: MessageFromChild): void {
    switch (message.type) {
      case 'control-ready':
        this.#operationsPort = message.operations.port;
        this.#controlReady.resolve(message.operations);
        return;
      case 'state':
        this.#config = message.config;
        this.#keys = message.keys;
        return;
      case 'cannot-listen':
        this.#takeListenProblem(message.at, message.code);
        return;
      case 'edge-ready':
        return;
      default:
        message satisfies never;
    }
  }

  #takeFromEdge(index: number, message: MessageFromChild): void {
    if (message.type === 'edge-ready') this.#edgesReady[index]?.resolve(message.listening);
    if (message.type === 'cannot-listen') this.#takeListenProblem(message.at, message.code);
  }

  #takeListenProblem(at: string, code: string): void {
    const problem = describeListenProblem(this.#config, at, code);
    if (this.#started) this.#options.logger.error({ problem }, 'a process cannot listen');
    else this.#failStart(problem);
  }

  /** A process that cannot even start once is not started again and again: the start fails. */
  #takeExit(name: string, how: string): boolean {
    this.#failStart(`${name} ended while starting: ${how} (see its messages above)`);
    return this.#started;
  }

  /** The first failure is the one that is told; after the start a dead process is a matter of restarting it. */
  #failStart(problem: string): void {
    if (!this.#started) this.#failure.resolve({ kind: 'failed', problem });
  }

  #sendToEdges(order: ChildOrder): void {
    for (const edge of this.#edges) edge.send(order);
  }

  #killAll(): void {
    for (const child of [...this.#edges, this.#control]) {
      child.stop();
      child.kill();
    }
  }

  async #allGone(): Promise<void> {
    await Promise.all([...this.#edges, this.#control].map((child) => child.gone()));
  }
}
