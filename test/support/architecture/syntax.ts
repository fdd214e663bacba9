// What the rules of the architecture need to know of a source: its imports, exports, comments and the names it uses.
// Pure: from a text to plain data, by the syntax tree, so that a word in a comment or a string is never mistaken for code.
// Judges nothing: what is allowed is said by the rules beside this file.

import { type ESTree, parseSync } from 'vite';
import { type AnyNode, isNode, nameOf, readLiteral, visit } from './syntax-nodes.ts';

export interface SourceFile {
  /** From the repository's root, with forward slashes: `gateway/core/token/claims.ts`. */
  readonly path: string;
  readonly text: string;
}

/** One import of a file, a dynamic one, one in a type, or one that is passed on by `export … from`. */
export interface Import {
  /** As it is written: `./claims.ts`, `node:crypto`. */
  readonly from: string;
  /** Names that are there at run time; `*` for all of the module, `default` for its default export. */
  readonly names: readonly string[];
  /** `names`, and the names of types. */
  readonly namesAndTypes: readonly string[];
}

interface Export {
  readonly name: string;
  /** Whether its docstring has the tag `@testing`: only tests and benches import it, and that is meant. */
  readonly isForTests: boolean;
}

/** A regular expression: a literal, or a text given to `RegExp`. */
interface Pattern {
  readonly pattern: string;
  readonly flags: string;
}

export interface Syntax {
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  /** The text of each comment, without its marks. */
  readonly comments: readonly string[];
  /** Names used and not declared in the file. */
  readonly globals: ReadonlySet<string>;
  /** `object.property`, where both are plain names; declared or imported ones too, for `performance` is both. */
  readonly members: ReadonlySet<string>;
  /** The ways in which the current time is asked of Date. */
  readonly readsDate: readonly string[];
  readonly isBarrel: boolean;
  /** Every name behind a dot. */
  readonly properties: ReadonlySet<string>;
  readonly patterns: readonly Pattern[];
  /** Strings, and the first text of each template; not the sources of imports. */
  readonly strings: readonly string[];
  /** Names of templates' tags: `sql` of sql`…`. */
  readonly templateTags: ReadonlySet<string>;
}

/** @throws Error naming the path, where the text is no TypeScript */
export function describeSyntax({ path, text }: SourceFile): Syntax {
  const { program, comments, errors } = parseSync(path, text);
  const [problem] = errors;
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);

  const used = new Set<string>();
  const declared = new Set<string>();
  const members = new Set<string>();
  const readsDate: string[] = [];
  const properties = new Set<string>();
  const patterns: Pattern[] = [];
  const strings: string[] = [];
  const templateTags = new Set<string>();
  const imports: Import[] = [];
  const taken = new Map<unknown, readonly string[]>();

  visit(program, (node, parent, field) => {
    noteTakenNames(node, taken);
    const imported = describeImport(node, taken);
    if (imported !== undefined) imports.push(imported);
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
    const string = field === 'source' ? undefined : firstText(node);
    if (string !== undefined) strings.push(string);
    const tag = nameOf(node.tag);
    if (tag !== undefined) templateTags.add(tag);
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

  return {
    imports,
    exports: program.body.flatMap((statement) => {
      if (!isNode(statement)) return [];
      const comment = comments.find(
        ({ end }) => end <= statement.start && text.slice(end, statement.start).trim() === '',
      );
      const isForTests = /@testing\b/.test(comment?.value ?? '');
      return exportedNames(statement).map((name) => ({ name, isForTests }));
    }),
    comments: comments.map(({ value }) => value),
    globals: new Set([...used].filter((name) => !declared.has(name))),
    members,
    readsDate,
    isBarrel: isBarrel(program),
    properties,
    patterns,
    strings,
    templateTags,
  };
}

/** Which names a dynamic import's user takes of it: `const { a } = await import('./a.ts')`, `(await import('./a.ts')).a`. */
function noteTakenNames(node: AnyNode, taken: Map<unknown, readonly string[]>): void {
  const user =
    node.type === 'VariableDeclarator' ? node.init : node.type === 'MemberExpression' ? node.object : undefined;
  const awaited = isNode(user) && user.type === 'ParenthesizedExpression' ? user.expression : user;
  if (!isNode(awaited) || awaited.type !== 'AwaitExpression') return;
  const property = node.computed === true ? undefined : nameOf(node.property);
  if (property !== undefined) taken.set(awaited.argument, [property]);
  if (!isNode(node.id) || node.id.type !== 'ObjectPattern' || !Array.isArray(node.id.properties)) return;
  const names = node.id.properties.map((entry: unknown) => (isNode(entry) ? (nameOf(entry.key) ?? '*') : '*'));
  taken.set(awaited.argument, names);
}

function describeImport(node: AnyNode, taken: ReadonlyMap<unknown, readonly string[]>): Import | undefined {
  const from = readLiteral(node.source);
  if (from === undefined) return undefined;
  if (node.type === 'TSImportType') return { from, names: [], namesAndTypes: [nameOf(node.qualifier) ?? '*'] };
  if (!/^(Import|Export)/.test(node.type)) return undefined;
  if (node.type === 'ImportExpression') {
    const names = taken.get(node) ?? ['*'];
    return { from, names, namesAndTypes: names };
  }
  if (node.type === 'ExportAllDeclaration') return { from, names: ['*'], namesAndTypes: ['*'] };
  const specifiers = (Array.isArray(node.specifiers) ? node.specifiers : []).filter(isNode);
  // A type leaves nothing behind at run time.
  const isType = (specifier: AnyNode) => node.importKind === 'type' || specifier.importKind === 'type';
  return {
    from,
    names: specifiers.filter((specifier) => !isType(specifier)).flatMap(importedName),
    namesAndTypes: specifiers.flatMap(importedName),
  };
}

function importedName(specifier: AnyNode): string | [] {
  if (specifier.type === 'ImportNamespaceSpecifier') return '*';
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  return nameOf(specifier.imported ?? specifier.local) ?? [];
}

function exportedNames(statement: AnyNode): string[] {
  if (statement.type === 'ExportDefaultDeclaration') return ['default'];
  if (statement.type !== 'ExportNamedDeclaration') return [];
  const specifiers = (Array.isArray(statement.specifiers) ? statement.specifiers : []).filter(isNode);
  const { declaration } = statement;
  const declarations = isNode(declaration)
    ? Array.isArray(declaration.declarations)
      ? declaration.declarations.filter(isNode).map(({ id }) => id)
      : [declaration.id]
    : [];
  return [...specifiers.map(({ exported }) => exported), ...declarations].flatMap((name) => nameOf(name) ?? []);
}

function isBarrel(program: ESTree.Program): boolean {
  const passesOn = (statement: { readonly type: string; readonly source?: unknown }) =>
    statement.type.startsWith('Export') && statement.source !== undefined && statement.source !== null;
  const own = program.body.filter((statement) => statement.type !== 'ImportDeclaration');
  return own.length > 0 && own.every(passesOn);
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

function firstText(node: AnyNode): string | undefined {
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis)) return readLiteral(node);
  const [first]: unknown[] = node.quasis;
  const value = isNode(first) ? first.value : undefined;
  return typeof value === 'object' && value !== null && 'raw' in value ? String(value.raw) : undefined;
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
