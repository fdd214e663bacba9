// `npm run bench`: latchkey and other proxies side by side. Prints a table, writes JSON and an SVG chart.
// Exit code 1 when latchkey itself was to be measured and has no valid row, 2 for a wrong command line.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interrupt } from './measure/processes.ts';
import { help, parseOptions } from './options.ts';
import { allPeers } from './peers/all.ts';
import { latchkeyBefore } from './peers/latchkey.ts';
import { renderChart } from './report/chart.ts';
import { makeProgress } from './report/progress.ts';
import { renderResult } from './report/table.ts';
import { runBench } from './run.ts';

const parsed = parseOptions(
  process.argv.slice(2),
  allPeers.map((peer) => peer.name),
);

switch (parsed.kind) {
  case 'help':
    process.stdout.write(help);
    break;
  case 'wrong':
    process.stderr.write(`${parsed.problem}\n\n${help}`);
    process.exitCode = 2;
    break;
  case 'run': {
    const progress = makeProgress(process.stderr);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.exitCode = 130;
        interrupt();
      });
    }
    const { against } = parsed.options;
    const peers = against === null ? allPeers : [...allPeers, latchkeyBefore(against)];
    const result = await runBench(peers, parsed.options, (text) => progress.show(text));
    progress.clear();
    if (process.exitCode === 130) break;
    process.stdout.write(`${renderResult(result)}\n`);
    const folders = [join(import.meta.dirname, 'out')];
    if (parsed.options.record) folders.push(join(import.meta.dirname, 'results'));
    for (const folder of folders) {
      mkdirSync(folder, { recursive: true });
      const name = folder.endsWith('out') ? 'latest' : result.date;
      writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
      writeFileSync(join(folder, `${name}.svg`), renderChart(result));
      process.stdout.write(`written: ${join(folder, name)}.json and .svg\n`);
    }
    if (result.rows.some((row) => row.name === 'latchkey' && row.problem !== null)) process.exitCode = 1;
    break;
  }
  default:
    parsed satisfies never;
}
