// Asks one server at intervals whether it is well, over a connection of its own, and tells its ServerHealth.
// A server counts as well until checks say otherwise: an edge that starts must not wait for its first round.
// It uses Node's own HTTP client: a check is no visitor's request, and must not share a pool with such.

import { request } from 'node:http';
import type { HealthCheck } from '../../config/compiled/upstream-config.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { ServerHealth } from './server-health.ts';
import { errorText, type UpstreamTarget } from './upstream-target.ts';

/** The server that is checked. */
interface ProbedServer {
  readonly target: UpstreamTarget;
  readonly authority: string;
  readonly health: ServerHealth;
  readonly metricIndex: number;
}

// The first checks of all edges and servers are spread over this time, or over one interval when that is shorter.
const firstWithinMs = 1000;

/** Checks one server until `close`. */
export class HealthProbe {
  readonly #check: HealthCheck;
  readonly #server: ProbedServer;
  readonly #metrics: EdgeMetrics;
  #timer: NodeJS.Timeout;
  #end: (() => void) | null = null;
  /** Results in a row: successes above zero, failures below. */
  #streak = 0;

  constructor(check: HealthCheck, server: ProbedServer, metrics: EdgeMetrics) {
    this.#check = check;
    this.#server = server;
    this.#metrics = metrics;
    this.#timer = setTimeout(() => this.#ask(), Math.random() * Math.min(firstWithinMs, check.intervalMs));
  }

  /** Ends a check that runs, and all further ones. */
  close(): void {
    clearTimeout(this.#timer);
    this.#end?.();
  }

  #ask(): void {
    const { target, authority } = this.#server;
    const { path, host, timeoutMs } = this.#check;
    const socket = target.open(null);
    const asking = request({
      method: 'GET',
      path,
      headers: {
        host: host ?? (authority.startsWith('unix:') ? 'localhost' : authority),
        'user-agent': 'latchkey-health',
        connection: 'close',
      },
      setDefaultHeaders: false,
      createConnection: () => socket,
    });
    const timeout = setTimeout(() => over('no answer in time'), timeoutMs);
    let isOver = false;
    const end = (): boolean => {
      if (isOver) return false;
      isOver = true;
      clearTimeout(timeout);
      this.#end = null;
      asking.destroy();
      socket.destroy();
      return true;
    };
    /** @param problem  null when the server is well */
    const over = (problem: string | null) => {
      if (!end()) return;
      this.#judge(problem);
      // the interval is a tenth longer or shorter, so that edges that started together do not ask together for ever
      this.#timer = setTimeout(() => this.#ask(), this.#check.intervalMs * (0.9 + Math.random() * 0.2));
    };
    this.#end = end;
    // Both listeners stay: an error may still come after the end, and an error without a listener would end the process.
    socket.on('error', (error) => over(errorText(error)));
    asking.on('error', (error) => over(errorText(error)));
    asking.on('response', (response) => {
      const status = response.statusCode ?? 0;
      over(this.#isExpected(status) ? null : `status ${status}`);
    });
    asking.on('upgrade', () => over('status 101'));
    asking.end();
  }

  #isExpected(status: number): boolean {
    return this.#check.expect.some(([first, last]) => status >= first && status <= last);
  }

  #judge(problem: string | null): void {
    const { health, metricIndex } = this.#server;
    if (problem === null) {
      this.#streak = Math.max(this.#streak, 0) + 1;
      if (this.#streak >= this.#check.healthyAfter) health.setHealthy(true, `${this.#streak} checks in a row held`);
      return;
    }
    const failures = this.#metrics.healthCheckFailures;
    failures[metricIndex] = (failures[metricIndex] ?? 0) + 1;
    this.#streak = Math.min(this.#streak, 0) - 1;
    if (-this.#streak >= this.#check.unhealthyAfter) {
      health.setHealthy(false, `${-this.#streak} checks in a row failed, the last one with: ${problem}`);
    }
  }
}
