// Walks a document along a zod schema and collects every problem in it, beside the parts that could be read.
// zod alone stops a section at its first unknown shape, and names neither the place of an unknown key nor the key that was meant.

import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { type Problem, type ProblemPath, pathText, problemAt } from '../problems/problem.ts';
import { suggest } from '../problems/suggest.ts';
import { wordHint } from './values.ts';

/** What is left of `T` when parts of it could not be read. Lists keep their positions. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? readonly (Draft<Item> | undefined)[]
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> | undefined }
    : T;

export type Inspection<T> =
  | { readonly kind: 'whole'; readonly value: T }
  | { readonly kind: 'broken'; readonly draft: Draft<T>; readonly problems: readonly Problem[] };

/**
 * Reads a document.
 *
 * @param document      plain data, as YAML gives it
 * @param interpolated  path texts of values that came out of `${NAME}`: those may stand for a number or a boolean too
 */
export function inspect<S extends z.ZodType>(
  schema: S,
  document: unknown,
  interpolated: ReadonlySet<string>,
): Inspection<z.output<S>> {
  const walk: Walk = { problems: [], interpolated };
  const value = visit(schema, document, [], walk);
  // The walk builds exactly what the schema's own parse would: here bytes become types.
  return walk.problems.length === 0
    ? { kind: 'whole', value: value as z.output<S> }
    : { kind: 'broken', draft: value as Draft<z.output<S>>, problems: walk.problems };
}

interface Walk {
  readonly problems: Problem[];
  readonly interpolated: ReadonlySet<string>;
}

function visit(schema: unknown, value: unknown, path: ProblemPath, walk: Walk): unknown {
  if (schema instanceof z.ZodPrefault) {
    return visit(schema.unwrap(), value === undefined ? schema.def.defaultValue : value, path, walk);
  }
  if (schema instanceof z.ZodOptional)
    return value === undefined ? undefined : visit(schema.unwrap(), value, path, walk);
  if (schema instanceof z.ZodUnion) {
    const given = scalarOf(schema, value, path, walk);
    const option = schema.options.find((candidate) => fits(candidate, given));
    return visit(option ?? schema.options[0], given, path, walk);
  }
  if (schema instanceof z.ZodObject && isMapping(value)) return visitObject(schema, value, path, walk);
  if (schema instanceof z.ZodRecord && isMapping(value)) return visitRecord(schema, value, path, walk);
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    if (value.length === 0) return visitLeaf(schema, value, path, walk);
    return value.map((item: unknown, at) => visit(schema.element, item, [...path, at], walk));
  }
  return visitLeaf(schema, value, path, walk);
}

function visitObject(schema: z.ZodObject, value: Record<string, unknown>, path: ProblemPath, walk: Walk): unknown {
  const known = Object.keys(schema.shape);
  for (const key of Object.keys(value)) {
    // a top-level member x-… is for anchors that other parts of the file use
    if (Object.hasOwn(schema.shape, key) || (path.length === 0 && key.startsWith('x-'))) continue;
    const near = suggest(key, known);
    const hint = near === undefined ? `known here: ${known.join(', ')}` : `did you mean "${near}"?`;
    walk.problems.push(problemAt([...path, key], 'unknown key', hint));
  }
  const read: Record<string, unknown> = {};
  for (const key of known) {
    const member = visit(schema.shape[key], Object.hasOwn(value, key) ? value[key] : undefined, [...path, key], walk);
    if (member !== undefined) read[key] = member;
  }
  return read;
}

function visitRecord(schema: z.ZodRecord, value: Record<string, unknown>, path: ProblemPath, walk: Walk): unknown {
  const read: Record<string, unknown> = Object.create(null);
  for (const [key, member] of Object.entries(value)) {
    const name = z.safeParse(schema.keyType, key);
    if (!name.success) report(name.error.issues, key, [...path, key], walk);
    read[key] = visit(schema.valueType, member, [...path, key], walk);
  }
  return read;
}

function visitLeaf(schema: unknown, value: unknown, path: ProblemPath, walk: Walk): unknown {
  if (!(schema instanceof z.ZodType)) throw new Error(`the schema at ${pathText(path)} is none of zod's`);
  const given = scalarOf(schema, value, path, walk);
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  report(result.error.issues, given, path, walk);
  return undefined;
}

/** A variable's text as the number or boolean it spells, where the schema takes no text. */
function scalarOf(schema: z.ZodType, value: unknown, path: ProblemPath, walk: Walk): unknown {
  if (typeof value !== 'string' || !walk.interpolated.has(pathText(path))) return value;
  if (!/^-?\d+$|^true$|^false$/.test(value) || schema.safeParse(value).success) return value;
  return parseYaml(value);
}

function report(issues: readonly z.core.$ZodIssue[], value: unknown, path: ProblemPath, walk: Walk): void {
  for (const issue of issues) {
    const place = [...path, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
    walk.problems.push(describe(issue, value, place));
  }
}

function describe(issue: z.core.$ZodIssue, value: unknown, path: ProblemPath): Problem {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return problemAt(path, 'is missing', `add ${JSON.stringify(String(path.at(-1) ?? ''))}`);
      return problemAt(path, `expected ${wantedName(issue)}, found ${foundName(value)}`, listHint(issue, value));
    case 'invalid_value':
      if (value === undefined) return problemAt(path, 'is missing', `one of ${issue.values.join(', ')}`);
      return typeof value === 'string'
        ? problemAt(path, issue.message, wordHint(value, issue.values))
        : problemAt(path, `expected one of ${issue.values.join(', ')}, found ${foundName(value)}`);
    case 'too_small':
      return Array.isArray(value) || typeof value === 'string'
        ? problemAt(path, 'is empty', Array.isArray(value) ? 'name at least one' : 'write a value')
        : problemAt(path, `${String(value)} is too small`, `at least ${issue.minimum}`);
    case 'too_big':
      return problemAt(
        path,
        typeof value === 'string' ? 'is too long' : `${String(value)} is too large`,
        `at most ${issue.maximum}`,
      );
    case 'custom': {
      const hint: unknown = issue.params?.hint;
      return problemAt(path, issue.message, typeof hint === 'string' ? hint : undefined);
    }
    default:
      return problemAt(path, issue.message.charAt(0).toLowerCase() + issue.message.slice(1));
  }
}

/** Whether an option of a union is meant for a value of this kind. */
function fits(option: unknown, value: unknown): boolean {
  if (Array.isArray(value)) return option instanceof z.ZodArray;
  if (isMapping(value)) return option instanceof z.ZodObject;
  if (typeof value === 'number') return option instanceof z.ZodNumber;
  return typeof value === 'string' && (option instanceof z.ZodString || option instanceof z.ZodEnum);
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** For one word in the place of a list: the list that was meant. */
function listHint(issue: z.core.$ZodIssueInvalidType, value: unknown): string | undefined {
  return issue.expected === 'array' && typeof value === 'string' && value !== '' ? `write [${value}]` : undefined;
}

/** A type's own description where it has one (values.ts), else the kind of value. */
function wantedName(issue: z.core.$ZodIssueInvalidType): string {
  return issue.message.startsWith('Invalid input') ? kindName(issue.expected) : issue.message;
}

function kindName(expected: string): string {
  switch (expected) {
    case 'object':
    case 'record':
      return 'a mapping';
    case 'array':
      return 'a list';
    case 'int':
      return 'a whole number';
    case 'string':
      return 'text';
    case 'boolean':
      return 'true or false';
    default:
      return `a ${expected}`;
  }
}

function foundName(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isMapping(value)) return 'a mapping';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
