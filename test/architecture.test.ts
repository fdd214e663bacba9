// Holds gateway/ to the rules of gateway/ARCHITECTURE.md, and shows for each rule that it can fail.
// The rules themselves are in test/support/architecture/.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { notYet } from './support/architecture/not-yet.ts';
import { findViolations, findViolationsOfFile, type RuleName } from './support/architecture/rules.ts';
import type { SourceFile } from './support/architecture/syntax.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What is in the repository, or would be with the next `git add .`. */
function listFiles(): string[] {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const paths = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0');
  return paths.filter((path) => path !== '' && existsSync(join(root, path)));
}

test('every source keeps the rules of the architecture', () => {
  const paths = listFiles();
  const sources = paths
    .filter((path) => /^(?:gateway|bench|test)\/.*\.(?:ts|mts|mjs|js)$/.test(path) || path === 'vitest.config.ts')
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
  expect(sources.filter(({ path }) => path.startsWith('gateway/')).length).toBeGreaterThan(4);
  const found = findViolations(sources, new Set(paths)).map(({ rule, message }) => `${rule}: ${message}`);
  const isOpen = (message: string) => notYet.some((beginning) => message.startsWith(beginning));
  expect(found.filter((message) => !isOpen(message))).toEqual([]);
  const mended = notYet.filter((beginning) => !found.some((message) => message.startsWith(beginning)));
  expect(mended, 'no breach any more: delete the line from test/support/architecture/not-yet.ts').toEqual([]);
});

/** A file that keeps all rules but for `code`. */
function source(path: string, code: string): SourceFile {
  return { path, text: `// What this answers.\n${code}\n` };
}

/** The rules that the file breaks alone, in a repository with two pages. */
function rulesBroken(file: SourceFile): RuleName[] {
  const paths = new Set(['README.md', 'gateway/RULES.md']);
  return [...new Set(findViolationsOfFile(file, paths).map(({ rule }) => rule))];
}

