// What comments cite of gateway/RULES.md against its headings: a rule that cannot be found is none.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');

/** Headings named right after the page: `gateway/RULES.md "Hosts", "Status" and "Passes"`. */
function citedHeadings(text: string): string[] {
  const citations = text.matchAll(/gateway\/RULES\.md((?:(?:,| and|)\s"[^"\n]+")+)/g);
  return [...citations].flatMap(([, list = '']) => [...list.matchAll(/"([^"]+)"/g)].map(([, heading = '']) => heading));
}

test('every heading of gateway/RULES.md that a comment cites is there', () => {
  const page = readFileSync(join(repository, 'gateway/RULES.md'), 'utf8');
  const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const cited = new Set<string>();
  for (const folder of ['gateway', 'test', 'bench', 'config']) {
    for (const name of readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|mjs)$/.test(name)) continue;
      for (const heading of citedHeadings(readFileSync(join(repository, folder, name), 'utf8'))) cited.add(heading);
    }
  }
  expect(cited.size).toBeGreaterThan(10);
  expect([...cited].filter((heading) => !headings.includes(heading))).toEqual([]);
});
