// `latchkey token …`: the group of the commands mint, inspect and revoke, which are about tokens of the common key.

import type { Command } from 'commander';
import { tokenInspectCommand } from './token/token-inspect.ts';
import { tokenMintCommand } from './token/token-mint.ts';
import { tokenRevokeCommand } from './token/token-revoke.ts';

/** Adds `latchkey token …` to the program. */
export function tokenCommand(program: Command): void {
  const token = program.command('token').description('make, look into and revoke common-key tokens').helpCommand(false);
  tokenMintCommand(token);
  tokenInspectCommand(token);
  tokenRevokeCommand(token);
}
