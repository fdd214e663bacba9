// `latchkey share list|history`: lists shares, and what was done with one.

import type { Command } from 'commander';
import type { z } from 'zod';
import { shareHistoryShape, type shareShape, sharesShape } from '../../api/v1/share-shapes.ts';
import { listAll, queryOf } from '../command/list-pages.ts';
import { momentText } from '../command/moments.ts';
import { type KeyCommandOptions, onKeys, withKeyOptions } from '../command/shared-keys.ts';
import { printResult, tableText } from '../command/terminal.ts';
import { shareWords } from './share-words.ts';

type Share = z.output<typeof shareShape>;
type ShareEvent = z.output<typeof shareHistoryShape>['events'][number];

/** Adds the command `list` to its group. */
export function listCommand(group: Command): void {
  withKeyOptions(group.command('list').description('list shares, newest first'))
    .option('--state <state>', 'only those in this state, such as accepted, pending, disabled')
    .option('--search <text>', 'part of an address or of a key’s name')
    .addHelpText('after', '\nExample:\n  latchkey share list --state accepted --config latchkey.yaml')
    .action((options: KeyCommandOptions & { state?: string; search?: string }) =>
      onKeys(options, shareWords, async (api) => {
        const shares = await listAll<Share>(async (after) => {
          const path = `me/shares?${queryOf({ state: options.state, search: options.search, after })}`;
          const page = await api.ask('GET', path, sharesShape);
          return { items: page.shares, next: page.next };
        });
        const rows = shares.map((share) => [
          ...[share.id, share.state, share.email ?? 'erased', share.given_by.name ?? 'deleted'],
          ...[momentText(share.usable_until_at), momentText(share.last_used_at)],
          share.uses_allowed === null ? '-' : `${share.uses_left}/${share.uses_allowed}`,
          `${share.key.name} (${share.key.credential.name})`,
        ]);
        const head = ['SHARE', 'STATE', 'TO', 'GIVEN BY', 'UNTIL', 'LAST USED', 'USES LEFT', 'KEY'];
        printResult(options, shares, tableText([head, ...rows]));
      }),
    );
}

/** Adds the command `history` to its group. */
export function historyCommand(group: Command): void {
  withKeyOptions(group.command('history <share>').description('who did what with a share, when, and from where'))
    .addHelpText('after', '\nExample:\n  latchkey share history sh_… --config latchkey.yaml')
    .action((id: string, options: KeyCommandOptions) =>
      onKeys(options, shareWords, async (api) => {
        const events = await listAll<ShareEvent>(async (before) => {
          const path = `shares/${encodeURIComponent(id)}/history?${queryOf({ before })}`;
          const page = await api.ask('GET', path, shareHistoryShape);
          return { items: page.events, next: page.next === null ? null : String(page.next) };
        });
        const rows = events.map(({ at, text, by, network }) => [momentText(at), by, network ?? '-', text]);
        printResult(options, events, tableText([['WHEN', 'BY', 'FROM', 'WHAT'], ...rows]));
      }),
    );
}
