// An edge's end of edge.sock: reads the feed, reports, and asks (control-questions.ts).
// Comes back by itself after control died, and tells the new control again what the old one knew of this edge.
// Never logs a message: the feed carries keys, a question carries a password.

import { StringDecoder } from 'node:string_decoder';
import { Client } from 'undici';
import type {
  AppliedReport,
  AssertionKeyReport,
  FeedIndex,
  FeedKey,
  FeedMessage,
  MetricsReport,
  ReadyReport,
} from '../../config/edge-feed.ts';
import type { LogPosition } from '../../core/model/change.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  type ControlConnections,
  type ControlRoad,
  controlOrigin,
  openControlConnections,
  reportDeadlineMs,
} from './control-connections.ts';
import { ControlQuestions } from './control-questions.ts';

/** The first message of every feed. */
export type SnapshotMessage = Extract<FeedMessage, { readonly kind: 'snapshot' }>;

/**
 * What the feed says about the change log; each feed begins with an `index`, when control has one. Keys belong to it: who says
 * that it acts on a place has the ring of that place.
 */
export type LogMessage =
  | Extract<FeedMessage, { readonly kind: 'changes' | 'heartbeat' | 'keys' }>
  | { readonly kind: 'index'; readonly index: FeedIndex };

interface ControlClientOptions {
  readonly socketPath: string;
  readonly edgeId: string;
  readonly logger: Logger;
}

const firstBackoffMs = 50;
/** Knocking at a local socket costs next to nothing, and until it opens no member is looked up and nothing stays fresh. */
const maxBackoffMs = 200;
/** Heartbeats come each second; a feed that is silent this long is dead even if its connection is not. */
const feedSilenceMs = 5000;
/** A line longer than this is no message of ours. */
const maxLineLength = 64 * 1024 * 1024;

/** How long the first snapshot is waited for. */
export interface FirstContact {
  /** While nobody listens at the socket, as when the folder that it stands in is gone. */
  readonly unreachableMs: number;
  /** In all. */
  readonly deadlineMs: number;
}

/** Control gave no snapshot in time; the message says what the last try met. */
export class ControlUnreachable extends Error {}

/** Talks to control for one edge. */
export class ControlClient {
  /** A snapshot after the first one: a reload, or the state again after a reconnect. */
  onSnapshot: ((message: SnapshotMessage) => void) | null = null;
  /** The ring is another one; whoever follows the log is told as well, and takes it into use. */
  onKeys: ((keys: readonly FeedKey[]) => void) | null = null;
  /** A new secret for TLS session tickets, base64url. */
  onTicketSecret: ((secret: string) => void) | null = null;
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
  #followsLog: ((message: LogMessage) => void) | null = null;
  /** What the feed said about the log before anybody followed it. */
  #unheard: LogMessage[] = [];
  #applied: LogPosition | null = null;
  #isConfirming = false;
  /** The last word about what is being ended is still on its way: another one behind it would say nothing new. */
  #isTellingOfWork = false;
  #feedAbort = new AbortController();
  #assertionKey: AssertionKeyReport['jwk'] | null = null;
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
   * @throws ControlUnreachable when that is over
   */
  connect(patience: FirstContact | null = null): Promise<SnapshotMessage> {
    return new Promise((resolve, reject) => {
      this.#settleFirst = { resolve, reject, patience, sinceMs: monotonicMs() };
      void this.#follow();
    });
  }

  /** Lists the edge's public key in the JWKS, now and after each reconnect. Resolves when control has it. */
  async registerAssertionKey(jwk: AssertionKeyReport['jwk']): Promise<void> {
    this.#assertionKey = jwk;
    await this.#say('/assertion-keys', { edge: this.#options.edgeId, jwk } satisfies AssertionKeyReport);
  }

  /** Tells control that this edge listens, now and after each reconnect. */
  async reportReady(listening: ReadyReport['listening']): Promise<void> {
    this.#listening = listening;
    await this.#say('/ready', { edge: this.#options.edgeId, listening } satisfies ReadyReport);
  }

  /** Sends a last metrics report without being asked, for an edge that ends. Failure is of no consequence. */
  async reportMetrics(id = 0): Promise<void> {
    const metrics = await this.answerCollect?.();
    if (metrics === undefined) return;
    const report: MetricsReport = { edge: this.#options.edgeId, id, metrics };
    await this.#post(this.#connections.metrics, '/metrics', report);
  }

  /** Has everything about the change log told to a listener, from the first index on, in order. */
  followLog(listener: (message: LogMessage) => void): void {
    this.#followsLog = listener;
    for (const message of this.#unheard.splice(0)) listener(message);
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
    const report: AppliedReport = { edge: this.#options.edgeId, ...position, isEnding: true };
    this.#say('/applied', report)
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
      // once, and not with each knock at the door
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
        const isAwaited = this.#settleFirst !== null;
        this.#take(pieces.join('') + text.slice(0, end));
        // what came in one piece with the first snapshot is for listeners that whoever waits for it is still to set
        if (isAwaited) await new Promise(setImmediate);
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
    // Control is the same program over a private socket; what it sends is taken as its types say.
    const message = JSON.parse(line) as FeedMessage;
    this.#lastMessageMs = monotonicMs();
    switch (message.kind) {
      case 'snapshot':
        this.#takeSnapshot(message);
        return;
      case 'heartbeat':
      case 'index':
      case 'changes':
        this.#takeLog(message);
        return;
      case 'keys':
        this.onKeys?.(message.keys);
        this.#takeLog(message);
        return;
      case 'tickets':
        this.onTicketSecret?.(message.ticketSecret);
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
    // first: what a reload opens is decided on by what is revoked
    if (message.index !== null) this.#takeLog({ kind: 'index', index: message.index });
    const first = this.#settleFirst;
    this.#settleFirst = null;
    if (first !== null) first.resolve(message);
    else this.onSnapshot?.(message);
    if (reconnected) void this.#repeatReports();
  }

  #takeLog(message: LogMessage): void {
    if (this.#followsLog === null) this.#unheard.push(message);
    else this.#followsLog(message);
  }

  async #confirm(): Promise<void> {
    this.#isConfirming = true;
    const feed = this.#feedAbort;
    try {
      for (let position = this.#applied; position !== null; position = this.#applied) {
        this.#applied = null;
        await this.#say('/applied', { edge: this.#options.edgeId, ...position } satisfies AppliedReport);
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

  /** Says something that this edge is judged by. */
  #say(path: string, report: AssertionKeyReport | ReadyReport | AppliedReport): Promise<void> {
    return this.#post(this.#connections.standing, path, report);
  }

  async #post(road: ControlRoad, path: string, report: object): Promise<void> {
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
