// One or two whole nodes (`latchkey serve` with folders, ports and edges of their own) over one store, with an upstream, a portal,
// a collection, its owner, and people who sign in by plain HTTP. The accounts are made before the nodes start, by the same use cases.
// Works in tests and in commands: the rig knows nothing of a test runner, and the code that starts it closes it.

import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'undici';
import type { Config } from '../../../gateway/config/compiled/config.ts';
import type { ControlContext } from '../../../gateway/control/context/control-context.ts';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { type BrowserAnswer, NodeBrowser } from '../clients/node-browser.ts';
import { switching } from '../clients/websocket.ts';
import {
  collectionPath,
  findFreePorts,
  loadNodeConfig,
  makeRigAccounts,
  nodeKey,
  openRigContext,
  type RigAccount,
  steadyPath,
  writeNodeFiles,
} from './node-config.ts';
import { NodeProcess } from './node-process.ts';

interface NodeRigOptions {
  /** `store:` of each node; one entry, one node. The same database for all. */
  readonly stores: readonly string[];
  /** Way to the database that is never cut, for the rig itself. Default: the first node's. */
  readonly directStore?: string;
  /** Beside the owner. */
  readonly people: number;
  /** Default 1. */
  readonly edges?: number;
  /** URL of the mail server. Default: mails go to `mails.log` of each node. */
  readonly smtp?: string;
  /** `sharing:` of the configuration. Default: nothing is said. */
  readonly sharing?: object;
  /** How old the knowledge of each node may be. Default: a day, whatever else the machine does meanwhile. */
  readonly staleness?: readonly string[];
}

/** A person with an account and a browser. */
export interface RigPerson extends RigAccount {
  readonly browser: NodeBrowser;
}

export interface RigNode {
  readonly process: NodeProcess;
  /** Connections to its listener. */
  readonly pool: Pool;
}

interface RigOrder {
  /** Default 0. */
  readonly node?: number;
  /** Default POST. */
  readonly method?: 'GET' | 'POST';
  readonly body?: object;
}

/** A link, and the secret that opens it. */
export interface RigLink {
  readonly id: string;
  readonly url: string;
  /** Origin and folder that it opens. */
  readonly folder: string;
}

export class NodeRig {
  readonly folder: string;
  readonly nodes: readonly RigNode[];
  readonly mediaOrigin: string;
  readonly portalOrigin: string;
  readonly owner: RigPerson;
  readonly people: readonly RigPerson[];
  readonly #config: Config;
  readonly #upstream: Server;

  private constructor(parts: {
    folder: string;
    nodes: readonly RigNode[];
    port: number;
    config: Config;
    upstream: Server;
    accounts: readonly RigAccount[];
  }) {
    this.folder = parts.folder;
    this.nodes = parts.nodes;
    this.#config = parts.config;
    this.#upstream = parts.upstream;
    this.mediaOrigin = `http://media.localhost:${parts.port}`;
    this.portalOrigin = `http://portal.localhost:${parts.port}`;
    const everybody = parts.accounts.map((account, index) => ({ ...account, browser: this.browser(index) }));
    const [owner, ...people] = everybody;
    if (owner === undefined) throw new Error('a rig has an owner');
    this.owner = owner;
    this.people = people;
  }

  static async start(options: NodeRigOptions): Promise<NodeRig> {
    const folder = mkdtempSync(join(tmpdir(), 'lk-'));
    const upstream = await startUpstream();
    const nodes: RigNode[] = [];
    try {
      const ports = await findFreePorts(options.stores.length);
      const { stores, edges = 1, staleness = [], directStore, smtp, sharing } = options;
      const said = { stores, edges, staleness, smtp, sharing };
      const files = writeNodeFiles({ folder, upstreamPort: portOf(upstream), ports, ...said });
      const first = loadNodeConfig(files[0] ?? '');
      const config: Config =
        directStore === undefined ? first : { ...first, store: { kind: 'postgres', url: directStore } };
      const accounts = await makeRigAccounts(config, options.people);
      for (const [index, file] of files.entries()) {
        const pool = new Pool(`http://127.0.0.1:${ports[index]}`, { connections: 64, headersTimeout: 15_000 });
        nodes.push({ process: new NodeProcess(file), pool });
      }
      await Promise.all(nodes.map((node) => node.process.start()));
      return new NodeRig({ folder, nodes, port: ports[0] ?? 0, config, upstream, accounts });
    } catch (error) {
      await closeAll(nodes, upstream, folder);
      throw error;
    }
  }

