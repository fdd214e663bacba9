// Statements whose text is written once and used again with other values. Kysely takes ten times as long to write a text as SQLite
// takes to run it, and the text is the same each time: that was half of the CPU time of a claim (bench/links.ts).
// Kysely still writes the text, with marks in place of values; no text is put together here. For statements that run often.

import {
  type Compilable,
  type CompiledQuery,
  type DialectAdapter,
  type QueryResult,
  type RawBuilder,
  sql as raw,
} from 'kysely';
import type { Sql } from './store.ts';

type FixedValue = string | number | null | readonly string[];

/** Marks that stand for values while the text is written. */
export interface Places<V> {
  readonly value: <K extends keyof V>(name: K) => RawBuilder<V[K]>;
  /** A mark for each member of a list. A list of another length needs another text. */
  readonly list: <K extends keyof V>(name: K) => readonly RawBuilder<string>[];
}

/** Runs the statement with values. Throws what any statement throws. */
type FixedStatement<V, O> = (sql: Sql, values: V) => Promise<QueryResult<O>>;

interface Written<V> {
  readonly compiled: CompiledQuery;
  /** For each parameter of the text, the function that reads its value. */
  readonly parameters: readonly ((values: V) => unknown)[];
}

/** Most texts kept of one statement. Lists are short, so few lengths occur: paths have few segments, places few collections. */
const maxTexts = 64;

/**
 * Makes a statement whose text is written on its first use.
 *
 * @param write  writes the statement; called once for each engine and each combination of list lengths. It sees marks and no value,
 *               so no value can become part of the text
 */
export function fixedStatement<V extends { readonly [K in keyof V]: FixedValue }, O>(
  write: (sql: Sql, at: Places<V>) => Compilable<O>,
): FixedStatement<V, O> {
  const texts = new WeakMap<DialectAdapter, Map<string, Written<V>>>();
  return async (sql, values) => {
    const executor = sql.getExecutor();
    const ofEngine = texts.get(executor.adapter) ?? new Map<string, Written<V>>();
    if (ofEngine.size === 0) texts.set(executor.adapter, ofEngine);
    const shape = shapeOf(values);
    let written = ofEngine.get(shape);
    if (written === undefined) {
      written = writeOnce(write, sql, values);
      if (ofEngine.size >= maxTexts) ofEngine.clear();
      ofEngine.set(shape, written);
    }
    const { compiled } = written;
    // plugins see this statement like any other: the plugin of a unit that has ended refuses it (group-commit.ts)
    executor.transformQuery(compiled.query, compiled.queryId);
    const parameters = written.parameters.map((read) => read(values));
    return executor.executeQuery<O>({ ...compiled, parameters });
  };
}

/** A key that is equal for values of the same text. It holds the lists' names, so that two lists are never taken for each other. */
function shapeOf<V extends { readonly [K in keyof V]: FixedValue }>(values: V): string {
  let shape = '';
  for (const name in values) {
    const value: FixedValue = values[name];
    if (typeof value === 'object' && value !== null) shape += `${name}:${value.length} `;
  }
  return shape;
}

function writeOnce<V extends { readonly [K in keyof V]: FixedValue }, O>(
  write: (sql: Sql, at: Places<V>) => Compilable<O>,
  sql: Sql,
  values: V,
): Written<V> {
  const places = new Map<unknown, (values: V) => unknown>();
  const place = (read: (values: V) => unknown): object => {
    const mark = {};
    places.set(mark, read);
    return mark;
  };
  // plugins see the statement when it is executed, the first time as well, so they do not see it here
  const compiled = write(sql.withoutPlugins(), {
    value: (name) => raw`${place((given) => given[name])}`,
    list: (name) => {
      const list: FixedValue = values[name];
      if (typeof list !== 'object' || list === null) throw new Error(`${String(name)} is no list`);
      return list.map((_, index) => raw`${place((given) => memberOf(given[name], index))}`);
    },
  }).compile();
  // a parameter that is no mark is a constant of the statement
  const parameters = compiled.parameters.map((parameter) => places.get(parameter) ?? (() => parameter));
  return { compiled, parameters };
}

function memberOf(list: FixedValue, index: number): string {
  const member = typeof list === 'object' ? list?.[index] : undefined;
  if (member === undefined) throw new Error('a list is shorter than the statement that was written for it');
  return member;
}
