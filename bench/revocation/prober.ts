// Sends a request with the same token to one edge every millisecond, and records when each was sent and how it was answered.
// A request is left out when all connections wait for an answer.

import { connect, type Socket } from 'node:net';
import { machineMs } from '../../gateway/telemetry/clock.ts';

interface Probe {
  /** When the request was sent, by the machine's monotonic clock. */
  readonly sentMs: number;
  readonly tookMs: number;
  /** Status of the answer; 0 when the connection was reset. */
  readonly status: number;
}

/** Requests take turns on these connections, so that a slow answer does not hold the next request up. */
const connections = 4;

/** Probes one edge, from `start` to `stop`. */
export class Prober {
  readonly probes: Probe[] = [];
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #idle: Socket[] = [];
  /** When the request that waits on a connection was sent. */
  readonly #sent = new Map<Socket, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(port: number) {
    this.#port = port;
    for (let at = 0; at < connections; at++) this.#connect();
  }

  start(token: string): void {
    this.probes.length = 0;
    this.#timer = setInterval(() => this.#ask(token), 1);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  close(): void {
    this.stop();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#sockets.add(socket);
    this.#idle.push(socket);
    socket.on('data', (chunk: Buffer) => {
      this.#answered(socket, Number(chunk.toString('latin1', 9, 12)));
      this.#idle.push(socket);
    });
    // the edge resets the connection of a request that is under way when its token is revoked
    socket.on('error', () => {
      this.#sockets.delete(socket);
      this.#answered(socket, 0);
      this.#connect();
    });
  }

  #answered(socket: Socket, status: number): void {
    const sentMs = this.#sent.get(socket);
    this.#sent.delete(socket);
    if (sentMs !== undefined) this.probes.push({ sentMs, tookMs: machineMs() - sentMs, status });
  }

  #ask(token: string): void {
    const socket = this.#idle.shift();
    if (socket === undefined) return;
    this.#sent.set(socket, machineMs());
    socket.write(`GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  }
}
