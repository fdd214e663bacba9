// Shows for each rule that only all files together can break that it can fail.
// That the repository keeps them is shown by test/architecture.test.ts.

import { describe, expect, test } from 'vitest';
import { findViolations, type RuleName } from './support/architecture/rules.ts';
import type { SourceFile } from './support/architecture/syntax.ts';

/** A file that keeps all rules but for `code`. */
function source(path: string, code: string): SourceFile {
  return { path, text: `// What this answers.\n${code}\n` };
}

/** What is said about all files together, under these rules. */
function messagesOf(rule: RuleName, ...files: SourceFile[]): string[] {
  const paths = new Set(files.map(({ path }) => path));
  return findViolations(files, paths).flatMap((violation) => (violation.rule === rule ? [violation.message] : []));
}

describe('no circles', () => {
  const of = (path: string, ...targets: string[]) =>
    source(path, targets.map((target) => `import type {} from '${target}';`).join(' '));

  test('two files that import each other, types included', () => {
    const files = [of('gateway/edge/live/a.ts', './b.ts'), of('gateway/edge/live/b.ts', './a.ts')];
    expect(messagesOf('no circles', ...files)).toEqual([
      'gateway/edge/live: 2 files import each other: gateway/edge/live/a.ts → gateway/edge/live/b.ts → gateway/edge/live/a.ts',
    ]);
  });

  test('a circle over several rooms is shown on its shortest way', () => {
    const files = [
      of('gateway/api/a.ts', '../control/node/b.ts', '../control/node/c.ts'),
      of('gateway/control/node/b.ts', './c.ts'),
      of('gateway/control/node/c.ts', '../../api/a.ts'),
    ];
    expect(messagesOf('no circles', ...files)).toEqual([
      'gateway: 3 files import each other: gateway/api/a.ts → gateway/control/node/c.ts → gateway/api/a.ts',
    ]);
  });

  test('files of edge/exchange/ may, but not by way of another wing', () => {
    const inside = [of('gateway/edge/exchange/a.ts', './b.ts'), of('gateway/edge/exchange/b.ts', './a.ts')];
    expect(messagesOf('no circles', ...inside)).toEqual([]);
    const outside = [
      of('gateway/edge/exchange/a.ts', '../live/b.ts'),
      of('gateway/edge/live/b.ts', '../exchange/a.ts'),
    ];
    expect(messagesOf('no circles', ...outside)).toHaveLength(1);
  });

  test('a file that two others import is no circle', () => {
    const files = [
      of('gateway/edge/a.ts', './b.ts', './c.ts'),
      of('gateway/edge/b.ts', './c.ts'),
      of('gateway/edge/c.ts'),
    ];
    expect(messagesOf('no circles', ...files)).toEqual([]);
  });
});

describe('no unused export', () => {
  const user = (path: string, code: string) => source(path, code);
  const messages = (...files: SourceFile[]) => messagesOf('no unused export', ...files);

  test.each([
    'export const b = 1;',
    'export function b() {}',
    'export class b {}',
    'export type b = 1;',
    'export default 1;',
  ])('what nobody imports: %s', (code) => {
    expect(messages(source('gateway/edge/b.ts', code))).toHaveLength(1);
    expect(messages(source('test/support/b.ts', code))).toHaveLength(1);
  });

  test('what only a test or a bench imports, unless its docstring says so', () => {
    const tests = [
      user('test/edge/b.test.ts', `import { b } from '../../gateway/edge/b.ts'; b();`),
      user('bench/b.ts', `import { b } from '../gateway/edge/b.ts'; b();`),
    ];
    expect(messages(source('gateway/edge/b.ts', 'export const b = 1;'), ...tests)).toEqual([
      'gateway/edge/b.ts: only tests import b, and its docstring does not say @testing',
    ]);
    expect(messages(source('gateway/edge/b.ts', '/** How many. @testing */\nexport const b = 1;'), ...tests)).toEqual(
      [],
    );
  });

  test('a docstring that says so and is wrong', () => {
    const marked = source('gateway/edge/b.ts', '/** @testing */\nexport const b = 1;');
    expect(messages(marked)).toEqual(['gateway/edge/b.ts: nobody imports b']);
    const production = user('gateway/edge/a.ts', `import { b } from './b.ts'; b();`);
    expect(messages(marked, production)).toEqual(['gateway/edge/b.ts: b says @testing, but production imports it']);
  });

  test.each([
    `import { b } from './b.ts'; b();`,
    `import type { b } from './b.ts'; type A = b;`,
    `import * as all from './b.ts'; all.b();`,
    `const { b } = await import('./b.ts'); b();`,
    `(await import('./b.ts')).b();`,
    `type A = import('./b.ts').b;`,
    `export { b } from './b.ts'; const a = 1;`,
    `fork(new URL('./b.ts', import.meta.url));`,
  ])('production that says %s is a user', (code) => {
    const b = source('gateway/edge/b.ts', 'export const b = 1;');
    const others = messages(b, user('gateway/edge/a.ts', code)).filter((message) =>
      message.startsWith('gateway/edge/b.ts'),
    );
    expect(others).toEqual([]);
  });

  test.each([
    `const { c } = await import('./b.ts'); c();`,
    `(await import('./b.ts')).c();`,
    `import { c } from './b.ts'; c();`,
  ])('production that says %s takes something else', (code) => {
    expect(messages(source('gateway/edge/b.ts', 'export const b = 1;'), user('gateway/edge/a.ts', code))).toHaveLength(
      1,
    );
  });
});

describe('no file for tests only', () => {
  const entry = source('gateway/main.ts', `const { a } = await import('./cli/a.ts'); a();`);
  const lonely = source('gateway/edge/b.ts', 'export const b = 1;');

  test('a file of gateway/ that no entry leads to', () => {
    const tests = source('test/edge/b.test.ts', `import { b } from '../../gateway/edge/b.ts'; b();`);
    expect(messagesOf('no file for tests only', entry, lonely, tests)).toEqual([
      'gateway/edge/b.ts: only tests import it, or nobody',
    ]);
  });

  test('a file that an entry leads to', () => {
    const user = source('gateway/cli/a.ts', `import { b } from '../edge/b.ts'; export const a = b;`);
    expect(messagesOf('no file for tests only', entry, lonely, user)).toEqual([]);
  });
});

test('a folder has at most 24 files, whatever they are', () => {
  const files = Array.from({ length: 24 }, (_, number) => source(`bench/results/${number}.ts`, ''));
  expect(messagesOf('files in a folder', ...files)).toEqual([]);
  expect(messagesOf('files in a folder', ...files, source('bench/results/notes.ts', ''))).toEqual([
    'bench/results: has 25 files, 24 is the cap',
  ]);
});
