// `latchkey common-key …`: the content keys, which other servers may share. For keys that YAML declares, `generate` only makes the file of
// a secret; people change their states in YAML. Keys of the store are made, promoted, retired and exported by these commands.
// Only `generate` without --out and --config, and `export`, print a secret.

import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { usageError } from './command/command-error.ts';
import { requireConfig } from './command/load-config.ts';
import { printResult, styled, tableText } from './command/terminal.ts';
import {
  addStoreKey,
  exportCommand,
  promoteCommand,
  type RingOptions,
  retireCommand,
  writeNew,
} from './common-key/change-ring.ts';

interface GenerateOptions {
  readonly out?: string;
  readonly config?: string;
  readonly id?: string;
  readonly json?: boolean;
}

/** Adds `latchkey common-key …` to the program. */
export function commonKeyCommand(program: Command): void {
  const group = program
    .command('common-key')
    .description('make, list, exchange and hand out common keys')
    .helpCommand(false);
  group
    .command('generate')
    .description('make a new key: 43 characters, 256 random bits')
    .option('--out <file>', 'write it to a new file, mode 0600, for common_keys of a configuration')
    .option('--config <file>', 'add it to the keys that latchkey keeps itself; it verifies, and signs once promoted')
    .option('--id <id>', 'with --config: its name in tokens')
    .option('--json', 'print {secret}, {file} or the key as JSON')
    .addHelpText(
      'after',
      `
Without --config the secret itself is printed or written: the bytes are the key as they stand, one final newline dropped, so
other servers use the same text as their secret.

Examples:
  latchkey common-key generate --config latchkey.yaml
  latchkey common-key generate --out k2.secret
  # then in latchkey.yaml:  common_keys: [{ id: k2, secret_file: ./k2.secret, state: signing }]`,
    )
    .action((options: GenerateOptions) => generate(options));
  group
    .command('list')
    .description('list the keys of a configuration, without their secrets')
    .requiredOption('--config <file>', 'the configuration')
    .option('--json', 'print [{id, state, algorithm, purpose, owner}] as JSON')
    .addHelpText('after', '\nExample:\n  latchkey common-key list --config latchkey.yaml')
    .action(list);
  promoteCommand(group);
  retireCommand(group);
  exportCommand(group);
}

async function generate(options: GenerateOptions): Promise<void> {
  const { out, config, id } = options;
  if (config !== undefined) {
    if (out !== undefined) throw usageError('--out and --config exclude each other', 'a file, or the store');
    await addStoreKey({ config, ...(options.json === undefined ? {} : { json: options.json }) }, id);
    return;
  }
  if (id !== undefined) throw usageError('--id goes with --config', 'a file has no id; common_keys gives it one');
  const secret = randomBytes(32).toString('base64url');
  if (out === undefined) {
    printResult(options, { secret }, secret);
    return;
  }
  const file = writeNew(out, `${secret}\n`);
  printResult(options, { file }, `${styled('green', 'wrote')} ${file}`);
}

/** Lists the keys that YAML declares, else those of the store. Only reads, so it works whether a gateway runs or not. */
async function list(options: RingOptions): Promise<void> {
  const config = requireConfig(options.config);
  const { withStore } = await import('./command/open-store-for-command.ts');
  const files = new Map(config.commonKeys.map((key) => [key.id, key.secretFile]));
  const keys =
    files.size > 0
      ? config.commonKeys.map(({ id, state }) => keyRow({ id, state, algorithm: 'HS256', purpose: 'content' }, files))
      : await withStore(config, 'read', ({ ring }) => ring.keys.map((key) => keyRow(key, files)));
  const rows = keys.map((key) => [key.id, key.state, key.algorithm, key.purpose, key.owner]);
  printResult(options, keys, tableText([['ID', 'STATE', 'ALGORITHM', 'PURPOSE', 'OWNER'], ...rows]));
}

interface KeyFacts {
  readonly id: string;
  readonly state: string;
  readonly algorithm: string;
  readonly purpose: string;
}

function keyRow({ id, state, algorithm, purpose }: KeyFacts, files: ReadonlyMap<string, string>) {
  return { id, state, algorithm, purpose, owner: files.get(id) ?? 'store' };
}
