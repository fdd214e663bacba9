// `latchkey link …`: the commands by which the operator makes, lists and revokes links to collections. Owners have pages for the same.
// The commands work on the gateway while it runs, and on its store when it does not.

import type { Command } from 'commander';
import { giveBackCommand, revokeCommand } from './link/end-links.ts';
import { createCommand, reopenCommand } from './link/make-link.ts';
import { listCommand, membersCommand } from './link/see-links.ts';

/** Adds `latchkey link …` to the program. */
export function linkCommand(program: Command): void {
  const group = program
    .command('link')
    .description('hand out links to collections, see who came in, take them back')
    .helpCommand(false);
  const commands = [createCommand, listCommand, membersCommand, reopenCommand, revokeCommand, giveBackCommand];
  for (const add of commands) add(group);
}
