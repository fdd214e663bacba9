// The counters of the control process itself. The edges' numbers are summed in telemetry/metrics-aggregate.ts.

import { Counter, Gauge, Registry } from 'prom-client';
import type { PasswordAnswer } from '../../wire/questions.ts';
import type { EdgeRoster } from './edge-roster.ts';
import type { EndReason, EnforcementCounters } from './enforcement.ts';

/** Control's own counters, in a registry of their own. */
export class ControlMetrics implements EnforcementCounters {
  readonly registry = new Registry();
  readonly #reloads: Counter<'outcome'>;
  readonly #passwords: Counter<'outcome'>;
  readonly #slowEdges: Counter;
  readonly #endedEdges: Counter<'reason'>;
  readonly #unconfirmed: Counter;

  constructor(roster: EdgeRoster) {
    const registers = [this.registry];
    this.#reloads = new Counter({
      name: 'latchkey_config_reloads_total',
      help: 'Reloads of the configuration by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#passwords = new Counter({
      name: 'latchkey_password_checks_total',
      help: 'Password questions of the edges by answer.',
      labelNames: ['outcome'],
      registers,
    });
    this.#slowEdges = new Counter({
      name: 'latchkey_edges_slow_total',
      help: 'Changes that an edge had not confirmed after 250 ms, and was waited for.',
      registers,
    });
    this.#endedEdges = new Counter({
      name: 'latchkey_edges_ended_total',
      help: 'Edges ended because they did not confirm a change, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.#unconfirmed = new Counter({
      name: 'latchkey_changes_unconfirmed_total',
      help: 'Changes that were answered with an error because an edge had not confirmed them.',
      registers,
    });
    for (const reason of ['silent', 'disobedient'] as const) this.#endedEdges.inc({ reason }, 0);
    for (const outcome of ['loaded', 'refused']) this.#reloads.inc({ outcome }, 0);
    for (const outcome of ['verified', 'refused', 'busy']) this.#passwords.inc({ outcome }, 0);
    new Gauge({
      name: 'latchkey_edges_ready',
      help: 'Edges that are connected and listening.',
      registers,
      collect() {
        this.set(roster.readiness().filter((edge) => edge.connected && edge.ready).length);
      },
    });
    new Gauge({
      name: 'latchkey_edges_expected',
      help: 'Edges that should be there.',
      registers,
      collect() {
        this.set(roster.readiness().length);
      },
    });
    new Counter({
      name: 'latchkey_control_cpu_seconds_total',
      help: 'User and system CPU time of control.',
      registers,
      collect() {
        const usage = process.cpuUsage();
        this.reset();
        this.inc((usage.user + usage.system) / 1e6);
      },
    });
    new Gauge({
      name: 'latchkey_control_resident_memory_bytes',
      help: 'Resident memory of control.',
      registers,
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
  }

  reload(outcome: 'loaded' | 'refused'): void {
    this.#reloads.inc({ outcome });
  }

  slow(): void {
    this.#slowEdges.inc();
  }

  ended(reason: EndReason): void {
    this.#endedEdges.inc({ reason });
  }

  unconfirmed(): void {
    this.#unconfirmed.inc();
  }

  password(outcome: PasswordAnswer['kind']): void {
    this.#passwords.inc({ outcome });
  }
}
