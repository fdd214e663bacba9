// `latchkey token …`: the group that mint and inspect hang on.

import type { Command } from 'commander';
import { tokenInspectCommand } from './token-inspect.ts';
import { tokenMintCommand } from './token-mint.ts';

export function tokenCommand(program: Command): void {
  const token = program.command('token').description('make and look into common-key tokens').helpCommand(false);
  tokenMintCommand(token);
  tokenInspectCommand(token);
}