describe('imports go down', () => {
  test.each([
    ['gateway/core/token/a.ts', `import { b } from '../../http1/b.ts'; b();`],
    ['gateway/core/token/a.ts', `import { SignJWT } from 'jose'; export const a = SignJWT;`],
    ['gateway/core/token/a.ts', `import { readFileSync } from 'node:fs'; readFileSync('x');`],
    ['gateway/http1/a.ts', `import { b } from '../telemetry/b.ts'; b();`],
    ['gateway/telemetry/a.ts', `import { b } from '../config/b.ts'; b();`],
    ['gateway/store/rows/a.ts', `import { b } from '../../config/b.ts'; b();`],
    ['gateway/config/a.ts', `import { b } from '../edge/b.ts'; b();`],
    ['gateway/wire/a.ts', `import { b } from '../edge/b.ts'; b();`],
    ['gateway/wire/a.ts', `import { b } from '../store/b.ts'; b();`],
    ['gateway/edge/a.ts', `import { b } from '../control/b.ts'; b();`],
    ['gateway/control/node/a.ts', `import { b } from '../../edge/b.ts'; b();`],
    ['gateway/control/node/a.ts', `const { b } = await import('../../edge/b.ts'); b();`],
    ['gateway/control/node/a.ts', `export { b } from '../../cli/b.ts'; export const a = 1;`],
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
    ['gateway/control/node/a.ts', `import { b } from '../../wire/b.ts'; b();`],
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

  test.each(['gateway/edge/live/utils/a.ts', 'gateway/edge/helpers.ts', 'test/support/util.ts'])(
    '%s is no name',
    (path) => {
      expect(rulesBroken(source(path, 'export const a = 1;'))).toEqual(['names']);
    },
  );

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

describe('wings go down', () => {
  test.each([
    ['gateway/core/model/a.ts', `import type { B } from '../token/b.ts'; export type A = B;`],
    ['gateway/core/token/a.ts', `import type { B } from '../decision/b.ts'; export type A = B;`],
    ['gateway/core/decision/policy/a.ts', `import { b } from '../verifier/b.ts'; b();`],
    ['gateway/core/decision/policy/a.ts', `import { b } from '../decide.ts'; b();`],
    ['gateway/config/problems/a.ts', `import { b } from '../schema/b.ts'; b();`],
    ['gateway/config/schema/a.ts', `import type { B } from '../load.ts'; export type A = B;`],
    ['gateway/store/port/a.ts', `import { b } from '../rows/b.ts'; b();`],
    ['gateway/edge/upstream/a.ts', `import type { B } from '../exchange/b.ts'; export type A = B;`],
    ['gateway/edge/engine/a.ts', `const b = await import('../request/b.ts'); b.c();`],
    ['gateway/control/access/a.ts', `import { b } from '../links/b.ts'; b();`],
    ['gateway/control/access/a.ts', `type B = import('../links/b.ts').B; export type A = B;`],
    ['gateway/api/serve/a.ts', `import { b } from '../portal/b.ts'; b();`],
    ['gateway/cli/command/a.ts', `import { b } from '../token/b.ts'; b();`],
  ])('%s may not say: %s', (path, code) => {
    expect(rulesBroken(source(path, code))).toEqual(['wings go down']);
  });

  test.each(['gateway/edge/lounge/a.ts', 'gateway/http1/heads/a.ts', 'gateway/core/a.ts', 'gateway/control/a.ts'])(
    '%s stands in no wing',
    (path) => {
      expect(rulesBroken(source(path, 'export const a = 1;'))).toEqual(['wings go down']);
    },
  );

  test('an import goes down the list, stays in its wing, or leaves the room', () => {
    const code = `import { b } from '../request/b.ts'; import { c } from './c.ts'; import { d } from '../../core/token/d.ts'; b(c, d);`;
    expect(rulesBroken(source('gateway/edge/exchange/a.ts', code))).toEqual([]);
  });
});

describe('SQL in the store', () => {
  test.each([
    `import type { Transaction } from 'kysely'; export type A = Transaction<object>;`,
    `import { DatabaseSync } from 'node:sqlite'; export const a = DatabaseSync;`,
    `import pg from 'pg'; export const a = pg;`,
    `export const a = (unit: Unit) => unit.sql.selectFrom('accounts');`,
    `export const a = (unit: Unit) => unit.sql.insertInto('accounts');`,
    `export const a = (unit: Unit) => unit.sql.updateTable('accounts');`,
    `export const a = (unit: Unit) => unit.sql.deleteFrom('accounts');`,
    'export const a = sql`select 1`;',
  ])('only store/ may say: %s', (code) => {
    expect(rulesBroken(source('gateway/control/links/a.ts', code))).toEqual(['SQL in the store']);
    expect(rulesBroken(source('gateway/store/rows/a.ts', code))).toEqual([]);
  });

  test('the types of the port are no SQL', () => {
    const code = `import type { Store, Unit } from '../../store/port/store.ts'; export type A = Store | Unit;`;
    expect(rulesBroken(source('gateway/control/links/a.ts', code))).toEqual([]);
  });
});

describe('id prefixes in one place', () => {
  test.each([
    `export const a = (id: string) => id.startsWith('se_');`,
    `export const a = (id: string) => \`co_\${id}\`;`,
    'export const a = /^dv_[a-z]+$/;',
    'export const a = /^(?:se_|dv_)/;',
  ])('only core/model/node-id.ts may say: %s', (code) => {
    expect(rulesBroken(source('gateway/edge/live/a.ts', code))).toEqual(['id prefixes in one place']);
    expect(rulesBroken(source('gateway/core/model/node-id.ts', code))).toEqual([]);
  });

  test('words that begin alike are no prefixes', () => {
    expect(rulesBroken(source('gateway/edge/live/a.ts', `export const a = ['id_token', 'no_store'];`))).toEqual([]);
  });
});

describe('pages exist', () => {
  test.each(['// Rules: tokens.md §4.', '/** See `docs/attacks.md`. */', '// (RULES.md, "Tokens")'])(
    'a comment may not name a page that is not there: %s',
    (comment) => {
      expect(rulesBroken(source('gateway/edge/a.ts', `${comment}\nexport const a = 1;`))).toEqual(['pages exist']);
      expect(rulesBroken(source('test/edge/a.test.ts', `${comment}\nexport const a = 1;`))).toEqual(['pages exist']);
    },
  );

  test.each([
    '// Rules: gateway/RULES.md, "Tokens".',
    '// https://example.org/spec.md says so.',
    `export const a = 'tokens.md';`,
  ])('a page of the repository, an address and a string are no breach: %s', (code) => {
    expect(rulesBroken(source('gateway/edge/a.ts', code))).toEqual([]);
  });
});
