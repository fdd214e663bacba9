// `latchkey share revoke|disable|enable`: ends a share with everything below it, or stops it for a while. When a command returns, the change
// is in force on every edge of a running gateway.

import type { Command } from 'commander';
import { shareShape } from '../../api/v1/share-shapes.ts';
import { isId } from '../../core/model/node-id.ts';
import { usageError } from '../command/command-error.ts';
import { type KeyCommandOptions, onKeys, withKeyOptions } from '../command/shared-keys.ts';
import { printResult, styled } from '../command/terminal.ts';
import { shareWords } from './share-words.ts';

/** Adds the command `revoke` to its group. An offer that nobody has accepted is withdrawn. */
export function revokeCommand(group: Command): void {
  withKeyOptions(group.command('revoke <share>').description('end a share for good, with everything below it'))
    .addHelpText(
      'after',
      `
When it returns, nothing of it passes any more: no re-share, no pass, no open connection. An offer that waits is taken back.

Example:
  latchkey share revoke sh_… --config latchkey.yaml`,
    )
    .action((id: string, options: KeyCommandOptions) => {
      requireShare(id);
      return onKeys(options, shareWords, async (api) => {
        const { accepted_at } = await api.ask('GET', `shares/${id}`, shareShape);
        const event = accepted_at === null ? 'withdraw' : 'revoke';
        const share = await api.ask('POST', `shares/${id}/${event}`, shareShape);
        printResult(options, share, `${styled('green', share.state)} ${id}`);
      });
    });
}

/** Adds the command `disable` to its group. */
export function disableCommand(group: Command): void {
  moveCommand(group, 'disable', 'stop a share for a while, with everything below it');
}

/** Adds the command `enable` to its group. */
export function enableCommand(group: Command): void {
  moveCommand(group, 'enable', 'let a share go on that was stopped; nobody accepts it again');
}

function moveCommand(group: Command, event: 'disable' | 'enable', description: string): void {
  withKeyOptions(group.command(`${event} <share>`).description(description))
    .addHelpText('after', `\nExample:\n  latchkey share ${event} sh_… --config latchkey.yaml`)
    .action((id: string, options: KeyCommandOptions) => {
      requireShare(id);
      return onKeys(options, shareWords, async (api) => {
        const share = await api.ask('POST', `shares/${id}/${event}`, shareShape);
        printResult(options, share, `${styled('green', share.state)} ${id}`);
      });
    });
}

function requireShare(id: string): void {
  if (!isId('share', id)) throw usageError(`${JSON.stringify(id)} is no id of a share`, 'they begin with sh_');
}
