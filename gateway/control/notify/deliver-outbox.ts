// The worker that empties the outbox: takes rows that are due, delivers them, marks and wipes them. A row is delivered at least once, and normally once.
// A row is taken by a lease that ends by itself, so a process that dies between delivery and mark leaves it to be delivered again,
// and no two nodes hold one row at a time. A failure puts only its own row back. All sizes and times are in `defaults`.

import { Buffer } from 'node:buffer';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Store } from '../../store/port/store.ts';
import { appendAudit } from '../../store/rows/audit.ts';
import { findHorizon } from '../../store/rows/log-time.ts';
import {
  forgetOldMail,
  giveMailUp,
  markMailDelivered,
  nextMailDue,
  putMailBack,
  type TakenMail,
  takeDueMail,
} from '../../store/rows/outbox.ts';
import { noteMailFailed, noteMailHandedOver } from '../../store/sharing/shares.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Carriers, carrierOf, deliveryPlace } from './deliveries.ts';
import { type DeliveryOutcome, failed } from './transport.ts';

/** The part of the ControlContext that delivery needs. */
interface OutboxContext {
  readonly store: Store;
  readonly sealing: {
    readonly open: (place: ReturnType<typeof deliveryPlace>, sealed: string) => Uint8Array;
  };
  readonly clock: { readonly monotonicMs: () => number; readonly epochSeconds: () => EpochSeconds };
  readonly random: (bytes: number) => Buffer;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
}

interface OutboxOptions {
  /** Attempts that run at the same time. */
  readonly concurrency?: number;
  /** Longest time that an attempt may take. */
  readonly attemptMs?: number;
  /** How long no other worker takes a taken row; far longer than an attempt, so that clocks of nodes may differ. */
  readonly leaseSeconds?: number;
  /** The worker looks at least this often, for other nodes' mails and for wakes that never came. */
  readonly pollMs?: number;
  /** Wait after the first failure; the wait doubles with each further failure. */
  readonly firstRetrySeconds?: number;
  readonly maxRetrySeconds?: number;
  /** Time from queueing a row to giving it up. */
  readonly giveUpSeconds?: number;
  /** How long delivered rows are kept, without their text. */
  readonly keepSeconds?: number;
  /** Called after each attempt, for metrics. */
  readonly onAttempt?: (result: AttemptResult) => void;
}

export type AttemptResult = 'delivered' | 'failed' | 'given-up';

export interface Outbox {
  /** To be called when a unit with mail was committed: the worker looks now. Any number of calls causes one look. */
  readonly wake: () => void;
  /** Takes no more rows, gives running attempts a moment to end, cuts the rest off, and puts their rows back. The store must still be open. */
  readonly close: () => Promise<void>;
}

const day = 86_400;
const defaults = {
  concurrency: 8,
  attemptMs: 30_000,
  leaseSeconds: 180,
  pollMs: 1000,
  firstRetrySeconds: 10,
  maxRetrySeconds: 3600,
  giveUpSeconds: 3 * day,
  keepSeconds: 7 * day,
} as const;
/** Some servers refuse for good and mean "not now": such a refusal is tried again this often. */
const finalTries = 3;
const closeGraceMs = 1000;
const tidyEveryMs = 3_600_000;
const mailsForgottenAtOnce = 500;
const markRetryMs = 500;

/** Starts the worker. The worker looks at once for rows that an earlier process left. */
export function startOutbox(context: OutboxContext, carriers: Carriers, options: OutboxOptions = {}): Outbox {
  const worker = new OutboxWorker(context, carriers, options);
  worker.wake();
  return { wake: () => worker.wake(), close: () => worker.close() };
}

class OutboxWorker {
  readonly #context: OutboxContext;
  readonly #carriers: Carriers;
  readonly #options: Required<Omit<OutboxOptions, 'onAttempt'>> & Pick<OutboxOptions, 'onAttempt'>;
  readonly #running = new Set<Promise<void>>();
  readonly #attempts = new Set<AbortController>();
  #isCutting = false;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #closed = false;
  #lastTidyMs = Number.NEGATIVE_INFINITY;

