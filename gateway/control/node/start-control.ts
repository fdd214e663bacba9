// The control process: hands out keys and configuration, checks passwords, serves the JWKS and the operations listener.
// It runs three servers that share no path: edge.sock for the edges, public.sock for visitors, the operations listener. This file puts their
// parts together and ends them in order; the state that is handed out stands in state-in-force.ts.

import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { longestTokenSeconds } from '../../config/compile.ts';
import type { LogPosition } from '../../core/model/change.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import type { StoreHealth } from '../../store/port/store-health.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ControlState } from '../../wire/process-messages.ts';
import type { AssertionJwk } from '../../wire/reports.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { WorkQueue } from '../context/password-work.ts';
import type { PasswordThrottle } from '../users-file/password-throttle.ts';
import { PasswordVerifier } from '../users-file/verify-password.ts';
import { ChangeFeed, type ChangeSource } from './change-feed.ts';
import { ControlMetrics } from './control-metrics.ts';
import type { StoreAnswers } from './edge-questions.ts';
import { EdgeRoster } from './edge-roster.ts';
import { createEdgeServer } from './edge-server.ts';
import { Enforcement } from './enforcement.ts';
import { listenOnAddress, listenOnSocket } from './listen.ts';
import { registerNodeMetrics } from './node-metrics.ts';
import { createOperationsServer } from './operations-server.ts';
import { registerStoreMetrics } from './probe-store.ts';
import { type Reloaded, type ReloadResult, StateInForce } from './state-in-force.ts';

interface ControlOptions {
  /** The state from the files, or the last good state of the control process before. No file is opened for it. */
  readonly state: ControlState;
  /** Paths of the two Unix sockets, in a folder of mode 0700. What stands there is replaced. */
  readonly sockets: { readonly edge: string; readonly public: string };
  /** Loads the configuration file and all files that it names anew. */
  readonly reload: () => Reloaded;
  readonly logger: Logger;
  readonly clock: ControlClock;
  /**
   * Builds the server of public.sock; control makes the server listen and closes it. Control does not know the pages (api/), and only control
   * has the keys of the edges.
   */
  readonly visitors: (own: { readonly assertionKeys: () => readonly AssertionJwk[] }) => FastifyInstance;
  /** Port to listen on for operations instead of the configured one, which may be 0. */
  readonly operationsPort?: number | null;
  /** Answers the edges' questions about access and sessions. */
  readonly answers: StoreAnswers;
  /** Where passwords of the users file are checked; see `PasswordVerifierOptions`. */
  readonly passwordQueue: WorkQueue;
  /** The throttle that slows guessing at the users file. */
  readonly passwordThrottle: PasswordThrottle;
  /** Health of the store, for `/readyz`. Default: there is no store. */
  readonly storeHealth?: StoreHealth;
  /** The change log that the feed follows. */
  readonly changes: ChangeSource;
  /** Reads the key ring anew after it changed in the store; resolves with the keys. Default: the keys stay. */
  readonly reloadKeys?: () => Promise<readonly SigningKey[]>;
  /** See `EnforcementOptions`. */
  readonly endEdge?: (edge: string) => void;
  /** Edges that have run since before this control. */
  readonly runningEdges?: readonly string[];
  /** Time between heartbeats on the feed. Default 1000. */
  readonly heartbeatMs?: number;
  /** Time between new secrets for TLS session tickets. Default 8 h. */
  readonly ticketRotationMs?: number;
}

// An eavesdropper who kept a ticket and gets its key later can read the ticket, so no key lives long.
const ticketRotationMs = 8 * 60 * 60 * 1000;

// Twice the largest skew, and the time by which the clock of another node may be wrong.
const clockSlackSeconds = 660;

