// The rules of gateway/ARCHITECTURE.md that a program can check, as functions from sources to violations.
// Pure: takes texts, reads no file; test/architecture.test.ts brings the files, and made-up ones for each rule.
// Works on the syntax tree, so that a word in a comment or a string is never mistaken for code.

import { dirname, join, normalize } from 'node:path/posix';
import { type ESTree, parseSync } from 'vite';

export interface SourceFile {
  /** From the repository's root, with forward slashes: `gateway/core/token/claims.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Violation {
  readonly rule: RuleName;
  /** `path: what is wrong`. */
  readonly message: string;
}

export type RuleName =
  | 'imports go down'
  | 'core is pure'
  | 'environment in one place'
  | 'clock in one place'
  | 'blanks are SP and HT'
  | 'length'
  | 'head comment'
  | 'names'
  | 'no barrel'
  | 'typescript only';

/** All rules over all files; the order of the result is that of the files. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => {
    const syntax = describeSyntax(file);
    const found = (rule: RuleName, details: readonly string[]): Violation[] =>
      details.map((detail) => ({ rule, message: `${file.path}: ${detail}` }));
    const inGateway = file.path.startsWith('gateway/');
    const isBootstrap = bootstrap.has(file.path);
    return [
      ...found('length', checkLength(file)),
      ...found('head comment', checkHeadComment(file)),
      ...found('names', checkNames(file)),
      ...found('no barrel', syntax.isBarrel ? ['only passes on what other files export; import from those'] : []),
      ...(inGateway ? found('imports go down', checkImports(file.path, syntax)) : []),
      ...(inGateway ? found('typescript only', checkLanguage(file.path)) : []),
      ...(file.path.startsWith('gateway/core/') ? found('core is pure', checkPurity(syntax)) : []),
      ...(inGateway && !isBootstrap ? found('environment in one place', checkEnvironment(file.path, syntax)) : []),
      ...(inGateway && !isBootstrap ? found('clock in one place', checkClock(file.path, syntax)) : []),
      ...(readsTheWire(file.path) ? found('blanks are SP and HT', checkBlanks(syntax)) : []),
    ];
  });
}

/** They run on Node 20 before types can be stripped, so they are JavaScript and cannot import the clock or the environment. */
const bootstrap = new Set(['install', 'runtime', 'latchkey', 'build'].map((name) => `gateway/${name}.mjs`));

/** Which rooms a room may import, besides itself. The order is that of gateway/ARCHITECTURE.md. */
const belowRoom: Readonly<Record<string, readonly string[]>> = {
  core: [],
  http1: ['core'],
  telemetry: ['http1', 'core'],
  config: ['telemetry', 'http1', 'core'],
  store: ['telemetry', 'http1', 'core'],
  wire: ['config', 'telemetry', 'http1', 'core'],
  control: ['wire', 'store', 'config', 'telemetry', 'http1', 'core'],
  edge: ['wire', 'store', 'config', 'telemetry', 'http1', 'core'],
  api: ['control', 'wire', 'store', 'config', 'telemetry', 'http1', 'core'],
  cli: ['api', 'edge', 'control', 'wire', 'store', 'config', 'telemetry', 'http1', 'core'],
};

const belowCoreRoom: Readonly<Record<string, readonly string[]>> = {
  model: [],
  token: ['model'],
  decision: ['token', 'model'],
};

/** `node:buffer` for its pure checks, such as `isUtf8`. */
const corePackages = new Set(['node:crypto', 'node:buffer', 'ipaddr.js']);
const maxLines = 400;

function checkImports(path: string, { imports }: Syntax): string[] {
  const room = roomOf(path);
  if (room !== undefined && belowRoom[room] === undefined) return [`the room ${room} is not in the architecture`];
  return imports.flatMap(({ from, names }) => {
    if (!from.startsWith('.')) {
      if (room !== 'core') return [];
      if (!corePackages.has(from))
        return [`core imports ${from}; it may import only ${[...corePackages].join(' and ')}`];
      return names
        .filter((name) => from === 'node:crypto' && isRandomOrWhole(name))
        .map((name) => `core imports ${name} of ${from}`);
    }
    const target = normalize(join(dirname(path), from));
    if (!target.startsWith('gateway/')) return [`imports ${from}, which is outside gateway`];
    const targetRoom = roomOf(target);
    // gateway/main.ts and the bootstrap files stand above all rooms: nobody imports them but each other.
    if (room === undefined) {
      const isAllowed = targetRoom === undefined || targetRoom === 'cli';
      return isAllowed ? [] : [`imports ${target}; entry files import cli only`];
    }
    if (targetRoom === undefined) return [`imports ${target}, an entry file`];
    if (targetRoom !== room) {
      return belowRoom[room]?.includes(targetRoom) === true ? [] : [`${room} imports ${targetRoom} (${target})`];
    }
    if (room !== 'core') return [];
    const [inner, targetInner] = [path.split('/')[2] ?? '', target.split('/')[2] ?? ''];
    const isAllowed = inner === targetInner || belowCoreRoom[inner]?.includes(targetInner) === true;
    return isAllowed ? [] : [`core/${inner} imports core/${targetInner} (${target})`];
  });
}

