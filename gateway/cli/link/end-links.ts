// `latchkey link revoke|give-back`: ends a link, a member or all links of a collection, and gives back within ten minutes what was ended.
// When a command returns, the change is in force on every edge of a running gateway.

import type { Command } from 'commander';
import {
  allRevokedShape,
  givenBackShape,
  linkShape,
  linksGivenBackShape,
  revokedShape,
} from '../../api/v1/link-shapes.ts';
import type { Config } from '../../config/compiled/config.ts';
import { isId } from '../../core/model/node-id.ts';
import { usageError } from '../command/command-error.ts';
import type { OperatorApi } from '../command/operator-api.ts';
import { printResult, styled } from '../command/terminal.ts';
import { type LinkCommandOptions, onLinks, requireCollection, withLinkOptions } from './link-command.ts';

/** Adds the command `revoke` to its group. */
export function revokeCommand(group: Command): void {
  withLinkOptions(
    group.command('revoke [id]').description('end a link, what one member has by it, or all of a collection'),
  )
    .option('--collection <name>', 'every link of this collection')
    .addHelpText(
      'after',
      `
When it returns, nothing of it passes any more: no session, no pass, no open connection.
For ten minutes it can be undone: latchkey link give-back.

Examples:
  latchkey link revoke li_… --config latchkey.yaml
  latchkey link revoke me_… --config latchkey.yaml            one member; see: latchkey link members
  latchkey link revoke --collection summer --config latchkey.yaml`,
    )
    .action((id: string | undefined, options: LinkCommandOptions & { collection?: string }) => {
      if ((id === undefined) === (options.collection === undefined)) {
        throw usageError('revoke what?', 'an id of a link (li_…) or member (me_…), or --collection NAME');
      }
      return onLinks(options, async (api, config) => {
        if (id === undefined) await revokeAll(api, config, options.collection ?? '', options);
        else await revokeOne(api, id, options);
      });
    });
}

/** Adds the command `give-back` to its group. */
export function giveBackCommand(group: Command): void {
  withLinkOptions(
    group
      .command('give-back [id]')
      .description('undo an end of the last ten minutes: of a link, a member, or a collection'),
  )
    .option('--collection <name>', 'the links that ended together with this collection')
    .addHelpText(
      'after',
      `
Whoever came in by the link passes again; members who were removed one by one stay out.
After ten minutes an end is for good: make a new link.

Examples:
  latchkey link give-back li_… --config latchkey.yaml
  latchkey link give-back me_… --config latchkey.yaml         one member
  latchkey link give-back --collection summer --config latchkey.yaml`,
    )
    .action((id: string | undefined, options: LinkCommandOptions & { collection?: string }) => {
      if ((id === undefined) === (options.collection === undefined)) {
        throw usageError('give back what?', 'an id of a link (li_…) or member (me_…), or --collection NAME');
      }
      return onLinks(options, async (api, config) => {
        if (id === undefined) await giveAllBack(api, config, options.collection ?? '', options);
        else await giveOneBack(api, id, options);
      });
    });
}

async function giveOneBack(api: OperatorApi, id: string, options: LinkCommandOptions): Promise<void> {
  const kind = requireEnding(id);
  const path = `${kind}/${id}/give-back`;
  const answer =
    kind === 'members' ? await api.ask('POST', path, givenBackShape) : await api.ask('POST', path, linkShape);
  printResult(options, { id, ...answer }, `${styled('green', 'given back')} ${id}`);
}

async function giveAllBack(
  api: OperatorApi,
  config: Config,
  collection: string,
  options: LinkCommandOptions,
): Promise<void> {
  const path = `collections/${encodeURIComponent(collection)}/give-links-back`;
  const { links } = await api.ask('POST', path, linksGivenBackShape);
  if (links === 0) requireCollection(config, collection);
  const none = `no link of ${collection} ended with it in the last ten minutes`;
  const some = `${styled('green', 'given back')} ${links} ${links === 1 ? 'link' : 'links'} of ${collection}`;
  printResult(options, { collection, links }, links === 0 ? none : some);
}

/** Refuses a text that is no id of a link or a member. @returns the folder of `v1` that has it */
function requireEnding(id: string): 'links' | 'members' {
  if (isId('member', id)) return 'members';
  if (isId('link', id)) return 'links';
  throw usageError(`${JSON.stringify(id)} is no id of a link or a member`, 'they begin with li_ and me_');
}

async function revokeOne(api: OperatorApi, id: string, options: LinkCommandOptions): Promise<void> {
  const revoked = await api.ask('POST', `${requireEnding(id)}/${id}/revoke`, revokedShape);
  const text = revoked.was_live ? `${styled('green', 'revoked')} ${id}` : `${id} was revoked before`;
  printResult(options, { id, ...revoked }, text);
}

async function revokeAll(
  api: OperatorApi,
  config: Config,
  collection: string,
  options: LinkCommandOptions,
): Promise<void> {
  const path = `collections/${encodeURIComponent(collection)}/revoke-links`;
  const { links } = await api.ask('POST', path, allRevokedShape);
  // checked afterwards, because a collection that left the configuration may still have links; a mistyped name has none
  if (links === 0) requireCollection(config, collection);
  const text = `${styled('green', 'revoked')} ${links} ${links === 1 ? 'link' : 'links'} of ${collection}`;
  printResult(options, { collection, links }, text);
}
