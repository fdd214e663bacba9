// The files of whole nodes, and the accounts in their store: what is there before any of them starts.
// Accounts come from the same use cases as in the program, in this process, so that nobody waits for passwords to be hashed.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Config } from '../../../gateway/config/compiled/config.ts';
import { loadConfig } from '../../../gateway/config/load.ts';
import { formatProblem } from '../../../gateway/config/problems/format.ts';
import { makeSignInLink } from '../../../gateway/control/accounts/administer-accounts.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { loadDeclaredKeys } from '../../../gateway/control/node/load-declared-keys.ts';
import { type OpenedContext, openContext } from '../../../gateway/control/node/open-context.ts';
import { epochSeconds, monotonicMs } from '../../../gateway/telemetry/clock.ts';
import { createLogger } from '../../../gateway/telemetry/logger.ts';

/** The common key, of all nodes. */
export const nodeKey = { id: 'k1', secret: 'common-key-of-the-nodes-k1-0123456789abcdef' };
/** Of the route whose knowledge may be so old as `staleness` says; members get in there. */
export const stalePath = '/vod/';
/** Its tokens cannot be revoked. */
export const steadyPath = '/steady/';
export const collectionPath = '/vod/summer/';

/** An account that can sign in once with its code. */
export interface RigAccount {
  readonly email: string;
  readonly accountId: string;
  readonly code: string;
}

interface NodeFiles {
  readonly folder: string;
  /** One for each node, as `store:` says it. */
  readonly stores: readonly string[];
  readonly edges: number;
  /** How old the knowledge of each node may be. */
  readonly staleness: readonly string[];
  readonly upstreamPort: number;
  /** URL of the mail server. Default: mails go to a file. */
  readonly smtp?: string | undefined;
  /** `sharing:`, as the file says it. Default: nothing is said. */
  readonly sharing?: object | undefined;
  /** Of the listeners. The first is the fleet's, by which its hosts are named. */
  readonly ports: readonly number[];
}

/** Writes keys and configurations. @returns one configuration file for each node */
export function writeNodeFiles({
  folder,
  stores,
  edges,
  staleness,
  upstreamPort,
  ports,
  smtp,
  sharing,
}: NodeFiles): string[] {
  writeFileSync(join(folder, 'master.key'), `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'k1.secret'), nodeKey.secret, { mode: 0o600 });
  return stores.map((store, index) => {
    const home = join(folder, `n${index}`);
    mkdirSync(home);
    const file = join(home, 'latchkey.yaml');
    const host = 'media.localhost';
    // JSON is YAML
    const whole = {
      listeners: [{ address: `127.0.0.1:${ports[index]}` }],
      operations: { address: '127.0.0.1:0' },
      data_dir: './data',
      edges,
      store,
      master_key_file: '../master.key',
      common_keys: [{ id: nodeKey.id, secret_file: '../k1.secret', state: 'signing' }],
      portal: { public_url: `http://portal.localhost:${ports[0]}` },
      mail: { from: 'keys@example.org', ...(smtp === undefined ? { log: './mails.log' } : { smtp }) },
      ...(sharing === undefined ? {} : { sharing }),
      collections: [{ name: 'summer', host, path: collectionPath, owners: ['owner@example.org'] }],
      upstreams: { media: { servers: [`http://127.0.0.1:${upstreamPort}`] } },
      routes: [
        {
          ...{ name: 'vod', host, path: stalePath, upstream: 'media', accept: ['token', 'member'] },
          max_staleness: staleness[index] ?? '1d',
        },
        { name: 'steady', host, path: steadyPath, upstream: 'media', accept: ['token'], revocation: 'none' },
      ],
      // the supervisor says which processes it starts
      logs: { level: 'debug' },
      // whatever else the machine does meanwhile
      limits: { max_event_loop_delay: '1d' },
    };
    writeFileSync(file, JSON.stringify(whole, null, 2));
    return file;
  });
}

/** @throws Error  the file is not valid */
export function loadNodeConfig(file: string): Config {
  const loaded = loadConfig(file, () => undefined);
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

/** The owner, `owner@example.org`, and as many people, who are vouched for. */
export async function makeRigAccounts(config: Config, people: number): Promise<RigAccount[]> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const { context, close } = await openRigContext(config, 'make');
  try {
    const emails = ['owner@example.org', ...Array.from({ length: people }, (_, index) => `p${index}@example.org`)];
    return await Promise.all(
      emails.map(async (email) => {
        const made = await createAccount(context, { kind: 'operator' }, { email, invited: false });
        if (made.kind === 'refused') throw new Error(`${email}: ${made.reason}`);
        const { accountId } = made;
        const link = await makeSignInLink(context, { kind: 'operator' }, { accountId, mail: false });
        if (link.kind === 'refused') throw new Error(`${email}: ${link.reason}`);
        return { email, accountId, code: link.code };
      }),
    );
  } finally {
    await close();
  }
}

/** @param missing  `refuse` beside nodes that run */
export async function openRigContext(
  config: Config,
  missing: 'make' | 'refuse',
): Promise<Extract<OpenedContext, { readonly kind: 'opened' }>> {
  const declared = loadDeclaredKeys(config);
  if (declared.kind === 'refused') throw new Error(declared.problem);
  const opened = await openContext({
    config: () => config,
    declaredKeys: declared.keys,
    clock: { epochSeconds, monotonicMs },
    logger: createLogger({ role: 'command', level: 'error' }),
    missing,
    confirm: () => Promise.resolve(),
    wakeOutbox: () => undefined,
  });
  if (opened.kind === 'refused') throw new Error(`${opened.problem} (${opened.hint})`);
  return opened;
}

/** Ports that were free a moment ago, all different. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
