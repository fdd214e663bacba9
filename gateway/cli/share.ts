// `latchkey share …`: the commands by which the operator shares keys for those who have them, sees who holds what, and ends it.
// The commands work on the gateway while it runs, and on its store when it does not.

import type { Command } from 'commander';
import { disableCommand, enableCommand, revokeCommand } from './share/end-shares.ts';
import { createCommand } from './share/make-share.ts';
import { historyCommand, listCommand } from './share/see-shares.ts';

/** Adds `latchkey share …` to the program. */
export function shareCommand(program: Command): void {
  const group = program
    .command('share')
    .description('share keys with people by mail, see who holds them, end what was shared')
    .helpCommand(false);
  const commands = [createCommand, listCommand, historyCommand, revokeCommand, disableCommand, enableCommand];
  for (const add of commands) add(group);
}
