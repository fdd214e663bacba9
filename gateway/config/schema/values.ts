// Single values of the configuration file: durations, sizes, addresses, hosts, paths, as zod types.
// Each type takes the text as written and gives the checked form; none looks at another value or at a file.
// Rules: RFC 3986 §2.3 and §6.2.2 (canonical paths), RFC 1123 §2.1 (host names).

import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { explainPath } from '../../core/decision/route/path.ts';
import { isWildcardHost } from '../../core/model/host-pattern.ts';
import { normaliseMailAddress } from '../../core/model/mail-address.ts';
import { canonicalText, comparedForm } from '../../core/model/path.ts';
import { compileIpList } from '../../core/token/ip-list.ts';
import { suggestionHint } from '../problems/suggest.ts';

/** The result of reading a value's text. */
export type Reading<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'wrong'; readonly problem: string; readonly hint?: string };

const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const unitBytes: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** `15m`, `10s`, `1h30m`, `250ms` as milliseconds, or null when the text is no duration. Units in falling order, each once. */
export function parseDurationMs(text: string): number | null {
  const match = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/.exec(text);
  if (match === null || text === '') return null;
  return ['d', 'h', 'm', 's', 'ms'].reduce(
    (sum, unit, at) => sum + Number(match[at + 1] ?? 0) * (unitMs[unit] ?? 0),
    0,
  );
}

