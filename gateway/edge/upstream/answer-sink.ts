// What a connection to an upstream asks of the request that it carries, and of the tunnel that a request may become. Shapes only:
// `edge/exchange/` implements them, so that nothing here knows clients, permits or logs.

import type { ResponseFraming, ResponseHead } from '../../http1/response-head.ts';
import type { UpstreamFailure } from './failure.ts';

/** How long an upstream may take, in milliseconds. */
interface UpstreamTimeouts {
  readonly upstreamConnectMs: number;
  readonly upstreamFirstByteMs: number;
  /** Between two reads of an answer, or two writes of a body. */
  readonly upstreamIdleMs: number;
}

/** The client's side, as far as an upstream has to wait for it. */
interface ClientSide {
  /** Bytes were given to the client's socket that the kernel did not take yet; they may stand in a buffer that was only lent. */
  readonly hasUnsent: boolean;
  /** Calls back once nothing is unsent, or the client is gone. */
  whenSent(callback: () => void): void;
  readonly socket: { cork(): void; uncork(): void };
}

/** A connection that gave no complete answer. */
export interface FailedConnection {
  /** The server that it leads to; `UpstreamGroup.acquire` avoids this very one. */
  readonly server: { readonly authority: string };
  /** Times that it was taken for a request, this one included. */
  readonly uses: number;
  /** What the system or OpenSSL said, for the log. */
  readonly cause: string | null;
}

/** One request on its way to an upstream, and the taker of its answer. */
export interface AnswerSink {
  readonly method: string;
  readonly timeouts: UpstreamTimeouts;
  readonly downstream: ClientSide;
  /** May go out with others on one connection, where the upstream takes that. */
  readonly mayJoin: boolean;
  /** Nobody waits for the answer any more: the client left, or the request was answered otherwise. */
  readonly isOver: boolean;
  /** All of the request's body was given to the connection. */
  readonly isRequestSent: boolean;
  /** The client is told to wait, because the upstream does not take more of the body for now. */
  readonly isBodyPaused: boolean;
  /** The answer's body is passed on with its chunk framing. */
  readonly keepsChunks: boolean;
  /** Bytes of the answer's body that were passed on. */
  readonly bytesOut: number;
  /** What the request wants to switch to; null for an ordinary one. */
  readonly upgrade: object | null;
  /** An interim answer. @returns false when the upstream may not send this one */
  onInterim(head: ResponseHead): boolean;
  /** The final head, with the first bytes of the body: `start` to `end` of `bytes`, the whole of it when `isWhole`. */
  begin(
    head: ResponseHead,
    framing: ResponseFraming,
    bytes: Buffer,
    start: number,
    end: number,
    isWhole: boolean,
  ): void;
  /** A span of the answer's body. The bytes are only lent: the connection reads into them again once the client took them. */
  relay(bytes: Uint8Array, start: number, end: number): void;
  /** The answer is complete and framed to its end. */
  end(): void;
  /** The 101 that was asked for. @returns null, and nothing has happened, when it is not the answer to what was asked for */
  switchProtocols(head: ResponseHead): TunnelSink | null;
  /** The upstream took all of the body that it was given. */
  upstreamDrained(): void;
  /** The connection gives no answer, or no whole one. */
  upstreamFailed(connection: FailedConnection, failure: UpstreamFailure): void;
}

/** A connection that left HTTP, as its tunnel sees it. */
export interface TunnelledConnection {
  readonly socket: { readonly destroyed: boolean; end(): void; destroy(): void; resetAndDestroy(): void };
  /** By the ticker: when the connection is destroyed. */
  deadlineMs: number;
  /** @returns false when the upstream does not take more for now; `upstreamDrained` is called once it does */
  writeBody(bytes: Uint8Array): boolean;
  /** Reads on after a stop. */
  resume(): void;
}

/** A tunnel as the connection to its upstream sees it. */
export interface TunnelSink {
  readonly isOver: boolean;
  /** The request that became the tunnel. */
  readonly exchange: AnswerSink;
  /** Both connections are the tunnel's from here on; what came behind the head of the 101 is `start` to `end` of `bytes`. */
  begin(connection: TunnelledConnection, bytes: Buffer, start: number, end: number): void;
  /** Bytes of the upstream, only lent, as in `AnswerSink.relay`. */
  fromUpstream(bytes: Buffer, start: number, end: number): void;
  upstreamDrained(): void;
  /** The upstream said that it has no more to say. */
  upstreamEnded(): void;
  upstreamClosed(): void;
}
