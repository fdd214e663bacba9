// Opens store and keys for a command that works beside a gateway, or without one.
// While a gateway holds the data folder, the command only reads the store. Otherwise the command holds the folder itself, so that two
// processes never create files or keys at the same time. Nothing stays open after the command.

import { existsSync } from 'node:fs';
import type { Config } from '../../config/compiled/config.ts';
import { loadDeclaredKeys } from '../../control/node/load-declared-keys.ts';
import { type OpenedContext, openContext } from '../../control/node/open-context.ts';
import { openDataFolder } from '../../store/files/data-folder.ts';
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { CommandError, refusalError } from './command-error.ts';
import { printNote } from './terminal.ts';

/** The opened context and key ring that a command works with. */
export type CommandContext = Pick<Extract<OpenedContext, { readonly kind: 'opened' }>, 'context' | 'ring'>;

/**
 * Opens the store and its keys, runs `work`, and closes them.
 *
 * @param use  `read`: makes nothing; `make`: makes missing keys and tables, unless a gateway runs; `alone`: likewise, but refuses when
 *             another process holds the data folder, so that no edge runs that would have to hear of a change
 * @throws CommandError when the store or its keys cannot be opened
 */
export async function withStore<T>(
  config: Config,
  use: 'read' | 'make' | 'alone',
  work: (opened: CommandContext) => Promise<T> | T,
): Promise<T> {
  const declared = loadDeclaredKeys(config);
  if (declared.kind === 'refused') throw refusalError(declared);
  if (use === 'read') requireStoreFile(config);
  const folder = use === 'read' ? null : openDataFolder(config.dataDir);
  if (use === 'alone' && folder?.kind === 'refused') throw refusalError(folder);
  try {
    const opened = await openContext({
      config: () => config,
      declaredKeys: declared.keys,
      clock: { epochSeconds, monotonicMs },
      logger: createLogger({ role: 'command', level: 'error' }),
      // where a gateway holds the folder, it makes missing keys and tables itself
      missing: folder?.kind === 'opened' ? 'make' : 'refuse',
      // while this command holds the folder, no edge runs that would have to confirm
      confirm: () => Promise.resolve(),
      wakeOutbox: () => undefined,
    });
    if (opened.kind === 'refused') throw refusalError(opened);
    for (const note of opened.notes) printNote(note);
    try {
      return await work(opened);
    } finally {
      await opened.close();
    }
  } finally {
    if (folder?.kind === 'opened') folder.close();
  }
}

/** Refuses an SQLite file that does not exist, since opening would create it. @throws CommandError */
export function requireStoreFile({ store }: Pick<Config, 'store'>): void {
  if (store.kind !== 'sqlite' || existsSync(store.file)) return;
  throw new CommandError(`the store ${store.file} does not exist`, { hint: 'it is made by the first latchkey serve' });
}
