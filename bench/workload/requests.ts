// The requests of the load: each differs in path, User-Agent and one random header, so that a proxy can reuse results for tokens only.
// Every proxy gets the same headers; only the place of the credential differs.
// Pure: the random numbers come from the request's index.

import type { BodySize } from './bodies.ts';
import { makeBearer, makeSecureLink, makeUriSigning, spoil } from './tokens.ts';

/**
 * Where the credential stands. `bearer`: Authorization. `secure-link`: `md5` and `expires` in the query, and the bearer
 * token as well, as bytes that are passed on. `uri-signing`: JWT in the query instead of the header.
 */
export type TokenForm = 'bearer' | 'secure-link' | 'uri-signing';

/** What is wrong with a request's credential. */
export type Fault = 'none' | 'wrong' | 'absent';

/** A GET request of the load. */
export interface BenchRequest {
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The secret and the credentials of a run. */
export interface Workload {
  /** Secret that all peers check credentials with; at least 32 bytes. */
  readonly secret: string;
  /** `exp` of every credential, epoch seconds. */
  readonly expires: number;
  readonly bearers: readonly string[];
  readonly uriTokens: readonly string[];
}

/** Separates requests in a file: a control character that no request holds. */
export const separator = '\x1e';

/** Makes `users` distinct tokens of each kind. */
export function makeWorkload(secret: string, expires: number, users: number): Workload {
  const numbers = Array.from({ length: users }, (_, user) => user);
  return {
    secret,
    expires,
    bearers: numbers.map((user) => makeBearer(user, secret, expires)),
    uriTokens: numbers.map((user) => makeUriSigning(user, secret, expires)),
  };
}

/** The request number `index`; the same arguments give the same request. */
export function makeRequest(
  workload: Workload,
  form: TokenForm,
  size: BodySize,
  index: number,
  fault: Fault = 'none',
): BenchRequest {
  const random = scramble(index);
  const path = `/vod/${size}/title-${index % 977}/seg-${index.toString().padStart(6, '0')}-${random.slice(0, 8)}.ts`;
  const bearer = pick(workload.bearers, index);
  const headers: Record<string, string> = {
    Host: 'media.localhost',
    'User-Agent': `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Player/${index}.${random.slice(8, 12)}`,
    Accept: '*/*',
    'Accept-Language': 'en-GB,en;q=0.8',
    'X-Playback-Session-Id': random,
  };
  switch (form) {
    case 'bearer':
      if (fault !== 'absent') headers.Authorization = `Bearer ${fault === 'wrong' ? spoil(bearer) : bearer}`;
      return { path, headers };
    case 'secure-link': {
      headers.Authorization = `Bearer ${bearer}`;
      const link = makeSecureLink(path, workload.secret, workload.expires);
      const query = `?md5=${fault === 'wrong' ? spoil(link) : link}&expires=${workload.expires}`;
      return { path: fault === 'absent' ? path : path + query, headers };
    }
    case 'uri-signing': {
      const token = pick(workload.uriTokens, index);
      const query = `?URISigningPackage=${fault === 'wrong' ? spoil(token) : token}`;
      return { path: fault === 'absent' ? path : path + query, headers };
    }
    default:
      return form satisfies never;
  }
}

/** The bytes of a request as HTTP/1.1 text. */
export function renderRequest(request: BenchRequest): string {
  const fields = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${request.path} HTTP/1.1\r\n${fields.join('')}\r\n`;
}

/** The inverse of `renderRequest`, for load generators that take requests as parts. */
export function parseRequest(text: string): BenchRequest {
  const [first = '', ...fields] = text.trimEnd().split('\r\n');
  const headers: Record<string, string> = {};
  for (const field of fields) {
    const colon = field.indexOf(': ');
    headers[field.slice(0, colon)] = field.slice(colon + 2);
  }
  return { path: first.split(' ')[1] ?? '/', headers };
}

/** `count` rendered requests of one form and size, joined by `separator`. */
export function renderRequests(workload: Workload, form: TokenForm, size: BodySize, count: number): string {
  return Array.from({ length: count }, (_, index) => renderRequest(makeRequest(workload, form, size, index))).join(
    separator,
  );
}

function pick(tokens: readonly string[], index: number): string {
  const token = tokens[index % tokens.length];
  if (token === undefined) throw new Error('the workload holds no tokens');
  return token;
}

/** 32 hex digits that look random and depend on the index alone (splitmix32, four steps). */
function scramble(index: number): string {
  let state = (index + 1) * 0x9e3779b9;
  let text = '';
  for (let step = 0; step < 4; step += 1) {
    state = (state + 0x9e3779b9) | 0;
    let value = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
    text += ((value ^ (value >>> 15)) >>> 0).toString(16).padStart(8, '0');
  }
  return text;
}
