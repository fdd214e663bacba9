// Reads a YAML file into plain data, with `${NAME}` in text values replaced from the environment.
// The meaning of the keys is not known here. Rules: YAML 1.2 core schema; duplicate keys are an error.

import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { type Problem, type ProblemPath, pathText, problemAt } from '../problems/problem.ts';
import { secretWarnings } from '../problems/secret-form.ts';
import type { Environment } from './environment.ts';
import { fileRefusal } from './named-file.ts';

/** How a variable and a plain text that looks like one are written. */
const literalHint = 'write $' + '{NAME}, or $$' + '{ for a literal $' + '{';

/** Longest configuration file that is read. */
const maxFileBytes = 16 * 1024 * 1024;

type ReadDocument =
  | {
      readonly kind: 'read';
      readonly value: unknown;
      /** Path texts of the values that `${NAME}` was replaced in. */
      readonly interpolated: ReadonlySet<string>;
      /** Variables that are not set. The value keeps its text. */
      readonly problems: readonly Problem[];
      /** Warnings about variables whose value ends in CRLF or blanks, or holds a byte order mark. The value is used unchanged. */
      readonly warnings: readonly Problem[];
    }
  | { readonly kind: 'unreadable'; readonly problems: readonly Problem[] };

/** Reads and parses a file. Syntax errors come with line and column, all that the parser found. */
export function readDocument(file: string, environment: Environment): ReadDocument {
  let text: string;
  try {
    const bytes = readFileSync(file);
    if (bytes.length > maxFileBytes) return unreadable([problemAt([], `${file} is larger than ${maxFileBytes} bytes`)]);
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return unreadable([problemAt([], `${file} is not UTF-8`, 'save it as UTF-8')]);
    const refusal = fileRefusal(file, error, 'name a configuration file');
    return unreadable([problemAt([], refusal.problem, refusal.hint)]);
  }
  return parseText(text, environment);
}

/** The part of `readDocument` after the file was read. */
function parseText(text: string, environment: Environment): ReadDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: true });
  if (document.errors.length > 0) {
    return unreadable(
      document.errors.map((error) => {
        const at = lines.linePos(error.pos[0]);
        const message = (error.message.split('\n')[0] ?? '').replace(/\.$/, '');
        const twice = error.code === 'DUPLICATE_KEY' ? duplicateAt(text, error.pos[0], at.line) : null;
        if (twice !== null) return { path: `line ${at.line}, column ${at.col}`, ...twice };
        return {
          path: `line ${at.line}, column ${at.col}`,
          problem: message.charAt(0).toLowerCase() + message.slice(1),
          hint: 'fix the YAML first',
        };
      }),
    );
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch {
    return unreadable([problemAt([], 'too many aliases, or an alias without an anchor', 'write the values out')]);
  }
  if (value === null || value === undefined)
    return unreadable([problemAt([], 'the file is empty', 'start from config/minimal.yaml')]);
  const found: Found = { interpolated: new Set(), problems: [], warnings: [] };
  const replaced = interpolate(value, [], environment, found);
  return {
    kind: 'read',
    value: replaced,
    interpolated: found.interpolated,
    problems: found.problems,
    warnings: found.warnings,
  };
}

/** Which key stands twice, and where it stood first: the nearest line above with the same key at the same depth. */
function duplicateAt(text: string, offset: number, line: number): { problem: string; hint: string } | null {
  const lines = text.split('\n');
  const [key] = /^("[^"]*"|'[^']*'|[^\s:,{}[\]]+)/.exec(text.slice(offset)) ?? [];
  if (key === undefined) return null;
  const column = offset - (text.lastIndexOf('\n', offset - 1) + 1);
  const first = lines.findLastIndex(
    (other, at) => at < line - 1 && other.startsWith(`${key}:`, column) && /^[\s-]*$/.test(other.slice(0, column)),
  );
  const before = first < 0 ? '' : `, first in line ${first + 1}`;
  return { problem: `the key ${key} stands here a second time${before}`, hint: 'keep one of them' };
}

interface Found {
  readonly interpolated: Set<string>;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

function interpolate(value: unknown, path: ProblemPath, environment: Environment, found: Found): unknown {
  if (typeof value === 'string') return value.includes('${') ? replaceNames(value, path, environment, found) : value;
  if (Array.isArray(value))
    return value.map((item: unknown, at) => interpolate(item, [...path, at], environment, found));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, interpolate(member, [...path, key], environment, found)]),
  );
}

function replaceNames(text: string, path: ProblemPath, environment: Environment, found: Found): string {
  found.interpolated.add(pathText(path));
  return text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (whole, name: string | undefined) => {
    // `$${` is how a literal `${` is written.
    if (name === undefined) return '${';
    if (!/^[A-Za-z_]\w*$/.test(name) || !whole.endsWith('}')) {
      found.problems.push(problemAt(path, `${whole} names no environment variable`, literalHint));
      return whole;
    }
    const replacement = environment(name);
    if (replacement === undefined) {
      found.problems.push(
        problemAt(path, `environment variable ${name} is not set`, `set ${name} before starting latchkey`),
      );
      return whole;
    }
    const bytes = Buffer.from(replacement);
    found.warnings.push(...secretWarnings(path, `environment variable ${name}`, bytes, 'as-it-stands'));
    return replacement;
  });
}

function unreadable(problems: readonly Problem[]): ReadDocument {
  return { kind: 'unreadable', problems };
}