/** `64KiB`, `1GiB`, `512B` as bytes, or null when the text is no size. @testing */
export function parseSizeBytes(text: string): number | null {
  const match = /^(\d{1,12})(B|KiB|MiB|GiB)$/.exec(text);
  if (match === null) return null;
  const bytes = Number(match[1]) * (unitBytes[match[2] ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** A path as written, for `absolute` to complete. */
export const filePath = z
  .string()
  .min(1)
  .meta({ description: 'a path; relative ones start at the folder of this file' });

/** A duration in milliseconds between two others, both given as text. */
export function durationMs(least: string, most: string) {
  return read(
    'a duration like 15m, 10s or 1h30m',
    '^((\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?|.*\\$\\{.+)$',
    (text) => {
      const value = parseDurationMs(text);
      if (value === null) {
        return wrong(
          `${JSON.stringify(text)} is not a duration`,
          /^\d+$/.test(text) ? `add a unit: ${text}s` : 'write 15m, 10s, 250ms or 1h30m',
        );
      }
      if (value < (parseDurationMs(least) ?? 0)) return wrong(`${text} is too short`, `at least ${least}`);
      if (value > (parseDurationMs(most) ?? 0)) return wrong(`${text} is too long`, `at most ${most}`);
      return { kind: 'read', value };
    },
  );
}

/** A duration in whole seconds between two others. */
export function durationSeconds(least: string, most: string) {
  return durationMs(least, most).transform((ms, context) => {
    if (ms % 1000 === 0) return ms / 1000;
    context.issues.push({ code: 'custom', message: 'is not a whole number of seconds', input: ms });
    return z.NEVER;
  });
}

/** How long access by a link lasts: a duration from one minute to ten years in seconds, or `none` for no end, which is null. */
export const accessSpan = read(
  'a duration like 90d or 12h, or none',
  '^(none|(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?|.*\\$\\{.+)$',
  (text): Reading<number | null> => {
    if (text === 'none') return { kind: 'read', value: null };
    const ms = parseDurationMs(text);
    if (ms === null) return wrong(`${JSON.stringify(text)} is not a duration`, 'write 90d, 12h, or none');
    if (ms < 60_000) return wrong(`${text} is too short`, 'at least 1m');
    return ms > 3650 * 86_400_000
      ? wrong(`${text} is too long`, 'at most 3650d, or none')
      : { kind: 'read', value: Math.round(ms / 1000) };
  },
);

/** A size in bytes. */
export function sizeBytes(most: string) {
  return read('a size like 64KiB or 8MiB', '^(\\d+(B|KiB|MiB|GiB)|.*\\$\\{.+)$', (text) => {
    const value = parseSizeBytes(text);
    if (value === null) return wrong(`${JSON.stringify(text)} is not a size`, 'write 512B, 64KiB, 8MiB or 1GiB');
    if (value > (parseSizeBytes(most) ?? 0)) return wrong(`${text} is too large`, `at most ${most}`);
    return { kind: 'read', value };
  });
}

/** A size in bytes, or `unlimited`, which is a number that no count of bytes reaches. */
export const sizeLimit = read(
  'a size like 64KiB or 8MiB, or unlimited',
  '^(unlimited|\\d+(B|KiB|MiB|GiB)|.*\\$\\{.+)$',
  (text) => {
    if (text === 'unlimited') return { kind: 'read', value: Number.MAX_SAFE_INTEGER };
    const value = parseSizeBytes(text);
    return value === null
      ? wrong(`${JSON.stringify(text)} is not a size`, 'write 512B, 64KiB, 8MiB, 1GiB, or unlimited')
      : { kind: 'read', value };
  },
);

/** A word out of a closed list; `noun` names in messages what the words are, such as `preset`. */
export function wordOf<const T extends readonly [string, ...string[]]>(noun: string, words: T) {
  return z.enum(words, {
    error: (issue) => (typeof issue.input === 'string' ? `unknown ${noun} ${JSON.stringify(issue.input)}` : undefined),
  });
}

/** An id that goes into headers, labels and file names: letters, digits, `.`, `_`, `-`. */
export function identifier(noun: string) {
  return read(`${noun}: letters, digits, ".", "_" and "-"`, '^([A-Za-z0-9._-]{1,64}|.*\\$\\{.+)$', (text) =>
    /^[A-Za-z0-9._-]{1,64}$/.test(text)
      ? { kind: 'read', value: text }
      : wrong(`${JSON.stringify(text)} is not a ${noun}`, 'letters, digits, ".", "_" and "-", at most 64 of them'),
  );
}

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `:8080` (every address) as host and port. */
export const listenAddress = read('host:port, [ipv6]:port, or :port for every address', undefined, (text) => {
  const hint = 'write 127.0.0.1:8080, [::1]:8080, or :8080 for every address';
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]*):(\d{1,5})$/.exec(text);
  const bracketed = match === null ? withBrackets(text) : null;
  if (bracketed !== null) return wrong(`${JSON.stringify(text)} is not an address to listen on`, bracketed);
  if (match === null) return wrong(`${JSON.stringify(text)} is not an address to listen on`, hint);
  const port = Number(match[2]);
  if (port > 65_535) return wrong(`port ${port} is above 65535`);
  // `::` takes IPv4 as well: Node listens dual-stack unless told otherwise.
  const host = match[1] === '' ? '::' : readHost(match[1] ?? '');
  return host === null
    ? wrong(`${JSON.stringify(match[1])} is not a host`, hint)
    : { kind: 'read', value: { host, port } };
});

/** The hint for an IPv6 address without brackets, where nobody can tell the port from the address; null for other texts. */
function withBrackets(text: string): string | null {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (isIPv6(text)) {
    const other = isIPv6(host) ? `, or [${host}]:${port} if ${port} is the port` : '';
    return `an IPv6 address needs brackets and a port: [${text}]:8080${other}`;
  }
  return isIPv6(host) ? `an IPv6 address needs brackets: [${host}]:${port}` : null;
}

/** The host a route is for: an exact name or `*.example.org`; lower-cased. */
export const routeHost = read('a host name, or *.example.org for every name below', undefined, (text) => {
  const hint = 'write media.example.org or *.example.org';
  const wildcard = isWildcardHost(text);
  const name = wildcard ? text.slice(2) : text;
  if (/^[^[\]]*:\d+$/.test(name) || /\]:\d+$/.test(name)) {
    return wrong(`${JSON.stringify(text)} has a port`, 'drop it: the port of Host is ignored');
  }
  if (name.includes('*')) return wrong(`${JSON.stringify(text)} has a wildcard that is not the first label`, hint);
  const host = readHost(name);
  if (host === null || (wildcard && (isIPv4(host) || isIPv6(host))))
    return wrong(`${JSON.stringify(text)} is not a host`, hint);
  // The same canonical form as the host of a request, so that both can be compared.
  const canonical = canonicalHost(host.includes(':') ? `[${host}]` : host);
  if (canonical === null) return wrong(`${JSON.stringify(text)} is not a host`, hint);
  return { kind: 'read', value: wildcard ? `*.${canonical}` : canonical };
});

/** A route's path: begins with `/`, and is written in the one canonical form that requests are compared in. */
export const routePath = read('a path; a folder when it ends in /', undefined, (text) => {
  const problem = routePathProblem(text);
  return problem === null ? { kind: 'read', value: routePathForm(text) } : wrong(problem.problem, problem.hint);
});

/** A path prefix of latchkey's own: one folder below the root, like `/.t/`. */
export const folderPrefix = read('a folder below the root, like /.t/', undefined, (text) => {
  const problem = routePathProblem(text);
  if (problem !== null) return wrong(problem.problem, problem.hint);
  if (!/^\/[^/]+\/$/.test(text))
    return wrong(`${JSON.stringify(text)} is not one folder below the root`, 'write it like /.t/');
  return { kind: 'read', value: text };
});

