// The shape of a row about a hostile upstream: the bytes of its answer, and the permitted results.
// The client sends an innocent request; whatever the upstream does, no other request may be affected.

export interface ResponseRow {
  readonly id: string;
  readonly family: string;
  readonly what: string;
  readonly reference: string;
  /** What the upstream writes, latin1. */
  readonly bytes: string;
  /** What the upstream does after writing; by default it stays connected. */
  readonly ending?: 'end' | 'reset';
  /** Written to the connection once the client has its whole answer. */
  readonly behind?: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** Further lines of the request. */
  readonly asks?: readonly string[];
  /** The client's HTTP version; 1.1 by default. */
  readonly minorVersion?: 0;
  readonly client: ClientExpectation;
  /** `kept`: it serves the next request. `destroyed`: by the gateway, and no other request ever went over it. */
  readonly connection: 'kept' | 'destroyed';
}

type ClientExpectation =
  /** The answer breaks off in a way that no client can mistake for its end. */
  | { readonly kind: 'cut' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** The content, exactly. */
      readonly text?: string;
      /** Must be in the answer, head included. */
      readonly contains?: RegExp;
      /** Must be nowhere in the answer. */
      readonly lacks?: RegExp;
      /** Statuses of the interim answers that reach the client. */
      readonly interim?: readonly number[];
      /** The client's connection ends behind the answer. */
      readonly isLast?: boolean;
    };

type Details = Partial<Pick<ResponseRow, 'ending' | 'behind' | 'method' | 'asks' | 'minorVersion' | 'connection'>>;
type Answer = Extract<ClientExpectation, { kind: 'answer' }>;

/** The short ways to write the rows of one family. */
export function responseFamily(family: string) {
  const row = (
    id: string,
    what: string,
    bytes: string,
    reference: string,
    client: ClientExpectation,
    details: Details,
  ): ResponseRow => ({
    id: `${family}.${id}`,
    family,
    what,
    reference,
    bytes,
    client,
    connection: 'destroyed',
    ...details,
  });
  return {
    /** The upstream's answer is malformed: the client gets 502, and the upstream connection is destroyed. */
    bad: (id: string, what: string, bytes: string, reference: string, details: Details = {}) =>
      row(id, what, bytes, reference, { kind: 'answer', status: 502, lacks: /evil/i }, details),
    /** The same where the client can tell no more what its own bytes would be. */
    last: (id: string, what: string, bytes: string, reference: string, details: Details = {}) =>
      row(id, what, bytes, reference, { kind: 'answer', status: 502, lacks: /evil/i, isLast: true }, details),
    /** Breaks behind its head. */
    cut: (id: string, what: string, bytes: string, reference: string, details: Details = {}) =>
      row(id, what, bytes, reference, { kind: 'cut' }, details),
    /** Passed on without what no client may see; the connection goes on. */
    cleaned: (
      id: string,
      what: string,
      bytes: string,
      reference: string,
      answer: Partial<Answer>,
      details: Details = {},
    ) =>
      row(id, what, bytes, reference, { kind: 'answer', status: 200, ...answer }, { connection: 'kept', ...details }),
    /** A valid answer with bytes behind it that answer no request. */
    followed: (
      id: string,
      what: string,
      bytes: string,
      reference: string,
      answer: Partial<Answer>,
      details: Details = {},
    ) => row(id, what, bytes, reference, { kind: 'answer', status: 200, lacks: /evil/i, ...answer }, details),
  };
}

/** A 200 with these fields and this body; no framing of its own. */
export function ok(lines: readonly string[], body = ''): string {
  return `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

/** A valid answer. */
export function sound(text: string, ...lines: string[]): string {
  return ok([`Content-Length: ${text.length}`, ...lines], text);
}