  constructor(context: OutboxContext, carriers: Carriers, options: OutboxOptions) {
    this.#context = context;
    this.#carriers = carriers;
    this.#options = { ...defaults, ...options };
  }

  wake(): void {
    if (this.#closed) return;
    this.#lookAgain = true;
    this.#looking ??= this.#lookWhileWoken().finally(() => {
      this.#looking = null;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    const grace = setTimeout(() => {
      this.#isCutting = true;
      for (const attempt of this.#attempts) attempt.abort();
    }, closeGraceMs);
    await Promise.all(this.#running);
    clearTimeout(grace);
    await Promise.all(Object.values(this.#carriers).map((carrier) => carrier.close()));
  }

  async #lookWhileWoken(): Promise<void> {
    clearTimeout(this.#timer);
    let waitMs: number = this.#options.pollMs;
    try {
      while (this.#lookAgain && !this.#closed) {
        this.#lookAgain = false;
        waitMs = await this.#look();
      }
    } catch (error) {
      // The store is away: the rows wait until it is back.
      this.#context.logger.warn({ err: error }, 'the outbox cannot be read');
    }
    // Each attempt that ends wakes the worker too, so no timer is needed while all places are taken.
    if (!this.#closed) this.#timer = setTimeout(() => this.wake(), waitMs);
  }

  /** Takes as many due rows as there are free places. @returns when to look again, in ms */
  async #look(): Promise<number> {
    const { concurrency, pollMs, leaseSeconds, maxRetrySeconds } = this.#options;
    // A wait varies by a quarter, and clocks of nodes may differ a little.
    const maxWaitSeconds = 2 * maxRetrySeconds;
    const { store, clock } = this.#context;
    await this.#tidy();
    for (;;) {
      const room = concurrency - this.#running.size;
      if (room <= 0 || this.#closed) return pollMs;
      // A read comes first, so that an empty outbox writes nothing.
      const due = await nextMailDue(store.sql, clock.epochSeconds() + maxWaitSeconds);
      if (due === null) return pollMs;
      const waitMs = (due - clock.epochSeconds()) * 1000;
      if (waitMs > 0) return Math.min(pollMs, waitMs);
      const { value: taken } = await store.write((unit) => takeDueMail(unit, room, leaseSeconds, maxWaitSeconds));
      for (const mail of taken) this.#begin(mail);
      // Another node was faster, or its clock is ahead.
      if (taken.length === 0) return pollMs;
    }
  }

  #begin(mail: TakenMail): void {
    const attempt = this.#attempt(mail)
      .catch((error: unknown) => {
        this.#context.logger.error({ err: error, message: mail.id }, 'an attempt to deliver a mail broke off');
      })
      .finally(() => {
        this.#running.delete(attempt);
        this.wake();
      });
    this.#running.add(attempt);
  }

  async #attempt(mail: TakenMail): Promise<void> {
    const outcome = await this.#deliver(mail);
    const { logger } = this.#context;
    if (outcome.kind === 'delivered') {
      this.#options.onAttempt?.('delivered');
      await this.#markDelivered(mail);
      return;
    }
    const { problem } = outcome;
    const { message, kind, attempts } = { message: mail.id, kind: mail.kind, attempts: mail.attempts };
    const result = await this.#putAside(mail, outcome);
    this.#options.onAttempt?.(result);
    if (result === 'given-up') logger.error({ message, kind, attempts, problem }, 'gave up delivering a mail');
    else logger.warn({ message, kind, attempts, problem }, 'a mail was not delivered; it is tried again');
  }

  async #deliver(mail: TakenMail): Promise<DeliveryOutcome> {
    let body: string;
    try {
      body = Buffer.from(this.#context.sealing.open(deliveryPlace(mail.id), mail.bodySealed)).toString('utf8');
    } catch {
      return failed('the mail does not open: it was sealed under another master key');
    }
    const { id, kind, createdAt } = mail;
    const attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(), this.#options.attemptMs);
    this.#attempts.add(attempt);
    const carrier = carrierOf(this.#carriers, kind);
    // A transport that ignores its signal must not hold a place for ever.
    const overdue = new Promise<DeliveryOutcome>((resolve) => {
      attempt.signal.addEventListener('abort', () => resolve(failed('the attempt took too long')), { once: true });
    });
    try {
      return await Promise.race([carrier.deliver({ id, kind, createdAt, body }, attempt.signal), overdue]);
    } catch {
      // the error may quote the mail
      return failed('the transport failed');
    } finally {
      clearTimeout(timer);
      this.#attempts.delete(attempt);
    }
  }

  /** A delivered mail that is not marked would go out again, so marking is tried a few times; after the lease another worker may take the row. */
  async #markDelivered(mail: TakenMail): Promise<void> {
    const { store, clock } = this.#context;
    for (;;) {
      try {
        await store.write(async (unit) => {
          const isFirst = await markMailDelivered(unit, mail.id);
          // In the same unit: from now on the key may be asked for, however soon the outbox forgets the row.
          if (isFirst && mail.subject !== null) await noteMailHandedOver(unit.sql, mail.subject, unit.now);
        });
        return;
      } catch (error) {
        if (this.#closed || clock.epochSeconds() >= mail.leasedUntilAt) throw error;
        await new Promise((resolve) => setTimeout(resolve, markRetryMs));
      }
    }
  }

  async #putAside(
    mail: TakenMail,
    { problem, isFinal }: Extract<DeliveryOutcome, { kind: 'failed' }>,
  ): Promise<AttemptResult> {
    const wasCut = this.#isCutting;
    const waitSeconds = wasCut ? 0 : this.#waitSeconds(mail.attempts);
    const written = await this.#context.store.write(async (unit): Promise<AttemptResult> => {
      // The log's own time is used, so that a clock that is ahead gives no mail up.
      const horizon = await findHorizon(unit, this.#options.giveUpSeconds);
      const isOver = horizon !== null && mail.createdAt + mail.deferredSeconds < horizon.before;
      if (!wasCut && (isOver || (isFinal && mail.attempts >= finalTries))) {
        if (await giveMailUp(unit, mail, problem)) {
          const details = { kind: mail.kind, attempts: mail.attempts, problem };
          await appendAudit(unit, { actor: 'system', action: 'outbox.given-up', subject: mail.id, details });
          if (mail.subject !== null) await noteMailFailed(unit.sql, mail.subject, unit.now);
        }
        return 'given-up';
      }
      await putMailBack(unit, mail, unit.now + waitSeconds, problem);
      return 'failed';
    });
    return written.value;
  }

  /** The wait doubles with each failure, and varies by a quarter up or down, so that rows that failed together are not tried again together. */
  #waitSeconds(attempts: number): number {
    const { firstRetrySeconds, maxRetrySeconds } = this.#options;
    const whole = Math.min(maxRetrySeconds, firstRetrySeconds * 2 ** Math.min(attempts - 1, 30));
    const share = this.#context.random(4).readUInt32LE(0) / 2 ** 32;
    return Math.max(1, Math.round(whole * (0.75 + share / 2)));
  }

  async #tidy(): Promise<void> {
    const { store, clock } = this.#context;
    if (clock.monotonicMs() - this.#lastTidyMs < tidyEveryMs) return;
    this.#lastTidyMs = clock.monotonicMs();
    const { keepSeconds } = this.#options;
    for (let isMore = true; isMore && !this.#closed; ) {
      const { value } = await store.write(async (unit) => {
        const horizon = await findHorizon(unit, keepSeconds);
        return horizon === null ? 0 : await forgetOldMail(unit, horizon.before, mailsForgottenAtOnce);
      });
      isMore = value === mailsForgottenAtOnce;
    }
  }
}
