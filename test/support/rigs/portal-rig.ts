// The server of public.sock on a real Unix socket with a real store, and visitors that behave like browsers without scripts:
// they keep cookies by host, follow redirects, and send the forms that stand in pages. An edge is played by the fields it would add.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Client } from 'undici';
import { onTestFinished } from 'vitest';
import { createPublicServer } from '../../../gateway/api/public-server.ts';
import { createAccount } from '../../../gateway/control/accounts/create-account.ts';
import { formsOf, onwardOf } from '../clients/page-forms.ts';
import { type ContextOptions, makeContext, type TestContext } from './control-context.ts';

export const portalOrigin = 'http://portal.localhost:8080';
export const mediaOrigin = 'http://media.localhost:8080';

/** A host beside the portal's that a collection names. */
const portalYaml = `
collections: [{ name: summer, host: media.localhost, path: /vod/summer/, owners: [owner@example.org] }]
`;

export interface PortalRig extends TestContext {
  readonly server: FastifyInstance;
  readonly socketPath: string;
  readonly visitor: (options?: VisitorOptions) => Visitor;
  /** Makes an account that can sign in with `password`. @returns its id */
  readonly addAccount: (email: string, role?: 'user' | 'admin') => Promise<string>;
}

export const password = 'seven green lanterns';

interface PortalOptions extends ContextOptions {
  /** Of the portal, when it is not the usual one. */
  readonly publicUrl?: string;
  /** Default `open`. */
  readonly registration?: 'invited' | 'by_link' | 'open';
}

/** @param options  a portal where anybody may register, unless they say otherwise */
export async function makePortal(options: PortalOptions = {}): Promise<PortalRig> {
  const accounts = `accounts: { registration: ${options.registration ?? 'open'} }\n`;
  const made = await makeContext({ ...options, yaml: `${accounts}${portalYaml}${options.yaml ?? ''}` });
  const { publicUrl } = options;
  if (publicUrl !== undefined) {
    made.configure((config) =>
      config.portal === null ? config : { ...config, portal: { ...config.portal, publicUrl, name: 'Hillside' } },
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'lk-portal-'));
  const server = createPublicServer(made.context, { assertionKeys: () => [] });
  const socketPath = join(folder, 'p.sock');
  await server.listen({ path: socketPath });
  const visitors: Visitor[] = [];
  onTestFinished(async () => {
    await Promise.all(visitors.map((visitor) => visitor.close()));
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    ...made,
    server,
    socketPath,
    visitor: (visitorOptions = {}) => {
      const visitor = new Visitor(socketPath, visitorOptions);
      visitors.push(visitor);
      return visitor;
    },
    addAccount: async (email, role = 'user') => {
      const outcome = await createAccount(
        made.context,
        { kind: 'operator' },
        { email, role, invited: false, password },
      );
      if (outcome.kind === 'refused') throw new Error(`the account was refused: ${outcome.reason}`);
      return outcome.accountId;
    },
  };
}

interface VisitorOptions {
  /** Where paths without an origin go. Default the portal. */
  readonly origin?: string;
  /** Address that the edge saw. Default loopback. */
  readonly address?: string;
  /** Added to each request; undefined leaves a usual field out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Set-Cookie fields as they came. */
  readonly cookies: readonly string[];
  /** Where a browser goes from here: by a redirect, or because the page says so. */
  readonly location: string | null;
}

/** One browser. */
export class Visitor {
  readonly #client: Client;
  readonly #options: VisitorOptions;
  /** By host and name. */
  readonly cookies = new Map<string, Map<string, string>>();

  constructor(socketPath: string, options: VisitorOptions) {
    this.#client = new Client('http://localhost', { socketPath });
    this.#options = options;
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }

  get(target: string, headers: Readonly<Record<string, string | undefined>> = {}): Promise<Answer> {
    return this.send('GET', target, null, headers);
  }

  /** A form as a page of the same origin would send it. */
  post(
    target: string,
    fields: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.send('POST', target, new URLSearchParams(fields).toString(), {
      ...type,
      'sec-fetch-site': 'same-origin',
      ...headers,
    });
  }

  json(
    method: string,
    target: string,
    body?: unknown,
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined ? null : JSON.stringify(body);
    return this.send(method, target, text, {
      accept: 'application/json',
      'sec-fetch-site': 'same-origin',
      ...type,
      ...headers,
    });
  }

  async send(
    method: string,
    target: string,
    body: string | null,
    headers: Readonly<Record<string, string | undefined>>,
  ): Promise<Answer> {
    const url = new URL(target, this.#options.origin ?? portalOrigin);
    const jar = this.cookies.get(url.hostname) ?? new Map<string, string>();
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const all: Record<string, string | undefined> = {
      accept: 'text/html,application/xhtml+xml',
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
      'x-forwarded-for': this.#options.address ?? '127.0.0.1',
      'x-forwarded-proto': url.protocol.slice(0, -1),
      'x-forwarded-host': url.host,
      'x-request-id': 'request-1',
      ...(cookie === '' ? {} : { cookie }),
      ...this.#options.headers,
      ...headers,
    };
    const sent = Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    const answer = await this.#client.request({
      method: method as 'GET',
      path: `${url.pathname}${url.search}`,
      headers: sent,
      body,
    });
    const text = await answer.body.text();
    const set = answer.headers['set-cookie'] ?? [];
    const cookies = typeof set === 'string' ? [set] : set;
    for (const line of cookies) keepCookie(jar, line);
    this.cookies.set(url.hostname, jar);
    const { location } = answer.headers;
    return {
      url,
      status: answer.statusCode,
      headers: answer.headers,
      text,
      cookies,
      location: typeof location === 'string' ? location : onwardOf(text),
    };
  }

  /** Follows redirects, and pages that go on by themselves, to their end. */
  async follow(answer: Answer): Promise<Answer> {
    let at = answer;
    for (let hops = 0; at.location !== null && hops < 10; hops++)
      at = await this.get(new URL(at.location, at.url).href);
    return at;
  }

  /** Sends the form of a page whose action contains `action`, with its hidden fields and these. */
  submit(
    page: Answer,
    action: string,
    fields: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string | undefined>> = {},
  ): Promise<Answer> {
    const form = formsOf(page.text).find((each) => each.action.includes(action));
    if (form === undefined) throw new Error(`no form for ${action} on the page ${page.url.pathname} (${page.status})`);
    return this.post(new URL(form.action, page.url).href, { ...form.hidden, ...fields }, headers);
  }

  /** Opens a link, and says yes where a page asks. @returns the answer to the yes, or the first one where nobody asked */
  async openLink(url: string, headers: Readonly<Record<string, string | undefined>> = {}): Promise<Answer> {
    const first = await this.get(url, headers);
    if (first.location?.includes('/claim?') !== true) return first;
    const page = await this.get(new URL(first.location, first.url).href);
    return page.text.includes('name="consent"') ? await this.submit(page, '/claim') : page;
  }

  /** Signs in at the portal. @returns the answer to the form */
  async signIn(email: string, secret = password, target = '/.latchkey/login'): Promise<Answer> {
    return this.submit(await this.follow(await this.get(target)), '/login', { email, password: secret });
  }
}

function keepCookie(jar: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';');
  const name = pair.slice(0, pair.indexOf('='));
  if (/;\s*max-age=0\b/i.test(line)) jar.delete(name);
  else jar.set(name, pair.slice(pair.indexOf('=') + 1));
}
