// `latchkey account add|invite|sign-in-link`: makes accounts, and the one-time URLs by which people get into them.
// A URL that signs in is printed once, on stdout of the command, and stands in no log.

import type { Command } from 'commander';
import { accountMadeShape, codeShape } from '../../api/v1/account-shapes.ts';
import { ownCommand, quoted } from '../command/own-command.ts';
import { readPasswordFromStdin } from '../command/password-input.ts';
import { printNote, printResult, styled } from '../command/terminal.ts';
import { repeatedOption } from '../token/claims.ts';
import { findAccount, findAccounts } from './account-api.ts';
import { type AccountCommandOptions, onAccounts, withAccountOptions } from './account-command.ts';

interface PersonOptions extends AccountCommandOptions {
  readonly name?: string;
  readonly group?: readonly string[];
  readonly admin?: boolean;
  readonly passwordStdin?: boolean;
}

/** Adds the command `add` to its group. */
export function addCommand(group: Command): void {
  person(group.command('add <address>').description('make an account for an address that you vouch for'))
    .option('--password-stdin', 'read a first password from stdin; without one they sign in by link')
    .addHelpText(
      'after',
      `
The address counts as verified by your word. To have them show that it is theirs, invite them instead.

Examples:
  latchkey account add anna@example.org --admin --config latchkey.yaml
  latchkey account sign-in-link anna@example.org --config latchkey.yaml`,
    )
    .action(async (address: string, options: PersonOptions) => {
      const password = options.passwordStdin === true ? await readPasswordFromStdin() : undefined;
      await onAccounts(options, async (api) => {
        const body = {
          ...personBody(address, options),
          invited: false,
          ...(password === undefined ? {} : { password }),
        };
        const { account } = await api.ask('POST', 'accounts', accountMadeShape, body);
        printResult(options, { account }, `${styled('green', 'made')} ${account} for ${address}`);
        if (password === undefined)
          printNote(
            `they come in by: ${ownCommand()} account sign-in-link ${quoted(address)} --config ${quoted(options.config)}`,
          );
      });
    });
}

/** Adds the command `invite` to its group. */
export function inviteCommand(group: Command): void {
  person(
    group.command('invite <address>').description('invite somebody by mail, or again; prints the invitation as well'),
  )
    .addHelpText(
      'after',
      `
The printed URL is the one in the mail. It works once, for seven days; inviting again voids the ones before.

Example:
  latchkey account invite ben@example.org --group editors --config latchkey.yaml`,
    )
    .action((address: string, options: PersonOptions) =>
      onAccounts(options, async (api, config) => {
        const known = (await findAccounts(api, address)).find((account) => !account.is_verified);
        const isPlain = options.name === undefined && options.group === undefined && options.admin !== true;
        // without options this only sends another invitation: name, groups and role from the first one stay
        const { account, url } =
          known !== undefined && isPlain
            ? { account: known.id, ...(await api.ask('POST', `accounts/${known.id}/invitation`, codeShape)) }
            : await api
                .ask('POST', 'accounts', accountMadeShape, { ...personBody(address, options), invited: true })
                .then((made) => ({ account: made.account, url: made.invitation_url }));
        printResult(options, { account, url }, url ?? `${styled('green', 'invited')} ${address} (${account})`);
        if (config.mail === null)
          printNote('nothing is sent, since mail is not configured: hand the URL over yourself');
        if (config.portal === null) printNote('there is no page to open it on: set portal.public_url');
      }),
    );
}

/** Adds the command `sign-in-link` to its group. */
export function signInLinkCommand(group: Command): void {
  withAccountOptions(
    group.command('sign-in-link <who>').description('make a link that signs somebody in, once, within the hour'),
  )
    .addHelpText(
      'after',
      `
Whoever opens it is that person: hand it over as you would a password. A new one voids the ones before. No mail is sent.

Example:
  latchkey account sign-in-link anna@example.org --config latchkey.yaml`,
    )
    .action((who: string, options: AccountCommandOptions) =>
      onAccounts(options, async (api, config) => {
        const { id } = await findAccount(api, who);
        const { url } = await api.ask('POST', `accounts/${id}/sign-in-link`, codeShape);
        printResult(options, { account: id, url }, url ?? 'made, but there is no page to open it on');
        if (config.portal === null) printNote('there is no page to open it on: set portal.public_url');
      }),
    );
}

function person(command: Command): Command {
  return withAccountOptions(command)
    .option('--name <name>', 'how they are called')
    .option('--group <name>', 'a group they are in; repeatable', repeatedOption)
    .option('--admin', 'they may administer everything');
}

function personBody(address: string, { name, group, admin }: PersonOptions): object {
  return {
    email: address,
    ...(name === undefined ? {} : { name }),
    ...(group === undefined ? {} : { groups: group }),
    role: admin === true ? 'admin' : 'user',
  };
}
