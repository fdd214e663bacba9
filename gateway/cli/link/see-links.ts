// `latchkey link list|members|revoke`: which links there are, who came in, and the end of either.
// A revocation is in force on every edge when the command returns.

import type { Command } from 'commander';
import { z } from 'zod';
import { isId } from '../../core/model/node-id.ts';
import { usageError } from '../command-error.ts';
import type { OperatorApi } from '../operator-api.ts';
import { printResult, styled, tableText } from '../terminal.ts';
import { type Link, linkJson, linkShape, type Member, memberJson, memberShape, momentText } from './link-api.ts';
import { type LinkCommandOptions, onLinks, withLinkOptions } from './link-command.ts';

const linksShape = z.object({ links: z.array(linkShape), next: z.string().nullable() });
const membersShape = z.object({ members: z.array(memberShape), next: z.string().nullable() });
const revokedShape = z.object({ wasLive: z.boolean() });
const allRevokedShape = z.object({ links: z.int() });

export function listCommand(group: Command): void {
  withLinkOptions(group.command('list').description('list the links, newest first; never their URLs'))
    .option('--collection <name>', 'only those of this collection')
    .action((options: LinkCommandOptions & { collection?: string }) =>
      onLinks(options, async (api) => {
        const links = await listAll<Link>(async (after) => {
          const path = `links?${query({ collection: options.collection, after })}`;
          const page = await api.ask('GET', path, linksShape);
          return { items: page.links, next: page.next };
        });
        const rows = links.map((link) => [
          ...[link.id, link.collection, link.state, `${link.claimsUsed}/${link.claimsAllowed}`],
          ...[momentText(link.claimUntilAt), momentText(link.accessUntilAt), link.path, link.label],
        ]);
        const head = ['LINK', 'COLLECTION', 'STATE', 'CLAIMS', 'CLAIM UNTIL', 'ACCESS UNTIL', 'PATH', 'LABEL'];
        printResult(options, links.map(linkJson), tableText([head, ...rows]));
      }),
    );
}

export function membersCommand(group: Command): void {
  withLinkOptions(
    group.command('members <link>').description('who came in by a link, when, on what, last seen'),
  ).action((id: string, options: LinkCommandOptions) =>
    onLinks(options, async (api) => {
      const members = await listAll<Member>(async (after) => {
        const path = `links/${encodeURIComponent(id)}/members?${query({ after })}`;
        const page = await api.ask('GET', path, membersShape);
        return { items: page.members, next: page.next };
      });
      const rows = members.map((member) => [
        ...[member.id, member.email ?? 'deleted', member.revokedAt === null ? 'in' : 'revoked'],
        ...[momentText(member.claimedAt), momentText(member.lastSeenAt)],
        member.devices.map(({ name }) => name).join(', '),
      ]);
      const head = ['MEMBER', 'ADDRESS', 'STATE', 'CAME IN', 'LAST SEEN', 'DEVICES'];
      printResult(options, members.map(memberJson), tableText([head, ...rows]));
    }),
  );
}

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
      return onLinks(options, async (api) => {
        if (id === undefined) await revokeAll(api, options.collection ?? '', options);
        else await revokeOne(api, id, options);
      });
    });
}

async function revokeOne(api: OperatorApi, id: string, options: LinkCommandOptions): Promise<void> {
  const isMember = isId('member', id);
  if (!isMember && !isId('link', id)) {
    throw usageError(`${JSON.stringify(id)} is no id of a link or a member`, 'they begin with li_ and me_');
  }
  const { wasLive } = await api.ask('POST', `${isMember ? 'members' : 'links'}/${id}/revoke`, revokedShape);
  const text = wasLive ? `${styled('green', 'revoked')} ${id}` : `${id} was revoked before`;
  printResult(options, { id, was_live: wasLive }, text);
}

async function revokeAll(api: OperatorApi, collection: string, options: LinkCommandOptions): Promise<void> {
  const path = `collections/${encodeURIComponent(collection)}/revoke-links`;
  const { links } = await api.ask('POST', path, allRevokedShape);
  const text = `${styled('green', 'revoked')} ${links} ${links === 1 ? 'link' : 'links'} of ${collection}`;
  printResult(options, { collection, links }, text);
}

function query(parts: Readonly<Record<string, string | null | undefined>>): string {
  const all = new URLSearchParams();
  for (const [name, value] of Object.entries(parts)) if (value != null) all.set(name, value);
  return all.toString();
}

/** Every page of a list. */
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
