// `latchkey serve`: loads the configuration, takes hold of the data folder, and runs the gateway until a signal ends it.
// Problems of the configuration and of its files are reported here, before any process is started.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/compiled/config.ts';
import { readEnvironment } from '../config/files/environment.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblems } from '../config/problems/format.ts';
import { loadState } from '../control/node/load-state.ts';
import { openDataFolder } from '../store/files/data-folder.ts';
import { readUsers } from '../store/files/users.ts';
import { createLogger } from '../telemetry/logger.ts';
import { CommandError, refusalError } from './command/command-error.ts';
import { printWarning } from './command/terminal.ts';
import { addressText } from './serve/listen-problem.ts';
import { type ReadyGateway, Supervisor } from './serve/supervisor.ts';

interface ServeOptions {
  readonly config: string;
  /** Whether to print the ready line as JSON. */
  readonly jsonReady?: boolean;
}

/** Adds `latchkey serve` to the program. */
export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('run the gateway')
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--json-ready', 'print one JSON line on standard output when everything listens')
    .addHelpText(
      'after',
      `
Signals: SIGTERM and SIGINT let running requests finish, a second one does not; SIGHUP loads the file again;
SIGUSR1 opens the log files again after a rotation; SIGUSR2 puts new edges in the place of the old ones, one by one.

Example:
  latchkey serve --config latchkey.yaml`,
    )
    .action(serve);
}

/** Runs the gateway until a signal ends it. @throws CommandError when it cannot start; nothing is left running then */
async function serve(options: ServeOptions): Promise<void> {
  const file = resolve(options.config);
  const loaded = loadConfig(file, readEnvironment);
  if (loaded.kind === 'invalid') throw new CommandError(formatProblems(loaded.problems));
  for (const warning of loaded.warnings) printWarning(warning);
  const { config } = loaded;
  const users = config.usersFile === null ? null : readUsers(config.usersFile);
  if (users?.kind === 'refused') throw refusalError(users);
  const folder = openDataFolder(config.dataDir);
  if (folder.kind === 'refused') throw refusalError(folder);
  try {
    const read = loadState(config);
    if (read.kind === 'refused') throw refusalError(read);
    const { state } = read;
    const logger = createLogger({ role: 'supervisor', level: config.logs.level });
    const supervisor = new Supervisor({ file, state, folder, logger });
    const stopSignal = handleSignals(supervisor);
    const outcome = await Promise.race([supervisor.start(), stopSignal]);
    if (outcome !== 'stop') {
      if (outcome.kind === 'failed') throw new CommandError(outcome.problem);
      process.stdout.write(`${readyLine(outcome, config, options)}\n`);
      await stopSignal;
    }
    logger.info('stopping');
    await supervisor.stop();
    logger.info('stopped');
  } finally {
    folder.close();
  }
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends everything at once. */
function handleSignals(supervisor: Supervisor): Promise<'stop'> {
  process.on('SIGHUP', () => supervisor.reload());
  process.on('SIGUSR2', () => void supervisor.replaceEdges());
  // a handler for SIGUSR1 also keeps Node.js from opening its inspector on that signal
  process.on('SIGUSR1', () => supervisor.reopenLogs());
  return new Promise((resolve) => {
    let seen = false;
    for (const [signal, number] of [
      ['SIGTERM', 15],
      ['SIGINT', 2],
    ] as const) {
      process.on(signal, () => {
        if (seen) {
          supervisor.killNow();
          process.exit(128 + number);
        }
        seen = true;
        resolve('stop');
      });
    }
  });
}

function readyLine(ready: ReadyGateway, config: Config, options: ServeOptions): string {
  if (options.jsonReady === true) {
    return JSON.stringify({
      ready: true,
      listeners: ready.listeners,
      operations: ready.operations,
      pid: process.pid,
    });
  }
  const schemeOf = (at: number) => (config.listeners[at]?.tls == null ? 'http' : 'https');
  const listening = ready.listeners.map((address, at) => `${schemeOf(at)}://${addressText(address)}`).join(' ');
  const count = config.edges === 1 ? '1 edge' : `${config.edges} edges`;
  return `latchkey is ready: ${listening} (${count}, operations on http://${addressText(ready.operations)}, pid ${process.pid})`;
}
