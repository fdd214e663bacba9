// What the commands about credentials and about shares have in common: their options, their words for refusals, and how they reach the
// endpoints. `--json` prints the answers as they come.

import type { Command } from 'commander';
import type { Config } from '../../config/compiled/config.ts';
import { requireConfig } from './load-config.ts';
import type { OperatorApi } from './operator-api.ts';
import type { RefusalWords } from './refusal-words.ts';

export interface KeyCommandOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds `--config` and `--json`. */
export function withKeyOptions(command: Command): Command {
  return command.requiredOption('--config <file>', 'the configuration').option('--json', 'print JSON');
}

/** Runs `work` on the gateway when one runs, else on the store. @throws CommandError when neither can be reached */
export async function onKeys(
  options: KeyCommandOptions,
  words: RefusalWords,
  work: (api: OperatorApi, config: Config) => Promise<void>,
): Promise<void> {
  const config = requireConfig(options.config);
  const { withOperatorApi } = await import('./operator-api.ts');
  await withOperatorApi(config, words, (api) => work(api, config));
}
