// An edge's end of edge.sock: reads the feed, reports, and asks (control-questions.ts).
// Comes back by itself after control died, and tells the new control again what the old one knew of this edge.
// Never logs a message: the feed carries keys, a question carries a password.

import { StringDecoder } from 'node:string_decoder';
import { Client } from 'undici';
import type { z } from 'zod';
import type { LogPosition } from '../../core/model/change.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  type FeedIndex,
  type FeedKey,
  type FeedMessage,
  readFeedMessage,
  type SnapshotMessage,
} from '../../wire/feed.ts';
import { type AssertionJwk, type ReadyReport, type Report, reports } from '../../wire/reports.ts';
import type { Shape } from '../../wire/shape.ts';
import {
  type ControlConnections,
  type ControlRoad,
  controlOrigin,
  openControlConnections,
  reportDeadlineMs,
} from './control-connections.ts';
import { ControlQuestions } from './control-questions.ts';

/** What the feed says about the change log; each feed begins with an `index`, when control has one. */
export type LogMessage =
  | Extract<FeedMessage, { readonly kind: 'changes' | 'heartbeat' }>
  | { readonly kind: 'index'; readonly index: FeedIndex };

/** Hears everything that the feed says after its first snapshot, in the order in which control said it. */
export interface FeedObserver {
  /** The whole state anew: a reload, or the same state again after a reconnect. */
  snapshot(message: SnapshotMessage): void;
  /** A whole key ring in place of the one before. It comes before the place of the log that it belongs to. */
  keys(keys: readonly FeedKey[]): void;
  /**
   * About the change log. The index of a snapshot comes here too, before the snapshot itself: what a reload opens is decided on by what
   * is revoked.
   */
  log(message: LogMessage): void;
  /** A new secret for TLS session tickets, base64url. */
  tickets(secret: string): void;
}

interface ControlClientOptions {
  readonly socketPath: string;
  readonly edgeId: string;
  readonly logger: Logger;
}

const firstBackoffMs = 50;
/** A try at a local socket costs next to nothing, and until control is there no member is looked up and no index stays fresh. */
const maxBackoffMs = 200;
/** Heartbeats come each second; a feed that is silent this long is dead even if its connection is not. */
const feedSilenceMs = 5000;
/** A longer line is no message of control. */
const maxLineLength = 64 * 1024 * 1024;

/** How long the first snapshot is waited for. */
export interface FirstContact {
  /** While no process listens at the socket, as when the folder that it stands in is gone. */
  readonly unreachableMs: number;
  /** In all. */
  readonly deadlineMs: number;
}

/** Control gave no snapshot in time; the message says what the last try met. */
export class ControlUnreachable extends Error {}

/** Talks to control for one edge. */
export class ControlClient {
  /** The feed ended; the client is already trying to come back. */
  onDisconnect: (() => void) | null = null;
  /** Gives prom-client's JSON when control collects metrics. */
  answerCollect: (() => Promise<unknown>) | null = null;

