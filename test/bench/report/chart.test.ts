// The SVG chart.

import { describe, expect, it } from 'vitest';
import { renderChart } from '../../../bench/report/chart.ts';
import { makeResult, makeRow } from './sample.ts';

const widthsOf = (svg: string) => [...svg.matchAll(/<rect class="(?:ours|plain|checks)"[^>]* width="([0-9.]+)"/g)];

describe('renderChart', () => {
  it('draws bars in proportion, the shortest first', () => {
    const svg = renderChart(makeResult([makeRow('slow', 40), makeRow('latchkey', 10)]));
    const [first, second] = widthsOf(svg).map((match) => Number(match[1]));
    expect(Number(second) / Number(first)).toBeCloseTo(4, 1);
    expect(svg.indexOf('>latchkey<')).toBeLessThan(svg.indexOf('>slow<'));
  });
  it('escapes text, so that a name cannot break the document', () => {
    const svg = renderChart(makeResult([makeRow('a<b>&"c"', 10)]));
    expect(svg).toContain('a&lt;b&gt;&amp;&quot;c&quot;');
    expect(svg).toContain('A &amp; B &lt;9&gt;');
  });
  it('has colours for light and for dark, and refers to nothing outside', () => {
    const svg = renderChart(makeResult([makeRow('latchkey', 10)]));
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg).not.toMatch(/href|url\(|<script/);
  });
  it('leaves rows with a problem out', () => {
    const bad = { ...makeRow('broken', 5), problem: 'wrong' };
    expect(renderChart(makeResult([makeRow('latchkey', 10), bad]))).not.toContain('broken');
  });
});
