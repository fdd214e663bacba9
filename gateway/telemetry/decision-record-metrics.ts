// How many decisions an edge recorded for `explain`, and how many it could not.

import { Counter, type Registry } from 'prom-client';

export class DecisionRecordMetrics {
  kept = 0;
  /** Too many in one second, or control did not take them. */
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
