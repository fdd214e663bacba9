// `latchkey token …`: the group that mint, inspect and revoke hang on.

import type { Command } from 'commander';
import { tokenInspectCommand } from './token/token-inspect.ts';
import { tokenMintCommand } from './token/token-mint.ts';
import { tokenRevokeCommand } from './token/token-revoke.ts';

export function tokenCommand(program: Command): void {
  const token = program.command('token').description('make, look into and revoke common-key tokens').helpCommand(false);
  tokenMintCommand(token);
  tokenInspectCommand(token);
  tokenRevokeCommand(token);
}
