// Renders results as text tables for a terminal, with their ratios. Pure.

import type { Figures, Row } from '../measure/figures.ts';
import { median } from '../measure/statistics.ts';
import type { BenchResult, Comparison } from './result.ts';

type Column = readonly [title: string, value: (row: Row) => string];

/** A table as text, with columns as wide as needed; the first column is left-aligned, the others right-aligned. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const line = (row: readonly string[]) =>
    widths.map((width, at) => (at === 0 ? (row[at] ?? '').padEnd(width) : (row[at] ?? '').padStart(width))).join('  ');
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** @returns the report of a run: figures, ratios, proxies that are missing, and notes */
export function renderResult(result: BenchResult): string {
  const { machine, setting } = result;
  const parts = [
    `${machine.processor}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}, ${result.date}`,
    `${setting.rounds} ${setting.rounds === 1 ? 'round' : 'rounds'} of ${setting.seconds} s windows, ${setting.turns} turns side by side, medians; load by ${setting.generator}, ` +
      `${setting.connections} keep-alive connections, backend ${setting.backend}`,
    '',
    renderRows(result.rows, setting.rate),
    renderRatios(result.rows),
  ];
  if (result.rowsWithLogs.length > 0) {
    parts.push(
      'With access logs to a file:',
      '',
      renderRows(result.rowsWithLogs, null),
      renderRatios(result.rowsWithLogs),
    );
  }
  if (result.comparisons.length > 0) parts.push('latchkey against itself:', '', renderComparisons(result.comparisons));
  const notes = [...result.rows, ...result.rowsWithLogs]
    .filter((row) => row.problem !== null)
    .map((row) => `not counted: ${row.title}: ${shorten(row.problem ?? '')}`);
  const missing = result.missing.map((peer) => `not here: ${peer.title} (${peer.hint})`);
  if (setting.cores.kind === 'free') notes.push(`nothing was pinned to a core: ${setting.cores.why}`);
  // a missing block leaves no gap: one empty line stands between two blocks
  return [...parts, ...notes, ...missing]
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd();
}

function renderRows(rows: readonly Row[], rate: number | null): string {
  const columns: Column[] = [
    ['proxy', (row) => row.title],
    ['version', (row) => row.version],
    ['checks', (row) => (row.checks ? 'yes' : 'no')],
    ['CPU µs/req', (row) => number(row.median.cpuPerRequestUs, 1)],
    ['±', (row) => (row.spread === null ? '' : `${number(row.spread * 100, 0)} %`)],
    ['req/s', (row) => number(row.median.requestsPerSecond, 0)],
    ['core', (row) => (row.median.busyShare === null ? '-' : `${number(row.median.busyShare * 100, 0)} %`)],
    ['CPU µs/MiB', (row) => number(row.median.cpuPerMiBUs, 0)],
    ['at 64 KiB', (row) => number(row.median.cpuPerMiBSmallUs, 0)],
    [
      'peak MiB',
      (row) => (row.median.peakMemoryBytes === null ? '-' : number(row.median.peakMemoryBytes / 1048576, 0)),
    ],
  ];
  if (rate !== null) {
    columns.push([`p50 ms at ${rate}/s`, (row) => latency(row.median, row.median.p50Ms)]);
    columns.push(['p99 ms', (row) => number(row.median.p99Ms, 2)]);
  }
  const valid = rows.filter((row) => row.problem === null);
  const head = columns.map(([title]) => title);
  return `${renderTable(
    head,
    valid.map((row) => columns.map(([, value]) => value(row))),
  )}\n`;
}

function renderComparisons(comparisons: readonly Comparison[]): string {
  const show = ({ value, unit }: { value: number | null; unit: Comparison['unit'] }) => {
    if (value === null) return '-';
    if (unit === 'bytes') return `${(value / 1024).toFixed(1)} KiB`;
    return unit === 'share' ? `${(value * 100).toFixed(0)} %` : value.toFixed(2);
  };
  const lines = comparisons.map((row) => [row.title, show(row), show({ value: row.limit, unit: row.unit }), row.note]);
  return `${renderTable(['', 'measured', 'at most', 'how'], lines)}\n`;
}

/**
 * latchkey's figures divided by each peer's: below 1, latchkey needs less. Empty without a valid row of latchkey.
 * Each is the median of the rounds' quotients and not the quotient of medians, so that drift between rounds cancels out.
 */
export function renderRatios(rows: readonly Row[]): string {
  const ours = rows.find((row) => row.name === 'latchkey' && row.problem === null);
  if (ours === undefined) return '';
  const peers = rows.filter((row) => row !== ours && row.problem === null);
  const against = (row: Row, name: keyof Figures) => number(ratio(ours, row, name), 2);
  const head = ['latchkey divided by', 'CPU/req', 'CPU/MiB', 'at 64 KiB', 'p50', 'p99', 'memory'];
  const names = ['cpuPerRequestUs', 'cpuPerMiBUs', 'cpuPerMiBSmallUs', 'p50Ms', 'p99Ms', 'peakMemoryBytes'] as const;
  const lines = peers.map((row) => [row.title, ...names.map((name) => against(row, name))]);
  return lines.length === 0 ? '' : `${renderTable(head, lines)}\n`;
}

/** Median over the rounds of one row's figure divided by the other's in the same round; null when no round has both. */
export function ratio(ours: Row, theirs: Row, name: keyof Figures): number | null {
  const quotients = ours.rounds.map((round, at) => divide(round[name], theirs.rounds[at]?.[name] ?? null));
  return median(quotients.filter((quotient) => quotient !== null));
}

/** The quotient; null when a figure is missing or the divisor is zero. */
export function divide(ours: number | null, theirs: number | null): number | null {
  return ours === null || theirs === null || theirs === 0 ? null : ours / theirs;
}

/** A problem as one line of at most 300 characters: messages of servers can be long. The JSON has the whole text. */
function shorten(problem: string): string {
  const line = problem.replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)} …` : line;
}

function latency(figures: Figures, value: number | null): string {
  if (value !== null || figures.heldRate === null) return number(value, 2);
  return `holds ${number(figures.heldRate, 0)}/s`;
}

function number(value: number | null, digits: number): string {
  return value === null ? '-' : value.toFixed(digits);
}
