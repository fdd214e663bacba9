// `latchkey common-key generate|list`: a new secret for several content servers to share, and which keys are in use.
// A secret is printed only by `generate` without --out.

import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { createFile, errorCode } from '../store/atomic-file.ts';
import { CommandError } from './command-error.ts';
import { requireConfig, requireKeyRing } from './load-config.ts';
import { printResult, styled, tableText } from './terminal.ts';

export function commonKeyCommand(program: Command): void {
  const group = program.command('common-key').description('make and list common keys').helpCommand(false);
  group
    .command('generate')
    .description('make a new secret: 43 characters, 256 random bits')
    .option('--out <file>', 'write it to a new file, mode 0600, instead of stdout')
    .option('--json', 'print {secret} or {file} as JSON')
    .addHelpText(
      'after',
      `
The file's bytes are the key as they stand, one final newline dropped; so other servers use the same text as their secret.

Examples:
  latchkey common-key generate --out k2.secret
  # then in latchkey.yaml:  common_keys: [{ id: k2, secret_file: ./k2.secret, state: signing }]`,
    )
    .action((options: { out?: string; json?: boolean }) => generate(options));
  group
    .command('list')
    .description('list the keys of a configuration, without their secrets')
    .requiredOption('--config <file>', 'the configuration')
    .option('--json', 'print [{id, state, algorithm, owner}] as JSON')
    .action(async (options: { config: string; json?: boolean }) => {
      const config = requireConfig(options.config);
      const ring = await requireKeyRing(config, { missing: 'refuse' });
      const files = new Map(config.commonKeys.map((key) => [key.id, key.secretFile]));
      const keys = ring.keys().map(({ record: { id, state, algorithm } }) => ({
        id,
        state,
        algorithm,
        owner: files.get(id) ?? 'store',
      }));
      const rows = keys.map((key) => [key.id, key.state, key.algorithm, key.owner]);
      printResult(
        options,
        keys,
        tableText([['id', 'state', 'algorithm', 'owner'].map((name) => name.toUpperCase()), ...rows]),
      );
    });
}

function generate(options: { out?: string; json?: boolean }): void {
  const secret = randomBytes(32).toString('base64url');
  if (options.out === undefined) {
    printResult(options, { secret }, secret);
    return;
  }
  const file = resolve(options.out);
  let isNew: boolean;
  try {
    isNew = createFile(file, `${secret}\n`);
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${errorCode(error)}`, {
      hint: 'name a file in a folder you may write to',
    });
  }
  if (!isNew)
    throw new CommandError(`${file} exists already`, { hint: 'tokens may hang on the key in it; name a new file' });
  printResult(options, { file }, `${styled('green', 'wrote')} ${file}`);
}
