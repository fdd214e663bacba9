// `latchkey user add|remove|list`: changes and lists the user records of the users file, for routes with `accept: [password]`.
// A password is never an argument: every account of the machine can see arguments, and shells keep them in their history.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type ListedUser, nameProblem } from '../store/files/users.ts';
import { CommandError, refusalError, usageError } from './command/command-error.ts';
import { requireConfig } from './command/load-config.ts';
import { askPassword, readPasswordFromStdin } from './command/password-input.ts';
import { printResult, styled, tableText } from './command/terminal.ts';

interface UserOptions {
  readonly file?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds `latchkey user …` to the program. */
export function userCommand(program: Command): void {
  const group = program
    .command('user')
    .description('add, remove and list users who sign in by password')
    .helpCommand(false);
  withFile(group.command('add <name>').description('add a user, or give one a new password'))
    .option('--password-stdin', 'read the password from stdin instead of asking for it')
    .addHelpText(
      'after',
      `
A new password raises the version of the user's credential; running edges take it over with the next check.

Examples:
  latchkey user add anna --config latchkey.yaml
  printf %s "$PASSWORD" | latchkey user add anna --password-stdin --file ./users`,
    )
    .action(async (name: string, options: UserOptions & { passwordStdin?: boolean }) => {
      const file = usersFile(options);
      const wrong = nameProblem(name);
      if (wrong !== null) throw usageError(wrong, 'no colon, no control characters, at most 128 bytes');
      const password = options.passwordStdin === true ? await readPasswordFromStdin() : await askPassword(name);
      const { addUser } = await import('../store/files/users.ts');
      const added = await addUser(file, name, password);
      if (added.kind === 'refused') throw refusalError(added);
      printResult(
        options,
        { kind: added.kind, ...userJson(added), file },
        `${styled('green', added.kind)} ${added.name} (credential ${added.userRecordId}, version ${added.version})`,
      );
    });
  withFile(group.command('remove <name>').description('remove a user'))
    .addHelpText('after', '\nExample:\n  latchkey user remove anna --config latchkey.yaml')
    .action(async (name: string, options: UserOptions) => {
      const { removeUser } = await import('../store/files/users.ts');
      const removed = await removeUser(usersFile(options), name);
      if (removed.kind === 'refused') throw refusalError(removed);
      printResult(
        options,
        { kind: removed.kind, ...userJson(removed) },
        `${styled('green', 'removed')} ${removed.name}`,
      );
    });
  withFile(group.command('list').description('list the users, without their hashes'))
    .addHelpText('after', '\nExample:\n  latchkey user list --config latchkey.yaml')
    .action(async (options: UserOptions) => {
      const { listUsers } = await import('../store/files/users.ts');
      const listed = listUsers(usersFile(options));
      if (listed.kind === 'refused') throw refusalError(listed);
      const rows = listed.users.map((user) => [user.name, user.userRecordId, String(user.version)]);
      printResult(options, listed.users.map(userJson), tableText([['NAME', 'CREDENTIAL', 'VERSION'], ...rows]));
    });
}

/** A user record as `--json` prints it; its id is called `credential`, as in the table. */
function userJson({ name, userRecordId, version }: ListedUser): object {
  return { name, credential: userRecordId, version };
}

function withFile(command: Command): Command {
  return command
    .option('--file <file>', 'the users file')
    .option('--config <file>', 'the configuration whose users_file is meant')
    .option('--json', 'print JSON');
}

function usersFile(options: UserOptions): string {
  if ((options.file === undefined) === (options.config === undefined)) {
    throw usageError('which users file?', 'give either --file FILE or --config FILE');
  }
  if (options.file !== undefined) return resolve(options.file);
  // the configuration's files are not read: the users file may not exist yet, and the keys do not matter here
  const { usersFile } = requireConfig(options.config ?? '', { files: 'skip' });
  if (usersFile === null)
    throw new CommandError(`${options.config} has no users_file`, { hint: 'set users_file, or use --file' });
  return usersFile;
}
