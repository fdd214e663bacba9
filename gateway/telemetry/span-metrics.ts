// Metrics of the spans that an edge exported to a collector, and of those that it could not export.

import { Counter, type Registry } from 'prom-client';

export class SpanMetrics {
  exported = 0;
  /** Counts spans that were lost: too many waited, or the collector did not take them. */
  dropped = 0;

  register(registry: Registry): void {
    const metrics = this;
    new Counter({
      name: 'latchkey_spans_total',
      help: 'Spans of requests: exported to the collector, or dropped.',
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        this.reset();
        this.inc({ outcome: 'exported' }, metrics.exported);
        this.inc({ outcome: 'dropped' }, metrics.dropped);
      },
    });
  }
}
