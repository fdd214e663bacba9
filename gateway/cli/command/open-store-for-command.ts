// Opens store and keys for a command that works beside a gateway, or without one.
// While a gateway holds the data folder its store is only read; otherwise the command holds the folder itself, so that
// nothing is ever made by two at once. Nothing stays open after the command.

import { existsSync } from 'node:fs';
import type { Config } from '../../config/compiled/config.ts';
import { loadDeclaredKeys } from '../../control/node/load-declared-keys.ts';
import { type OpenedContext, openContext } from '../../control/node/open-context.ts';
import { openDataFolder } from '../../store/files/data-folder.ts';
import { epochSeconds, monotonicMs } from '../../telemetry/clock.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { CommandError, refusalError } from './command-error.ts';
import { printNote } from './terminal.ts';

/** What the command may work with. */
export type CommandContext = Pick<Extract<OpenedContext, { readonly kind: 'opened' }>, 'context' | 'ring'>;

/**
 * @param use  `read`: nothing is made; `make`: keys and tables that are not there are made, unless a gateway runs;
 *             `alone`: likewise, and nobody else may hold the data folder, so that what is written needs no edge to hear of it
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
      // a folder that is held has a gateway that made everything, or could not
      missing: folder?.kind === 'opened' ? 'make' : 'refuse',
      // no edge hangs on a store whose folder is ours
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

/** Opening would make it. @throws CommandError when there is no database yet */
export function requireStoreFile({ store }: Pick<Config, 'store'>): void {
  if (store.kind !== 'sqlite' || existsSync(store.file)) return;
  throw new CommandError(`the store ${store.file} does not exist`, { hint: 'it is made by the first latchkey serve' });
}
