// `latchkey link create|reopen`: makes links, and opens them again. Each tokenized URL is printed by the command that made it.
// A link that the operator makes belongs to the first owner of the collection who has an account.

import type { Command } from 'commander';
import { createdShape, reopenedShape } from '../../api/v1/link-shapes.ts';
import { epochSeconds } from '../../telemetry/clock.ts';
import { usageError } from '../command/command-error.ts';
import { momentMember, momentText } from '../command/moments.ts';
import { printNote, printResult, styled } from '../command/terminal.ts';
import { listOption } from '../token/claims.ts';
import { readClaims } from './link-api.ts';
import { type LinkCommandOptions, onLinks, requireCollection, withLinkOptions } from './link-command.ts';

interface CreateOptions extends LinkCommandOptions {
  readonly collection: string;
  readonly path?: string;
  readonly for?: readonly string[];
  readonly anyone?: boolean;
  readonly label: string;
  readonly claims?: string;
  readonly claimFrom?: string;
  readonly claimUntil?: string;
  readonly accessUntil?: string;
  readonly methods?: readonly string[];
  readonly notify?: boolean;
}

interface ReopenOptions extends LinkCommandOptions {
  readonly label?: string;
  readonly claims?: string;
  readonly claimUntil?: string;
  readonly accessUntil?: string;
  readonly newUrl?: boolean;
}

/** Adds the command `create` to its group. */
export function createCommand(group: Command): void {
  withLinkOptions(group.command('create').description('make a link, or one for each of some people'))
    .requiredOption('--collection <name>', 'what it opens, as the configuration names it')
    .requiredOption('--label <text>', 'what it is called on its owner’s page')
    .option('--path <path>', 'only this file or folder of the collection')
    .option(
      '--for <addresses>',
      'one link for each of these mail addresses, mailed there and for that address only',
      listOption,
    )
    .option('--anyone', 'with --for: whoever has the link may come in by it')
    .option('--claims <count>', 'how many accounts may come in by it; default 1')
    .option('--claim-from <moment>', 'nobody comes in before')
    .option('--claim-until <moment>', 'nobody new comes in after')
    .option(
      '--access-until <moment>',
      'it opens nothing any more after; never for no end; default: links.default_access',
    )
    .option('--methods <list>', 'only these methods, GET among them', listOption)
    .option('--notify', 'tell owner and members by mail')
    .addHelpText(
      'after',
      `
A moment is how long from now (7d, 12h) or a date with its zone (2026-07-01T18:00Z).
Whoever has the URL and an account may claim; afterwards any device of that account passes without it.

Examples:
  latchkey link create --collection summer --label 'for the choir' --claims 30 --claim-until 7d --config latchkey.yaml
  latchkey link create --collection summer --path /vod/summer/film/ --label Anna --config latchkey.yaml`,
    )
    .action((options: CreateOptions) => {
      const now = epochSeconds();
      const body = {
        collection: options.collection,
        label: options.label,
        ...(options.path === undefined ? {} : { path: options.path }),
        ...(options.claims === undefined ? {} : { claims_allowed: readClaims(options.claims) }),
        ...momentMember('claim_from_at', '--claim-from', options.claimFrom, now),
        ...momentMember('claim_until_at', '--claim-until', options.claimUntil, now),
        ...momentMember('access_until_at', '--access-until', options.accessUntil, now, 'never'),
        ...(options.for === undefined ? {} : { for: options.for }),
        ...(options.anyone === true ? { bind: false } : {}),
        ...(options.methods === undefined ? {} : { methods: options.methods.map((method) => method.toUpperCase()) }),
        ...(options.notify === true ? { notify: true } : {}),
      };
      return onLinks(options, async (api, config) => {
        requireCollection(config, options.collection);
        const { link, url, made } = await api.ask('POST', 'links', createdShape, body);
        const urls = made.map((one) => (one.mailed_to === null ? one.url : `${one.mailed_to} ${one.url}`));
        printResult(options, { link, url, made }, urls.join('\n'));
        const until = link.claim_until_at === null ? '' : `, until ${momentText(link.claim_until_at)}`;
        printNote(`${link.id}: for ${claimsText(link.claims_allowed)}${until}`);
        for (const one of made) {
          if (one.mail !== null && one.mail !== 'queued')
            printNote(
              `no mail to ${one.mailed_to}: ${one.mail === 'off' ? 'mail is not configured' : 'too many mails in this hour'}`,
            );
        }
      });
    });
}

/** Adds the command `reopen` to its group. */
export function reopenCommand(group: Command): void {
  withLinkOptions(group.command('reopen <link>').description('let more people in, for longer, or by a new URL'))
    .option('--claims <count>', 'how many accounts may come in by it, those who did included')
    .option('--claim-until <moment>', 'nobody new comes in after; never for no end')
    .option('--access-until <moment>', 'it opens nothing any more after; never for no end')
    .option('--new-url', 'make another URL; the one before claims nothing any more')
    .option('--label <text>', 'what it is called')
    .addHelpText(
      'after',
      `
Members stay. A revoked link stays revoked: make a new one.

Example:
  latchkey link reopen li_… --claims 5 --claim-until 7d --new-url --config latchkey.yaml`,
    )
    .action((id: string, options: ReopenOptions) => {
      const now = epochSeconds();
      const body = {
        ...(options.label === undefined ? {} : { label: options.label }),
        ...(options.claims === undefined ? {} : { claims_allowed: readClaims(options.claims) }),
        ...momentMember('claim_until_at', '--claim-until', options.claimUntil, now, 'never'),
        ...momentMember('access_until_at', '--access-until', options.accessUntil, now, 'never'),
        ...(options.newUrl === true ? { new_secret: true } : {}),
      };
      if (Object.keys(body).length === 0) throw usageError('nothing to change', 'latchkey link reopen --help');
      return onLinks(options, async (api) => {
        const { link, url } = await api.ask('POST', `links/${encodeURIComponent(id)}/reopen`, reopenedShape, body);
        printResult(options, { link, url }, url ?? `${styled('green', link.state)} ${link.id}`);
        const left = `${link.claims_used} of ${claimsText(link.claims_allowed)} came in`;
        printNote(`${link.id}: ${left}${url === null ? '' : '; the URL before lets nobody new in'}`);
      });
    });
}

function claimsText(count: number): string {
  return count === 1 ? '1 account' : `${count} accounts`;
}