  async close(): Promise<void> {
    await closeAll(this.nodes, this.#upstream, this.folder);
  }

  node(index: number): RigNode {
    const node = this.nodes[index % this.nodes.length];
    if (node === undefined) throw new Error('a rig has a node');
    return node;
  }

  /** A new browser that goes to a node; its number may be any. */
  browser(node = 0): NodeBrowser {
    return new NodeBrowser(this.node(node).pool);
  }

  /** Signs a person in at the portal, and by a hand-over on the media host. */
  async signIn({ browser, code, email }: RigPerson): Promise<void> {
    const page = await browser.open(`${this.portalOrigin}/.latchkey/sign-in?code=${encodeURIComponent(code)}`);
    const home = await browser.submit(page, 'sign-in');
    if (home.location === null) throw new Error(`${email} was not signed in: ${home.status}`);
    await browser.open(`${this.mediaOrigin}/.latchkey/login?return=${encodeURIComponent(steadyPath)}`);
    if (browser.cookie('latchkey', `${this.mediaOrigin}/`) === null) {
      throw new Error(`${email} was not handed over to the media host`);
    }
  }

  /** An order of the owner at `v1`, such as `links/li_…/revoke`. */
  order(path: string, { node = 0, method = 'POST', body }: RigOrder = {}): Promise<BrowserAnswer> {
    const browser = this.owner.browser.through(this.node(node).pool);
    return browser.json(method, `${this.portalOrigin}/.latchkey/v1/${path}`, body);
  }

  /** What the owner sends to make a link to a folder of the collection. @param name  of the folder; none is all of it */
  linkOrder(
    claimsAllowed: number,
    name = '',
  ): { collection: string; path: string; label: string; claims_allowed: number } {
    const path = name === '' ? collectionPath : `${collectionPath}${name}/`;
    return { collection: 'summer', path, label: 'Film night', claims_allowed: claimsAllowed };
  }

  /** Reads the answer to it. */
  linkFrom(text: string): RigLink {
    const { link, url }: { link: { id: string; path: string }; url: string } = JSON.parse(text);
    return { id: link.id, url, folder: `${this.mediaOrigin}${link.path}` };
  }

  async makeLink(claimsAllowed: number, name = ''): Promise<RigLink> {
    const { status, text } = await this.order('links', { body: this.linkOrder(claimsAllowed, name) });
    if (status !== 201) throw new Error(`no link was made: ${status} ${text}`);
    return this.linkFrom(text);
  }

  /** The person with this number. */
  person(number: number): RigPerson {
    const person = this.people[number];
    if (person === undefined) throw new Error(`nobody has the number ${number}`);
    return person;
  }

  /** An outside token for everything below a path. */
  token(path: string): string {
    const { id, secret } = nodeKey;
    const ring = buildKeyRing([
      { id, algorithm: 'HS256', purpose: 'content', state: 'signing', secret: Buffer.from(secret) },
    ]);
    const key = ring.signer('content');
    if (key === null) throw new Error('no key');
    return mintToken({ sub: 'player', exp: epochSeconds() + 3600, paths: [`${path}*`] }, { key, type: 'outside' });
  }

  /** Opens the store beside the nodes, as commands do that only read. */
  async withStore<T>(work: (context: ControlContext) => Promise<T>): Promise<T> {
    const opened = await openRigContext(this.#config, 'refuse');
    try {
      return await work(opened.context);
    } finally {
      await opened.close();
    }
  }
}

async function closeAll(nodes: readonly RigNode[], upstream: Server, folder: string): Promise<void> {
  await Promise.all(nodes.map((node) => node.pool.destroy()));
  await Promise.all(nodes.map((node) => node.process.destroy()));
  upstream.closeAllConnections();
  await new Promise((resolve) => upstream.close(resolve));
  await rm(folder, { recursive: true, force: true });
}

/** Answers everything at once, but for what ends in `endless`, which goes on until somebody ends it. Switches to WebSockets that say nothing. */
async function startUpstream(): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url?.endsWith('endless') !== true) {
      response.end('content');
      return;
    }
    const timer = setInterval(() => response.write('more '), 20);
    response.on('close', () => clearInterval(timer));
  });
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end());
    socket.resume().write(switching(request.headers['sec-websocket-key'] ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
