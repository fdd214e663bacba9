// Sums over edges: nothing is counted twice, and no total goes down when an edge ends.

import { Gauge, Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { EdgeMetrics } from '../../gateway/telemetry/edge-metrics.ts';
import { type MetricSet, MetricsAggregate, metricSet } from '../../gateway/telemetry/metrics-aggregate.ts';

const open: EdgeMetrics[] = [];
afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});

function makeEdge(): EdgeMetrics {
  const metrics = new EdgeMetrics(['vod'], ['media']);
  open.push(metrics);
  return metrics;
}

/** What control gets: the report after a trip through JSON. */
async function report(metrics: EdgeMetrics): Promise<MetricSet> {
  return metricSet.parse(JSON.parse(JSON.stringify(await metrics.report())));
}

async function render(aggregate: MetricsAggregate): Promise<string> {
  return (await aggregate.render(new Registry())).text;
}

test('sums counters, gauges and histograms of all edges', async () => {
  const aggregate = new MetricsAggregate();
  for (const edge of ['e1', 'e2']) {
    const metrics = makeEdge();
    metrics.request(0, 200, 0, 0.2);
    metrics.connectionsActive = 2;
    aggregate.update(edge, await report(metrics));
  }
  const text = await render(aggregate);
  expect(text).toContain('latchkey_requests_total{route="vod",code="200",decision="allow"} 2');
  expect(text).toContain('latchkey_connections{state="active"} 4');
  expect(text).toMatch(/latchkey_request_duration_seconds_bucket\{[^}]*le="0.25"[^}]*\} 2/);
  expect(text).toMatch(/latchkey_request_duration_seconds_count\{route="vod"\} 2/);
});

test('an unknown gauge does not spoil the other metrics', async () => {
  const own = new Registry();
  new Gauge({ name: 'known', help: 'known', registers: [own] }).set(3);
  new Gauge({ name: 'unknown', help: 'unknown', registers: [own] }).set(Number.NaN);
  const { text } = await new MetricsAggregate().render(own);
  expect(text).toContain('known 3');
  expect(text).toMatch(/^unknown NaN$/im);
});

test('after an edge has ended its counters stay and its gauges go', async () => {
  const aggregate = new MetricsAggregate();
  for (const edge of ['e1', 'e1.2', 'e2']) {
    const metrics = makeEdge();
    metrics.request(0, 200, 0, 0.2);
    metrics.connectionsActive = 2;
    aggregate.update(edge, await report(metrics));
  }
  aggregate.end('e1');
  aggregate.end('e2');
  const text = await render(aggregate);
  expect(text).toContain('latchkey_requests_total{route="vod",code="200",decision="allow"} 3');
  expect(text).toMatch(/latchkey_request_duration_seconds_count\{route="vod"\} 3/);
  expect(text).toContain('latchkey_connections{state="active"} 2');
});

test('the counters of an edge that lost its connection count once, also after it came back', async () => {
  const aggregate = new MetricsAggregate();
  const metrics = makeEdge();
  metrics.request(0, 200, 0, 0.2);
  metrics.connectionsActive = 2;
  aggregate.update('e1', await report(metrics));
  aggregate.pause('e1');
  expect(await render(aggregate)).not.toContain('latchkey_connections{');
  aggregate.update('e1', await report(metrics));
  const text = await render(aggregate);
  expect(text).toContain('latchkey_requests_total{route="vod",code="200",decision="allow"} 1');
  expect(text).toContain('latchkey_connections{state="active"} 2');
});

test('a message that is no set of metrics is refused', () => {
  expect(metricSet.safeParse({}).success).toBe(false);
  expect(metricSet.safeParse([{ name: 'x' }]).success).toBe(false);
  expect(metricSet.safeParse([]).success).toBe(true);
});
