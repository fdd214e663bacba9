// `latchkey credential list`: lists credentials with the keys that hang off them.

import type { Command } from 'commander';
import type { z } from 'zod';
import { credentialKeysShape, type credentialShape, credentialsShape } from '../../api/v1/credential-shapes.ts';
import { listAll, queryOf } from '../command/list-pages.ts';
import { momentText } from '../command/moments.ts';
import { type KeyCommandOptions, onKeys, withKeyOptions } from '../command/shared-keys.ts';
import { printResult, tableText } from '../command/terminal.ts';
import { credentialWords } from './credential-words.ts';

type Credential = z.output<typeof credentialShape>;

/** Adds the command `list` to its group. */
export function listCommand(group: Command): void {
  withKeyOptions(group.command('list').description('list credentials and their keys, newest first'))
    .option('--search <text>', 'part of a name, an issuer, or an address')
    .addHelpText('after', '\nExample:\n  latchkey credential list --search anna@ --config latchkey.yaml')
    .action((options: KeyCommandOptions & { search?: string }) =>
      onKeys(options, credentialWords, async (api) => {
        const credentials = await listAll<Credential>(async (after) => {
          const path = `credentials?${queryOf({ search: options.search, after })}`;
          const page = await api.ask('GET', path, credentialsShape);
          return { items: page.credentials, next: page.next };
        });
        const rows: string[][] = [];
        const all: object[] = [];
        for (const credential of credentials) {
          const { keys } = await api.ask('GET', `credentials/${credential.id}/keys`, credentialKeysShape);
          all.push({ ...credential, picture: credential.picture !== null, keys });
          rows.push([
            ...[credential.id, credential.email ?? 'deleted', credential.state, momentText(credential.valid_until_at)],
            ...['', `${credential.name} (${credential.issuer})`],
          ]);
          for (const key of keys) {
            const state = key.removed_at === null ? 'key' : 'removed';
            rows.push([`  ${key.id}`, '', state, '', key.clean_url, key.name]);
          }
        }
        const head = ['ID', 'ACCOUNT', 'STATE', 'VALID UNTIL', 'OPENS', 'NAME'];
        printResult(options, all, tableText([head, ...rows]));
      }),
    );
}
