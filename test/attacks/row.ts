// The shape of a row of the attack suite: bytes, an expectation, a reference; and the short ways to write a row.
// Rows are data. They state what has to happen; run-row.ts observes it and judge.ts judges it.

/** Which gateway a row is meant for; each kind has its configuration in lanes.ts. */
export type GatewayKind = 'plain' | 'trusting' | 'hasty' | 'wide' | 'pipelined' | 'proxied' | 'tls';

/** Makes what a row cannot hold as a literal: tokens, good ones and forged ones. */
export interface Making {
  /** A good token; `exp` is in five minutes and `paths` is everything unless `claims` says so. */
  token(claims?: object, type?: 'outside' | 'pass' | 'session'): string;
  /** A token with these very bytes as header and claims, under the gateway's key unless another secret is given. */
  forged(header: string, claims: string, secret?: Uint8Array): string;
  /** Epoch seconds. */
  readonly now: number;
}

/** A message that the upstream must see byte for byte; only the request id is free. */
export interface Forwarded {
  /** Request line without its version. */
  readonly line: string;
  /** What was kept of the client's fields, in order, without line ends; framing fields included. */
  readonly fields?: readonly string[];
  /** The gateway's fields about the client. */
  readonly identity?: readonly string[];
  readonly host?: string;
  readonly forwardedFor?: string;
  readonly forwardedProto?: string;
  readonly forwardedHost?: string;
  /** With its framing, as it goes over the wire. */
  readonly body?: string;
}

/**
 * What the upstream saw. `nothing`: not one byte. `nothing-complete`: no request that it could act on, and the connection
 * of whatever came was destroyed.
 */
type UpstreamExpectation = 'nothing' | 'nothing-complete' | readonly (Forwarded | RegExp)[];

export interface RequestRow {
  readonly id: string;
  readonly family: string;
  /** The attack in plain words. */
  readonly what: string;
  /** Clause or CVE. */
  readonly reference: string;
  /** latin1, one character a byte; `{{token}}` is a good token. */
  readonly bytes: string | ((make: Making) => string);
  /** Status of each final answer, in order; a list allows any of its members. */
  readonly answers: readonly (number | readonly number[])[];
  /** Statuses of the interim answers in front of them. */
  readonly interim?: readonly number[];
  readonly after: 'closed' | 'open';
  readonly upstream: UpstreamExpectation;
  /** Methods of the requests that are answered, where one is HEAD. */
  readonly methods?: readonly string[];
  /** Must be somewhere in the answers, heads included. */
  readonly contains?: RegExp;
  /** Must be nowhere in them. */
  readonly lacks?: RegExp;
  readonly gateway?: GatewayKind;
  /** The row is a one-byte variant of another row, and is counted apart. */
  readonly isVariant?: boolean;
  /** The bytes are the very first of their connection: only over a fresh one, and without what its gateway asks for. */
  readonly isFirst?: boolean;
  /** false: nothing is sent behind the bytes. Otherwise a request follows whose answer nobody may ever see. */
  readonly hasTail?: boolean;
}

/** What is left to say about a row once its kind is clear. */
type RowDetails = Partial<Omit<RequestRow, 'id' | 'family' | 'what' | 'bytes' | 'reference'>>;

type Bytes = RequestRow['bytes'];

/** The short ways to write the rows of one family. */
export function family(name: string) {
  const row = (
    id: string,
    what: string,
    bytes: Bytes,
    reference: string,
    rest: Omit<RequestRow, 'id' | 'family' | 'what' | 'bytes' | 'reference'>,
  ): RequestRow => ({
    id: `${name}.${id}`,
    family: name,
    what,
    reference,
    bytes,
    ...rest,
  });
  return {
    /** Answered with an error, the connection ends, the upstream sees nothing. */
    refused: (
      id: string,
      what: string,
      bytes: Bytes,
      reference: string,
      status = 400,
      details: RowDetails = {},
    ): RequestRow =>
      row(id, what, bytes, reference, { answers: [status], after: 'closed', upstream: 'nothing', ...details }),
    /** A valid request that may not pass: it is refused, and the connection goes on. */
    denied: (
      id: string,
      what: string,
      bytes: Bytes,
      reference: string,
      status = 401,
      details: RowDetails = {},
    ): RequestRow =>
      row(id, what, bytes, reference, { answers: [status], after: 'open', upstream: 'nothing', ...details }),
    /** Forwarded in this one form, answered, and the connection goes on. */
    passed: (
      id: string,
      what: string,
      bytes: Bytes,
      reference: string,
      seen: Forwarded | RegExp,
      details: RowDetails = {},
    ): RequestRow => row(id, what, bytes, reference, { answers: [200], after: 'open', upstream: [seen], ...details }),
    /** The framing of its body breaks on the way: no upstream sees a whole request. */
    broken: (id: string, what: string, bytes: Bytes, reference: string, details: RowDetails = {}): RequestRow =>
      row(id, what, bytes, reference, { answers: [400], after: 'closed', upstream: 'nothing-complete', ...details }),
    row,
  };
}

/** The host that rows speak to. */
export const host = 'media.example';

/** A request without a body. @param lines  without line ends; `Host` comes first unless one of them is a Host */
export function get(target: string, ...lines: string[]): string {
  return request('GET', target, lines);
}

/** Any request. @param body  with its framing; empty for none */
export function request(method: string, target: string, lines: readonly string[], body = ''): string {
  const all = lines.some((line) => /^host:/i.test(line)) ? lines : [`Host: ${host}`, ...lines];
  return `${method} ${target} HTTP/1.1\r\n${all.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

/** A POST to an open route. */
export function post(lines: readonly string[], body: string, target = '/open/a'): string {
  return request('POST', target, lines, body);
}

/** A chunked POST to an open route. */
export function chunked(body: string): string {
  return post(['Transfer-Encoding: chunked'], body);
}