  readonly #options: ControlClientOptions;
  /** The feed has a connection of its own: it never ends, so nothing could follow it there. */
  readonly #feedClient: Client;
  readonly #connections: ControlConnections;
  /** What is asked on behalf of requests. */
  readonly questions: ControlQuestions;
  #observer: FeedObserver | null = null;
  /** What the feed said before there was an observer. */
  #unheard: ((observer: FeedObserver) => void)[] = [];
  #applied: LogPosition | null = null;
  #isConfirming = false;
  /** The last report about what is being ended is still on its way: another report behind it would say nothing new. */
  #isTellingOfWork = false;
  #feedAbort = new AbortController();
  #assertionKey: AssertionJwk | null = null;
  #listening: ReadyReport['listening'] | null = null;
  #lastMessageMs = Number.NEGATIVE_INFINITY;
  #backoffMs = firstBackoffMs;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #settleFirst: {
    readonly resolve: (message: SnapshotMessage) => void;
    readonly reject: (error: Error) => void;
    readonly patience: FirstContact | null;
    readonly sinceMs: number;
  } | null = null;

  constructor(options: ControlClientOptions) {
    this.#options = options;
    const { socketPath } = options;
    this.#feedClient = new Client(controlOrigin, {
      socketPath,
      bodyTimeout: feedSilenceMs,
      headersTimeout: feedSilenceMs,
      connectTimeout: reportDeadlineMs,
    });
    this.#connections = openControlConnections(socketPath, options.edgeId);
    this.questions = new ControlQuestions(options.edgeId, this.#connections);
  }

  /**
   * Opens the feed and resolves with the first snapshot; keeps trying until control answers or `close` is called.
   *
   * @param patience  null: for ever
   * @throws ControlUnreachable when the patience is over
   */
  connect(patience: FirstContact | null = null): Promise<SnapshotMessage> {
    return new Promise((resolve, reject) => {
      this.#settleFirst = { resolve, reject, patience, sinceMs: monotonicMs() };
      void this.#follow();
    });
  }

  /** Lists the edge's public key in the JWKS, now and after each reconnect. Resolves when control has it. */
  async registerAssertionKey(jwk: AssertionJwk): Promise<void> {
    this.#assertionKey = jwk;
    await this.#say(reports.assertionKey, { edge: this.#options.edgeId, jwk });
  }

  /** Tells control that this edge listens, now and after each reconnect. */
  async reportReady(listening: ReadyReport['listening']): Promise<void> {
    this.#listening = listening;
    await this.#say(reports.ready, { edge: this.#options.edgeId, listening });
  }

  /** Sends a last metrics report without being asked, for an edge that ends. Failure is of no consequence. */
  async reportMetrics(id = 0): Promise<void> {
    const metrics = await this.answerCollect?.();
    if (metrics === undefined) return;
    await this.#post(this.#connections.metrics, reports.metrics.path, { edge: this.#options.edgeId, id, metrics });
  }

  /** Has an observer told what the feed says from the first snapshot on: at once what came until now. Takes the place of one before. */
  observe(observer: FeedObserver): void {
    this.#observer = observer;
    for (const tell of this.#unheard.splice(0)) tell(observer);
  }

  /** Tells control that this edge acts on the log up to there. While one report is on its way the next ones become one. */
  confirmApplied(position: LogPosition): void {
    this.#applied = position;
    if (!this.#isConfirming) void this.#confirm();
  }

  /** Tells control that this edge refuses what is revoked there, and is still ending what is open. Failure is of no consequence. */
  reportEnding(position: LogPosition): void {
    if (this.#isTellingOfWork) return;
    this.#isTellingOfWork = true;
    this.#say(reports.applied, { edge: this.#options.edgeId, ...position, isEnding: true })
      .catch((error: unknown) => this.#warn(error, 'control was not told of work'))
      .finally(() => {
        this.#isTellingOfWork = false;
      });
  }

  /** Opens the feed anew: it begins with the whole state. */
  resync(): void {
    this.#feedAbort.abort();
  }

  /** Milliseconds since control was last heard; infinite before the first message. */
  snapshotAgeMs(monotonicNow: number): number {
    return monotonicNow - this.#lastMessageMs;
  }

  /** Ends all connections and stops coming back. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await Promise.all([this.#feedClient.destroy(), this.#connections.close()]);
  }

  async #follow(): Promise<void> {
    try {
      const path = `/feed?edge=${encodeURIComponent(this.#options.edgeId)}`;
      this.#feedAbort = new AbortController();
      const { signal } = this.#feedAbort;
      const { statusCode, body } = await this.#feedClient.request({ method: 'GET', path, signal });
      if (statusCode !== 200) {
        body.destroy();
        throw new Error(`control answered ${statusCode} on the feed`);
      }
      await this.#readFeed(body);
      throw new Error('control ended the feed');
    } catch (error) {
      if (this.#closed) return;
      const problem = error instanceof Error ? error.message : 'unknown';
      if (this.#givesUp(error)) {
        this.#settleFirst?.reject(new ControlUnreachable(problem));
        this.#settleFirst = null;
        return;
      }
      // a warning once, and not with each try
      const level = this.#backoffMs === firstBackoffMs ? 'warn' : 'debug';
      this.#options.logger[level]({ problem, retryInMs: this.#backoffMs }, 'lost touch with control');
      this.onDisconnect?.();
      this.#timer = setTimeout(() => void this.#follow(), this.#backoffMs);
      this.#backoffMs = Math.min(maxBackoffMs, this.#backoffMs * 2);
    }
  }

  /** Whether the first snapshot was waited for long enough. */
  #givesUp(error: unknown): boolean {
    const first = this.#settleFirst;
    if (first === null || first.patience === null) return false;
    const waitedMs = monotonicMs() - first.sinceMs;
    const isNobodyThere = error instanceof Error && 'syscall' in error && error.syscall === 'connect';
    return waitedMs >= (isNobodyThere ? first.patience.unreachableMs : first.patience.deadlineMs);
  }

  async #readFeed(body: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new StringDecoder('utf8');
    const pieces: string[] = [];
    let waiting = 0;
    for await (const chunk of body) {
      let text = decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        this.#take(pieces.join('') + text.slice(0, end));
        text = text.slice(end + 1);
        pieces.length = 0;
        waiting = 0;
      }
      if (text !== '') pieces.push(text);
      waiting += text.length;
      if (waiting > maxLineLength) throw new Error('control sent a message without an end');
    }
  }

  #take(line: string): void {
    const message = readFeedMessage(line);
    this.#lastMessageMs = monotonicMs();
    switch (message.kind) {
      case 'snapshot':
        this.#takeSnapshot(message);
        return;
      case 'heartbeat':
      case 'index':
      case 'changes':
        this.#tell((observer) => observer.log(message));
        return;
      case 'keys':
        this.#tell((observer) => observer.keys(message.keys));
        return;
      case 'tickets':
        this.#tell((observer) => observer.tickets(message.ticketSecret));
        return;
      case 'collect':
        this.reportMetrics(message.id).catch((error: unknown) => this.#warn(error, 'metrics were not delivered'));
        return;
      default:
        message satisfies never;
    }
  }

  #takeSnapshot(message: SnapshotMessage): void {
    const reconnected = this.#backoffMs !== firstBackoffMs;
    this.#backoffMs = firstBackoffMs;
    const { index } = message;
    if (index !== null) this.#tell((observer) => observer.log({ kind: 'index', index }));
    const first = this.#settleFirst;
    this.#settleFirst = null;
    if (first !== null) first.resolve(message);
    else this.#tell((observer) => observer.snapshot(message));
    if (reconnected) void this.#repeatReports();
  }

  #tell(tell: (observer: FeedObserver) => void): void {
    if (this.#observer === null) this.#unheard.push(tell);
    else tell(this.#observer);
  }

  async #confirm(): Promise<void> {
    this.#isConfirming = true;
    const feed = this.#feedAbort;
    try {
      for (let position = this.#applied; position !== null; position = this.#applied) {
        this.#applied = null;
        await this.#say(reports.applied, { edge: this.#options.edgeId, ...position });
      }
    } catch (error) {
      // a control that does not hear it would have this edge ended; a fresh feed begins with another report
      this.#warn(error, 'control was not told what was applied');
      feed.abort();
    } finally {
      this.#isConfirming = false;
    }
  }

  async #repeatReports(): Promise<void> {
    try {
      // The key before readiness: an edge counts as ready only when its assertions can be verified.
      if (this.#assertionKey !== null) await this.registerAssertionKey(this.#assertionKey);
      if (this.#listening !== null) await this.reportReady(this.#listening);
    } catch (error) {
      this.#warn(error, 'reports to control were not delivered');
      // A fresh feed is the one way to say everything again.
      this.#feedAbort.abort();
    }
  }

  /** Sends a report that this edge is judged by, on the connection that only those use. */
  #say<Schema extends z.ZodType>(row: Report<Schema>, report: Shape<Schema>): Promise<void> {
    return this.#post(this.#connections.standing, row.path, report);
  }

  async #post(road: ControlRoad, path: string, report: unknown): Promise<void> {
    const { statusCode, body } = await road.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(report),
    });
    await body.dump();
    if (statusCode !== 204) throw new Error(`control answered ${statusCode} on ${path}`);
  }

  #warn(error: unknown, message: string): void {
    if (!this.#closed) this.#options.logger.warn({ problem: error instanceof Error ? error.message : '' }, message);
  }
}
