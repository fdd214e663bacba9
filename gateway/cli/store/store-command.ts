// What the store commands share: their options, and how they open the store, without its signing keys.

import type { Command } from 'commander';
import type { Config } from '../../config/compiled/config.ts';
import type { OpenStoreOptions } from '../../store/engine/open-store.ts';
import { openDataFolder } from '../../store/files/data-folder.ts';
import { type Store, StoreAway } from '../../store/port/store.ts';
import { epochSeconds } from '../../telemetry/clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { CommandError, refusalError } from '../command/command-error.ts';

export interface StoreCommandOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Adds `--config` and `--json`. */
export function withStoreOptions(command: Command): Command {
  return command.requiredOption('--config <file>', 'the configuration').option('--json', 'print JSON');
}

/** Options to open a store for a command. `patient`, since reading or writing a large store whole takes long. */
export function storeOptions({ store }: Config): Pick<OpenStoreOptions, 'settings' | 'clock' | 'logger' | 'patient'> {
  const logger = createLogger({ role: 'command', level: 'error' });
  return { settings: store, clock: { epochSeconds }, logger, patient: true };
}

/**
 * Runs `work` with the store, also beside a running gateway.
 *
 * @throws CommandError when the store cannot be reached, or its tables are older or newer than the program
 */
export async function withOpenStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  // imported only here, so that --help need not load the engines, which are most of the command's code
  const { openStore } = await import('../../store/engine/open-store.ts');
  const store = await openStore({ ...storeOptions(config), migrations: 'check' });
  if ('kind' in store) throw refusalError(store);
  try {
    return await answering(() => work(store));
  } finally {
    await store.close();
  }
}

/**
 * Runs `work` while this process holds the data folder, so that no gateway of this node runs.
 *
 * @param what  end of the message when a gateway runs: `nothing is restored into its store`
 * @throws CommandError when a gateway runs, or the store fails
 */
export async function withHeldFolder<T>(config: Config, what: string, work: () => Promise<T>): Promise<T> {
  const folder = openDataFolder(config.dataDir);
  if (folder.kind === 'refused') throw new CommandError(`${folder.problem}, so ${what}`, { hint: folder.hint });
  try {
    return await answering(work);
  } finally {
    folder.close();
  }
}

/** Runs `work`, and turns its StoreAway into a CommandError, which is shown as a line and not as a stack. */
async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreAway)) throw error;
    throw new CommandError(error.message, { hint: error.failure.hint });
  }
}
