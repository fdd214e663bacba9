// `latchkey link list|members`: lists links, and who came in by them.

import type { Command } from 'commander';
import { type Link, linksShape, type Member, membersShape } from '../../api/v1/link-shapes.ts';
import { listAll, queryOf } from '../command/list-pages.ts';
import { momentText } from '../command/moments.ts';
import { printResult, tableText } from '../command/terminal.ts';
import { type LinkCommandOptions, onLinks, requireCollection, withLinkOptions } from './link-command.ts';

/** Adds the command `list` to its group. */
export function listCommand(group: Command): void {
  withLinkOptions(group.command('list').description('list the links, newest first; never their URLs'))
    .option('--collection <name>', 'only those of this collection')
    .addHelpText('after', '\nExample:\n  latchkey link list --collection summer --config latchkey.yaml')
    .action((options: LinkCommandOptions & { collection?: string }) =>
      onLinks(options, async (api, config) => {
        const links = await listAll<Link>(async (after) => {
          const path = `links?${queryOf({ collection: options.collection, after })}`;
          const page = await api.ask('GET', path, linksShape);
          return { items: page.links, next: page.next };
        });
        if (links.length === 0 && options.collection !== undefined) requireCollection(config, options.collection);
        const rows = links.map((link) => [
          ...[link.id, link.collection, link.state, `${link.claims_used}/${link.claims_allowed}`],
          ...[momentText(link.claim_until_at), momentText(link.access_until_at), link.path, link.label],
        ]);
        const head = ['LINK', 'COLLECTION', 'STATE', 'CLAIMS', 'CLAIM UNTIL', 'ACCESS UNTIL', 'PATH', 'LABEL'];
        printResult(options, links, tableText([head, ...rows]));
      }),
    );
}

/** Adds the command `members` to its group. */
export function membersCommand(group: Command): void {
  withLinkOptions(group.command('members <link>').description('who came in by a link, when, on what, last seen'))
    .addHelpText('after', '\nExample:\n  latchkey link members li_… --config latchkey.yaml')
    .action((id: string, options: LinkCommandOptions) =>
      onLinks(options, async (api) => {
        const members = await listAll<Member>(async (after) => {
          const path = `links/${encodeURIComponent(id)}/members?${queryOf({ after })}`;
          const page = await api.ask('GET', path, membersShape);
          return { items: page.members, next: page.next };
        });
        const rows = members.map((member) => [
          ...[member.id, member.email ?? 'deleted', member.revoked_at === null ? 'in' : 'revoked'],
          ...[momentText(member.claimed_at), momentText(member.last_seen_at)],
          member.devices.map(({ name }) => name).join(', '),
        ]);
        const head = ['MEMBER', 'ADDRESS', 'STATE', 'CAME IN', 'LAST SEEN', 'DEVICES'];
        printResult(options, members, tableText([head, ...rows]));
      }),
    );
}