/** A folder of a site: a route's path that ends in `/`. */
export const folderPath = read('a folder, like /vod/summer/', undefined, (text) => {
  const problem = routePathProblem(text);
  if (problem !== null) return wrong(problem.problem, problem.hint);
  if (!text.endsWith('/'))
    return wrong(`${JSON.stringify(text)} is not a folder`, `write ${JSON.stringify(`${text}/`)}`);
  return { kind: 'read', value: routePathForm(text) };
});

/** One host, lower-cased, in the form that requests' hosts are brought to; no wildcard. */
export const hostName = read('a host name', undefined, (text) => {
  const host = readHost(text);
  const canonical = host === null ? null : canonicalHost(host.includes(':') ? `[${host}]` : host);
  return canonical === null
    ? wrong(`${JSON.stringify(text)} is not a host`, 'write media.example.org, without a port')
    : { kind: 'read', value: canonical };
});

/** A mail address in the form in which accounts store theirs, because a collection's owner is found by it. */
export const mailAddress = read('a mail address', undefined, (text) => {
  const value = normaliseMailAddress(text);
  return value === null
    ? wrong(`${JSON.stringify(text)} is not a mail address`, 'write owner@example.org')
    : { kind: 'read', value };
});

/** A CIDR block or a single address, IPv4 or IPv6. */
export const ipBlock = read('an address or a CIDR block, like 10.0.0.0/8', undefined, (text) =>
  compileIpList([text]) === null
    ? wrong(`${JSON.stringify(text)} is not an address block`, 'write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32')
    : { kind: 'read', value: text },
);

/**
 * Why a path cannot be a route's: requests are brought to canonical form before routing, so a path in another form would never match.
 *
 * @returns null when it can
 */
function routePathProblem(path: string): { problem: string; hint: string } | null {
  const shown = JSON.stringify(path);
  if (!path.startsWith('/')) {
    return { problem: `path ${shown} does not start with /`, hint: `write ${JSON.stringify(`/${path}`)}` };
  }
  if (/[?#]/.test(path))
    return { problem: `path ${shown} has a query or a fragment`, hint: 'routes look at the path only' };
  // A pass for the route carries its path as a pattern, where a star would mean more than itself.
  if (path.includes('*')) {
    return { problem: `path ${shown} has a wildcard`, hint: 'a folder path that ends in / covers everything below it' };
  }
  const canonical = canonicalText(path, 0);
  if (canonical === path) return null;
  const hint = canonical === null ? 'no request can have such a path' : `write ${JSON.stringify(canonical)}`;
  const isSpelled = canonical !== null && /^[!-~]+$/.test(path);
  return { problem: `path ${shown} ${isSpelled ? 'is not in canonical form' : `has ${explainPath(path)}`}`, hint };
}

/** The one form in which paths are compared, so that two spellings of a route are seen to be one. An encoded star stays so. */
function routePathForm(path: string): string {
  const canonical = canonicalText(path, 0) ?? path;
  const compared = comparedForm(canonical);
  return compared.includes('*') ? canonical : compared;
}

/** `[::1]`, `127.0.0.1` or a host name, lower-cased and without brackets; null when the text is no host. */
export function readHost(text: string): string | null {
  if (text.startsWith('[')) {
    const inner = text.slice(1, -1);
    return isIPv6(inner) && !inner.includes('%') ? inner.toLowerCase() : null;
  }
  if (isIPv4(text)) return text;
  // All digits and dots, but no IPv4 address: most likely a mistyped address, not a name.
  if (/^[\d.]+$/.test(text)) return null;
  const name = text.toLowerCase();
  return name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
    ? name
    : null;
}

/** The result for a text that cannot be read. */
export function wrong(problem: string, hint?: string): { kind: 'wrong'; problem: string; hint?: string } {
  return hint === undefined ? { kind: 'wrong', problem } : { kind: 'wrong', problem, hint };
}

/** A zod type that runs `parse` on the text; the description and pattern are for editors. */
export function read<T>(description: string, pattern: string | undefined, parse: (text: string) => Reading<T>) {
  const text = z
    .string({ error: description })
    .meta(pattern === undefined ? { description } : { description, pattern });
  return text.transform((value, context): T => {
    const reading = parse(value);
    if (reading.kind === 'read') return reading.value;
    context.issues.push({ code: 'custom', message: reading.problem, input: value, params: { hint: reading.hint } });
    return z.NEVER;
  });
}

/** The hint for a word that is not in its list. */
export function wordHint(word: unknown, words: readonly unknown[]): string {
  return suggestionHint(String(word), words.map(String));
}
