// The control process: hands out keys and configuration, checks passwords, serves the JWKS, tells operators how things are.
// Three servers that share no path: edge.sock for the edges, public.sock for visitors, the operations listener.
// Holds keys in memory; they go to the edges' feeds and nowhere else.

import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { longestTokenSeconds } from '../../config/compile.ts';
import { withoutSecrets } from '../../config/compiled/config.ts';
import type { LogPosition } from '../../core/model/change.ts';
import type { SigningKey } from '../../core/model/signing-key.ts';
import type { StoreHealth } from '../../store/port/store-health.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FeedKey } from '../../wire/feed.ts';
import type { ControlState } from '../../wire/process-messages.ts';
import type { AssertionJwk } from '../../wire/reports.ts';
import type { ControlClock } from '../context/control-clock.ts';
import type { WorkQueue } from '../context/password-work.ts';
import type { PasswordThrottle } from '../users-file/password-throttle.ts';
import { PasswordVerifier } from '../users-file/verify-password.ts';
import { ChangeFeed, type ChangeSource, emptyLog } from './change-feed.ts';
import { ControlMetrics } from './control-metrics.ts';
import { noStoreAnswers, type StoreAnswers } from './edge-questions.ts';
import { EdgeRoster } from './edge-roster.ts';
import { createEdgeServer } from './edge-server.ts';
import { Enforcement } from './enforcement.ts';
import { mergeReload } from './merge-reload.ts';
import { createOperationsServer } from './operations-server.ts';
import { registerStoreMetrics } from './probe-store.ts';

