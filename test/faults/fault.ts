// The shape of a fault: when the upstream misbehaves, how, and what the client has to get. Data only; the upstream that plays
// the fault is scripted-upstream.ts, the judge is judge.ts. Possible outcomes: 502, 504, or an answer that is cut off.

import type { Stage } from './stage.ts';

/** Kinds of requests: a chunked PUT, a GET with `Range`, and a handshake for a WebSocket, beside the plain ones. */
export const methods = ['GET', 'POST', 'PUT', 'RANGE', 'WEBSOCKET'] as const;
export type Method = (typeof methods)[number] | 'HEAD';

/** Whether the upstream connection had carried a good exchange before. */
export const freshnesses = ['fresh', 'reused'] as const;
export type Freshness = (typeof freshnesses)[number];

/**
 * When the fault begins.
 *
 * - `connect`: nothing listens at the address any more
 * - `accept`: when a connection comes; a reused one is reset under the request
 * - `bytes`: at the first bytes of the request
 * - `head`: after its head
 * - `body`: inside its body, of which the client sends one half; after the head where there is no body
 * - `request`: after the whole request
 */
type Phase = 'connect' | 'accept' | 'bytes' | 'head' | 'body' | 'request';

/**
 * What the client gets.
 *
 * - `ok`: a complete 200 or 206 with the request's own id
 * - `cut`: no complete answer, and a connection that ended
 * - `tunnel`: a 101, exactly `content` behind it, and then the end
 * - `left`: the client itself leaves in the middle
 * - a number: a complete answer with this status
 */
export type Outcome = 'ok' | 'cut' | 'tunnel' | 'left' | number;

/** One fault. */
export interface Fault {
  readonly name: string;
  readonly at: Phase;
  /** What the upstream writes; `$ID` stands for the request's id. */
  readonly says?: string;
  /** What it does then; it stays silent by default. */
  readonly ends?: 'stay' | 'fin' | 'reset';
  /** Instead of `says`, for what takes more than one write. */
  readonly play?: (stage: Stage) => void;
  /** The permitted outcomes. */
  readonly outcome: Outcome | readonly Outcome[];
  /** The outcome of a POST or PUT, where it differs. */
  readonly withBody?: Outcome | readonly Outcome[];
  /** The outcome of a GET or RANGE on a reused connection, where it differs because the request is sent again. */
  readonly sentAgain?: Outcome | readonly Outcome[];
  /** The content that `ok` means, `mine` by default, or what came through the tunnel, nothing by default. */
  readonly content?: string;
  /** The fault concerns one connection: a request on the next connection is answered well. */
  readonly isOnce?: true;
  /** The fault comes behind the answer, so the next request waits until the connection is gone: before that, the fault cannot be seen. */
  readonly isLate?: true;
  /** The upstream connection may stay open. */
  readonly keeps?: true;
  /** The connection is neither accepted nor refused, because the kernel's queue is full. Linux only. */
  readonly isBlackHole?: true;
  /** No later request to this upstream succeeds. */
  readonly staysDown?: true;
  /** Bytes of the request's body; small by default. */
  readonly bodyBytes?: number;
  readonly methods?: readonly Method[];
  readonly freshnesses?: readonly Freshness[];
  /** The client leaves after so many bytes of the answer. */
  readonly leavesAfter?: number;
}

/** A good answer's head with a length, up to the empty line. */
export function head(length: number, fields = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\nX-Id: $ID\r\n${fields}Content-Length: ${length}\r\n\r\n`;
}

/** A good answer's head for a chunked body. */
export const chunkedHead = 'HTTP/1.1 200 OK\r\nX-Id: $ID\r\nTransfer-Encoding: chunked\r\n\r\n';

/** A good answer's head for a body that ends with the connection. */
export const endlessHead = 'HTTP/1.1 200 OK\r\nX-Id: $ID\r\n\r\n';

/** A complete good answer. */
export const mine = `${head(4)}mine`;

/** An answer without a request. */
export const poison = 'HTTP/1.1 200 OK\r\nX-Id: poison\r\nContent-Length: 6\r\n\r\npoison';
