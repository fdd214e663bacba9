// Follows the change log of the store and tells the edges: first the whole index, then each batch, then how fresh the edges' knowledge is.
// A wake of the store makes the feed read at once, but correctness relies on the poll. While the store cannot be read the feed says nothing,
// so the edges' knowledge ages and they refuse in the end. The feed decides nothing about tokens.
// Rules: gateway/RULES.md "Freshness"; one read at a time, in order.

import { outsideLifeSeconds } from '../../core/decision/state/revocation-index.ts';
import type { Change, LogPosition } from '../../core/model/change.ts';
import type { Store } from '../../store/port/store.ts';
import { machineMs } from '../../telemetry/clock.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { FeedIndex, FeedMessage } from '../../wire/feed.ts';
import type { LogBeat } from '../../wire/log.ts';
import type { ControlClock } from '../context/control-clock.ts';

/** The part of the store that the feed reads. A log without `readAgedSeq` never forgets. */
export type ChangeSource = Pick<Store, 'readChanges' | 'readRevocations' | 'onWake'> &
  Partial<Pick<Store, 'readAgedSeq'>>;

interface ChangeFeedOptions {
  readonly source: ChangeSource;
  readonly clock: ControlClock;
  readonly logger: Logger;
  /** Sends a message to all edges, in order. */
  readonly broadcast: (message: FeedMessage) => void;
  /** The log was read and nothing was new: the edges may be told that what they have is fresh. */
  readonly onRead: () => void;
  /** The key ring may have changed: resolves once the edges were sent the new one, before they are told of the place in the log. */
  readonly onKeys: () => Promise<void>;
  /**
   * Longest lifetime of a latchkey token: a revocation that is older than that, by the log's own time, ends nothing any more. Default: for ever.
   */
  readonly keepSeconds?: () => number;
  /** Time between two reads of the log. Default 250. */
  readonly pollMs?: number;
  /** How long a change of this node may wait for the log to be readable. Default 5000. */
  readonly reachMs?: number;
}

const defaultPollMs = 250;
const defaultReachMs = 5000;
const forgetEveryMs = 600_000;

interface Waiter {
  readonly position: LogPosition;
  /** Number of reads that had begun when the waiter came: those reads may find a state that is older than the waiter's place. */
  readonly readsBefore: number;
  readonly settle: (error: Error | null) => void;
}

