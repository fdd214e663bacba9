// What an edge has for people who are signed in: look-ups at control, renewals, last use. One per edge, made by its runtime.

import { setTimeout as pause } from 'node:timers/promises';
import type { AccessMetrics } from '../../telemetry/access-metrics.ts';
import type { Ticker } from '../engine/ticker.ts';
import type { ControlPort } from './control-questions.ts';
import { LastSeen } from './last-seen.ts';
import type { LiveKeys } from './live-keys.ts';
import { Lookups } from './lookups.ts';
import { Renewals } from './renewals.ts';

const reportEveryMs = 60_000;
/** How long an edge that ends waits for its last report. */
const lastReportMs = 500;

export class Membership {
  readonly lookups: Lookups;
  readonly renewals: Renewals;
  readonly lastSeen = new LastSeen();
  readonly #control: ControlPort;
  #timer: NodeJS.Timeout | null = null;

  constructor(control: ControlPort, live: LiveKeys, ticker: Ticker, metrics: AccessMetrics) {
    this.#control = control;
    const now = () => ticker.epochSeconds;
    this.lookups = new Lookups({ control, cache: live.access, metrics, now });
    this.renewals = new Renewals({ control, lookups: this.lookups, live, nowMs: () => ticker.nowMs, now });
  }

  /** Begins to report last use. @param everyMs  default: a minute */
  start(everyMs = reportEveryMs): void {
    this.#timer = setInterval(() => void this.lastSeen.report(this.#control), everyMs);
  }

  /** Ends the reports with a last one, which is worth a moment. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.lastSeen.size === 0) return;
    await Promise.race([this.lastSeen.report(this.#control), pause(lastReportMs)]);
  }
}
