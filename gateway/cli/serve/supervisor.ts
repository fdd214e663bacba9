// The supervisor: starts control and the edges, restarts what dies, forwards signals, ends everything in order.
// It parses no network input. It holds the data folder and the last good state, for a control that has to start anew.

import { type ChildProcess, fork } from 'node:child_process';
import { isDeepStrictEqual } from 'node:util';
import type { DataFolder } from '../../store/files/data-folder.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type {
  BoundAddress,
  ChildOrder,
  ControlState,
  MessageFromChild,
  StartControl,
  StartEdge,
} from '../../wire/process-messages.ts';
import { BoundListeners } from './bound-listeners.ts';
import { drainGraceMs, EdgeSlot } from './edge-slot.ts';
import { describeListenProblem } from './listen-problem.ts';
import { endWithin, RestartingChild } from './restarting-child.ts';
import { controlRole, edgeRole, entryFile } from './role.ts';

interface SupervisorOptions {
  /** The YAML file, for reloads. */
  readonly file: string;
  readonly state: ControlState;
  readonly folder: DataFolder;
  readonly logger: Logger;
}

/** What everything listens on, once it does. */
export interface ReadyGateway {
  readonly listeners: readonly BoundAddress[];
  readonly operations: BoundAddress;
}

type StartOutcome =
  | ({ readonly kind: 'ready' } & ReadyGateway)
  /** `problem` is a line for people. Everything that was started has ended. */
  | { readonly kind: 'failed'; readonly problem: string };

// Young objects get 8 MiB: requests cost the same CPU with 1 to 64, and an idle connection keeps 2.7 KiB instead of 6.6,
// since what it needed while it was opened is collected sooner.
const edgeFlags = ['--max-semi-space-size=8'];
// A log rotation that signals the whole service may meet a child whose handlers are not there yet: Node.js would open its debugger.
const childFlags = [...process.execArgv.filter((flag) => flag !== '--disable-sigusr1'), '--disable-sigusr1'];
const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
const controlStopMs = 2000;