/** What loading the file again gave; problems are lines for people, without secrets. */
export type Reloaded =
  | { readonly kind: 'loaded'; readonly state: ControlState; readonly warnings?: readonly string[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

interface ControlOptions {
  /** From the files, or the last good one of a control before this one. No file is opened for it. */
  readonly state: ControlState;
  /** Paths of the two Unix sockets, in a folder of mode 0700. What stands there is replaced. */
  readonly sockets: { readonly edge: string; readonly public: string };
  /** Loads the file and all that it names anew. */
  readonly reload: () => Reloaded;
  readonly logger: Logger;
  readonly clock: ControlClock;
  /**
   * Builds the server of public.sock, which control makes listen and closes. Pages are not control's to know (api/), and the keys
   * of the edges are only control's.
   */
  readonly visitors: (own: { readonly assertionKeys: () => readonly AssertionJwk[] }) => FastifyInstance;
  /** Port to listen on for operations instead of the configured one, which may be 0. */
  readonly operationsPort?: number | null;
  /** What answers edges' questions about access and sessions. Default: nothing does. */
  readonly answers?: Partial<StoreAnswers>;
  /** Where passwords of the users file are checked; see `PasswordVerifierOptions`. */
  readonly passwordQueue: WorkQueue;
  /** What slows guessing at the users file. */
  readonly passwordThrottle: PasswordThrottle;
  /** For `/readyz`. Default: there is no store. */
  readonly storeHealth?: StoreHealth;
  /** The change log to follow. Default: one in which nothing happens. */
  readonly changes?: ChangeSource;
  /** Reads the key ring anew after it changed in the store; resolves with the keys. Default: the keys stay. */
  readonly reloadKeys?: () => Promise<readonly SigningKey[]>;
  /** See `EnforcementOptions`. */
  readonly endEdge?: (edge: string) => void;
  /** Edges that run since before this control. */
  readonly runningEdges?: readonly string[];
  /** Between heartbeats on the feed. Default 1000. */
  readonly heartbeatMs?: number;
  /** Between new secrets for TLS session tickets. Default 8 h. */
  readonly ticketRotationMs?: number;
}

// A ticket that an eavesdropper kept can be read by whoever gets its key later, so no key lives long.
const ticketRotationMs = 8 * 60 * 60 * 1000;

// Twice the largest skew, and what a clock of another node may be wrong by.
const clockSlackSeconds = 660;

/** What became of a reload. */
export type ReloadResult =
  | { readonly kind: 'applied'; readonly needsRestart: readonly string[]; readonly state: ControlState }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface Control {
  /** Where the operations listener really listens. */
  readonly operations: { readonly host: string; readonly port: number };
  /** Loads the file again. A bad one changes nothing; a good one is sent to the edges. */
  readonly reload: () => ReloadResult;
  /**
   * Resolves when every edge of this node acts on the change log up to there.
   *
   * @throws Error when the log cannot be read to that place in time
   */
  readonly confirm: (position: LogPosition) => Promise<void>;
  /** What is scraped at `/metrics`; parts of control that the caller runs count there too. */
  readonly registry: Registry;
  /** The process of an edge is gone. */
  readonly edgeGone: (edge: string) => void;
  readonly close: () => Promise<void>;
}

/** An address that could not be listened on; `at` is its place in the configuration. */
class ListenFailure extends Error {
  readonly code: string;
  readonly at: string;

  constructor(at: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'UNKNOWN';
    super(`${at}: cannot listen (${code})`, { cause });
    this.code = code;
    this.at = at;
  }
}

/** Starts control; resolves when all three servers listen. Throws `ListenFailure` for the operations address. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { logger, clock, sockets } = options;
  let { state } = options;
  let ticketSecret = newTicketSecret();
  let seq = 1;
  const roster = new EdgeRoster(state.config.edges, clock);
  const metrics = new ControlMetrics(roster);
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
    source: options.changes ?? emptyLog,
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
      // after the wait: the configuration may have been loaded again meanwhile
      if (isDeepStrictEqual(keys, state.keys)) return;
      state = { ...state, keys };
      edges.broadcast({ kind: 'keys', keys: keys.map(toFeedKey) });
      logger.info('the key ring changed');
    },
  });
  const edges = createEdgeServer({
    roster,
    clock,
    logger,
    snapshot: () => ({
      kind: 'snapshot',
      seq,
      config: withoutSecrets(state.config),
      keys: state.keys.map(toFeedKey),
      upstreamTls: state.upstreamTls,
      tls: state.tls,
      ticketSecret,
      publicSocket: sockets.public,
      index: log.index(),
    }),
    logBeat: () => log.beat(),
    enforcement,
    seq: () => seq,
    answers: {
      verifyPassword: async (question) => {
        const answer = await passwords.verify(question);
        metrics.password(answer.kind);
        return answer;
      },
      knownPlaces: (question) => passwords.knownPlaces(question),
      renewPassword: (question) => passwords.renew(question),
      ...noStoreAnswers,
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
    ticketSecret = newTicketSecret();
    edges.broadcast({ kind: 'tickets', ticketSecret });
  }, options.ticketRotationMs ?? ticketRotationMs);
  const close = async (): Promise<void> => {
    clearInterval(rotation);
    passwords.close();
    await log.close();
    enforcement.close();
    await Promise.all([edges.close(), visitors.close(), operations.close()]);
  };

  try {
    // before the first edge comes: it is to begin with the index
    await log.look();
    await listenOnSocket(visitors, sockets.public);
    await listenOnSocket(edges.server, sockets.edge);
    await operations
      .listen({ host: address.host, port: options.operationsPort ?? address.port })
      .catch((error: unknown) => {
        throw new ListenFailure(address.at, error);
      });
  } catch (error) {
    await close();
    throw error;
  }

  return {
    registry: metrics.registry,
    operations: { host: address.host, port: boundPort(operations) ?? address.port },
    reload: () => {
      const loaded = options.reload();
      metrics.reload(loaded.kind);
      if (loaded.kind === 'refused') {
        logger.error({ problems: loaded.problems }, 'the configuration was not reloaded; nothing changed');
        return loaded;
      }
      if (loaded.warnings !== undefined && loaded.warnings.length > 0)
        logger.warn({ warnings: loaded.warnings }, 'the configuration that is loaded has warnings');
      const { config, needsRestart, listenerSources } = mergeReload(state.config, loaded.state.config);
      const before = state.tls;
      const tls = listenerSources.map((from, at) => (from < 0 ? before[at] : loaded.state.tls[from]) ?? null);
      state = { ...loaded.state, config, tls };
      seq += 1;
      edges.broadcastSnapshot();
      if (needsRestart.length > 0) logger.warn({ needsRestart }, 'some changes wait for a restart');
      logger.info({ seq }, 'the configuration was reloaded');
      return { kind: 'applied', needsRestart, state };
    },
    confirm: async (position) => {
      await log.reach(position);
      await enforcement.confirm(position);
    },
    edgeGone: (edge) => enforcement.gone(edge),
    close,
  };
}

function newTicketSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Listens on a Unix socket that only this user may open, in place of whatever stands there. */
export async function listenOnSocket(server: FastifyInstance, path: string): Promise<void> {
  // A control that was killed leaves its sockets behind; the data folder's lock says that nobody listens on them.
  rmSync(path, { force: true });
  await server.listen({ path });
  chmodSync(path, 0o600);
}

function boundPort(server: FastifyInstance): number | null {
  const bound = server.server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : null;
}

function toFeedKey(key: SigningKey): FeedKey {
  const { id, algorithm, purpose, state } = key;
  return { id, algorithm, purpose, state, secret: Buffer.from(key.secret).toString('base64url') };
}
