// Draws results as one SVG: bars of CPU per request and of CPU per MiB. Pure.
// Colours follow the reader's light or dark setting by a media query. The SVG has no script and loads no font or other file.

import type { Row } from '../measure/figures.ts';
import type { BenchResult } from './result.ts';

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly role: 'ours' | 'checks' | 'plain';
}

const width = 860;
const labelWidth = 290;
const valueWidth = 70;
const barHeight = 20;
const gap = 8;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .note { fill: #59636e; font-size: 12px; }
  .ground { fill: #ffffff; }
  .ours { fill: #1a7f5a; }
  .checks { fill: #5b7fa6; }
  .plain { fill: #b8c2cc; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .note { fill: #9198a1; }
    .ground { fill: #0d1117; }
    .ours { fill: #3fb98a; }
    .checks { fill: #7ba3d0; }
    .plain { fill: #4a535e; }
  }
`;

/** @returns the whole SVG document; rows with a problem are left out */
export function renderChart(result: BenchResult): string {
  const valid = result.rows.filter((row) => row.problem === null);
  const panels = [
    { title: 'CPU µs per request (1 KiB body)', bars: readBars(valid, (row) => row.median.cpuPerRequestUs) },
    { title: 'CPU µs per MiB of body (1 MiB bodies)', bars: readBars(valid, (row) => row.median.cpuPerMiBUs) },
  ].filter((panel) => panel.bars.length > 0);
  const parts: string[] = [];
  let top = 16;
  for (const panel of panels) {
    parts.push(`<text class="title" x="16" y="${top + 14}">${escapeText(panel.title)}</text>`);
    top += 30;
    const most = Math.max(...panel.bars.map((bar) => bar.value));
    for (const bar of panel.bars) {
      parts.push(drawBar(bar, top, most));
      top += barHeight + gap;
    }
    top += 16;
  }
  const { machine, setting, date } = result;
  const note = `${machine.processor}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}; ${date}`;
  const second = `${setting.rounds} rounds, ${setting.generator}; less is better; blue and green check a token per request`;
  parts.push(`<text class="note" x="16" y="${top + 8}">${escapeText(note)}</text>`);
  parts.push(`<text class="note" x="16" y="${top + 26}">${escapeText(second)}</text>`);
  const height = top + 42;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `role="img" aria-label="Benchmark of reverse proxies">\n<style>${style}</style>\n` +
    `<rect class="ground" width="${width}" height="${height}" rx="8"/>\n${parts.join('\n')}\n</svg>\n`
  );
}

/** Escapes text so that it may stand in XML. */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function readBars(rows: readonly Row[], read: (row: Row) => number | null): Bar[] {
  const bars: Bar[] = [];
  for (const row of rows) {
    const value = read(row);
    if (value === null) continue;
    bars.push({ label: row.title, value, role: row.name === 'latchkey' ? 'ours' : row.checks ? 'checks' : 'plain' });
  }
  return bars.sort((a, b) => a.value - b.value);
}

function drawBar(bar: Bar, top: number, most: number): string {
  const length = ((width - labelWidth - valueWidth - 32) * bar.value) / most;
  const left = 16 + labelWidth;
  const middle = top + barHeight / 2 + 5;
  const shown = bar.value >= 100 ? bar.value.toFixed(0) : bar.value.toFixed(1);
  return (
    `<text x="${left - 10}" y="${middle}" text-anchor="end">${escapeText(bar.label)}</text>` +
    `<rect class="${bar.role}" x="${left}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" rx="3"/>` +
    `<text x="${(left + length + 8).toFixed(1)}" y="${middle}">${shown}</text>`
  );
}
