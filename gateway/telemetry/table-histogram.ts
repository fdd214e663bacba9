// A prom-client histogram whose numbers live in plain tables outside it.
// prom-client's own `observe` joins label strings for each value, which the hot path cannot pay.

import { Histogram, type Registry } from 'prom-client';

/** One label's values. `counts` holds a count per bucket, NOT cumulative, with the `+Inf` bucket last. */
export interface DurationRow {
  readonly route: string;
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

interface TableHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, rising, without `+Inf`. */
  readonly bounds: readonly number[];
  readonly registers: Registry[];
  readonly rows: () => Iterable<DurationRow>;
}

type HistogramReading = Awaited<ReturnType<Histogram<'route' | 'le'>['get']>>;

/** Histogram by route, read from `rows` at each scrape. */
export class TableHistogram extends Histogram<'route' | 'le'> {
  readonly #options: TableHistogramOptions;
  /** Supplies name, help, type and aggregator of a reading. The base class's `get` cannot: it calls the method below. */
  readonly #empty: Histogram<'route' | 'le'>;

  constructor(options: TableHistogramOptions) {
    super({
      name: options.name,
      help: options.help,
      labelNames: ['route'],
      buckets: [...options.bounds],
      registers: options.registers,
    });
    this.#options = options;
    this.#empty = new Histogram({ name: options.name, help: options.help, labelNames: ['route'], registers: [] });
  }

  override async get(): Promise<HistogramReading> {
    const { name, bounds, rows } = this.#options;
    const values: HistogramReading['values'] = [];
    for (const { route, counts, sum } of rows()) {
      let total = 0;
      for (let index = 0; index <= bounds.length; index += 1) {
        total += counts[index] ?? 0;
        values.push({ metricName: `${name}_bucket`, labels: { route, le: bounds[index] ?? '+Inf' }, value: total });
      }
      values.push({ metricName: `${name}_sum`, labels: { route }, value: sum });
      values.push({ metricName: `${name}_count`, labels: { route }, value: total });
    }
    return { ...(await this.#empty.get()), values };
  }

  /** prom-client prefers this form for its text output; the values are the same. */
  async getForPromString(): Promise<HistogramReading> {
    return this.get();
  }
}
