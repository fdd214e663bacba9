// What a file may say, by where it stands: the clock, the environment, SQL, prefixes of ids and what cuts blanks have one place each.
// The rules are those of gateway/ARCHITECTURE.md "Rooms" and of gateway/RULES.md "The code".

import type { Syntax } from './syntax.ts';

const impureGlobals = new Set([
  ...['performance', 'process', 'console', 'fetch', 'crypto', 'require', 'globalThis'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]);

/** For files of `core/`, which reads no clock, no randomness and no environment. */
export function checkPurity({ globals, members, readsDate }: Syntax): string[] {
  const used = [...globals].filter((name) => impureGlobals.has(name));
  if (members.has('Math.random')) used.push('Math.random');
  return [...used, ...readsDate].map((name) => `core uses ${name}; it arrives as an argument`);
}

export function checkEnvironment(path: string, { members, imports }: Syntax): string[] {
  if (path === 'gateway/config/files/environment.ts') return [];
  const isImported = imports.some(({ from, names }) => /^(node:)?process$/.test(from) && names.includes('env'));
  if (!isImported && !members.has('process.env')) return [];
  return ['reads process.env; only gateway/config/files/environment.ts does'];
}

export function checkClock(path: string, { members, imports, readsDate }: Syntax): string[] {
  if (path === 'gateway/telemetry/clock.ts') return [];
  const used = [...readsDate];
  for (const name of ['performance.now', 'performance.timeOrigin', 'process.hrtime', 'process.uptime']) {
    if (members.has(name)) used.push(name);
  }
  for (const { from, names } of imports) {
    if (/^(node:)?process$/.test(from)) used.push(...names.filter((name) => name === 'hrtime' || name === 'uptime'));
  }
  return used.map((name) => `uses ${name}; only gateway/telemetry/clock.ts reads the clock`);
}

const sqlPackages = /^(?:kysely|pg|better-sqlite3|node:sqlite)(?:\/|$)/;
const builderCalls = ['selectFrom', 'insertInto', 'updateTable', 'deleteFrom', 'replaceInto', 'mergeInto'];

/** The types `Unit` and `Store` of the port may be named anywhere; queries and the query builder's own types stand in store/. */
export function checkSql(path: string, { imports, properties, templateTags }: Syntax): string[] {
  if (path.startsWith('gateway/store/')) return [];
  const packages = imports.filter(({ from }) => sqlPackages.test(from)).map(({ from }) => `imports ${from}`);
  const calls = builderCalls.filter((name) => properties.has(name)).map((name) => `calls ${name}()`);
  const tags = templateTags.has('sql') ? ['writes sql`…`'] : [];
  return [...packages, ...calls, ...tags].map((what) => `${what}; SQL stands in gateway/store/rows/`);
}

/** A text that is just the prefix, or a template or pattern that begins with it: `ky_`, `se_${id}`, /^dv_/. */
export function checkIdPrefixes(path: string, { strings, patterns }: Syntax): string[] {
  if (path === 'gateway/core/model/node-id.ts') return [];
  const texts = strings.filter((text) => /^[a-z]{2}_$/.test(text));
  const expressions = patterns.filter(({ pattern }) => /^\^?\(?(?:\?:)?[a-z]{2}_/.test(pattern));
  return [...texts, ...expressions.map(({ pattern }) => `/${pattern}/`)].map(
    (what) => `says ${what}; only gateway/core/model/node-id.ts knows how ids begin`,
  );
}

/** Where octets of strangers are read: the rooms of the wire, and of `api/` what is in front of its pages. */
export function readsTheWire(path: string): boolean {
  if (peoplesWords.has(path)) return false;
  return /^gateway\/(?:(?:edge|http1|core)\/|api\/(?:(?:serve\/|look\/)?[^/]+|portal\/claim[^/]*)$)/.test(path);
}

/** Names and addresses that people type, which may be cut like words; and an error's text for the log. */
const peoplesWords: ReadonlySet<string> = new Set([
  ...['account', 'mail-address', 'device-name', 'mailbox', 'plain-words'].map(
    (name) => `gateway/core/model/${name}.ts`,
  ),
  'gateway/edge/upstream/upstream-target.ts',
]);

const cuttingMembers = ['trim', 'trimStart', 'trimEnd', 'trimLeft', 'trimRight', 'localeCompare', 'toLocaleLowerCase'];

/** What takes other bytes for blanks, or other letters for the same, than the protocols do. */
export function checkBlanks({ properties, patterns }: Syntax): string[] {
  const cuts = cuttingMembers.filter((name) => properties.has(name)).map((name) => `${name}()`);
  const wide = patterns.filter(({ pattern, flags }) => /\\[sS]/.test(pattern) || /i.*[uv]|[uv].*i/.test(flags));
  return [...cuts, ...wide.map(({ pattern, flags }) => `/${pattern}/${flags}`)].map(
    (what) => `uses ${what}; on a wire SP and HT are the blanks (core/model/blanks.ts) and letters are ASCII`,
  );
}
