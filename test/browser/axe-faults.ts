// What axe-core finds on a page, in the light and in the dark theme.
// axe waits by timers, which do not run where scripts are off. So it looks at a copy of the page in a tab with scripts, with the
// style sheet in place of the link to it; what a visitor opened and was told is in the copy too.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { styleSheet } from '../../gateway/api/look/style.ts';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** One sentence an element. The answer is a text, since the types of a browser's objects are not those of Node. */
const run = (
  rules: string,
): string => `axe.run(document, { resultTypes: ['violations']${rules} }).then(({ violations }) =>
  violations.flatMap(({ id, help, nodes }) => nodes.map((node) =>
    [id, help, node.html.replace(/\\s+/g, ' ').slice(0, 160), node['any'][0]?.message ?? ''].join(' | '))))`;

export interface AxeTab {
  /** Every rule in one theme, and the rule of contrast in the other. @returns sentences, empty for a good page */
  readonly faults: (page: Page) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

/** A tab of its own, for any number of pages one after the other. */
export async function openAxeTab(browser: Browser): Promise<AxeTab> {
  const context = await browser.newContext({ viewport: { width: 390, height: 800 } });
  const tab = await context.newPage();
  await tab.evaluate(source);
  return {
    close: () => context.close(),
    faults: async (page) => {
      const markup = (await page.content())
        .replace(/<script>[\s\S]*?<\/script>/g, '')
        .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${styleSheet}</style>`)
        .replace(/<meta http-equiv="refresh"[^>]*>/, '');
      await tab.setContent(markup, { waitUntil: 'commit' });
      if (!(await tab.evaluate<boolean>("typeof axe === 'object'"))) await tab.evaluate(source);
      await tab.emulateMedia({ colorScheme: 'dark' });
      const dark = await tab.evaluate<string[]>(run(''));
      await tab.emulateMedia({ colorScheme: 'light' });
      return [...dark, ...(await tab.evaluate<string[]>(run(", runOnly: ['color-contrast']")))];
    },
  };
}
