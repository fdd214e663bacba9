// What only all files together show: circles of imports, exports that nobody imports, and files that only tests import.
// Types count as imports here: a circle of types is as hard to read and to move as one of functions.

import { resolveImport } from './rooms.ts';
import type { Syntax } from './syntax.ts';

/** Every source by its path. */
type Sources = ReadonlyMap<string, Syntax>;

/** The one wing whose files may import each other in circles: a request's exchange, connection and tunnel are one machine. */
const circleWing = 'gateway/edge/exchange/';

/** The package's public module (`exports` of package.json): programs outside import it. */
const publicModules: ReadonlySet<string> = new Set(['gateway/core/token/common-key-token.ts']);

const isProduction = (path: string) => path.startsWith('gateway/');

/** Circles between files of gateway/, each once, as the shortest way round. */
export function findCircles(sources: Sources): string[] {
  const targets = new Map<string, string[]>();
  for (const [path, { imports }] of sources) {
    if (!isProduction(path)) continue;
    const inside = imports.map(({ from }) => resolveImport(path, from)).filter((target) => target !== path);
    targets.set(
      path,
      [...new Set(inside)].filter((target) => isProduction(target) && sources.has(target)),
    );
  }
  return groupByCircle(targets)
    .filter((circle) => !circle.every((path) => path.startsWith(circleWing)))
    .map((circle) => {
      const way = shortestWayRound(targets, circle);
      return `${commonFolder(circle)}: ${circle.length} files import each other: ${way.join(' → ')}`;
    });
}

/** Strongly connected components of more than one file (Tarjan 1972). */
function groupByCircle(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const found = new Map<string, { order: number; low: number }>();
  const open: string[] = [];
  const circles: string[][] = [];
  const enter = (path: string): { order: number; low: number } => {
    const place = { order: found.size, low: found.size };
    found.set(path, place);
    open.push(path);
    for (const target of targets.get(path) ?? []) {
      const known = found.get(target);
      if (known === undefined) place.low = Math.min(place.low, enter(target).low);
      else if (open.includes(target)) place.low = Math.min(place.low, known.order);
    }
    if (place.low === place.order) {
      const circle = open.splice(open.indexOf(path));
      if (circle.length > 1) circles.push(circle.toSorted());
    }
    return place;
  };
  for (const path of targets.keys()) if (!found.has(path)) enter(path);
  return circles;
}

function shortestWayRound(targets: ReadonlyMap<string, readonly string[]>, circle: readonly string[]): string[] {
  const [start = ''] = circle;
  let ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (;;) {
    const longer: string[][] = [];
    for (const way of ways) {
      for (const target of targets.get(way.at(-1) ?? '') ?? []) {
        if (target === start) return [...way, start];
        if (seen.has(target) || !circle.includes(target)) continue;
        seen.add(target);
        longer.push([...way, target]);
      }
    }
    ways = longer;
  }
}

function commonFolder(paths: readonly string[]): string {
  const [first = '', ...rest] = paths;
  let folder = first;
  do folder = folder.slice(0, folder.lastIndexOf('/'));
  while (!rest.every((path) => path.startsWith(`${folder}/`)));
  return folder;
}

/**
 * Exports that nobody imports. Tests and benches do not count as users of what gateway/ exports, unless its docstring says
 * `@testing`; and what says so, production does not import.
 */
export function findUnusedExports(sources: Sources): string[] {
  const users = findUsers(sources);
  return [...sources].flatMap(([path, { exports }]) => {
    if (publicModules.has(path) || path.endsWith('.d.mts')) return [];
    const whole = users.get(`${path} *`) ?? [];
    return exports.flatMap(({ name, isForTests }) => {
      const usedBy = [...whole, ...(users.get(`${path} ${name}`) ?? [])];
      if (usedBy.length === 0) return [`${path}: nobody imports ${name}`];
      if (!isProduction(path)) return [];
      const isUsedByProduction = usedBy.some(isProduction);
      if (isForTests) return isUsedByProduction ? [`${path}: ${name} says @testing, but production imports it`] : [];
      return isUsedByProduction ? [] : [`${path}: only tests import ${name}, and its docstring does not say @testing`];
    });
  });
}

/** By `path name`: the files that import the name; by `path *`: those that import the module as a whole, or run it. */
function findUsers(sources: Sources): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  const note = (target: string, name: string, user: string) => {
    const key = `${target} ${name}`;
    const known = users.get(key);
    if (known === undefined) users.set(key, [user]);
    else known.push(user);
  };
  for (const [path, { imports, strings }] of sources) {
    for (const { from, namesAndTypes } of imports) {
      for (const name of namesAndTypes) note(resolveImport(path, from), name, path);
    }
    for (const target of namedFiles(path, strings)) if (sources.has(target)) note(target, '*', path);
  }
  return users;
}

/** Files of gateway/ that no way of imports leads to from what is run: the entry files and the public module. */
export function findFilesOnlyTestsImport(sources: Sources): string[] {
  const isEntry = (path: string) => /^gateway\/[^/]+$/.test(path) || publicModules.has(path);
  const reached = new Set([...sources.keys()].filter(isEntry));
  for (const path of reached) {
    const { imports, strings } = sources.get(path) ?? { imports: [], strings: [] };
    for (const { from } of imports) if (from.startsWith('.')) reached.add(resolveImport(path, from));
    for (const target of namedFiles(path, strings)) reached.add(target);
  }
  return [...sources.keys()]
    .filter((path) => isProduction(path) && !reached.has(path))
    .map((path) => `${path}: only tests import it, or nobody`);
}

/** Files that a string names, for a process or a worker to run: beside the file, or from the repository's root. */
function namedFiles(path: string, strings: readonly string[]): string[] {
  return strings.filter((text) => /\.(?:ts|mjs|js)$/.test(text)).flatMap((text) => [resolveImport(path, text), text]);
}
