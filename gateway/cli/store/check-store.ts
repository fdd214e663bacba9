// `latchkey store migrate|check`: brings the tables up to date without starting the gateway, and looks for damage in the store.
// `check` repairs nothing.

import type { Command } from 'commander';
import { CommandError, refusalError } from '../command/command-error.ts';
import { requireConfig } from '../command/load-config.ts';
import { printResult, styled } from '../command/terminal.ts';
import { type StoreCommandOptions, storeOptions, withHeldFolder, withStoreOptions } from './store-command.ts';

/** Adds the command `migrate` to its group. */
export function migrateCommand(group: Command): void {
  withStoreOptions(group.command('migrate').description('bring the tables up to date with this program'))
    .addHelpText(
      'after',
      `
serve does this by itself when it starts. Before an update of several nodes: make a backup, stop them, migrate, start them.
An older program refuses a store that was migrated by a newer one.

Example:
  latchkey store migrate --config latchkey.yaml`,
    )
    .action(async (options: StoreCommandOptions) => {
      const config = requireConfig(options.config);
      const done = await withHeldFolder(config, 'its store is not migrated by command', async () => {
        const { migrate } = await import('../../store/engine/migrations.ts');
        const { openEngine } = await import('../../store/engine/open-store.ts');
        const { settings, ...rest } = storeOptions(config);
        const engine = await openEngine(settings, rest);
        if ('away' in engine) throw refusalError(engine);
        try {
          return await migrate(engine, 'apply');
        } finally {
          await engine.close();
        }
      });
      if (done.kind === 'refused') throw refusalError(done);
      const { from, to } = done;
      const text = from === to ? `up to date: migration ${to}` : `${styled('green', 'migrated')} from ${from} to ${to}`;
      printResult(options, { from, to }, text);
    });
}

/** Adds the command `check` to its group. */
export function checkCommand(group: Command): void {
  withStoreOptions(
    group.command('check').description('look for damage: file, rows, counts, log, seals; repairs nothing'),
  )
    .addHelpText(
      'after',
      `
Exit code 0 when all is well, 1 when something is not. Works beside a running gateway.

Example:
  latchkey store check --config latchkey.yaml`,
    )
    .action(async (options: StoreCommandOptions) => {
      const config = requireConfig(options.config);
      const { withStore } = await import('../command/open-store-for-command.ts');
      const { checkStore } = await import('../../store/files/check-store.ts');
      const problems = await withStore(config, 'read', ({ context }) => checkStore(context.store, context.sealing));
      const holds = problems.length === 0;
      const text = holds
        ? `the store is ${styled('green', 'sound')}`
        : problems.map((each) => `${each.check}: ${each.problem}`).join('\n');
      printResult(options, { holds, problems }, text);
      if (!holds) {
        const found = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
        throw new CommandError(`the store has ${found}`, { hint: 'keep this copy, and restore a backup' });
      }
    });
}
