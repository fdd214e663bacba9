// `latchkey check FILE`: reports every problem of a configuration at once, each with its place and a hint.
// It also reads the files that the configuration names; it changes nothing and starts nothing.

import type { Command } from 'commander';
import { nestedRoutes } from '../config/check/nested-routes.ts';
import { readEnvironment } from '../config/files/environment.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems/format.ts';
import type { Problem } from '../config/problems/problem.ts';
import { configJsonSchema } from '../config/schema/schema.ts';
import { readUsers } from '../store/files/users.ts';
import { checkGroups } from './check-groups.ts';
import { CommandError, usageError } from './command/command-error.ts';
import { printNote, printResult, printWarning, styled } from './command/terminal.ts';

/** Adds `latchkey check` to the program. */
export function checkCommand(program: Command): void {
  program
    .command('check')
    .description('report every problem of a configuration file')
    .argument('[file]', 'the YAML file')
    .option('--json', 'print {holds, problems, warnings, notes} as JSON')
    .option('--schema', 'print the JSON Schema of the file, for editors')
    .addHelpText(
      'after',
      `
Exit code 0 when the file is valid, 1 when it has problems; warnings and notes do not count. A note
is about a route inside another one with another accept: what opens the one does not open the other.

Examples:
  latchkey check latchkey.yaml
  latchkey check --schema > latchkey.schema.json`,
    )
    .action(async (file: string | undefined, options: { json?: boolean; schema?: boolean }) => {
      if (options.schema === true) printResult({ json: true }, configJsonSchema(), '');
      else if (file === undefined) throw usageError('no file named', 'latchkey check FILE');
      else await checkFile(file, options);
    });
}

async function checkFile(file: string, options: { json?: boolean }): Promise<void> {
  const loaded = loadConfig(file, readEnvironment);
  const problems = loaded.kind === 'invalid' ? loaded.problems : usersProblems(loaded.config.usersFile);
  const groups = loaded.kind === 'loaded' ? await checkGroups(loaded.config) : { warnings: [], notes: [] };
  const warnings = loaded.kind === 'loaded' ? [...loaded.warnings, ...groups.warnings] : [];
  // notes are worth a look, but unlike warnings they do not mean that something is wrong
  const notes = loaded.kind === 'loaded' ? [...nestedRoutes(loaded.config), ...groups.notes] : [];
  const holds = loaded.kind === 'loaded' && problems.length === 0;
  if (options.json === true) {
    printResult(options, { file, holds, problems, warnings, notes }, '');
    if (!holds) throw new CommandError(countText(file, problems.length));
    return;
  }
  for (const warning of warnings) printWarning(warning);
  for (const note of notes) printNote(`${styled('dim', 'note:')} ${formatProblem(note)}`);
  if (loaded.kind === 'loaded' && holds) {
    const { routes, upstreams, listeners } = loaded.config;
    const counts = [
      plural(listeners.length, 'listener'),
      plural(upstreams.length, 'upstream'),
      plural(routes.length, 'route'),
    ].join(', ');
    printResult(options, null, `${file} is ${styled('green', 'valid')} (${counts})`);
    return;
  }
  printResult(options, null, problems.map(formatProblem).join('\n'));
  throw new CommandError(countText(file, problems.length));
}

/** Problems in the lines of the users file, which the loader does not read; the store does. */
function usersProblems(file: string | null): readonly Problem[] {
  if (file === null) return [];
  const read = readUsers(file);
  return read.kind === 'read' ? [] : [{ path: 'users_file', problem: read.problem, hint: read.hint }];
}

function countText(file: string, count: number): string {
  return `${file} has ${plural(count, 'problem')}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
