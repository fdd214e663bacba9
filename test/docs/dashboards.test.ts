// config/alerts.yaml and config/grafana-dashboard.json: every metric and label that they name is one that the page of metrics names,
// which live-tables.test.ts compares with the program; and Prometheus's own checker takes the rules and the queries.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { findProgram } from '../../bench/measure/programs.ts';
import { codeSpans, repository, section, tableRows } from '../support/run/pages.ts';
import { runCommand } from '../support/run/run-command.ts';

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const rules: Rules = parse(readFileSync(join(repository, 'config/alerts.yaml'), 'utf8'));
const dashboard: Dashboard = JSON.parse(readFileSync(join(repository, 'config/grafana-dashboard.json'), 'utf8'));
const queries = [
  ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => ({ name: alert, expr }))),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ name: title, expr }))),
];

test('every query asks for metrics that latchkey has', () => {
  const rows = tableRows(section('gateway/telemetry/README.md', '## Metrics'));
  const known = new Set(rows.flatMap(([cell = '']) => codeSpans(cell)));
  expect(queries.length).toBeGreaterThan(30);
  for (const { name, expr } of queries) {
    const asked = [...expr.matchAll(/latchkey_\w+/g)].map(([metric]) => metric.replace(/_bucket$/, ''));
    expect(asked.length, name).toBeGreaterThan(0);
    for (const metric of asked) expect(known, name).toContain(metric);
  }
});

const promtool = findProgram('promtool');

test.skipIf(promtool === null)('promtool takes the rules, and the queries of the dashboard as rules', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-rules-'));
  const file = join(folder, 'dashboard.yaml');
  const recorded = dashboard.panels.flatMap(({ targets }) =>
    targets.map(({ expr }, at) => ({
      record: `panel:query_${at}`,
      expr: expr.replaceAll('$__rate_interval', '1m'),
      labels: { expr: expr.slice(0, 20) },
    })),
  );
  writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
  const ran = await runCommand(promtool ?? '', [
    'check',
    'rules',
    '--lint=none',
    join(repository, 'config/alerts.yaml'),
    file,
  ]);
  rmSync(folder, { recursive: true, force: true });
  expect(ran.stdout + ran.stderr).toContain('SUCCESS');
  expect(ran.code).toBe(0);
});
