// `latchkey share create`: offers a key to an address, on behalf of the account that the key's credential belongs to.

import type { Command } from 'commander';
import { shareShape } from '../../api/v1/share-shapes.ts';
import { epochSeconds } from '../../telemetry/clock.ts';
import { usageError } from '../command/command-error.ts';
import { momentMember, momentText } from '../command/moments.ts';
import { type KeyCommandOptions, onKeys, withKeyOptions } from '../command/shared-keys.ts';
import { printNote, printResult } from '../command/terminal.ts';
import { shareWords } from './share-words.ts';

interface CreateOptions extends KeyCommandOptions {
  readonly message?: string;
  readonly from?: string;
  readonly until?: string;
  readonly uses?: string;
  readonly reshareDepth?: string;
}

/** Adds the command `create` to its group. */
export function createCommand(group: Command): void {
  withKeyOptions(group.command('create <key> <address>').description('offer a key to a mail address'))
    .option('--message <text>', 'words for the recipient’s page; they stand in no mail')
    .option('--from <moment>', 'it opens nothing before')
    .option('--until <moment>', 'it opens nothing from then on')
    .option('--uses <count>', 'how many ways to carry it may be made; default: no limit')
    .option('--reshare-depth <count>', 'how often it may be shared on; default 0')
    .addHelpText(
      'after',
      `
The credential's account gives it. A message goes to the address; nothing is granted before the recipient asks and signs in.
A moment is how long from now (7d, 12h) or a date with its zone (2026-07-01T18:00Z).

Example:
  latchkey share create dk_… mina@example.org --until 30d --config latchkey.yaml`,
    )
    .action((key: string, address: string, options: CreateOptions) => {
      const now = epochSeconds();
      const body = {
        email: address,
        ...(options.message === undefined ? {} : { message: options.message }),
        ...momentMember('usable_from_at', '--from', options.from, now),
        ...momentMember('usable_until_at', '--until', options.until, now),
        ...(options.uses === undefined ? {} : { uses_allowed: readCount('--uses', options.uses) }),
        ...(options.reshareDepth === undefined
          ? {}
          : { reshare_depth: readCount('--reshare-depth', options.reshareDepth) }),
      };
      return onKeys(options, shareWords, async (api) => {
        const share = await api.ask('POST', `me/keys/${encodeURIComponent(key)}/shares`, shareShape, body);
        printResult(options, share, share.id);
        printNote(`a message goes to ${share.email}; it can be accepted until ${momentText(share.expires_at)}`);
      });
    });
}

/** @throws CommandError (exit code 2) for a text that is no number; the endpoint has the real limit */
function readCount(option: string, text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw usageError(`${option}: ${JSON.stringify(text)} is no number`, 'write digits');
  return Number(text);
}