/** Control and the edges of one gateway. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #control: RestartingChild;
  readonly #edges: readonly EdgeSlot[];
  readonly #failure = Promise.withResolvers<Extract<StartOutcome, { readonly kind: 'failed' }>>();
  readonly #controlReady = Promise.withResolvers<BoundAddress>();
  /** Every edge process that runs, by the name it was given. */
  readonly #edgeProcesses = new Map<string, ChildProcess>();
  /** Edges that were ended because control asked for it: a slow one is no reason to give up a start, or a replacement. */
  readonly #endedOnOrder = new Set<string>();
  /** Edges that listen and serve. */
  readonly #serving = new Set<string>();
  /** No edge could start and none serves: what is bound goes on listening for nobody as long as a copy of it is open. */
  #mustRefuse = false;
  /** The last good one. */
  #state: ControlState;
  #filesKnown: string | null = null;
  #operationsPort: number | null = null;
  #listeners: BoundListeners | null = null;
  #started = false;
  #replacing: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#state = options.state;
    const { logger } = options;
    this.#control = new RestartingChild({
      name: 'control',
      spawn: () => this.#spawnControl(),
      onMessage: (message) => this.#takeFromControl(message),
      onExit: (how) => this.#takeExit('control', how),
      logger,
    });
    const slots = Array.from({ length: options.state.config.edges }, (_, index) => index + 1);
    this.#edges = slots.map(
      (slot) =>
        new EdgeSlot({
          slot,
          spawn: (edgeId) => this.#spawnEdge(edgeId),
          onCannotListen: (at, code) => this.#takeListenProblem(at, code),
          onCannotStart: (problem, hint) => this.#takeStartProblem(`edge ${slot}`, problem, hint),
          onReady: (edgeId) => this.#takeReadyEdge(edgeId),
          onExit: (edgeId, how) => this.#endedOnOrder.has(edgeId) || this.#takeExit(`edge ${slot}`, how),
          wasEndedOnOrder: (edgeId) => this.#endedOnOrder.has(edgeId),
          logger,
        }),
    );
  }

  /** Starts everything; resolves when all of it listens, or when any of it cannot. */
  async start(): Promise<StartOutcome> {
    const listeners = await BoundListeners.bind(this.#state.config.listeners);
    if (!(listeners instanceof BoundListeners)) {
      return { kind: 'failed', problem: describeListenProblem(this.#state.config, listeners.at, listeners.code) };
    }
    if (this.#stopped !== null) {
      // a signal came first
      listeners.close();
      return { kind: 'failed', problem: 'stopped while starting' };
    }
    this.#listeners = listeners;
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

  /** Puts new edges in the place of those that run, one after the other. A second call waits for the first. */
  replaceEdges(): Promise<void> {
    this.#replacing ??= this.#replaceInTurn().finally(() => {
      this.#replacing = null;
    });
    return this.#replacing;
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
    const [listeners = []] = await Promise.all(this.#edges.map((edge) => edge.start()));
    return { kind: 'ready', listeners, operations };
  }

  async #replaceInTurn(): Promise<void> {
    if (!this.#started || this.#stopped !== null) return;
    const { logger } = this.#options;
    for (const [index, edge] of this.#edges.entries()) {
      if (!(await edge.replace(this.#state.config.limits.drainMs))) {
        // what cannot start here would not start in the other places either
        if (this.#stopped === null) logger.error({ edge: index + 1 }, 'a new edge did not start; the old ones stay');
        return;
      }
      logger.info({ edge: index + 1 }, 'an edge was replaced');
    }
    logger.info('all edges were replaced');
  }

  async #stopInOrder(): Promise<void> {
    const { drainMs } = this.#state.config.limits;
    const { logger } = this.#options;
    this.#control.stop();
    const edges = this.#edges.flatMap((edge) => edge.stop());
    // with the edges' own copies gone as well, new connections are refused
    this.#closeListeners();
    this.#sendToEdges({ type: 'drain', deadlineMs: drainMs });
    await endWithin(edges, drainMs + drainGraceMs, logger);
    this.#control.send({ type: 'drain', deadlineMs: 0 });
    await endWithin([this.#control], controlStopMs, logger);
  }

  #spawnControl() {
    const { folder } = this.#options;
    const child = fork(entryFile, [controlRole], {
      stdio: [...stdio],
      serialization: 'advanced',
      execArgv: childFlags,
    });
    child.send({
      type: 'start-control',
      file: this.#options.file,
      state: this.#state,
      filesKnown: this.#filesKnown,
      sockets: { edge: folder.edgeSocket, public: folder.publicSocket, admin: folder.adminSocket },
      operationsPort: this.#operationsPort,
      runningEdges: [...this.#edgeProcesses.keys()],
    } satisfies StartControl);
    return child;
  }

  #spawnEdge(edgeId: string) {
    const fds = this.#listeners?.fds ?? [];
    // the ends of all edges are copies of one socket: with reusePort a closing edge would reset what waits on its own
    const child = fork(entryFile, [edgeRole], {
      stdio: [...stdio, ...fds],
      execArgv: [...childFlags, ...edgeFlags],
    });
    this.#edgeProcesses.set(edgeId, child);
    child.once('exit', (code) => {
      this.#edgeProcesses.delete(edgeId);
      const hasServed = this.#serving.delete(edgeId);
      // one that was killed says nothing about the next one, which takes what waits
      if (!hasServed && code !== null && code !== 0 && this.#serving.size === 0) this.#mustRefuse = true;
      this.#refuseWhereNobodyServes();
      // once everybody has asked why it ended
      setImmediate(() => this.#endedOnOrder.delete(edgeId));
      this.#control.send({ type: 'edge-gone', edge: edgeId });
    });
    child.send({
      type: 'start-edge',
      edgeId,
      edgeSocket: this.#options.folder.edgeSocket,
      listenFds: fds.map((_fd, position) => stdio.length + position),
      level: this.#state.config.logs.level,
    } satisfies StartEdge);
    return child;
  }

  #takeFromControl(message: MessageFromChild): void {
    switch (message.type) {
      case 'control-ready':
        this.#operationsPort = message.operations.port;
        this.#controlReady.resolve(message.operations);
        return;
      case 'state': {
        const logsBefore = this.#state.config.logs;
        this.#state = message.state;
        // what an edge opens when it starts changes with the edge
        if (!isDeepStrictEqual(logsBefore, message.state.config.logs)) void this.replaceEdges();
        return;
      }
      case 'cannot-start':
        this.#takeStartProblem('control', message.problem, message.hint);
        return;
      case 'end-edge':
        this.#endEdge(message.edge);
        return;
      case 'files-known':
        this.#filesKnown = message.known;
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

  /** Its slot starts another one. A process that ended already is told of again: its first word may have been for nobody. */
  #endEdge(edge: string): void {
    const child = this.#edgeProcesses.get(edge);
    if (child === undefined) this.#control.send({ type: 'edge-gone', edge });
    else {
      this.#endedOnOrder.add(edge);
      child.kill('SIGKILL');
    }
  }

  #takeReadyEdge(edgeId: string): void {
    this.#serving.add(edgeId);
    this.#mustRefuse = false;
  }

  /**
   * After an edge could not start while none serves. A connection that waits for an edge of which nobody knows when it comes is worse
   * off than one that is refused: whoever stands in front of several gateways takes another one.
   */
  #refuseWhereNobodyServes(): void {
    if (!this.#mustRefuse || this.#serving.size > 0) return;
    if (!this.#started || this.#stopped !== null || this.#listeners === null) return;
    // those that are starting hold copies of what is bound; they are started again
    for (const [edgeId, child] of this.#edgeProcesses) {
      this.#endedOnOrder.add(edgeId);
      child.kill('SIGKILL');
    }
    if (this.#edgeProcesses.size > 0) return;
    this.#mustRefuse = false;
    this.#listeners.renew();
    this.#options.logger.error('no edge can start: connections are refused until one serves');
  }

  #takeStartProblem(name: string, problem: string, hint: string): void {
    if (this.#started) this.#options.logger.error({ problem, hint }, `${name} cannot start`);
    else this.#failStart(`${problem} (${hint})`);
  }

  #takeListenProblem(at: string, code: string): void {
    const problem = describeListenProblem(this.#state.config, at, code);
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

  #closeListeners(): void {
    this.#listeners?.close();
    this.#listeners = null;
  }

  #killAll(): void {
    this.#control.stop();
    for (const child of [...this.#edges.flatMap((edge) => edge.stop()), this.#control]) child.kill();
    this.#closeListeners();
  }

  async #allGone(): Promise<void> {
    const edges = this.#edges.flatMap((edge) => edge.stop());
    await Promise.all([...edges, this.#control].map((child) => child.gone()));
  }
}
