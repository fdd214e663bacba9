// One edge's feed: NDJSON in an endless response, with a limit on what may wait for an edge that does not read.
// Carries keys: a message is written to this stream and to nothing else, never to a log.

import type { ServerResponse } from 'node:http';
import type { FeedMessage } from '../../wire/feed.ts';
import type { LogBeat } from '../../wire/log.ts';

/** Heartbeats in a row that find bytes still waiting before the edge is cut off. */
const maxStalledBeats = 5;
/** Bytes that may wait for an edge: two snapshots of the largest configuration fit. An edge with more waiting is cut off. */
const maxWaitingBytes = 64 * 1024 * 1024;

/** The open feed of one edge. */
export class EdgeFeedStream {
  readonly edge: string;
  readonly #response: ServerResponse;
  #stalledBeats = 0;

  constructor(edge: string, response: ServerResponse) {
    this.edge = edge;
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  }

  /** Sends a message; cuts the edge off when too much waits. */
  send(message: FeedMessage): void {
    if (this.#response.destroyed) return;
    this.#response.write(`${JSON.stringify(message)}\n`);
    if (this.#response.writableLength > maxWaitingBytes) this.cut();
  }

  /** Sends a heartbeat, unless earlier bytes still wait. */
  beatIfIdle(seq: number, log: LogBeat | null): boolean {
    if (this.#response.writableLength > 0) return false;
    this.#stalledBeats = 0;
    this.send({ kind: 'heartbeat', seq, log });
    return true;
  }

  /** The regular heartbeat. @returns false when the edge was cut off for not reading */
  beat(seq: number, log: LogBeat | null): boolean {
    if (this.beatIfIdle(seq, log)) return true;
    this.#stalledBeats += 1;
    if (this.#stalledBeats < maxStalledBeats) return true;
    this.cut();
    return false;
  }

  /** Ends the connection at once. The edge is expected to reconnect and read a fresh snapshot. */
  cut(): void {
    this.#response.destroy();
  }
}
