// `latchkey credential …`: the commands by which the operator issues credentials, hangs keys on them, and ends both.
// The commands work on the gateway while it runs, and on its store when it does not.

import type { Command } from 'commander';
import { removeKeyCommand, withdrawCommand } from './credential/end-credentials.ts';
import { addKeyCommand, issueCommand } from './credential/issue-credential.ts';
import { listCommand } from './credential/see-credentials.ts';

/** Adds `latchkey credential …` to the program. */
export function credentialCommand(program: Command): void {
  const group = program
    .command('credential')
    .description('issue credentials, hang keys on them that people share, take them back')
    .helpCommand(false);
  for (const add of [issueCommand, listCommand, addKeyCommand, withdrawCommand, removeKeyCommand]) add(group);
}
