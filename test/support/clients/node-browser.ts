// A browser without scripts in front of whole nodes: keeps cookies by host and path, follows redirects, sends the forms of pages.
// It names the fleet's hosts and connects to the node that it is told, as behind a balancer. Says nothing about what is right.

import type { Pool } from 'undici';
import { formsOf, onwardOf } from './page-forms.ts';

export interface BrowserAnswer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Where a browser goes from here: by a redirect, or because the page says so. */
  readonly location: string | null;
}

interface Cookie {
  readonly host: string;
  readonly path: string;
  readonly name: string;
  readonly value: string;
}

type Fields = Readonly<Record<string, string>>;

/** The address was typed or opened from a mail. */
const typedNavigation: Fields = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
};

const userAgent = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';
const maxHops = 12;

export class NodeBrowser {
  readonly #via: Pool;
  readonly #jar: CookieJar;

  /** @param via  connections to the node that it talks to */
  constructor(via: Pool, jar = new CookieJar()) {
    this.#via = via;
    this.#jar = jar;
  }

  /** The same browser, led to another node. */
  through(via: Pool): NodeBrowser {
    return new NodeBrowser(via, this.#jar);
  }

  /** The value of a cookie that this URL would be sent; null without one. */
  cookie(name: string, url: string): string | null {
    return this.#jar.for(new URL(url)).find((cookie) => cookie.name === name)?.value ?? null;
  }

  /** One request, no redirect followed. Rejects when there is no complete answer. */
  async send(method: string, target: string, fields: Fields, body: string | null = null): Promise<BrowserAnswer> {
    const url = new URL(target);
    const cookie = this.#cookieLine(url);
    const answer = await this.#via.request({
      method: method as 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { host: url.host, 'user-agent': userAgent, ...(cookie === '' ? {} : { cookie }), ...fields },
      body,
    });
    const text = await answer.body.text();
    const set = answer.headers['set-cookie'] ?? [];
    for (const line of typeof set === 'string' ? [set] : set) this.#jar.keep(url.hostname, line);
    const { location } = answer.headers;
    return {
      url,
      status: answer.statusCode,
      headers: answer.headers,
      text,
      location: typeof location === 'string' ? location : onwardOf(text),
    };
  }

  /** Opens an address that somebody typed, and follows it to its end. */
  async open(target: string): Promise<BrowserAnswer> {
    return await this.follow(await this.send('GET', target, typedNavigation));
  }

  /** Opens an address that somebody typed; the first answer only. */
  openOnce(target: string): Promise<BrowserAnswer> {
    return this.send('GET', target, typedNavigation);
  }

  /** Opens a link, and says yes where a page asks. @returns the answer to the yes, or the one before which nobody asked */
  async claim(url: string): Promise<BrowserAnswer> {
    const first = await this.openOnce(url);
    if (first.location?.includes('/claim?') !== true) return first;
    const page = await this.openOnce(new URL(first.location, first.url).href);
    return page.text.includes('name="consent"') ? await this.submit(page, '/claim') : page;
  }

  /** A file that a player asks for. */
  fetch(target: string): Promise<BrowserAnswer> {
    return this.send('GET', target, { accept: '*/*', 'sec-fetch-mode': 'no-cors', 'sec-fetch-site': 'same-origin' });
  }

  /** A download that goes on; `ended` is when it was over, however it ended, by `performance.now()`. */
  async stream(
    target: string,
    fields: Fields = {},
  ): Promise<{ readonly status: number; readonly ended: Promise<number> }> {
    const url = new URL(target);
    const { statusCode, body } = await this.#via.request({
      method: 'GET',
      path: url.pathname,
      headers: { host: url.host, cookie: this.#cookieLine(url), ...fields },
    });
    const ended = new Promise<number>((resolve) => body.once('close', () => resolve(performance.now())));
    body.on('error', () => undefined).resume();
    return { status: statusCode, ended };
  }

  /** `v1`, as the portal's own pages would ask it. */
  json(method: string, target: string, body: object | undefined): Promise<BrowserAnswer> {
    const fields = { accept: 'application/json', 'sec-fetch-site': 'same-origin' };
    if (body === undefined) return this.send(method, target, fields);
    return this.send(method, target, { ...fields, 'content-type': 'application/json' }, JSON.stringify(body));
  }

  async follow(answer: BrowserAnswer): Promise<BrowserAnswer> {
    let at = answer;
    for (let hop = 0; at.location !== null; hop++) {
      if (hop === maxHops) throw new Error(`redirected too often, last to ${at.location}`);
      at = await this.send('GET', new URL(at.location, at.url).href, typedNavigation);
    }
    return at;
  }

  /** Sends the page's form whose action contains `action`, with its hidden fields. */
  async submit(page: BrowserAnswer, action: string): Promise<BrowserAnswer> {
    const form = formsOf(page.text).find((each) => each.action.includes(action));
    if (form === undefined) throw new Error(`no form for ${action} on ${page.url.pathname} (${page.status})`);
    const fields = {
      ...typedNavigation,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/x-www-form-urlencoded',
    };
    const body = new URLSearchParams(form.hidden).toString();
    return await this.send('POST', new URL(form.action, page.url).href, fields, body);
  }

  #cookieLine(url: URL): string {
    return this.#jar
      .for(url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }
}

class CookieJar {
  #cookies: Cookie[] = [];

  for(url: URL): Cookie[] {
    return this.#cookies.filter(({ host, path }) => host === url.hostname && covers(path, url.pathname));
  }

  keep(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    const isSame = (cookie: Cookie): boolean => cookie.host === host && cookie.name === name && cookie.path === path;
    this.#cookies = this.#cookies.filter((cookie) => !isSame(cookie));
    const isCleared = attributes.some((attribute) => /^max-age=0$/i.test(attribute));
    if (!isCleared) this.#cookies.push({ host, path, name, value: pair.slice(name.length + 1) });
    // the narrowest path first, as browsers send them
    this.#cookies.sort((left, right) => right.path.length - left.path.length);
  }
}

/** RFC 6265, 5.1.4. */
function covers(path: string, asked: string): boolean {
  return asked === path || asked.startsWith(path.endsWith('/') ? path : `${path}/`);
}
