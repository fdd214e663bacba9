// `latchkey link list|members|revoke`: lists links and their members, and revokes a link, a member or all links of a collection.
// When the command returns, the revocation is in force on every edge of a running gateway.

import type { Command } from 'commander';
import {
  allRevokedShape,
  type Link,
  linksShape,
  type Member,
  membersShape,
  revokedShape,
} from '../../api/v1/link-shapes.ts';
import type { Config } from '../../config/compiled/config.ts';
import { isId } from '../../core/model/node-id.ts';
import { usageError } from '../command/command-error.ts';
import type { OperatorApi } from '../command/operator-api.ts';
import { printResult, styled, tableText } from '../command/terminal.ts';
import { momentText } from './link-api.ts';
import { type LinkCommandOptions, onLinks, requireCollection, withLinkOptions } from './link-command.ts';

/** Adds the command `list` to its group. */
export function listCommand(group: Command): void {
  withLinkOptions(group.command('list').description('list the links, newest first; never their URLs'))
    .option('--collection <name>', 'only those of this collection')
    .addHelpText('after', '\nExample:\n  latchkey link list --collection summer --config latchkey.yaml')
    .action((options: LinkCommandOptions & { collection?: string }) =>
      onLinks(options, async (api, config) => {
        const links = await listAll<Link>(async (after) => {
          const path = `links?${query({ collection: options.collection, after })}`;
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
          const path = `links/${encodeURIComponent(id)}/members?${query({ after })}`;
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

async function revokeOne(api: OperatorApi, id: string, options: LinkCommandOptions): Promise<void> {
  const isMember = isId('member', id);
  if (!isMember && !isId('link', id)) {
    throw usageError(`${JSON.stringify(id)} is no id of a link or a member`, 'they begin with li_ and me_');
  }
  const revoked = await api.ask('POST', `${isMember ? 'members' : 'links'}/${id}/revoke`, revokedShape);
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

function query(parts: Readonly<Record<string, string | null | undefined>>): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value != null) all.set(name, value);
  return all.toString();
}

/** The items of all pages of a list. @param ask  fetches the page behind `after`; null for the first */
async function listAll<T>(
  ask: (after: string | null) => Promise<{ items: readonly T[]; next: string | null }>,
): Promise<T[]> {
  const all: T[] = [];
  let after: string | null = null;
  do {
    const page: { items: readonly T[]; next: string | null } = await ask(after);
    all.push(...page.items);
    after = page.next;
  } while (after !== null);
  return all;
}
