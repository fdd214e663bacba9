// `latchkey common-key promote|retire|export`, and `generate` for the store: the commands for the signing keys that the store keeps.
// When a command returns, its change is in force on every edge of a running gateway. Of these commands only `export` prints secrets.

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import {
  exportedSigningKeyShape,
  type Key,
  signingKeyShape,
  signingKeysShape,
} from '../../api/v1/common-key-shapes.ts';
import { createFile, errorCode } from '../../store/disk/atomic-file.ts';
import { CommandError, refusalError } from '../command/command-error.ts';
import { requireConfig } from '../command/load-config.ts';
import type { OperatorApi } from '../command/operator-api.ts';
import { printNote, printResult, styled } from '../command/terminal.ts';
import { keyWords, refuseDeclared } from './key-api.ts';
import { type KeyForm, keyForms, keyText, type SharedKey } from './key-forms.ts';

export interface RingOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds a signing key that verifies to the store's ring. @param id  undefined to have latchkey choose one @throws CommandError */
export async function addStoreKey(options: RingOptions, id: string | undefined): Promise<void> {
  await onRing(options, async (api) => {
    const key = await api.ask('POST', 'common-keys', signingKeyShape, {
      purpose: 'content',
      ...(id === undefined ? {} : { id }),
    });
    printResult(options, key, `${styled('green', 'added')} ${key.id} (${key.state})`);
    printNote(
      `bring it to your other servers (common-key export ${key.id}), then: latchkey common-key promote ${key.id}`,
    );
  });
}

/** Adds the command `promote` to its group. */
export function promoteCommand(group: Command): void {
  ringCommand(group.command('promote <id>').description('have a key sign; the one before it goes on verifying'))
    .addHelpText(
      'after',
      `
First give the key to every server that checks tokens: common-key export.

Example:
  latchkey common-key promote k_… --config latchkey.yaml`,
    )
    .action((id: string, options: RingOptions) =>
      onRing(options, async (api) => {
        const key = await api.ask('POST', `common-keys/${encodeURIComponent(id)}/promote`, signingKeyShape, {});
        printResult(options, key, `${key.id} is ${styled('green', key.state)}`);
      }),
    );
}

/** Adds the command `retire` to its group. */
export function retireCommand(group: Command): void {
  ringCommand(group.command('retire <id>').description('refuse every token of a key, for good'))
    .option('--force', 'also when tokens of it may still hold')
    .addHelpText(
      'after',
      `
Refused while tokens may hang on it, which is max_token_ttl after it signed last. --force is for a key that leaked.

Example:
  latchkey common-key retire k_… --config latchkey.yaml`,
    )
    .action((id: string, options: RingOptions & { force?: boolean }) =>
      onRing(options, async (api) => {
        const body = { force: options.force === true };
        const key = await api.ask('POST', `common-keys/${encodeURIComponent(id)}/retire`, signingKeyShape, body);
        printResult(options, key, `${key.id} is ${key.state}; its tokens are refused`);
      }),
    );
}

/** Adds the command `export` to its group. */
export function exportCommand(group: Command): void {
  ringCommand(
    group.command('export [id...]').description('print keys for other servers; without ids, all that sign or verify'),
    false,
  )
    .addOption(new Option('--form <form>', 'as what').choices(keyForms).default('jwk'))
    .option('--out <file>', 'write to a new file, mode 0600, instead of stdout')
    .addHelpText(
      'after',
      `
  jwk      a JWK Set, for JWT libraries
  njs      {"id":"secret"}, the file of config/peers/nginx-njs.conf
  haproxy  environment of HAProxy, with the lines of config/peers/haproxy-jwt.cfg
  plain    one key as a secret_file of another latchkey has it

Whoever has a content key can make tokens that open everything behind it. Each export is in the audit log.

Examples:
  latchkey common-key export --form njs --out latchkey-keys.json --config latchkey.yaml
  latchkey common-key export k_… --form plain --out k.secret --config latchkey.yaml`,
    )
    .action((ids: readonly string[], options: RingOptions & { form: KeyForm; out?: string }) =>
      onRing(options, async (api) => {
        const wanted = ids.length > 0 ? ids : (await contentKeys(api)).map((key) => key.id);
        const keys: SharedKey[] = [];
        for (const id of wanted) {
          const { secret } = await api.ask(
            'POST',
            `common-keys/${encodeURIComponent(id)}/export`,
            exportedSigningKeyShape,
            {},
          );
          keys.push({ id, secret: Buffer.from(secret, 'base64url') });
        }
        const made = keyText(keys, options.form);
        if (made.kind === 'refused') throw refusalError(made);
        if (options.out === undefined) process.stdout.write(made.text);
        else writeNew(options.out, made.text);
      }),
    );
}

/**
 * Writes a new file that only its owner may read.
 *
 * @returns the file's absolute path
 * @throws CommandError when the file exists already or cannot be written
 */
export function writeNew(out: string, text: string): string {
  const file = resolve(out);
  let isNew: boolean;
  try {
    isNew = createFile(file, text);
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${errorCode(error)}`, {
      hint: 'name a file in a folder you may write to',
    });
  }
  if (!isNew)
    throw new CommandError(`${file} exists already`, { hint: 'tokens may hang on the key in it; name a new file' });
  return file;
}

async function contentKeys(api: OperatorApi): Promise<readonly Key[]> {
  const { keys } = await api.ask('GET', 'common-keys', signingKeysShape);
  return keys.filter((key) => key.purpose === 'content' && key.owner === 'store' && key.state !== 'retired');
}

async function onRing(options: RingOptions, work: (api: OperatorApi) => Promise<void>): Promise<void> {
  const config = requireConfig(options.config);
  refuseDeclared(config, options.config);
  const { withOperatorApi } = await import('../command/operator-api.ts');
  await withOperatorApi(config, keyWords, work);
}

function ringCommand(command: Command, json = true): Command {
  command.requiredOption('--config <file>', 'the configuration');
  return json ? command.option('--json', 'print JSON') : command;
}
