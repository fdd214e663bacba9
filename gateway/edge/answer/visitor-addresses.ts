// Replaces a site's own addresses by the visitor's, in the fields of answers that hold addresses. A site behind the gateway often
// knows neither the scheme nor the port that its visitors use, and may name itself by the address it listens on.
// Addresses of other sites stay byte for byte: a path token goes onto the visitor's own origin and nowhere else.
// Rules: RFC 9110 §10.2.2 and §8.7, RFC 8288 §3, HTML §4.2.5.3 (the syntax of Refresh), RFC 6265 §5.2.3.

import { canonicalHost } from '../../core/decision/route/host.ts';
import type { Site } from '../../core/decision/route/site.ts';
import { parseWebAddress, portOf, usualPort, type WebAddress } from '../../core/decision/route/web-address.ts';
import { withoutBlanks } from '../../core/model/blanks.ts';
import { visitorOrigin } from '../request/visitor-origin.ts';
import type { AnsweredRequest } from './answered-request.ts';

/** What the addresses of one answer are compared with. Made only for an answer that has addresses. */
export class VisitorAddresses {
  /** What the configuration says of the site's own addresses; null: its addresses stay as they are. */
  readonly #site: Site | null;
  readonly #scheme: 'http' | 'https';
  readonly #authority: string;
  readonly #host: string;
  readonly #port: number;
  /** The Host that the site got, canonical. */
  readonly #sentHost: string;
  /** Path of the request, as the site got it. */
  readonly #path: string;
  /** `/.t/<token>` of a path form, else empty. */
  readonly #prefix: string;

  constructor(answered: AnsweredRequest, pathForm: string | null) {
    const { request, permit, downstream } = answered;
    const { scheme, authority } = visitorOrigin(request, downstream.connection.scheme);
    this.#site = permit.route.site;
    this.#scheme = scheme;
    this.#authority = authority;
    this.#host = canonicalHost(authority) ?? '';
    this.#port = portOf(authority) ?? usualPort(scheme);
    this.#sentHost = request.host === '' ? permit.route.upstreamName : request.host;
    this.#path = request.path;
    this.#prefix = pathForm ?? '';
  }

  /** The reference of a `Location`, a `Content-Location`, or a target of `Link`. */
  reference(text: string): string {
    // `/\evil` is no path: a browser would take it for another host
    if (/^\/(?![/\\])/.test(text)) return this.#prefixed(text);
    const address = parseWebAddress(text);
    if (address === null) return text;
    if (this.#isVisitors(address)) {
      return this.#prefix === '' ? text : address.origin + this.#prefixed(absolutePath(address.rest));
    }
    if (!this.#isSites(address) || this.#leadsToTls(address)) return text;
    const rest = this.#prefixed(this.#prefix === '' ? address.rest : absolutePath(address.rest));
    if (this.#authority !== '') return `${address.scheme === '' ? '' : `${this.#scheme}:`}//${this.#authority}${rest}`;
    // the request had no Host: the path alone, unless it would name a host
    return /^\/[/\\]/.test(rest) ? text : absolutePath(rest);
  }

  /** The value of `Refresh: 5; url=…`. */
  refresh(value: string): string {
    const match = /^([0-9.]*[ \t]*[;, \t][ \t]*(?:url[ \t]*=[ \t]*)?)(.*)$/i.exec(value);
    if (match === null) return value;
    const [, before = '', target = ''] = match;
    const quote = target.charAt(0);
    if (quote !== '"' && quote !== "'") return before + this.reference(target);
    const end = target.indexOf(quote, 1);
    if (end < 0) return before + quote + this.reference(target.slice(1));
    return before + quote + this.reference(target.slice(1, end)) + target.slice(end);
  }

  /** The value of `Link: <…>; rel=next, <…>`. */
  links(value: string): string {
    let out = '';
    let from = 0;
    let isQuoted = false;
    for (let at = 0; at < value.length; at++) {
      const character = value.charAt(at);
      if (character === '"') isQuoted = !isQuoted;
      else if (isQuoted) at += character === '\\' ? 1 : 0;
      else if (character === '<') {
        const end = value.indexOf('>', at);
        if (end < 0) break;
        out += value.slice(from, at + 1) + this.reference(value.slice(at + 1, end));
        from = end;
        at = end;
      }
    }
    return out + value.slice(from);
  }

  /** The value of `Set-Cookie`, without a `Domain` that is the site's own host: with it every browser would drop the cookie. */
  cookie(value: string): string {
    if (this.#site === null) return value;
    const [pair = '', ...attributes] = value.split(';');
    const kept = attributes.filter((attribute) => !this.#isSitesDomain(attribute));
    return kept.length === attributes.length ? value : [pair, ...kept].join(';');
  }

  #isSitesDomain(attribute: string): boolean {
    const equals = attribute.indexOf('=');
    if (equals < 0 || withoutBlanks(attribute.slice(0, equals)).toLowerCase() !== 'domain') return false;
    const said = withoutBlanks(attribute.slice(equals + 1));
    const domain = canonicalHost(said.startsWith('.') ? said.slice(1) : said);
    if (domain === null || domain === this.#host || this.#host.endsWith(`.${domain}`)) return false;
    return domain === this.#sentHost || (this.#site?.hosts.has(domain) ?? false);
  }

  #prefixed(path: string): string {
    return this.#prefix === '' || path.startsWith(`${this.#prefix}/`) ? path : this.#prefix + path;
  }

  /** Whether an address is at the very origin that the visitor uses. */
  #isVisitors(address: WebAddress): boolean {
    return (
      (address.scheme === '' || address.scheme === this.#scheme) &&
      address.host === this.#host &&
      portIn(address, this.#scheme) === this.#port
    );
  }

  /** Whether an address is at the site's own origin, or at a host of the request with any scheme and port. */
  #isSites(address: WebAddress): boolean {
    if (this.#site === null) return false;
    if (address.host === this.#host || address.host === this.#sentHost) return true;
    return this.#site.origins.has(`${address.host}:${portIn(address, this.#site.scheme)}`);
  }

  /** The same page over TLS, for a visitor who came without TLS: with the visitor's scheme it would redirect to itself for ever. */
  #leadsToTls({ scheme, host, rest }: WebAddress): boolean {
    if (scheme !== 'https' || this.#scheme !== 'http' || host !== this.#host) return false;
    return (/^[^?#]*/.exec(rest)?.[0] || '/') === this.#path;
  }
}

/** Whether a `Set-Cookie` has a `Domain`, so that `cookie` has to look at it. */
export function namesDomain(value: string): boolean {
  return /;[ \t]*domain[ \t]*=/i.test(value);
}

function portIn(address: WebAddress, scheme: 'http' | 'https'): number {
  return address.port ?? usualPort(address.scheme === '' ? scheme : address.scheme);
}

function absolutePath(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}
