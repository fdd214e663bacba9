// `latchkey credential withdraw|remove-key`: ends a credential, or one key of it. When a command returns, nothing of it passes any more on
// any edge of a running gateway.

import type { Command } from 'commander';
import { endedShape } from '../../api/v1/credential-shapes.ts';
import { isId } from '../../core/model/node-id.ts';
import { usageError } from '../command/command-error.ts';
import { type KeyCommandOptions, onKeys, withKeyOptions } from '../command/shared-keys.ts';
import { printResult, styled } from '../command/terminal.ts';
import { credentialWords } from './credential-words.ts';

/** Adds the command `withdraw` to its group. */
export function withdrawCommand(group: Command): void {
  withKeyOptions(group.command('withdraw <credential>').description('end a credential, for good, with all its keys'))
    .addHelpText(
      'after',
      `
When it returns, nothing of it passes any more: neither its account nor anybody to whom a key of it was shared.

Example:
  latchkey credential withdraw cd_… --config latchkey.yaml`,
    )
    .action((id: string, options: KeyCommandOptions) => {
      if (!isId('credential', id))
        throw usageError(`${JSON.stringify(id)} is no id of a credential`, 'they begin with cd_');
      return onKeys(options, credentialWords, async (api) => {
        const ended = await api.ask('POST', `credentials/${id}/withdraw`, endedShape);
        const text = ended.was_live ? `${styled('green', 'withdrawn')} ${id}` : `${id} was withdrawn before`;
        printResult(options, { id, ...ended }, text);
      });
    });
}

/** Adds the command `remove-key` to its group. */
export function removeKeyCommand(group: Command): void {
  withKeyOptions(group.command('remove-key <key>').description('end one key, for good, with all shares of it'))
    .addHelpText('after', '\nExample:\n  latchkey credential remove-key dk_… --config latchkey.yaml')
    .action((id: string, options: KeyCommandOptions) => {
      if (!isId('credentialKey', id))
        throw usageError(`${JSON.stringify(id)} is no id of a key`, 'they begin with dk_');
      return onKeys(options, credentialWords, async (api) => {
        const ended = await api.ask('POST', `credential-keys/${id}/remove`, endedShape);
        const text = ended.was_live ? `${styled('green', 'removed')} ${id}` : `${id} was removed before`;
        printResult(options, { id, ...ended }, text);
      });
    });
}
