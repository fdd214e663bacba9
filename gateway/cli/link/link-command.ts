// The options that all link commands have, and how these commands reach the endpoints.

import type { Command } from 'commander';
import type { Config } from '../../config/compiled/config.ts';
import { CommandError } from '../command/command-error.ts';
import { requireConfig } from '../command/load-config.ts';
import type { OperatorApi } from '../command/operator-api.ts';
import { linkWords } from './link-api.ts';

export interface LinkCommandOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds `--config` and `--json`. */
export function withLinkOptions(command: Command): Command {
  return command.requiredOption('--config <file>', 'the configuration').option('--json', 'print JSON');
}

/** Runs `work` on the gateway when one runs, else on the store. @throws CommandError when the configuration has no collections */
export async function onLinks(
  options: LinkCommandOptions,
  work: (api: OperatorApi, config: Config) => Promise<void>,
): Promise<void> {
  const config = requireConfig(options.config);
  if (config.collections.length === 0) {
    throw new CommandError(`${options.config} has no collections, so there is nothing to hand out links to`, {
      hint: 'collections: [{ name: summer, host: media.example.org, path: /vod/summer/, owners: [anna@example.org] }]',
    });
  }
  const { withOperatorApi } = await import('../command/operator-api.ts');
  await withOperatorApi(config, linkWords, (api) => work(api, config));
}

/** Refuses a name that no collection has. @throws CommandError whose hint lists the collections */
export function requireCollection({ collections }: Config, name: string): void {
  if (collections.some((collection) => collection.name === name)) return;
  throw new CommandError(`there is no collection ${JSON.stringify(name)}`, {
    hint: `collections: ${collections.map((collection) => collection.name).join(', ')}`,
  });
}
