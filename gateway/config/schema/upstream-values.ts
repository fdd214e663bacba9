// The values of upstreams in the configuration file: server addresses, status ranges, names to hash by, as zod types.
// Rules: RFC 9110 §4.2 (schemes and default ports), §5.1 (field names), RFC 6265 §4.1.1 (cookie names), unix(7) (path length).

import { type Reading, read, readHost, wrong } from './values.ts';

/** A server as the file names it; a Unix path is still relative to the file's folder. */
export interface WrittenServer {
  readonly address:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string };
  readonly isTls: boolean;
}

const addressForms = 'write http://host:port, https://host, host:port or unix:/path/to.sock';

/** `host:port`, `http://host[:port]`, `https://host[:port]` or `unix:/path`. */
export const upstreamServer = read(
  'http://host[:port], https://host[:port], host:port or unix:/path',
  undefined,
  (text): Reading<WrittenServer> => {
    const unix = /^unix:/i.exec(text);
    if (unix !== null) return readUnix(text.slice(unix[0].length));
    const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
    const isTls = scheme?.[1]?.toLowerCase() === 'https';
    if (scheme !== null && !isTls && scheme[1]?.toLowerCase() !== 'http') {
      return wrong(`${JSON.stringify(text)} is no address of a server`, addressForms);
    }
    const rest = scheme === null ? text : text.slice(scheme[0].length);
    if (rest.includes('@')) return wrong('a server address has no user name or password', addressForms);
    if (/[/?#\\]/.test(rest)) {
      return wrong(
        `${JSON.stringify(text)} has a path`,
        'leave it out; paths go to the upstream as the client sent them',
      );
    }
    const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/.exec(rest);
    const host = match === null ? null : readHost(match[1] ?? '');
    if (match === null || host === null) return wrong(`${JSON.stringify(text)} has no valid host`, addressForms);
    if (scheme === null && match[2] === undefined) {
      return wrong(
        `${JSON.stringify(text)} has no port`,
        `write ${rest}:8080, or http://${rest} for port 80, https://${rest} for port 443`,
      );
    }
    const port = match[2] === undefined ? (isTls ? 443 : 80) : Number(match[2]);
    if (port < 1 || port > 65_535) return wrong(`port ${port} is not between 1 and 65535`);
    return { kind: 'read', value: { address: { kind: 'tcp', host, port }, isTls } };
  },
);

/** The name of a server in logs. @param path  of a Unix socket, made absolute */
export function authorityOf(server: WrittenServer, path: (path: string) => string): string {
  const { address } = server;
  if (address.kind === 'unix') return `unix:${path(address.path)}`;
  const shown = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === (server.isTls ? 443 : 80) ? shown : `${shown}:${address.port}`;
}

/** `200-399` or `204` as first and last status. */
export const statusRange = read(
  'a status like 204, or a range like 200-399',
  undefined,
  (text): Reading<readonly [number, number]> => {
    const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text);
    if (match === null) return wrong(`${JSON.stringify(text)} is no range of statuses`, 'write 204, or 200-399');
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    return first > last
      ? wrong(`${text} ends before it begins`, `write ${last}-${first}`)
      : { kind: 'read', value: [first, last] };
  },
);

/** Name of a header field that requests can have here, lower-cased. */
export const fieldName = read('a header name like X-Device', undefined, (text) =>
  /^[A-Za-z0-9-]{1,64}$/.test(text)
    ? { kind: 'read', value: text.toLowerCase() }
    : wrong(`${JSON.stringify(text)} is no header name`, 'letters, digits and "-", at most 64 of them'),
);

/** Name of a cookie. */
export const cookieName = read('a cookie name', undefined, (text) =>
  /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/.test(text)
    ? { kind: 'read', value: text }
    : wrong(`${JSON.stringify(text)} is no cookie name`, 'no spaces, no "=", no ";", at most 64 characters'),
);

/** A path with an optional query, as it is sent. */
export const requestTarget = read('a path like /health', undefined, (text) =>
  /^\/[!-"$-~]{0,1023}$/.test(text)
    ? { kind: 'read', value: text }
    : wrong(`${JSON.stringify(text)} is no path`, 'begin with /; no spaces, no "#"'),
);

/** A host name for TLS or for `Host`, lower-cased. */
export const upstreamHost = read('a host name', undefined, (text) => {
  const host = readHost(text);
  return host === null
    ? wrong(`${JSON.stringify(text)} is no host name`, 'write app.internal')
    : { kind: 'read', value: host };
});

/** `Host` of a health check: a name with an optional port. */
export const hostField = read('a host with an optional port', undefined, (text) => {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]\s]+)(:\d{1,5})?$/.exec(text);
  const host = match === null ? null : readHost(match[1] ?? '');
  return host === null
    ? wrong(`${JSON.stringify(text)} is no host`, 'write app.internal or app.internal:8080')
    : { kind: 'read', value: text.toLowerCase() };
});

function readUnix(path: string): Reading<WrittenServer> {
  if (path === '' || path.endsWith('/')) return wrong('unix: names no socket', 'write unix:/path/to.sock');
  if (/\p{Cc}/u.test(path))
    return wrong('the path of the socket holds a control character', 'write unix:/path/to.sock');
  return { kind: 'read', value: { address: { kind: 'unix', path }, isTls: false } };
}
