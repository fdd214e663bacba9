// `latchkey store backup|restore`: copies the whole store into one file, and puts such a file back. A restore prints everything that it
// ends, since people will ask. Rules: gateway/RULES.md "Restore".

import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../../config/compiled/config.ts';
import type { Restored } from '../../store/files/restore.ts';
import { epochSeconds, isoTime } from '../../telemetry/clock.ts';
import { CommandError, refusalError } from '../command/command-error.ts';
import { requireConfig } from '../command/load-config.ts';
import { printNote, printResult, styled } from '../command/terminal.ts';
import {
  type StoreCommandOptions,
  storeOptions,
  withHeldFolder,
  withOpenStore,
  withStoreOptions,
} from './store-command.ts';

/** Adds the command `backup` to its group. */
export function backupCommand(group: Command): void {
  withStoreOptions(
    group.command('backup <file>').description('copy the whole store into a file, also while a gateway runs'),
  )
    .addHelpText(
      'after',
      `
The file is replaced when it is there, and has mode 0600. What is sealed in it stays sealed: keep a copy of the master key
(master.key in data_dir, or master_key_file) in another place, since a backup is of no use without it.

Example:
  latchkey store backup "backups/$(date +%F).jsonl" --config latchkey.yaml`,
    )
    .action(async (out: string, options: StoreCommandOptions) => {
      const config = requireConfig(options.config);
      const { requireStoreFile } = await import('../command/open-store-for-command.ts');
      requireStoreFile(config);
      const { backupStore } = await import('../../store/files/backup.ts');
      const file = resolve(out);
      const made = await withOpenStore(config, (store) => backupStore({ store, file, clock: { epochSeconds } }));
      if (made.kind === 'refused') throw refusalError(made);
      const { rows, position } = made;
      printResult(options, { file, rows, ...position }, `${styled('green', 'wrote')} ${file} (${rows} rows)`);
    });
}

/** Adds the command `restore` to its group. */
export function restoreCommand(group: Command): void {
  withStoreOptions(group.command('restore <file>').description('put a backup into the store; no gateway may run'))
    .option('--force', 'replace what the store holds now')
    .addHelpText(
      'after',
      `
A backup does not know what was revoked after it, so whatever was given out before ends: everybody signs in again, links that
nobody had claimed are revoked, invitations and codes are void. Accounts, memberships and keys are as they were.
Stop every node of the store first. The file is read to its end before anything changes.

Example:
  latchkey store restore backups/2026-06-01.jsonl --force --config latchkey.yaml`,
    )
    .action(async (from: string, options: StoreCommandOptions & { force?: boolean }) => {
      const config = requireConfig(options.config);
      const { restoreStore } = await import('../../store/files/restore.ts');
      const restored = await withHeldFolder(config, 'nothing is restored into its store', () =>
        restoreStore({
          ...storeOptions(config),
          file: resolve(from),
          over: options.force === true ? 'everything' : 'empty',
        }),
      );
      if (restored.kind === 'refused') throw refusalError(restored);
      const { kind: _kind, ...facts } = restored;
      printResult(options, facts, describeRestored(restored));
      printNote(rotationAdvice(config, options.config));
      await requireItsMasterKey(config);
    });
}

function describeRestored({ from, rows, ended, shares_held, back_in_force }: Restored): string {
  const lines = [
    `${styled('green', 'restored')} ${rows} rows of ${isoTime(from.at * 1000)}`,
    `  ${count(ended.sessions, 'session')} ended: everybody signs in again`,
    `  ${count(ended.links, 'link')} revoked that nobody had claimed: make new ones`,
    `  ${count(ended.narrowed_links, 'link')} closed for new people; members stay, and reopen opens them again`,
    `  ${count(ended.codes, 'code')} void: invitations, sign-in links, mails to confirm an address`,
    `  ${count(ended.messages, 'mail')} not sent any more`,
    `  ${count(ended.shares, 'offer')} of a key withdrawn that nobody had accepted: share again`,
    `  ${count(ended.narrowed_shares, 'shared key')} with a number of uses left without any: the giver sets how many`,
    `  ${count(shares_held, 'shared key')} held; passes of them are made anew`,
    '  sessions, passes and URLs with a pass from before are refused, memberships hold',
    ...describeBack(back_in_force, shares_held),
  ];
  return lines.join('\n');
}

/** What was ended after the backup and holds again, as far as the replaced store knew. */
function describeBack(back: Restored['back_in_force'], sharesHeld: number): string[] {
  if (back === null) {
    return sharesHeld === 0
      ? []
      : ['  shared keys that were ended after the backup hold again, and nobody knows which: latchkey share list'];
  }
  const lines = [
    ['shared key', 'latchkey share revoke', back.shares],
    ['credential', 'latchkey credential withdraw', back.credentials],
    ['key', 'latchkey credential remove-key', back.keys],
  ] as const;
  return lines
    .filter(([, , ids]) => ids.length > 0)
    .map(([what, command, ids]) => {
      const named = `${ids.slice(0, 20).join(' ')}${ids.length > 20 ? ' … (--json names all)' : ''}`;
      return `  ${count(ids.length, what)} that ended after the backup in force again; to end: ${command} ID, for ${named}`;
    });
}

/** Advice about outside tokens: they carry no epoch, so the restore cannot end them, and their revocations after the backup are lost. */
function rotationAdvice({ commonKeys }: Config, file: string): string {
  const advice =
    commonKeys.length > 0
      ? `put a new key into common_keys of ${file}, and retire the ones before`
      : `latchkey common-key generate --config ${file}, promote it, then retire the one before with --force`;
  return `tokens of the common key that were revoked after the backup hold again. To end them all: ${advice}`;
}

/** Checks that the present master key opens the restored rows, since a failure is better reported now than at the next start. */
async function requireItsMasterKey(config: Config): Promise<void> {
  const { withStore } = await import('../command/open-store-for-command.ts');
  try {
    await withStore(config, 'read', () => undefined);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(`the backup is restored, but latchkey cannot start on it: ${error.message}`, {
      hint: error.hint,
    });
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
