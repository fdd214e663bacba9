// `latchkey account list|show|disable|enable|set-role|delete`: shows accounts, and changes what they may do.
// When a command that takes access away returns, the change is in force on every edge of a running gateway.

import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { accountShape } from '../../api/v1/account-shapes.ts';
import { usageError } from '../command/command-error.ts';
import { printNote, printResult, styled, tableText } from '../command/terminal.ts';
import { describeAccount, findAccount, listAccounts, standingOf } from './account-api.ts';
import { type AccountCommandOptions, onAccounts, withAccountOptions } from './account-command.ts';

/** Adds the command `list` to its group. */
export function listCommand(group: Command): void {
  withAccountOptions(group.command('list').description('list the accounts'))
    .option('--search <text>', 'only those with this in their address or name')
    .option('--limit <count>', 'at most so many', readCount, 1000)
    .addHelpText('after', '\nExample:\n  latchkey account list --search example.org --config latchkey.yaml')
    .action((options: AccountCommandOptions & { search?: string; limit: number }) =>
      onAccounts(options, async (api) => {
        const { accounts, hasMore } = await listAccounts(api, options);
        const rows = accounts.map((account) => [
          account.id,
          account.email,
          account.role,
          standingOf(account),
          account.name,
        ]);
        printResult(options, accounts, tableText([['ID', 'ADDRESS', 'ROLE', 'STATE', 'NAME'], ...rows]));
        if (hasMore) printNote(`there are more than ${options.limit}: see --limit and --search`);
      }),
    );
}

/** Adds the command `show` to its group. */
export function showCommand(group: Command): void {
  withAccountOptions(group.command('show <who>').description('everything about one account'))
    .addHelpText('after', '\nExample:\n  latchkey account show anna@example.org --config latchkey.yaml')
    .action((who: string, options: AccountCommandOptions) =>
      onAccounts(options, async (api) => {
        const account = await findAccount(api, who);
        printResult(options, account, describeAccount(account));
      }),
    );
}

/** Adds the command `disable` to its group. */
export function disableCommand(group: Command): void {
  withAccountOptions(group.command('disable <who>').description('sign somebody out everywhere and let them in no more'))
    .addHelpText(
      'after',
      `
Nothing is lost: enable lets them in again, with what they were given before.

Example:
  latchkey account disable ben@example.org --config latchkey.yaml`,
    )
    .action((who: string, options: AccountCommandOptions) => change(who, options, { state: 'disabled' }, 'disabled'));
}

/** Adds the command `enable` to its group. */
export function enableCommand(group: Command): void {
  withAccountOptions(group.command('enable <who>').description('let somebody in again'))
    .addHelpText('after', '\nExample:\n  latchkey account enable ben@example.org --config latchkey.yaml')
    .action((who: string, options: AccountCommandOptions) => change(who, options, { state: 'active' }, 'enabled'));
}

/** Adds the command `set-role` to its group. */
export function setRoleCommand(group: Command): void {
  withAccountOptions(group.command('set-role <who> <role>').description('make somebody an admin, or a user again'))
    .addHelpText('after', '\nExample:\n  latchkey account set-role ben@example.org admin --config latchkey.yaml')
    .action((who: string, role: string, options: AccountCommandOptions) => {
      if (role !== 'user' && role !== 'admin')
        throw usageError(`unknown role ${JSON.stringify(role)}`, 'user or admin');
      return change(who, options, { role }, `${role}:`);
    });
}

/** Adds the command `delete` to its group. */
export function deleteCommand(group: Command): void {
  withAccountOptions(group.command('delete <who>').description('delete an account and what belongs to it, for good'))
    .option('--yes', 'really')
    .addHelpText(
      'after',
      `
Their sessions, devices and memberships end at once, and so do links that they made, with everybody who came in by them.

Example:
  latchkey account delete ben@example.org --yes --config latchkey.yaml`,
    )
    .action((who: string, options: AccountCommandOptions & { yes?: boolean }) =>
      onAccounts(options, async (api) => {
        const { id, email } = await findAccount(api, who);
        if (options.yes !== true) {
          throw usageError(
            `deleting ${email} (${id}) is for good`,
            'add --yes; to only lock somebody out: latchkey account disable',
          );
        }
        await api.ask('DELETE', `accounts/${id}`, z.undefined());
        printResult(options, { account: id, deleted: true }, `${styled('green', 'deleted')} ${email} (${id})`);
      }),
    );
}

async function change(who: string, options: AccountCommandOptions, body: object, done: string): Promise<void> {
  await onAccounts(options, async (api) => {
    const { id } = await findAccount(api, who);
    await api.ask('PATCH', `accounts/${id}`, z.undefined(), body);
    const account = await api.ask('GET', `accounts/${id}`, accountShape);
    printResult(options, account, `${styled('green', done)} ${account.email} (${id})`);
  });
}

function readCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text) || count === 0) throw new InvalidArgumentError('a count is a number from 1 on');
  return count;
}
