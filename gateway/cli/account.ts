// `latchkey account …`: the commands by which the operator makes, lists and changes accounts.
// The commands work on the gateway while it runs, and on its store when it does not.

import type { Command } from 'commander';
import {
  deleteCommand,
  disableCommand,
  enableCommand,
  listCommand,
  setRoleCommand,
  showCommand,
} from './account/change-account.ts';
import { addCommand, inviteCommand, signInLinkCommand } from './account/make-account.ts';

/** Adds `latchkey account …` to the program. */
export function accountCommand(program: Command): void {
  const group = program
    .command('account')
    .description('make, invite, list and change accounts; sign-in links')
    .helpCommand(false)
    .addHelpText('after', '\nWHO is an address, or an id like ac_…; --help of each command has examples.');
  for (const add of [
    addCommand,
    inviteCommand,
    listCommand,
    showCommand,
    disableCommand,
    enableCommand,
    setRoleCommand,
    deleteCommand,
    signInLinkCommand,
  ]) {
    add(group);
  }
}
