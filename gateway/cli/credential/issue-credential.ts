// `latchkey credential issue|add-key`: issues a credential to an account, and hangs keys on it.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { credentialKeyShape, credentialShape } from '../../api/v1/credential-shapes.ts';
import { pictureUrl } from '../../control/keys/credential-input.ts';
import { epochSeconds } from '../../telemetry/clock.ts';
import { errorCode } from '../../telemetry/error-code.ts';
import { CommandError, usageError } from '../command/command-error.ts';
import { momentMember } from '../command/moments.ts';
import { ownCommand, quoted } from '../command/own-command.ts';
import { type KeyCommandOptions, onKeys, withKeyOptions } from '../command/shared-keys.ts';
import { printNote, printResult, styled } from '../command/terminal.ts';
import { listOption } from '../token/claims.ts';
import { credentialWords } from './credential-words.ts';

interface IssueOptions extends KeyCommandOptions {
  readonly name: string;
  readonly issuer: string;
  readonly picture?: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
}

interface AddKeyOptions extends KeyCommandOptions {
  readonly name: string;
  readonly collection: string;
  readonly path?: string;
  readonly methods?: readonly string[];
  readonly secondFactor?: boolean;
}

/** Adds the command `issue` to its group. */
export function issueCommand(group: Command): void {
  withKeyOptions(group.command('issue <who>').description('issue a credential to an account, by address or id'))
    .requiredOption('--name <text>', 'what it is, as people read it')
    .requiredOption('--issuer <text>', 'who issues it, as people read it')
    .option('--picture <file>', 'a PNG, JPEG or WebP of at most 64 KiB')
    .option('--valid-from <moment>', 'its keys open nothing before')
    .option('--valid-until <moment>', 'its keys open nothing from then on')
    .addHelpText(
      'after',
      `
A moment is how long from now (7d, 12h) or a date with its zone (2026-07-01T18:00Z).
A credential opens nothing by itself: hang keys on it.

Example:
  latchkey credential issue anna@example.org --name 'Staff card' --issuer Hillside --config latchkey.yaml`,
    )
    .action((who: string, options: IssueOptions) => {
      const now = epochSeconds();
      const body = {
        ...{ account: who, name: options.name, issuer: options.issuer },
        ...(options.picture === undefined ? {} : { picture: readPicture(options.picture) }),
        ...momentMember('valid_from_at', '--valid-from', options.validFrom, now),
        ...momentMember('valid_until_at', '--valid-until', options.validUntil, now),
      };
      return onKeys(options, credentialWords, async (api) => {
        const credential = await api.ask('POST', 'credentials', credentialShape, body);
        printResult(options, credential, credential.id);
        const next = `${ownCommand()} credential add-key ${credential.id} --config ${quoted(options.config)}`;
        printNote(`issued to ${credential.email ?? credential.account}; hang keys on it: ${next}`);
      });
    });
}

/** Adds the command `add-key` to its group. */
export function addKeyCommand(group: Command): void {
  withKeyOptions(group.command('add-key <credential>').description('hang a key on a credential'))
    .requiredOption('--name <text>', 'what it is called')
    .requiredOption('--collection <name>', 'what it opens, as the configuration names it')
    .option('--path <path>', 'only this file or folder of the collection')
    .option('--methods <list>', 'only these methods, GET among them', listOption)
    .option('--second-factor', 'whoever accepts a share of it has to prove one, which nobody can as yet')
    .addHelpText(
      'after',
      `
The credential's account opens it at once, and may share it: latchkey share create.

Example:
  latchkey credential add-key cd_… --name 'Front door' --collection hillside-door-cam --config latchkey.yaml`,
    )
    .action((id: string, options: AddKeyOptions) => {
      const body = {
        ...{ name: options.name, collection: options.collection },
        ...(options.path === undefined ? {} : { path: options.path }),
        ...(options.methods === undefined ? {} : { methods: options.methods.map((method) => method.toUpperCase()) }),
        ...(options.secondFactor === true ? { needs_second_factor: true } : {}),
      };
      return onKeys(options, credentialWords, async (api, { collections }) => {
        if (!collections.some(({ name }) => name === options.collection)) {
          throw new CommandError(`there is no collection ${JSON.stringify(options.collection)}`, {
            hint: `collections: ${collections.map(({ name }) => name).join(', ')}`,
          });
        }
        const path = `credentials/${encodeURIComponent(id)}/keys`;
        const key = await api.ask('POST', path, credentialKeyShape, body);
        printResult(options, key, key.id);
        printNote(`${styled('green', 'opens')} ${key.clean_url}`);
      });
    });
}

/** The file as a `data:` URL. @throws CommandError for a file that cannot be read, or that is no such picture */
function readPicture(file: string): string {
  let url: string | null;
  try {
    url = pictureUrl(readFileSync(file));
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${errorCode(error)}`, { hint: 'name a PNG, JPEG or WebP file' });
  }
  const { message = '', hint = '' } = credentialWords['bad-picture'] ?? {};
  if (url === null) throw usageError(message, hint);
  return url;
}
