// Statements whose text is written once and used again with other values. A query builder takes ten times as long to write a
// text as SQLite takes to answer it, and the text is the same each time: it was half of the CPU time of a claim (bench/links.ts).
// The builder still writes it, with marks where values go; no text is put together here. For statements that are asked often.

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

/** Where values go, while the text is written. */
export interface Places<V> {
  readonly value: <K extends keyof V>(name: K) => RawBuilder<V[K]>;
  /** A place for each member of a list. A list of another length is another text. */
  readonly list: <K extends keyof V>(name: K) => readonly RawBuilder<string>[];
}

/** Takes the connection of a unit, or the store's own for reads. Throws what any statement throws. */
type FixedStatement<V, O> = (sql: Sql, values: V) => Promise<QueryResult<O>>;

interface Written<V> {
  readonly compiled: CompiledQuery;
  /** What gives the value of each place. */
  readonly parameters: readonly ((values: V) => unknown)[];
}

/** Texts of one statement, for lists of different lengths; paths have few segments and places few collections. */
const maxTexts = 64;

/**
 * @param write  writes the statement; called once for each engine and for each combination of lengths. It sees no value, so none
 *               can come into the text
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
    // what stands between a statement and the engine has its say, as with any other: a unit that ended refuses (group-commit.ts)
    executor.transformQuery(compiled.query, compiled.queryId);
    const parameters = written.parameters.map((read) => read(values));
    return executor.executeQuery<O>({ ...compiled, parameters });
  };
}

/** Equal for values that the same text is for: by name, so that two lists are never taken for each other. */
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
  // whatever stands between a statement and the engine hears of it when it is executed, the first time as any other
  const compiled = write(sql.withoutPlugins(), {
    value: (name) => raw`${place((given) => given[name])}`,
    list: (name) => {
      const list: FixedValue = values[name];
      if (typeof list !== 'object' || list === null) throw new Error(`${String(name)} is no list`);
      return list.map((_, index) => raw`${place((given) => memberOf(given[name], index))}`);
    },
  }).compile();
  // what is no mark was written into the statement as it stands
  const parameters = compiled.parameters.map((parameter) => places.get(parameter) ?? (() => parameter));
  return { compiled, parameters };
}

function memberOf(list: FixedValue, index: number): string {
  const member = typeof list === 'object' ? list?.[index] : undefined;
  if (member === undefined) throw new Error('a list is shorter than the statement that was written for it');
  return member;
}
