// Loads a configuration file: every problem at once, or a Config with every default filled in.
// The phases: YAML to data, data to values, values against each other, values to Config. Files are read, never changed.

import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { assembleConfig } from './assemble/assemble-config.ts';
import { checkReferences } from './check/references.ts';
import type { Config } from './compiled/config.ts';
import { readDocument } from './files/document.ts';
import type { Environment } from './files/environment.ts';
import { type Problem, problemAt } from './problems/problem.ts';
import { type Draft, type Inspection, inspect } from './schema/inspect.ts';
import { type ConfigFile, fileSchema } from './schema/schema.ts';

/** Every problem at once; warnings keep nothing from starting. @testing */
export type LoadedConfig =
  | { readonly kind: 'loaded'; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

export interface LoadOptions {
  /** What `edges: auto` means. Default: the cores this process may use. */
  readonly cores?: number;
  /** `skip` does not open the secret and users files, for commands that are about to make them. Default `check`. */
  readonly files?: 'check' | 'skip';
}

/**
 * Loads a file.
 *
 * @param file         path of the YAML file; relative paths inside it start at its folder
 * @param environment  for `${NAME}`; `readEnvironment` in production
 */
export function loadConfig(file: string, environment: Environment, options: LoadOptions = {}): LoadedConfig {
  const document = readDocument(file, environment);
  if (document.kind === 'unreadable') return { kind: 'invalid', problems: document.problems };
  if (typeof document.value !== 'object' || Array.isArray(document.value)) {
    return {
      kind: 'invalid',
      problems: [problemAt([], 'the file is not a mapping', 'start from config/minimal.yaml')],
    };
  }
  const folder = dirname(resolve(file));
  const absolute = (path: string) => resolve(folder, path);
  const inspection: Inspection<ConfigFile> = inspect(fileSchema, document.value, document.interpolated);
  const { problems, warnings } = checkReferences(
    inspection.kind === 'whole' ? inspection.value : withoutUnknownHosts(inspection.draft, inspection.problems),
    absolute,
    options.files ?? 'check',
  );
  if (inspection.kind === 'broken' || problems.length > 0 || document.problems.length > 0) {
    const shape = inspection.kind === 'broken' ? inspection.problems : [];
    return { kind: 'invalid', problems: onePerPlace([...document.problems, ...shape, ...problems]) };
  }
  return {
    kind: 'loaded',
    config: assembleConfig(inspection.value, absolute, options.cores ?? availableParallelism()),
    warnings: onePerPlaceAndText([...document.warnings, ...warnings]),
  };
}

/**
 * Leaves out routes whose host could not be read. They are for some host that nobody knows, and not for every host: to compare them with
 * other routes would report what is not so.
 */
function withoutUnknownHosts(draft: Draft<ConfigFile>, problems: readonly Problem[]): Draft<ConfigFile> {
  const unknown = new Set(problems.map(({ path }) => path));
  if (draft.routes === undefined || !draft.routes.some((_, at) => unknown.has(`routes[${at}].host`))) return draft;
  const routes = draft.routes.map((route, at) => (unknown.has(`routes[${at}].host`) ? undefined : route));
  // with a route missing, nothing can be said of hosts that no route has
  return { ...draft, routes, collections: undefined };
}

/** Keeps the first problem of each place: where a value could not be read, a second message about it would only confuse. */
function onePerPlace(problems: readonly Problem[]): readonly Problem[] {
  const places = new Set<string>();
  return problems.filter(({ path }) => {
    const first = path === '' || !places.has(path);
    places.add(path);
    return first;
  });
}

/** Drops a warning about a value when the same warning names the variable that the whole value came from. */
function onePerPlaceAndText(warnings: readonly Problem[]): readonly Problem[] {
  return warnings.filter(
    ({ path, problem }, at) =>
      !warnings.slice(0, at).some((other) => other.path === path && other.problem.endsWith(problem)),
  );
}
