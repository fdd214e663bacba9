// Holds gateway/ to the rules of gateway/ARCHITECTURE.md, and shows for each rule that it can fail.
// The rules themselves are in test/support/run/architecture-rules.ts.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findViolations, type RuleName, type SourceFile } from './support/run/architecture-rules.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function readSources(): SourceFile[] {
  return globSync('{gateway,bench,test}/**/*.{ts,mts,mjs,js}', { cwd: root })
    .filter((path) => !path.includes('node_modules'))
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(join(root, path), 'utf8') }));
}

test('every source keeps the rules of the architecture', () => {
  const sources = readSources();
  expect(sources.filter(({ path }) => path.startsWith('gateway/')).length).toBeGreaterThan(4);
  expect(findViolations(sources).map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
});

/** A file that keeps all rules but for `code`. */
function source(path: string, code: string): SourceFile {
  return { path, text: `// What this answers.\n${code}\n` };
}

function rulesBroken(...files: SourceFile[]): RuleName[] {
  return [...new Set(findViolations(files).map(({ rule }) => rule))];
}

describe('imports go down', () => {
  test.each([
    ['gateway/core/token/a.ts', `import { b } from '../../http1/b.ts'; b();`],
    ['gateway/core/model/a.ts', `import type { B } from '../token/b.ts'; export type A = B;`],
    ['gateway/core/token/a.ts', `import type { B } from '../decision/b.ts'; export type A = B;`],
    ['gateway/core/token/a.ts', `import { SignJWT } from 'jose'; export const a = SignJWT;`],
    ['gateway/core/token/a.ts', `import { readFileSync } from 'node:fs'; readFileSync('x');`],
    ['gateway/http1/a.ts', `import { b } from '../telemetry/b.ts'; b();`],
    ['gateway/telemetry/a.ts', `import { b } from '../config/b.ts'; b();`],
    ['gateway/store/a.ts', `import { b } from '../config/b.ts'; b();`],
    ['gateway/config/a.ts', `import { b } from '../edge/b.ts'; b();`],
    ['gateway/wire/a.ts', `import { b } from '../edge/b.ts'; b();`],
    ['gateway/wire/a.ts', `import { b } from '../store/b.ts'; b();`],
    ['gateway/edge/a.ts', `import { b } from '../control/b.ts'; b();`],
    ['gateway/control/a.ts', `import { b } from '../edge/b.ts'; b();`],
    ['gateway/control/a.ts', `const { b } = await import('../edge/b.ts'); b();`],
    ['gateway/control/a.ts', `export { b } from '../cli/b.ts'; export const a = 1;`],
    ['gateway/edge/a.ts', `import { b } from '../../test/support/b.ts'; b();`],
    ['gateway/edge/a.ts', `import { b } from '../main.ts'; b();`],
    ['gateway/main.ts', `import { b } from './edge/b.ts'; b();`],
    ['gateway/services/a.ts', `export const a = 1;`],
  ])('%s may not say: %s', (path, code) => {
    expect(rulesBroken(source(path, code))).toEqual(['imports go down']);
  });

  test.each([
    ['gateway/core/decision/a.ts', `import { b } from '../token/b.ts'; import { c } from '../model/c.ts'; b(c);`],
    ['gateway/core/token/a.ts', `import { createHmac } from 'node:crypto'; createHmac('sha256', '');`],
    ['gateway/edge/a.ts', `import { b } from '../core/decision/b.ts'; import { c } from './c.ts'; b(c);`],
    ['gateway/cli/serve/a.ts', `import { b } from '../../edge/b.ts'; import { c } from '../../control/c.ts'; b(c);`],
    ['gateway/edge/a.ts', `import { b } from '../wire/b.ts'; b();`],
    ['gateway/control/a.ts', `import { b } from '../wire/b.ts'; b();`],
    ['gateway/main.ts', `import { b } from './cli/b.ts'; b();`],
  ])('%s may say: %s', (path, code) => {
    expect(rulesBroken(source(path, code))).toEqual([]);
  });
});

describe('core is pure', () => {
  test.each([
    'export const a = Math.random();',
    'export const a = performance.timing;',
    'export const a = process.pid;',
    `console.log('a');`,
    'setTimeout(() => {}, 1);',
    `export const a = fetch('x');`,
    'export const a = globalThis.process;',
    'export const a = crypto.randomUUID();',
  ])('core may not say: %s', (code) => {
    expect(rulesBroken(source('gateway/core/model/a.ts', code))).toEqual(['core is pure']);
  });

  test.each(['export const a = Date.now();', 'export const a = new Date();', 'export const a = Date();'])(
    'core may not ask for the time: %s',
    (code) => {
      expect(rulesBroken(source('gateway/core/model/a.ts', code))).toEqual(['core is pure', 'clock in one place']);
    },
  );

  test.each([
    `import { randomBytes } from 'node:crypto'; randomBytes(1);`,
    `import { generateKeyPairSync } from 'node:crypto'; generateKeyPairSync('ed25519');`,
    `import * as all from 'node:crypto'; all.randomBytes(1);`,
    `import all from 'node:crypto'; all.randomBytes(1);`,
  ])('core may not draw random numbers: %s', (code) => {
    expect(rulesBroken(source('gateway/core/model/a.ts', code))).toEqual(['imports go down']);
  });

  test('words in comments and strings, local names and given dates are not mistaken for it', () => {
    const code = `// Date.now() and process.env are not used here.
      export const a = (process: string, at: { fetch: string; console: number }) => [process, at.fetch, 'Math.random()'];
      export const b = new Date(0);`;
    expect(rulesBroken(source('gateway/core/model/a.ts', code))).toEqual([]);
  });
});

describe('environment in one place', () => {
  test.each([
    'export const a = process.env.HOME;',
    `export const a = process['env'];`,
    'export const a = globalThis.process.env;',
    `import { env } from 'node:process'; export const a = env.HOME;`,
    `import process from 'node:process'; export const a = process.env;`,
  ])('only config/files/environment.ts may say: %s', (code) => {
    expect(rulesBroken(source('gateway/edge/a.ts', code))).toEqual(['environment in one place']);
    expect(rulesBroken(source('gateway/config/files/environment.ts', code))).toEqual([]);
  });
});

describe('clock in one place', () => {
  test.each([
    'export const a = Date.now();',
    'export const a = new Date();',
    'export const a = performance.now();',
    'export const a = process.hrtime.bigint();',
    `import { performance } from 'node:perf_hooks'; export const a = performance.now();`,
    `import { hrtime } from 'node:process'; export const a = hrtime();`,
    'export const a = Date.now;',
  ])('only telemetry/clock.ts may say: %s', (code) => {
    expect(rulesBroken(source('gateway/edge/a.ts', code))).toEqual(['clock in one place']);
    expect(rulesBroken(source('gateway/telemetry/clock.ts', code))).toEqual([]);
  });
});

describe('blanks are SP and HT', () => {
  test.each([
    'export const a = (text: string) => text.trim();',
    `export const a = (text: string) => text['trim']();`,
    'export const a = (text?: string) => text?.trimStart();',
    'export const a = (text: string) => text.trimEnd();',
    'export const a = /^bearer\\s+/;',
    `export const a = (text: string) => text.split(/\\s/);`,
    `export const a = new RegExp('\\\\s');`,
    'export const a = /kelvin/iu;',
    `export const a = (text: string) => text.localeCompare('a');`,
  ])('a room that reads the wire may not say: %s', (code) => {
    for (const path of ['edge/a.ts', 'http1/a.ts', 'core/token/a.ts', 'api/a.ts']) {
      expect(rulesBroken(source(`gateway/${path}`, code)), path).toEqual(['blanks are SP and HT']);
    }
    expect(rulesBroken(source('gateway/api/portal/a.ts', code))).toEqual([]);
    expect(rulesBroken(source('gateway/core/model/account.ts', code))).toEqual([]);
  });
});

describe('the shape of a file', () => {
  test('over 400 lines only with a reason in the head comment', () => {
    const long = Array.from({ length: 400 }, (_, line) => `export const a${line} = ${line};`).join('\n');
    expect(rulesBroken(source('gateway/edge/a.ts', long))).toEqual(['length']);
    const argued = `// It is over 400 lines because the grammar is one thing.\n${long}`;
    expect(rulesBroken(source('gateway/edge/a.ts', argued))).toEqual([]);
  });

  test('a head comment is there', () => {
    const text = `import { b } from './b.ts';\n// Too late.\nb();\n`;
    expect(rulesBroken({ path: 'gateway/edge/a.ts', text })).toEqual(['head comment']);
    expect(rulesBroken({ path: 'test/edge/a.test.ts', text })).toEqual(['head comment']);
  });

  test.each(['gateway/edge/utils/a.ts', 'gateway/edge/helpers.ts', 'test/support/util.ts'])('%s is no name', (path) => {
    expect(rulesBroken(source(path, 'export const a = 1;'))).toEqual(['names']);
  });

  test('no file only passes on what others export', () => {
    expect(rulesBroken(source('gateway/edge/a.ts', `export * from './b.ts';`))).toEqual(['no barrel']);
    expect(rulesBroken(source('gateway/edge/a.ts', `export { b } from './b.ts';`))).toEqual(['no barrel']);
    expect(rulesBroken(source('gateway/edge/a.ts', `export * from './b.ts'; export const a = 1;`))).toEqual([]);
  });

  test('JavaScript only where Node 20 has to run it', () => {
    expect(rulesBroken(source('gateway/edge/a.mjs', 'export const a = 1;'))).toEqual(['typescript only']);
    expect(rulesBroken(source('gateway/install.mjs', 'export const a = process.env.PATH;'))).toEqual([]);
  });
});