/** Randomness arrives as an argument; a whole-module import would hide which functions are used. */
function isRandomOrWhole(name: string): boolean {
  return /^(random|generate|getRandomValues|webcrypto|subtle)/.test(name) || name === '*' || name === 'default';
}

const impureGlobals = new Set([
  ...['performance', 'process', 'console', 'fetch', 'crypto', 'require', 'globalThis'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
]);

function checkPurity({ globals, members, readsDate }: Syntax): string[] {
  const used = [...globals].filter((name) => impureGlobals.has(name));
  if (members.has('Math.random')) used.push('Math.random');
  return [...used, ...readsDate].map((name) => `core uses ${name}; it arrives as an argument`);
}

function checkEnvironment(path: string, { members, imports }: Syntax): string[] {
  if (path === 'gateway/config/files/environment.ts') return [];
  const isImported = imports.some(({ from, names }) => /^(node:)?process$/.test(from) && names.includes('env'));
  if (!isImported && !members.has('process.env')) return [];
  return ['reads process.env; only gateway/config/files/environment.ts does'];
}

function checkClock(path: string, { members, imports, readsDate }: Syntax): string[] {
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

/** Where octets of strangers are read: the rooms of the wire, and of `api/` what is in front of its pages. */
function readsTheWire(path: string): boolean {
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
function checkBlanks({ properties, patterns }: Syntax): string[] {
  const cuts = cuttingMembers.filter((name) => properties.has(name)).map((name) => `${name}()`);
  const wide = patterns.filter(({ pattern, flags }) => /\\[sS]/.test(pattern) || /i.*[uv]|[uv].*i/.test(flags));
  return [...cuts, ...wide.map(({ pattern, flags }) => `/${pattern}/${flags}`)].map(
    (what) => `uses ${what}; on a wire SP and HT are the blanks (core/model/blanks.ts) and letters are ASCII`,
  );
}

function checkLength({ text }: SourceFile): string[] {
  const lines = text.trimEnd().split('\n').length;
  if (lines <= maxLines || readHeadComment(text).includes(`over ${maxLines} lines because`)) return [];
  return [`has ${lines} lines, ${maxLines} is the cap (or the head comment says "over ${maxLines} lines because …")`];
}

function checkHeadComment({ text }: SourceFile): string[] {
  return readHeadComment(text) === '' ? ['has no head comment'] : [];
}

function readHeadComment(text: string): string {
  const lines = text.replace(/^#!.*\n/, '').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines.slice(0, end === -1 ? lines.length : end).join('\n');
}

function checkNames({ path }: SourceFile): string[] {
  return path
    .split('/')
    .map((part) => part.replace(/\..*$/, ''))
    .filter((name) => /^(utils?|helpers?)$/.test(name))
    .map((name) => `is named "${name}"; a name says what is in it`);
}

function checkLanguage(path: string): string[] {
  return path.endsWith('.ts') || bootstrap.has(path) || path === 'gateway/runtime.d.mts'
    ? []
    : ['is not TypeScript, and not one of the files that Node 20 has to run'];
}

function roomOf(path: string): string | undefined {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1] : undefined;
}

// What the rules need to know of a file's syntax.

interface Syntax {
  readonly imports: readonly { readonly from: string; readonly names: readonly string[] }[];
  /** Names used and not declared in the file. */
  readonly globals: ReadonlySet<string>;
  /** `object.property`, where both are plain names; declared or imported ones too, for `performance` is both. */
  readonly members: ReadonlySet<string>;
  /** The ways in which the current time is asked of Date. */
  readonly readsDate: readonly string[];
  readonly isBarrel: boolean;
  /** Every name behind a dot. */
  readonly properties: ReadonlySet<string>;
  /** Regular expressions: literals, and texts given to `RegExp`. */
  readonly patterns: readonly Pattern[];
}

interface Pattern {
  readonly pattern: string;
  readonly flags: string;
}

/** Fields by which nodes hold others, or what they say; anything else is of no interest here. */
type AnyNode = { readonly type: string } & Readonly<Record<string, unknown>>;

function describeSyntax({ path, text }: SourceFile): Syntax {
  const { program, errors } = parseSync(path, text);
  const [problem] = errors;
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);

  const imports: { from: string; names: string[] }[] = [];
  const used = new Set<string>();
  const declared = new Set<string>();
  const members = new Set<string>();
  const readsDate: string[] = [];
  const properties = new Set<string>();
  const patterns: Pattern[] = [];

  visit(program, (node, parent, field) => {
    const source = readLiteral(node.source);
    if (source !== undefined && /^(Import|Export)/.test(node.type))
      imports.push({ from: source, names: namesOf(node) });
    if (node.type === 'MemberExpression' && isNode(node.object)) {
      // `globalThis.process.env` is `process.env`.
      const object = nameOf(node.object) ?? (isNode(node.object.property) ? nameOf(node.object.property) : undefined);
      const property = node.computed === true ? readLiteral(node.property) : nameOf(node.property);
      if (property !== undefined) properties.add(property);
      if (object !== undefined && property !== undefined) members.add(`${object}.${property}`);
      if (object === 'Date' && property === 'now') readsDate.push('Date.now');
    }
    const pattern = patternOf(node);
    if (pattern !== undefined) patterns.push(pattern);
    if (nameOf(node.callee) === 'Date') {
      const isEmpty = Array.isArray(node.arguments) && node.arguments.length === 0;
      if (node.type === 'CallExpression') readsDate.push('Date()');
      else if (isEmpty) readsDate.push('new Date()');
    }
    const name = nameOf(node);
    if (name === undefined || parent === undefined) return;
    if (isDeclaration(parent, field)) declared.add(name);
    else if (isReference(parent, field)) used.add(name);
  });

  const globals = new Set([...used].filter((name) => !declared.has(name)));
  return { imports, globals, members, readsDate, isBarrel: isBarrel(program), properties, patterns };
}

function isBarrel(program: ESTree.Program): boolean {
  const passesOn = (statement: { readonly type: string; readonly source?: unknown }) =>
    statement.type.startsWith('Export') && statement.source !== undefined && statement.source !== null;
  const own = program.body.filter((statement) => statement.type !== 'ImportDeclaration');
  return own.length > 0 && own.every(passesOn);
}

function visit(
  node: unknown,
  onNode: (node: AnyNode, parent: AnyNode | undefined, field: string) => void,
  parent?: AnyNode,
  field = '',
): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, onNode, parent, field);
  } else if (isNode(node)) {
    onNode(node, parent, field);
    for (const [key, value] of Object.entries(node)) visit(value, onNode, node, key);
  }
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' && typeof value.name === 'string' ? value.name : undefined;
}

