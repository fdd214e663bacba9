// The table of gateway/cli/README.md "Troubleshooting" against the sources: each text that it quotes is one that the program says, each setting
// and each metric is there.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codeSpans, readPage, repository, section, tableRows } from '../support/run/pages.ts';

const rows = tableRows(section('gateway/cli/README.md', '## Troubleshooting'));
const lines = globSync('gateway/**/*.ts', { cwd: repository })
  .flatMap((path) => readFileSync(join(repository, path), 'utf8').split('\n'))
  .filter((line) => !/^\s*(?:\/\/|\*)/.test(line));

/** Whether one line of the sources has all pieces of a quoted text in their order; `…` stands for anything. */
function isSaid(quoted: string): boolean {
  const pieces = quoted.split('…').map((piece) => piece.trim());
  return lines.some((line) => {
    let at = 0;
    return pieces.every((piece) => {
      const found = line.indexOf(piece, at);
      at = found + piece.length;
      return found >= 0;
    });
  });
}

test('what is quoted as a sign is what the program says, and a status is one of its own', () => {
  const signs = rows.flatMap(([sign = '']) => codeSpans(sign));
  expect(signs.length).toBeGreaterThan(12);
  expect(signs.filter((sign) => !/^[45]\d\d$/.test(sign) && !isSaid(sign))).toEqual([]);
  for (const status of signs.filter((sign) => /^\d+$/.test(sign))) expect(isSaid(status), status).toBe(true);
});

test('settings and metrics that it names are those of their pages', () => {
  const named = rows.flatMap((cells) => codeSpans(cells.slice(1).join(' ')));
  const settings = named.filter((name) => /^[a-z_]+(?:\.[\w]+)+$/.test(name) && name !== 'master.key');
  const metrics = named.filter((name) => name.startsWith('latchkey_'));
  expect([settings.length, metrics.length]).toEqual([5, 3]);
  const written = (page: Parameters<typeof readPage>[0]) =>
    tableRows(readPage(page)).flatMap(([cell = '']) => codeSpans(cell));
  for (const name of settings) expect(written('config/README.md'), name).toContain(name);
  for (const name of metrics) expect(written('gateway/telemetry/README.md'), name).toContain(name);
});
