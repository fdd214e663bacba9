// What holds for every page of the repository: its links lead somewhere, its examples are run, the scripts it names are there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { guides, markedBlocks, otherPages, readPage, repository, section, tableRows } from '../support/run/pages.ts';

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target);
}

describe('links', () => {
  for (const page of [...guides, ...otherPages]) {
    test(`${page}: every relative link leads to a file, and to a heading of it`, () => {
      const missing = linksOf(readPage(page)).filter((link) => {
        const [path = '', anchor] = link.split('#');
        const file = path === '' ? join(repository, page) : join(repository, dirname(page), path);
        if (!existsSync(file)) return true;
        return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor);
      });
      expect(missing).toEqual([]);
    });
  }

  test('the README links every other page, and shows the picture of the flow', () => {
    const links = linksOf(readPage('README.md')).map((link) => link.split('#')[0]);
    for (const page of [...guides.slice(1), ...otherPages]) expect(links).toContain(page);
    expect(links).toContain('config/flow.svg');
  });
});

test('every file and folder that ARCHITECTURE.md names is there', () => {
  const names = readdirSync(join(repository, 'gateway'), { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name).slice(repository.length);
    return entry.isDirectory() ? `${path}/` : path;
  });
  const named = [...readPage('gateway/ARCHITECTURE.md').matchAll(/`([\w./-]+(?:\/|\.ts|\.mjs|\.md))`/g)];
  const paths = named.map(([, path = '']) => path);
  expect(paths.length).toBeGreaterThan(80);
  const isThere = (path: string) =>
    existsSync(join(repository, path)) || names.some((name) => name.endsWith(`/${path}`));
  expect(paths.filter((path) => !isThere(path))).toEqual([]);
});

test('the README has at most 300 lines, ARCHITECTURE.md at most 120', () => {
  expect(readPage('README.md').split('\n').length - 1).toBeLessThanOrEqual(300);
  expect(readPage('gateway/ARCHITECTURE.md').split('\n').length - 1).toBeLessThanOrEqual(120);
});

test('the figures of the README are those of bench/README.md', () => {
  const recorded = tableRows(section('bench/README.md', '## Recorded figures'));
  const figures = tableRows(section('README.md', '## Figures'));
  expect(figures.length).toBeGreaterThan(5);
  for (const cells of figures) expect(recorded).toContainEqual(cells);
});

test('the picture of the flow can be read on light and on dark pages', () => {
  const svg = readFileSync(join(repository, 'config/flow.svg'), 'utf8');
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg).toMatch(/<title[^>]*>.+<\/title>/);
});

test('every example of the guides is marked, and every mark is one that a test runs', () => {
  const examples = ['config', 'sh', 'serve', 'token library', 'assertion js', 'assertion python', 'assertion go'];
  // settings.test.ts; below; live-tables.test.ts
  const others = ['part', 'npm', 'log line'];
  // test/browser/demo.test.ts, test/config/schema/listeners.test.ts, test/cli/tls.test.ts
  const elsewhere = ['links', 'script', 'keys', 'tls config', 'hook'];
  const unrun = ['not run, it needs Docker', 'not run, it needs a log collector'];
  const blocks = markedBlocks();
  expect(new Set(blocks.map(({ mark }) => mark))).toEqual(new Set([...examples, ...others, ...elsewhere, ...unrun]));
  const fences = guides.flatMap((page) => readPage(page).match(/^```/gm) ?? []).length / 2;
  expect(blocks.length).toBe(fences);
});

test('every npm script that a page names is one of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  for (const page of [...guides, ...otherPages]) {
    for (const [, named] of readPage(page).matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)) {
      expect(Object.keys(scripts), `${page}: npm run ${named}`).toContain(named);
    }
  }
});

test('the lines that an example gives to npm name scripts and nothing else', () => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  for (const { mark, text } of markedBlocks()) {
    if (mark !== 'npm') continue;
    for (const line of text.trim().split('\n')) {
      const [, script = line] = /^npm (?:run )?([\w:-]+)(?: |$)/.exec(line) ?? [];
      expect(Object.keys(scripts)).toContain(script);
    }
  }
});
