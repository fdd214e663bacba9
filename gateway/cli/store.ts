// `latchkey store …`: the commands that back up, restore, migrate and check the store of a configuration, SQLite or PostgreSQL.

import type { Command } from 'commander';
import { checkCommand, migrateCommand } from './store/check-store.ts';
import { backupCommand, restoreCommand } from './store/keep-store.ts';

/** Adds `latchkey store …` to the program. */
export function storeCommand(program: Command): void {
  const group = program
    .command('store')
    .description('back up, restore, migrate and check the store')
    .helpCommand(false);
  for (const add of [backupCommand, restoreCommand, migrateCommand, checkCommand]) add(group);
}
