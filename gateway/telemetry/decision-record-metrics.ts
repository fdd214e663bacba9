// Metrics of the decisions that an edge recorded for `explain`, and of those that it could not record.

import { Counter, type Registry } from 'prom-client';

export class DecisionRecordMetrics {
  kept = 0;
  /** Counts records that were lost: too many in one second, or control did not take them. */
  dropped = 0;

  register(registry: Registry): void {
    const metrics = this;
    new Counter({
      name: 'latchkey_decision_records_total',
      help: 'Decisions recorded for explain: kept by control, or dropped.',
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        this.reset();
        this.inc({ outcome: 'kept' }, metrics.kept);
        this.inc({ outcome: 'dropped' }, metrics.dropped);
      },
    });
  }
}