export interface Control {
  /** The address and port that the operations listener really listens on. */
  readonly operations: { readonly host: string; readonly port: number };
  /** Loads the configuration file again. A bad file changes nothing; a good file is sent to the edges. */
  readonly reload: () => ReloadResult;
  /**
   * Resolves when every edge of this node acts on the change log up to a place.
   *
   * @throws Error when the log cannot be read to that place in time
   */
  readonly confirm: (position: LogPosition) => Promise<void>;
  /** The registry behind `/metrics`; parts of control that the caller runs register their metrics here too. */
  readonly registry: Registry;
  /** To be called when the process of an edge is gone. */
  readonly edgeGone: (edge: string) => void;
  readonly close: () => Promise<void>;
}

/** Starts control; resolves when all three servers listen. Throws `ListenFailure` for the operations address. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { logger, clock, sockets } = options;
  const state = new StateInForce(options.state);
  const roster = new EdgeRoster(state.config.edges, clock);
  const metrics = new ControlMetrics(roster);
  registerNodeMetrics(metrics.registry, () => state);
  registerStoreMetrics(metrics.registry, options.storeHealth ?? null);
  const passwords = new PasswordVerifier({
    usersFile: () => state.config.usersFile,
    clock,
    logger,
    queue: options.passwordQueue,
    throttle: options.passwordThrottle,
  });
  const enforcement = new Enforcement({ logger, endEdge: options.endEdge ?? null, counters: metrics });
  enforcement.expect(options.runningEdges ?? []);
  const log = new ChangeFeed({
    source: options.changes,
    clock,
    logger,
    broadcast: (message) => {
      if (message.kind === 'index') enforcement.began(message.index.epoch);
      edges.broadcast(message);
    },
    onRead: () => edges.beat(),
    keepSeconds: () => longestTokenSeconds(state.config) + clockSlackSeconds,
    onKeys: async () => {
      if (options.reloadKeys === undefined) return;
      const keys = await options.reloadKeys();
      // Read after the wait, since the configuration may have been loaded again meanwhile.
      if (!state.takeKeys(keys)) return;
      edges.broadcast({ kind: 'keys', keys: state.feedKeys() });
      logger.info('the key ring changed');
    },
  });
  const edges = createEdgeServer({
    roster,
    clock,
    logger,
    snapshot: () => state.snapshot({ publicSocket: sockets.public, index: log.index() }),
    logBeat: () => log.beat(),
    enforcement,
    seq: () => state.seq,
    answers: {
      verifyPassword: async (question) => {
        const answer = await passwords.verify(question);
        metrics.password(answer.kind);
        return answer;
      },
      knownPlaces: (question) => passwords.knownPlaces(question),
      renewPassword: (question) => passwords.renew(question),
      ...options.answers,
    },
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
  });
  const address = state.config.operations;
  const visitors = options.visitors({ assertionKeys: () => roster.keys.list(clock.monotonicMs()) });
  const operations = createOperationsServer({
    roster,
    logger,
    address,
    registry: metrics.registry,
    collect: edges.collect,
    storeHealth: options.storeHealth ?? null,
  });
  const rotation = setInterval(() => {
    edges.broadcast({ kind: 'tickets', ticketSecret: state.renewTicketSecret() });
  }, options.ticketRotationMs ?? ticketRotationMs);
  const close = async (): Promise<void> => {
    clearInterval(rotation);
    passwords.close();
    await log.close();
    enforcement.close();
    await Promise.all([edges.close(), visitors.close(), operations.close()]);
  };

  let operationsPort = address.port;
  try {
    // The feed starts before the first edge comes, so that the edge begins with the index.
    await log.look();
    await listenOnSocket(visitors, sockets.public);
    await listenOnSocket(edges.server, sockets.edge);
    operationsPort = await listenOnAddress(operations, address, options.operationsPort ?? address.port);
  } catch (error) {
    await close();
    throw error;
  }

  return {
    registry: metrics.registry,
    operations: { host: address.host, port: operationsPort },
    reload: () => {
      const loaded = options.reload();
      metrics.reload(loaded.kind);
      return state.take(loaded, logger, edges.broadcastSnapshot);
    },
    confirm: async (position) => {
      await log.reach(position);
      await enforcement.confirm(position);
    },
    edgeGone: (edge) => enforcement.gone(edge),
    close,
  };
}
