// The options that all account commands have, and how these commands reach the endpoints.

import type { Command } from 'commander';
import type { Config } from '../../config/compiled/config.ts';
import { requireConfig } from '../command/load-config.ts';
import type { OperatorApi } from '../command/operator-api.ts';
import { accountWords } from './account-api.ts';

export interface AccountCommandOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds `--config` and `--json`. */
export function withAccountOptions(command: Command): Command {
  return command.requiredOption('--config <file>', 'the configuration').option('--json', 'print JSON');
}

/** Runs `work` on the gateway when one runs, else on the store. @throws CommandError when neither can be reached */
export async function onAccounts(
  options: AccountCommandOptions,
  work: (api: OperatorApi, config: Config) => Promise<void>,
): Promise<void> {
  const config = requireConfig(options.config);
  const { withOperatorApi } = await import('../command/operator-api.ts');
  await withOperatorApi(config, accountWords, (api) => work(api, config));
}