function readLiteral(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Literal' && typeof value.value === 'string' ? value.value : undefined;
}

function patternOf(node: AnyNode): Pattern | undefined {
  const literal = node.regex;
  if (typeof literal === 'object' && literal !== null && 'pattern' in literal && 'flags' in literal) {
    return { pattern: String(literal.pattern), flags: String(literal.flags) };
  }
  if (nameOf(node.callee) !== 'RegExp' || !Array.isArray(node.arguments)) return undefined;
  const [pattern, flags] = node.arguments.map(readLiteral);
  return { pattern: pattern ?? '', flags: flags ?? '' };
}

/** The exported names that an import takes; `*` for all of them, `default` for the default export. */
function namesOf(node: AnyNode): string[] {
  if (node.type === 'ImportExpression' || node.type === 'ExportAllDeclaration') return ['*'];
  if (!Array.isArray(node.specifiers)) return [];
  return node.specifiers.flatMap((specifier: unknown) => {
    // A type leaves nothing behind at run time.
    if (!isNode(specifier) || node.importKind === 'type' || specifier.importKind === 'type') return [];
    if (specifier.type === 'ImportNamespaceSpecifier') return ['*'];
    if (specifier.type === 'ImportDefaultSpecifier') return ['default'];
    return nameOf(specifier.imported ?? specifier.local) ?? [];
  });
}

function isDeclaration(parent: AnyNode, field: string): boolean {
  if (field === 'params') return true;
  if (field === 'id') return /^(VariableDeclarator|Function|Class|TS)/.test(parent.type);
  return field === 'local' && parent.type.startsWith('Import');
}

function isReference(parent: AnyNode, field: string): boolean {
  if (parent.type.startsWith('TS')) return parent.type === 'TSAsExpression' || parent.type === 'TSSatisfiesExpression';
  if (parent.type === 'MemberExpression') return field === 'object' || parent.computed === true;
  if (parent.type === 'Property') return field === 'value';
  return field !== 'key' && field !== 'label' && !/^(Import|Export)/.test(parent.type);
}
