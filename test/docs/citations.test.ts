// What comments cite of this repository's pages against their headings: a rule that cannot be found is none.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guides, otherPages, readPage, repository } from '../support/run/pages.ts';

/** Tests that hold citations as examples. */
const citeOnPurpose: readonly string[] = ['docs/citations.test.ts', 'architecture.test.ts'];

/** Headings named right after a page: `gateway/RULES.md "Hosts", "Status" and "Passes"`. */
function citations(text: string): string[] {
  // a comment that is broken into lines is one text
  const joined = text.replace(/\n\s*(?:\/\/|\*) ?/g, ' ');
  const found = joined.matchAll(/([\w./]*\b(?:RULES|ARCHITECTURE|README)\.md)((?:(?:,| and|)\s"[^"\n]+")+)/g);
  return [...found].flatMap(([, page = '', list = '']) =>
    [...list.matchAll(/"([^"]+)"/g)].map(([, heading = '']) => `${page} "${heading}"`),
  );
}

test('every heading of a page that a comment cites is there', () => {
  const headings = new Set<string>();
  for (const page of [...guides, ...otherPages]) {
    for (const [, heading] of readPage(page).matchAll(/^#+ (.+)$/gm)) headings.add(`${page} "${heading}"`);
  }
  const cited = new Set<string>();
  for (const folder of ['gateway', 'test', 'bench', 'config']) {
    for (const name of readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })) {
      if (!/\.(ts|mjs|js)$/.test(name) || citeOnPurpose.includes(name)) continue;
      for (const each of citations(readFileSync(join(repository, folder, name), 'utf8'))) cited.add(each);
    }
  }
  expect(cited.size).toBeGreaterThan(20);
  expect([...cited].filter((each) => !headings.has(each))).toEqual([]);
});