/** One follower of one log. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #revocations = new Map<string, Change>();
  readonly #waiters = new Set<Waiter>();
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #position: LogPosition | null = null;
  #forgetAtMs = Number.NEGATIVE_INFINITY;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #readsBegun = 0;
  #reading: Promise<void> | null = null;
  #isWoken = false;
  #isAway = false;
  #isClosed = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#stopListening = options.source.onWake(() => this.#look());
    this.#timer = setInterval(() => this.#look(), options.pollMs ?? defaultPollMs);
  }

  /** Everything that is revoked, for an edge that starts; null while the log was never read. */
  index(): FeedIndex | null {
    const beat = this.beat();
    return beat === null ? null : { ...beat, revocations: [...this.#revocations.values()] };
  }

  /** How fresh the state is that the edges were sent; null while the log was never read. */
  beat(): LogBeat | null {
    if (this.#position === null) return null;
    const readAgeMs = this.#options.clock.monotonicMs() - this.#readAtMs;
    return { ...this.#position, readAgeMs, sentAtMs: machineMs() };
  }

  /** Reads the log now; resolves when that is done, whether the log could be read or not. */
  look(): Promise<void> {
    this.#look();
    return this.#reading ?? Promise.resolve();
  }

  /**
   * Resolves when everything up to a place that is committed was sent to the edges, or when the log goes on in another epoch.
   *
   * @throws Error when the log cannot be read in time
   */
  reach(position: LogPosition): Promise<void> {
    if (this.#hasSent(position)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiter.settle(new Error('the change log could not be read')),
        this.#options.reachMs ?? defaultReachMs,
      );
      const waiter: Waiter = {
        position,
        readsBefore: this.#readsBegun,
        settle: (error) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          if (error === null) resolve();
          else reject(error);
        },
      };
      this.#waiters.add(waiter);
      this.#look();
    });
  }

  /** Stops the feed; resolves when no read runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#stopListening();
    await this.#reading;
    for (const waiter of [...this.#waiters]) waiter.settle(new Error('control is stopping'));
  }

  #hasSent({ epoch, seq }: LogPosition): boolean {
    return this.#position !== null && this.#position.epoch === epoch && this.#position.seq >= seq;
  }

  /**
   * Epochs have no order. A read that began after the place was committed finds its epoch, or a later one; any other read may have
   * found the one before, and then what was committed is still to be sent.
   */
  #isLeftBehind({ position, readsBefore }: Waiter): boolean {
    return this.#position !== null && this.#position.epoch !== position.epoch && this.#readsBegun > readsBefore;
  }

  /** One read at a time; a wake meanwhile leads to another read. */
  #look(): void {
    if (this.#isClosed) return;
    this.#isWoken = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
  }

  async #read(): Promise<void> {
    try {
      while (this.#isWoken && !this.#isClosed) {
        this.#isWoken = false;
        await this.#readOnce();
      }
      if (this.#isAway) this.#options.logger.info('the change log can be read again');
      this.#isAway = false;
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unknown';
      // The failure is logged once, since the log is read four times a second.
      if (!this.#isAway) this.#options.logger.error({ problem }, 'the change log cannot be read');
      this.#isAway = true;
    }
  }

  async #readOnce(): Promise<void> {
    const { source, clock, broadcast, onKeys, onRead } = this.#options;
    // The time is taken before the read, since a change that is committed during the read may be missing in its result.
    const readAtMs = clock.monotonicMs();
    this.#readsBegun += 1;
    if (this.#position === null) {
      const { position, revocations } = await source.readRevocations();
      // The index does not contain changes of keys: another node may have changed some keys, or a restore all of them.
      await onKeys();
      this.#revocations.clear();
      for (const change of revocations) this.#remember(change);
      this.#forgetAtMs = Number.NEGATIVE_INFINITY;
      await this.#forget();
      this.#position = position;
      this.#readAtMs = readAtMs;
      const index = this.index();
      if (index !== null) broadcast({ kind: 'index', index });
    } else {
      const read = await source.readChanges(this.#position);
      if (read.kind === 'restart') {
        this.#position = null;
        this.#isWoken = true;
        return;
      }
      const { position, changes } = read;
      if (changes.length > 0) {
        // The key ring is sent first: an edge that reports this place then has the keys of this place.
        if (changes.some((change) => change.kind === 'keys')) await onKeys();
        for (const change of changes) this.#remember(change);
        this.#position = position;
        broadcast({ kind: 'changes', ...position, changes });
        // There may be more changes; only a read without news shows that nothing is missing.
        this.#isWoken = true;
      } else {
        this.#readAtMs = readAtMs;
        onRead();
        await this.#forget();
      }
    }
    for (const waiter of [...this.#waiters]) {
      if (this.#hasSent(waiter.position) || this.#isLeftBehind(waiter)) waiter.settle(null);
    }
  }

  /** Drops old revocations from time to time, because edges may run for months without a new edge that asks for the index. */
  async #forget(): Promise<void> {
    const { clock, source, keepSeconds } = this.#options;
    if (keepSeconds === undefined || source.readAgedSeq === undefined) return;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#forgetAtMs) return;
    const keep = keepSeconds();
    const agedSeq = await source.readAgedSeq(keep);
    const agedOutsideSeq = await source.readAgedSeq(outsideLifeSeconds(keep));
    for (const [node, { kind, seq }] of this.#revocations) {
      if (seq <= (kind === 'revoke' ? agedSeq : agedOutsideSeq)) this.#revocations.delete(node);
    }
    this.#forgetAtMs = nowMs + forgetEveryMs;
  }

  #remember(change: Change): void {
    if (change.kind !== 'revoke' && change.kind !== 'outside') return;
    const at = Math.max(change.at, this.#revocations.get(change.node)?.at ?? change.at);
    this.#revocations.set(change.node, { ...change, at });
  }
}
