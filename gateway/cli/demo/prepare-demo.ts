// Prepares a folder from which `latchkey serve` can run the demo: configuration, user record, accounts, signing key, two tokens.
// Each start writes the configuration again, gives alice a new password, and makes new sign-in links for the accounts of the portal;
// accounts, links and keys stay in the store from one start to the next.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { mintToken } from '../../core/token/common-key-token.ts';
import { replaceFile } from '../../store/disk/atomic-file.ts';
import { openDataFolder } from '../../store/files/data-folder.ts';
import { addUser } from '../../store/files/users.ts';
import { randomBase32 } from '../../store/seal/random-base32.ts';
import { epochSeconds } from '../../telemetry/clock.ts';
import { requireConfig } from '../command/load-config.ts';
import { withStore } from '../command/open-store-for-command.ts';
import { type DemoPeople, demoPeople, prepareDemoPeople } from './demo-accounts.ts';
import { type DemoHosts, demoNames } from './demo-names.ts';

/** How long the printed tokens hold. */
export const demoTokenHours = 12;

interface PreparedDemo extends DemoPeople {
  readonly kind: 'prepared';
  readonly configFile: string;
  /** File of `mail.log`. */
  readonly mailsFile: string;
  /** File with one JSON line for each request that the media site saw. */
  readonly mediaLog: string;
  readonly password: string;
  /** Opens everything below `/vod/`. */
  readonly mediaToken: string;
  /** Opens everything on the app's host. */
  readonly appToken: string;
}

interface DemoOptions {
  /** Absolute path; made when missing. */
  readonly folder: string;
  /** Port of the gateway. Never 0, since the portal's URL contains it. */
  readonly port: number;
  readonly hosts: DemoHosts;
  readonly mediaPort: number;
  readonly webPort: number;
  readonly notesPort: number;
}

/** Why the folder cannot be used. */
interface RefusedDemo {
  readonly kind: 'refused';
  readonly problem: string;
  readonly hint: string;
}

/** Prepares the folder. Refuses a folder in which a gateway runs already, since a new password for alice would break that demo. */
export async function prepareDemo(options: DemoOptions): Promise<PreparedDemo | RefusedDemo> {
  const { folder } = options;
  const state = join(folder, 'state');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const held = openDataFolder(state);
  if (held.kind === 'refused') return held;
  held.close();

  const usersFile = join(folder, 'users');
  const password = randomBase32(12);
  const added = await addUser(usersFile, demoNames.user, password);
  if (added.kind === 'refused') return added;

  const configFile = join(folder, 'demo.yaml');
  replaceFile(configFile, describeConfig(options));
  const { key, people } = await withStore(requireConfig(configFile), 'alone', async ({ context, ring }) => ({
    key: ring.ring.signer('content'),
    people: await prepareDemoPeople(context),
  }));
  if (key === null) return { kind: 'refused', problem: `no signing key in ${state}`, hint: `remove ${state}` };

  const now = epochSeconds();
  const claims = { sub: demoNames.user, iat: now, exp: now + demoTokenHours * 3600 };
  const person = { name: 'Alice Example', email: 'alice@example.org', groups: ['editors', 'viewers'] };

  return {
    kind: 'prepared',
    configFile,
    mailsFile: join(folder, 'mails'),
    mediaLog: join(folder, 'media-site.log'),
    password,
    mediaToken: mintToken({ ...claims, paths: ['/vod/*'] }, { key, type: 'outside' }),
    appToken: mintToken({ ...claims, ...person, paths: ['/*'], hosts: [options.hosts.app] }, { key, type: 'outside' }),
    ...people,
  };
}

/** The configuration as YAML text. Its paths are relative to the configuration's own folder. @testing */
export function describeConfig({ port, hosts, mediaPort, webPort, notesPort }: Omit<DemoOptions, 'folder'>): string {
  const { webUpstream, collection, collectionPath, signedInPath } = demoNames;
  const config = {
    listeners: [{ address: `${hosts.listen}:${port}` }],
    operations: { address: '127.0.0.1:0' },
    data_dir: './state',
    edges: 2,
    users_file: './users',
    portal: { public_url: `http://${hosts.portal}:${port}` },
    // whoever opens a good link needs no account before
    accounts: { registration: 'by_link', domains: [] },
    mail: { from: 'latchkey <keys@example.org>', log: './mails' },
    collections: [{ name: collection, host: hosts.media, path: collectionPath, owners: [demoPeople.owner.email] }],
    upstreams: {
      media: { servers: [`http://127.0.0.1:${mediaPort}`] },
      [webUpstream]: { servers: [`http://127.0.0.1:${webPort}`] },
      notes: { servers: [`http://127.0.0.1:${notesPort}`] },
    },
    routes: [
      { name: 'vod', host: hosts.media, path: '/vod/', upstream: 'media', accept: ['token', 'password'] },
      // without `session`, which would let in every account, so that nobody would need a link; without `password`, for which a
      // browser would ask in the middle of the film once the access has ended
      {
        ...{ name: collection, host: hosts.media, path: collectionPath, upstream: 'media' },
        ...{ accept: ['token', 'member'], max_staleness: '10s' },
      },
      {
        ...{ name: 'signed-in', host: hosts.app, path: signedInPath, upstream: webUpstream },
        ...{ accept: ['token', 'session', 'member'], max_staleness: '10s', identity: 'oauth2-proxy', assertion: true },
      },
      {
        ...{ name: 'app', host: hosts.app, path: '/', upstream: webUpstream, accept: ['token'] },
        ...{ identity: 'oauth2-proxy', assertion: true },
      },
      { name: 'public', host: hosts.app, path: '/public/', upstream: webUpstream, accept: ['anyone'] },
      {
        ...{ name: 'notes', host: hosts.notes, path: '/', upstream: 'notes' },
        ...{ accept: ['session'], max_staleness: '10s', identity: 'authelia' },
      },
    ],
    logs: { level: 'warn', access: './access.log', decisions: './decisions.log' },
  };
  const head = '# Written by `latchkey demo` at each start; changes in here do not last. Copy it to begin your own.\n';
  return head + stringify(config);
}
