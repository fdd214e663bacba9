// Metrics of how old an edge's index of revocations is, and of the answers that the edge ended because of revocations.

import { Counter, Gauge, type Registry } from 'prom-client';

export class RevocationMetrics {
  /** Infinite before the index was loaded. */
  indexAgeMs = 0;
  entries = 0;
  /** Answers that were ended while they ran. */
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
