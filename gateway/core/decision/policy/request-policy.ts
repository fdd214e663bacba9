// What a route changes in the head of a forwarded request: headers that are set, headers that are removed, and names of other gateways
// that a trusted proxy may send. Compiled once; the edge writes the head. Values were checked at load: no control characters.
// Headers that frame a message, credentials, and headers that latchkey itself sets cannot be set here (`requestNameProblem`).

import type { TokenClaims } from '../../token/claims.ts';
import { isForeignName } from './foreign-names.ts';
import {
  claimText,
  fillTemplate,
  needsOf,
  type ParsedTemplate,
  type Placeholder,
  parseTemplate,
  type TemplatedHeader,
  type TemplatePart,
} from './header-template.ts';
import { foldName, isForwardingHeader, isIdentityHeader } from './identity.ts';
import { saysAnotherPath } from './target-headers.ts';

/** The rule of a route, as the configuration says it. */
export interface RequestRule {
  /** Values are templates, see header-template.ts. */
  readonly set: Readonly<Record<string, string>>;
  readonly remove: readonly string[];
  /** Names that are removed from all requests but those of trusted proxies. */
  readonly keep: readonly string[];
}

/** The values of a request for placeholders. */
interface RequestContext {
  readonly host: string;
  readonly scheme: string;
  readonly clientAddress: string;
  readonly requestId: string;
  readonly route: string;
  /** The claims of the user; null for anyone. */
  readonly claims: TokenClaims | null;
}

/** A compiled rule. Made by `compileRequestPolicy`. */
export class RequestPolicy {
  /** Folded names of fields that are removed from requests of this route. */
  readonly removed: ReadonlySet<string>;
  /** Folded names of fields that stay when a trusted proxy sends them. */
  readonly kept: ReadonlySet<string>;
  /** Complete lines that are the same for every request. */
  readonly lines: string;
  /** Headers that depend on the user's claims alone; the identity writer makes their lines. */
  readonly claimHeaders: readonly TemplatedHeader[];
  readonly #requestHeaders: readonly TemplatedHeader[];

  /** @internal use `compileRequestPolicy` */
  constructor(rule: RequestRule) {
    const removed = new Set(rule.remove.map(foldName));
    const claimHeaders: TemplatedHeader[] = [];
    const requestHeaders: TemplatedHeader[] = [];
    let lines = '';
    for (const [name, value] of Object.entries(rule.set)) {
      removed.add(foldName(name));
      const header = { name, parts: partsOf(parseTemplate(value)) };
      const { claims, request } = needsOf(header.parts);
      if (request) requestHeaders.push(header);
      else if (claims) claimHeaders.push(header);
      else lines += `${name}: ${fillTemplate(header.parts, () => undefined) ?? ''}\r\n`;
    }
    this.removed = removed;
    this.kept = new Set(rule.keep.map(foldName));
    this.lines = lines;
    this.claimHeaders = claimHeaders;
    this.#requestHeaders = requestHeaders;
  }

  /** Whether some lines differ from request to request. */
  get hangsOnRequest(): boolean {
    return this.#requestHeaders.length > 0;
  }

  /** The lines that depend on the request, without `lines` and `claimHeaders`. */
  requestLines(context: RequestContext): string {
    let lines = '';
    for (const { name, parts } of this.#requestHeaders) {
      const value = fillTemplate(parts, (placeholder) => saidFor(placeholder, context));
      if (value !== null) lines += `${name}: ${value}\r\n`;
    }
    return lines;
  }
}

/** @returns null when the rule changes nothing */
export function compileRequestPolicy(rule: RequestRule): RequestPolicy | null {
  const policy = new RequestPolicy(rule);
  return policy.removed.size + policy.kept.size === 0 ? null : policy;
}

/** Folded names that some route sets or removes. The edge's `FieldNames` has to know them. */
export function requestFieldsOf(policies: Iterable<RequestPolicy | null>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const policy of policies) for (const name of policy?.removed ?? []) names.add(name);
  return names;
}

/** Folded names whose values are made from claims: no client may send them, on any route. */
export function claimNamesOf(rule: RequestRule): string[] {
  return Object.entries(rule.set)
    .filter(([, value]) => needsOf(partsOf(parseTemplate(value))).claims)
    .map(([name]) => foldName(name));
}

/** Names of fields that frame a message or are meant for the next hop. */
const framingNames: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Headers that latchkey sets itself, each with a hint what to do instead. */
const ownNames: ReadonlyMap<string, string> = new Map([
  ['host', 'the site gets the Host that the visitor used; X-Forwarded-Host says the same'],
  ['x-forwarded-for', 'latchkey says it'],
  ['x-forwarded-proto', 'latchkey says it'],
  ['x-forwarded-host', 'latchkey says it'],
  ['x-request-id', 'latchkey says it'],
  ['via', 'write via: on for the whole gateway'],
  ['proxy', 'it is removed from every request (CVE-2016-5385)'],
]);

const credentialNames: ReadonlySet<string> = new Set(['authorization', 'cookie', 'set-cookie']);

/** Why a route cannot set or remove a request header of this name, and a hint; null when it can. */
export function requestNameProblem(
  name: string,
  action: 'set' | 'remove',
): readonly [text: string, hint: string] | null {
  const folded = foldName(name);
  if (framingNames.has(folded) || folded.startsWith('sec-websocket-')) {
    return [`header "${name}" frames the message or speaks between two neighbours`, 'leave it out'];
  }
  const own = ownNames.get(folded);
  if (own !== undefined) return [`header "${name}" is latchkey's own to say`, own];
  if (isIdentityHeader(folded)) {
    const hint = action === 'set' ? 'use identity: { custom: { sub: NAME } }' : 'no client can send it anyway';
    return [`header "${name}" is one of the names that say who asks`, hint];
  }
  if (action === 'set' && credentialNames.has(folded)) {
    return [
      `header "${name}" carries credentials, and a configuration holds none`,
      'let the site trust another header',
    ];
  }
  return null;
}

/** Why `request.keep` cannot list a name, and a hint; null when it can. */
export function keptNameProblem(name: string): readonly [text: string, hint: string] | null {
  const folded = foldName(name);
  const own = ownNames.get(folded);
  if (own !== undefined) return [`header "${name}" is latchkey's own to say`, own];
  if (isIdentityHeader(folded)) return [`header "${name}" is latchkey's own to say`, 'nobody else may say it'];
  if (saysAnotherPath(folded)) return [`header "${name}" says another path than was decided on`, 'nobody may say it'];
  if (isForeignName(folded) || isForwardingHeader(folded)) return null;
  return [`header "${name}" is not removed anyway`, 'leave it out'];
}

function partsOf(parsed: ParsedTemplate): readonly TemplatePart[] {
  if (parsed.kind !== 'template') throw new Error('a header template was not checked at load');
  return parsed.parts;
}

function saidFor(placeholder: Placeholder, context: RequestContext): string | undefined {
  switch (placeholder) {
    case 'host':
      return context.host;
    case 'scheme':
      return context.scheme;
    case 'client_address':
      return context.clientAddress;
    case 'request_id':
      return context.requestId;
    case 'route':
      return context.route;
    case 'sub':
    case 'email':
    case 'name':
    case 'preferred_username':
    case 'groups':
      return claimText(context.claims, placeholder);
    default:
      return placeholder satisfies never;
  }
}
