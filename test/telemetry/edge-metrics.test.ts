// The counters of one edge as a scrape shows them, also after reloads.

import { afterEach, expect, test } from 'vitest';
import { EdgeMetrics } from '../../gateway/telemetry/edge-metrics.ts';

const open: EdgeMetrics[] = [];
afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close();
});

function makeMetrics(routes: string[], upstreams: string[] = ['media']): EdgeMetrics {
  const metrics = new EdgeMetrics(routes, upstreams);
  open.push(metrics);
  return metrics;
}

async function lines(metrics: EdgeMetrics, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith(name));
}

test('counts requests by route, code and decision, and those without a route under a name that no route can have', async () => {
  const metrics = makeMetrics(['vod', 'app']);
  metrics.request(0, 200, 0, 0.002);
  metrics.request(0, 200, 0, 0.002);
  metrics.request(1, 401, 1, 0.001);
  metrics.request(-1, 404, 1, 0.001);
  metrics.request(1, 0, 2, 0.001);
  expect(await lines(metrics, 'latchkey_requests_total')).toEqual([
    'latchkey_requests_total{route="vod",code="200",decision="allow"} 2',
    'latchkey_requests_total{route="app",code="401",decision="deny"} 1',
    'latchkey_requests_total{route="(none)",code="404",decision="deny"} 1',
    'latchkey_requests_total{route="app",code="000",decision="error"} 1',
  ]);
});

test('a duration counts in every bucket from its own upper bound on', async () => {
  const metrics = makeMetrics(['vod']);
  metrics.request(0, 200, 0, 0.001);
  metrics.request(0, 200, 0, 0.3);
  metrics.request(0, 200, 0, 120);
  const found = await lines(metrics, 'latchkey_request_duration_seconds');
  expect(found).toContain('latchkey_request_duration_seconds_bucket{route="vod",le="0.0005"} 0');
  expect(found).toContain('latchkey_request_duration_seconds_bucket{route="vod",le="0.001"} 1');
  expect(found).toContain('latchkey_request_duration_seconds_bucket{route="vod",le="0.5"} 2');
  expect(found).toContain('latchkey_request_duration_seconds_bucket{route="vod",le="60"} 2');
  expect(found).toContain('latchkey_request_duration_seconds_bucket{route="vod",le="+Inf"} 3');
  expect(found).toContain('latchkey_request_duration_seconds_count{route="vod"} 3');
  expect(found).toContain('latchkey_request_duration_seconds_sum{route="vod"} 120.301');
});

test('decisions carry the kind or the reason, never both, and no label is empty', async () => {
  const metrics = makeMetrics([]);
  metrics.decision('token', null);
  metrics.decision(null, 'token-expired');
  metrics.decision(null, null);
  const found = await lines(metrics, 'latchkey_decisions_total');
  expect(found).toContain('latchkey_decisions_total{kind="token",outcome="allow",reason="none"} 1');
  expect(found).toContain('latchkey_decisions_total{kind="none",outcome="deny",reason="token-expired"} 1');
  expect(found).toContain('latchkey_decisions_total{kind="none",outcome="error",reason="none"} 1');
  expect(found).toContain('latchkey_decisions_total{kind="pass",outcome="allow",reason="none"} 0');
});

test('the values that the edge sets are read at the scrape, after beforeCollect', async () => {
  const metrics = makeMetrics(['vod'], ['media', 'web']);
  metrics.connectionsActive = 3;
  metrics.upstreamActive[1] = 4;
  metrics.lostTokens[0] = 5;
  metrics.cacheHit();
  metrics.beforeCollect = () => {
    metrics.cacheEntries = 7;
  };
  const text = await metrics.registry.metrics();
  expect(text).toContain('latchkey_connections{state="active"} 3');
  expect(text).toContain('latchkey_upstream_active{upstream="web"} 4');
  expect(text).toContain('latchkey_upstream_connects_total{upstream="media"} 0');
  expect(text).toContain('latchkey_lost_tokens_total{route="vod"} 5');
  expect(text).toContain('latchkey_decision_cache_hits_total 1');
  expect(text).toContain('latchkey_decision_cache_entries 7');
  expect(text).toMatch(/latchkey_edge_resident_memory_bytes \d{6,}/);
  expect(text).toMatch(/latchkey_edge_heap_used_bytes \d{6,}/);
  expect(text).toMatch(/latchkey_event_loop_delay_max_seconds 0/);
});

test('a reload keeps the totals of names that stay, even where their place in the list changes', async () => {
  const metrics = makeMetrics(['vod', 'app'], ['media', 'web']);
  metrics.request(1, 200, 0, 0.001);
  metrics.upstreamConnects[1] = 9;
  const slots = metrics.resize(['new', 'app'], ['web']);
  expect(slots).toEqual({ routes: [2, 1], upstreams: [1] });
  metrics.request(slots.routes[0] ?? -1, 200, 0, 0.001);
  metrics.request(slots.routes[1] ?? -1, 200, 0, 0.001);
  expect(await lines(metrics, 'latchkey_requests_total')).toEqual([
    'latchkey_requests_total{route="app",code="200",decision="allow"} 2',
    'latchkey_requests_total{route="new",code="200",decision="allow"} 1',
  ]);
  expect(await lines(metrics, 'latchkey_upstream_connects_total{upstream="web"}')).toEqual([
    'latchkey_upstream_connects_total{upstream="web"} 9',
  ]);
});

test('an index is not reused for another name while a request from before the reload may use it', async () => {
  const metrics = makeMetrics(['old']);
  expect(metrics.resize(['next'], ['media']).routes).toEqual([1]);
  metrics.request(0, 200, 0, 0.001);
  expect(await lines(metrics, 'latchkey_requests_total')).toEqual([
    'latchkey_requests_total{route="old",code="200",decision="allow"} 1',
  ]);
  expect(metrics.resize(['next', 'third'], ['media']).routes).toEqual([1, 0]);
  expect(await lines(metrics, 'latchkey_requests_total')).toEqual([]);
});
