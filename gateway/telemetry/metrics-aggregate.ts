// Sums the metrics of several edges into one set, as if the gateway were one process.
// Counters of an edge that ended stay in the sums, so that no total goes down when an edge is replaced; its gauges do not.

import { AggregatorRegistry, type Registry } from 'prom-client';
import { z } from 'zod';

const metricSchema = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(['counter', 'gauge', 'histogram', 'summary']),
  aggregator: z.enum(['sum', 'first', 'min', 'max', 'average', 'omit']),
  values: z.array(
    z.object({
      // NaN: control reports it for unknown values, such as the number of mails while the store is away
      value: z.union([z.number(), z.nan()]),
      labels: z.record(z.string(), z.union([z.string(), z.number()])),
      metricName: z.string().optional(),
    }),
  ),
});
/** The result of prom-client's `getMetricsAsJSON()`, checked. */
export const metricSet = z.array(metricSchema);

export type MetricSet = z.infer<typeof metricSet>;

/** The last report of each edge, and the totals of edges that are gone. */
export class MetricsAggregate {
  readonly #live = new Map<string, MetricSet>();
  readonly #paused = new Set<string>();
  #ended: MetricSet = [];

  /** Replaces the former report of an edge. */
  update(edge: string, metrics: MetricSet): void {
    this.#live.set(edge, metrics);
    this.#paused.delete(edge);
  }

  /** The edge is out of touch: its gauges are left out until it reports again. */
  pause(edge: string): void {
    if (this.#live.has(edge)) this.#paused.add(edge);
  }

  /** The edge will not come back: its totals are kept, its name is forgotten. */
  end(edge: string): void {
    const last = this.#live.get(edge);
    this.#live.delete(edge);
    this.#paused.delete(edge);
    if (last !== undefined) this.#ended = sumTotals([this.#ended, totals(last)]);
  }

  /** The text form for a scrape, with the metrics of `own` added. */
  async render(own: Registry): Promise<{ readonly contentType: string; readonly text: string }> {
    const sets: MetricSet[] = [this.#ended];
    for (const [edge, metrics] of this.#live) sets.push(this.#paused.has(edge) ? totals(metrics) : metrics);
    sets.push(metricSet.safeParse(await own.getMetricsAsJSON()).data ?? []);
    const sum = AggregatorRegistry.aggregate(sets);
    return { contentType: sum.contentType, text: await sum.metrics() };
  }
}

function totals(metrics: MetricSet): MetricSet {
  return metrics.filter((metric) => metric.type === 'counter' || metric.type === 'histogram');
}

/** prom-client's own aggregation is read by promise; two edges that end at once would then lose a total. */
function sumTotals(sets: readonly MetricSet[]): MetricSet {
  const sums = new Map<string, MetricSet[number]>();
  for (const metric of sets.flat()) {
    const known = sums.get(metric.name);
    sums.set(metric.name, known === undefined ? metric : { ...metric, values: addValues(known.values, metric.values) });
  }
  return [...sums.values()];
}

type MetricValues = MetricSet[number]['values'];

function addValues(left: MetricValues, right: MetricValues): MetricValues {
  const sums = new Map<string, MetricValues[number]>();
  for (const item of [...left, ...right]) {
    const key = JSON.stringify([item.metricName, Object.entries(item.labels).sort()]);
    const known = sums.get(key);
    sums.set(key, known === undefined ? item : { ...known, value: known.value + item.value });
  }
  return [...sums.values()];
}
