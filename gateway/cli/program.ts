// Builds the command line and runs it. A command's module is loaded only when the command line names it, or names no known command.
// The one place that turns errors into lines on stderr and exit codes.

import { Command, CommanderError } from 'commander';
import { packageVersion } from '../telemetry/package-version.ts';
import { CommandError } from './command/command-error.ts';
import { printError } from './command/terminal.ts';

type Register = (program: Command) => void;

/** Each command's name and how to load its module, in the order of the help. */
const commands: readonly (readonly [string, () => Promise<Register>])[] = [
  ['serve', async () => (await import('./serve.ts')).serveCommand],
  ['demo', async () => (await import('./demo.ts')).demoCommand],
  ['check', async () => (await import('./check.ts')).checkCommand],
  ['token', async () => (await import('./token.ts')).tokenCommand],
  ['url', async () => (await import('./url-sign.ts')).urlCommand],
  ['common-key', async () => (await import('./common-key.ts')).commonKeyCommand],
  ['user', async () => (await import('./user.ts')).userCommand],
  ['account', async () => (await import('./account.ts')).accountCommand],
  ['mail', async () => (await import('./mail.ts')).mailCommand],
  ['link', async () => (await import('./link.ts')).linkCommand],
  ['credential', async () => (await import('./credential.ts')).credentialCommand],
  ['share', async () => (await import('./share.ts')).shareCommand],
  ['store', async () => (await import('./store.ts')).storeCommand],
  ['audit', async () => (await import('./audit.ts')).auditCommand],
  ['explain', async () => (await import('./explain.ts')).explainCommand],
];

/**
 * Runs one command line.
 *
 * @param args  the arguments behind the program's name
 * @returns the exit code: 0, or 1 when the command failed, or 2 when the command line is wrong
 * @throws every error that is neither a CommandError nor commander's: a bug
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  // a reader that closes the pipe early, as in `latchkey token inspect … | head`, is no error
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  const program = newProgram();
  const named = commands.find(([name]) => name === args[0]);
  for (const [, load] of named === undefined ? commands : [named]) (await load())(program);
  for (const command of program.commands) nameInHints(command, program.name());
  try {
    await program.parseAsync([...args], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommandError) {
      printError(error);
      return error.exitCode;
    }
    // commander has printed its message already; its own exit code is 1 for a wrong command line, and 0 for --help
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
}

/** Has each command name its own `--help` in the hint after a wrong command line. */
function nameInHints(command: Command, above: string): void {
  const name = `${above} ${command.name()}`;
  command.showHelpAfterError(`hint: ${name} --help`);
  for (const below of command.commands) nameInHints(below, name);
}

function newProgram(): Command {
  return new Command('latchkey')
    .description('Reverse-proxy authentication gateway: access tokens in front of media and web sites.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .showHelpAfterError('hint: latchkey --help, or latchkey COMMAND --help')
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  latchkey demo                                   try it: a small media site behind latchkey
  latchkey check latchkey.yaml                    every problem of a configuration at once
  latchkey serve --config latchkey.yaml
  latchkey token mint --config latchkey.yaml --sub user-1 --paths '/vod/*' --ttl 15m
  latchkey url sign --config latchkey.yaml https://media.example.org/vod/film/index.m3u8
  latchkey account invite anna@example.org --config latchkey.yaml
  latchkey link create --collection summer --label 'for the choir' --claims 30 --config latchkey.yaml
  latchkey explain REQUEST-ID --config latchkey.yaml       why a request was let in or refused

Exit codes: 0 done or good, 1 failed or not good, 2 wrong command line.`,
    );
}
