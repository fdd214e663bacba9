// Identity headers: the ones that an upstream gets, and the names that a client may never send.
// This file writes text and judges names; the edge removes and sends headers. Values were checked when the token was read:
// no control characters, no commas inside groups (core/token/claim-reader.ts).
// Rules: gateway/RULES.md "Identity headers to the upstream" and "Headers".

import type { TokenClaims } from '../../token/claims.ts';
import { fillFromClaims, type TemplatedHeader, utf8AsLatin1 } from './header-template.ts';
import { addressOfAccount, preferredUsername } from './user-name.ts';

/** Claims that a custom preset may map. */
type CustomIdentityClaim = 'sub' | 'email' | 'groups' | 'name' | 'preferred_username';

/** The identity rule of a route, as the configuration says it. */
type IdentityRule =
  | { readonly preset: 'oauth2-proxy' | 'authelia'; readonly user?: 'id' | 'email' }
  | { readonly preset: 'custom'; readonly headers: Readonly<Partial<Record<CustomIdentityClaim, string>>> };

/** Header lines for a token's claims: `Name: value\r\n` each, UTF-8 bytes as latin1 characters; empty when there are none. */
type IdentityWriter = (claims: TokenClaims) => string;

type HeaderClaim = CustomIdentityClaim | 'grant' | 'did' | 'amr';
type HeaderPair = readonly [name: string, claim: HeaderClaim];

const presets: Readonly<Record<'oauth2-proxy' | 'authelia', readonly HeaderPair[]>> = {
  'oauth2-proxy': [
    ['X-Forwarded-User', 'sub'],
    ['X-Forwarded-Email', 'email'],
    ['X-Forwarded-Groups', 'groups'],
    ['X-Forwarded-Preferred-Username', 'preferred_username'],
  ],
  authelia: [
    ['Remote-User', 'sub'],
    ['Remote-Groups', 'groups'],
    ['Remote-Name', 'name'],
    ['Remote-Email', 'email'],
  ],
};

/** Headers that every preset sends when the token has the claims. */
const always: readonly HeaderPair[] = [
  ['X-Latchkey-Grant', 'grant'],
  ['X-Latchkey-Device', 'did'],
  ['X-Latchkey-Amr', 'amr'],
];

const customClaims: readonly CustomIdentityClaim[] = ['sub', 'email', 'groups', 'name', 'preferred_username'];

/** Names, and beginnings of names, that say who the user is. Folded. */
const identityNames: ReadonlySet<string> = new Set([
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-access-token',
  // RFC 9440 §3: a field that came from outside must never look as if the gateway had made it
  'client-cert',
  'client-cert-chain',
]);
const identityPrefixes: readonly string[] = ['x-auth-request-', 'remote-', 'x-latchkey-', 'latchkey-'];

/** Names that say where a request came from, or what it was before another proxy changed it. Folded. */
const forwardingNames: ReadonlySet<string> = new Set([
  'forwarded',
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-original-host',
  'x-real-ip',
  'x-rewrite-url',
]);

/** Names that a custom preset may not take: framing, routing, credentials, connection control, and what latchkey sets itself. */
const untouchableNames: ReadonlySet<string> = new Set([
  'host',
  'cookie',
  'set-cookie',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'http2-settings',
  'expect',
  'via',
  'forwarded',
  'client-cert',
  'client-cert-chain',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
]);

/** The most characters of a custom name. */
const maxNameLength = 64;

/**
 * Compiles a route's rule. Each call returns a new function object, so that `VerifiedToken.identityLines` can use it as the key of the
 * lines that it wrote.
 *
 * @param identity  custom names must have passed `validateCustomHeaderName`
 * @param own       headers that the route's `request.set` makes of claims
 */
export function compileIdentity(identity: IdentityRule, own: readonly TemplatedHeader[] = []): IdentityWriter {
  const pairs = [
    ...(identity.preset === 'custom' ? customPairs(identity.headers) : presets[identity.preset]),
    ...always,
  ];
  const namesByAddress = identity.preset !== 'custom' && identity.user === 'email';
  return (claims) => {
    let lines = '';
    for (const [name, claim] of pairs) {
      const value = said(claim, claims, namesByAddress);
      if (value === undefined || value.length === 0) continue;
      const text = utf8AsLatin1(typeof value === 'string' ? value : value.join(','));
      if (text !== null) lines += `${name}: ${text}\r\n`;
    }
    for (const { name, parts } of own) {
      const text = fillFromClaims(parts, claims);
      if (text !== null) lines += `${name}: ${text}\r\n`;
    }
    return lines;
  };
}

function said(claim: HeaderClaim, claims: TokenClaims, namesByAddress: boolean): TokenClaims[HeaderClaim] {
  switch (claim) {
    case 'sub':
      // who has no address, like a user of the users file, keeps the name that they have
      return namesByAddress && claims.email !== undefined && claims.email !== '' ? claims.email : claims.sub;
    case 'preferred_username':
      return preferredUsername(claims);
    case 'name':
      return claims.name ?? addressOfAccount(claims);
    default:
      return claims[claim];
  }
}

/** A header name as it is compared: in lower case, with `-` for every other character, since many servers cannot tell those apart. */
export function foldName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9-]/g, '-');
}

/** Whether a folded name is an identity header of any preset, or one of latchkey's own. No client may send it, on any route. */
export function isIdentityHeader(foldedName: string): boolean {
  return identityNames.has(foldedName) || identityPrefixes.some((prefix) => foldedName.startsWith(prefix));
}

/**
 * Whether a folded name is one that earlier proxies send: `Forwarded`, `X-Forwarded-*`, `X-Original-*`, `X-Real-IP`,
 * `X-Rewrite-URL`. Only trusted proxies are believed. Every name that begins with `X-Forwarded-` counts: clients may send none.
 */
export function isForwardingHeader(foldedName: string): boolean {
  if (foldedName.startsWith('x-forwarded-')) return !identityNames.has(foldedName);
  return forwardingNames.has(foldedName);
}

/** The folded names that a rule adds to those that no client may send; empty for the presets, whose names are always among them. */
export function customIdentityNames(identity: IdentityRule): readonly string[] {
  return identity.preset === 'custom' ? customPairs(identity.headers).map(([name]) => foldName(name)) : [];
}

/** What is wrong with a custom header name, in words; null when it can be used. */
export function validateCustomHeaderName(name: string): string | null {
  if (name.length > maxNameLength) return `header name is longer than ${maxNameLength} characters`;
  if (!/^[A-Za-z0-9-]+$/.test(name))
    return `header name "${name}" holds something other than letters, digits and hyphens`;
  const folded = foldName(name);
  if (untouchableNames.has(folded)) return `header "${name}" has a meaning of its own and cannot carry an identity`;
  if (folded.startsWith('x-latchkey-') || folded.startsWith('latchkey-')) {
    return `header "${name}" is one of latchkey's own names (choose another prefix)`;
  }
  return null;
}

function customPairs(headers: Readonly<Partial<Record<CustomIdentityClaim, string>>>): readonly HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (const claim of customClaims) {
    const name = headers[claim];
    if (name !== undefined) pairs.push([name, claim]);
  }
  return pairs;
}
