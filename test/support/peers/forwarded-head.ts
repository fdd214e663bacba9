// The exact request head that an upstream must see, for byte-for-byte comparisons. The request id is the only free part.

import type { RecordedRequest } from './recording-upstream.ts';

interface ForwardedParts {
  /** What was kept of the client's fields, in order, without line ends. */
  readonly fields?: readonly string[];
  /** The gateway's fields about the client, in order. */
  readonly identity?: readonly string[];
  readonly host?: string;
  readonly forwardedFor?: string;
  readonly forwardedProto?: string;
  readonly forwardedHost?: string;
}

/** The head for a request line without its version; `Host` comes first, as `requestText` writes it. */
export function forwardedHead(line: string, parts: ForwardedParts = {}): string {
  const host = parts.host ?? 'media.example';
  const lines = [
    `${line} HTTP/1.1`,
    `Host: ${host}`,
    ...(parts.fields ?? []),
    `X-Forwarded-For: ${parts.forwardedFor ?? '127.0.0.1'}`,
    `X-Forwarded-Proto: ${parts.forwardedProto ?? 'http'}`,
    `X-Forwarded-Host: ${parts.forwardedHost ?? host}`,
    'X-Request-Id: ID',
    ...(parts.identity ?? []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** What an upstream saw, with the request id's value replaced by `ID`. */
export function seenHead(request: RecordedRequest): string {
  return request.raw.toString('latin1').replace(/(\r\nX-Request-Id: )[^\r]+/, '$1ID');
}
