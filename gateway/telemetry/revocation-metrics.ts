// How well an edge knows what was revoked, and what it ended because of it.

import { Counter, Gauge, type Registry } from 'prom-client';

export class RevocationMetrics {
  /** Infinite before the index was loaded. */
  indexAgeMs = 0;
  entries = 0;
  /** Running answers that were ended. */
  answersEnded = 0;

  register(registry: Registry): void {
    const registers = [registry];
    const metrics = this;
    new Gauge({
      name: 'latchkey_revocation_index_age_seconds',
      help: 'Time since the change log is known to have been read; of the edge that is furthest behind.',
      registers,
      aggregator: 'max',
      collect() {
        this.set(metrics.indexAgeMs / 1000);
      },
    });
    new Gauge({
      name: 'latchkey_revocation_index_entries',
      help: 'Revocations that are remembered; of the edge with the most.',
      registers,
      aggregator: 'max',
      collect() {
        this.set(metrics.entries);
      },
    });
    new Counter({
      name: 'latchkey_revoked_answers_total',
      help: 'Running answers that were ended because what allowed them was revoked.',
      registers,
      collect() {
        this.reset();
        this.inc(metrics.answersEnded);
      },
    });
  }
}
