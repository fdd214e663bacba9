// The supervisor: starts control and the edges, restarts processes that die, passes orders on, and ends all processes in order.
// It parses no network input. It holds the data folder and the last good state, so that a new control can start from that state.

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

/** The addresses of a gateway that is ready: of its listeners, in the order of the configuration, and of the operations server. */
export interface ReadyGateway {
  readonly listeners: readonly BoundAddress[];
  readonly operations: BoundAddress;
}

type StartOutcome =
  | ({ readonly kind: 'ready' } & ReadyGateway)
  /** `problem` is a line for people. Everything that was started has ended. */
  | { readonly kind: 'failed'; readonly problem: string };

// V8's semi-spaces, where young objects live, get 8 MiB: requests cost the same CPU with 1 to 64 MiB, and an idle connection keeps 2.7 KiB
// instead of 6.6 KiB, since the objects of its opening are collected sooner.
const edgeFlags = ['--max-semi-space-size=8'];
// A log rotation may send SIGUSR1 to a child that has not set its handlers yet; without the flag Node.js would open its inspector then.
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
  /** Edges that the supervisor ended on purpose: their exit does not make a start or a replacement fail. */
  readonly #endedOnOrder = new Set<string>();
  /** Names of the edges that listen and serve. */
  readonly #serving = new Set<string>();
  /** An edge could not start while none serves: connections must be refused, and clients not left waiting on sockets without a reader. */
  #mustRefuse = false;
  /** The last good state. */
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

  /** Starts control and the edges. Resolves when all of them listen, or when one cannot start; then everything has ended again. */
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
    // an edge connects to control first, so control has to be up before the edges
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

  /** Replaces the edges by new processes, one slot after the other. A second call meanwhile waits for the first. */
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

  /** Drains the edges, then ends control. Resolves when all processes are gone; a second call waits for the first. */
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
        // an edge that cannot start in this slot would not start in the others either
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
    // the edges share copies of the same sockets: with reusePort a closing edge would reset the connections that wait on its own socket
    const child = fork(entryFile, [edgeRole], {
      stdio: [...stdio, ...fds],
      execArgv: [...childFlags, ...edgeFlags],
    });
    this.#edgeProcesses.set(edgeId, child);
    child.once('exit', (code) => {
      this.#edgeProcesses.delete(edgeId);
      const hasServed = this.#serving.delete(edgeId);
      // an edge that was killed says nothing about the next edge, which takes the waiting connections
      if (!hasServed && code !== null && code !== 0 && this.#serving.size === 0) this.#mustRefuse = true;
      this.#refuseWhereNobodyServes();
      // after the other exit handlers, which ask whether the edge was ended on purpose
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
        const { logs, telemetry } = this.#state.config;
        this.#state = message.state;
        const { config } = message.state;
        // an edge opens its log files and its way to the collector when it starts, so other settings of these need other edges
        if (!isDeepStrictEqual([logs, telemetry], [config.logs, config.telemetry])) void this.replaceEdges();
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

  /** Kills an edge; its slot starts another process. For an edge that is gone already, control is told again: it may have missed that. */
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
   * Has the system refuse connections after an edge could not start while none serves. It is not known when an edge will come, and a load
   * balancer in front of several gateways sends a refused connection to another gateway, but not a waiting one.
   */
  #refuseWhereNobodyServes(): void {
    if (!this.#mustRefuse || this.#serving.size > 0) return;
    if (!this.#started || this.#stopped !== null || this.#listeners === null) return;
    // edges that are starting hold copies of the sockets: they are killed, and their slots start them again
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

  /** An exit before the gateway is ready fails the start; after that the process is started again. @returns whether to start it again */
  #takeExit(name: string, how: string): boolean {
    this.#failStart(`${name} ended while starting: ${how} (see its messages above)`);
    return this.#started;
  }

  /** Fails the start; only the first failure is reported. Does nothing once the gateway is ready. */
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
