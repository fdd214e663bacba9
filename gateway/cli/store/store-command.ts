// What the store commands share: options, and opening the store as it is, without the keys and the ring.

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

/** How a command opens a store: patient, since a large one is read or written whole. */
export function storeOptions({ store }: Config): Pick<OpenStoreOptions, 'settings' | 'clock' | 'logger' | 'patient'> {
  const logger = createLogger({ role: 'command', level: 'error' });
  return { settings: store, clock: { epochSeconds }, logger, patient: true };
}

/** Reads a store, also beside a running gateway. @throws CommandError when it is not there, older or newer than the program */
export async function withOpenStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  // loaded here and not for --help: the engines are most of what the command needs
  const { openStore } = await import('../../store/engine/open-store.ts');
  const store = await openStore({ ...storeOptions(config), migrations: 'check' });
  if ('kind' in store) throw refusalError(store);
  try {
    return await answering(() => work(store));
  } finally {
    await store.close();
  }
}

/** Holds the data folder meanwhile, so that no gateway of this node runs. @throws CommandError when one does */
export async function withHeldFolder<T>(config: Config, what: string, work: () => Promise<T>): Promise<T> {
  const folder = openDataFolder(config.dataDir);
  if (folder.kind === 'refused') throw new CommandError(`${folder.problem}, so ${what}`, { hint: folder.hint });
  try {
    return await answering(work);
  } finally {
    folder.close();
  }
}

/** A store that goes away while a command works is a line for people. */
async function answering<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreAway)) throw error;
    throw new CommandError(error.message, { hint: error.failure.hint });
  }
}
