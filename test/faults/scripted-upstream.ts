// An upstream that answers every request well except the request under test, on which it plays the fault.
// It records which request came on which connection, and which connections are open. It reads just enough framing to find a
// request's end; it expects no pipelining.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type SilentServer, startSilentServer } from '../support/peers/silent-server.ts';
import type { Fault } from './fault.ts';
import { Stage } from './stage.ts';

/** A request of the cell under test, as often as it came. */
interface Sighting {
  readonly socket: Socket;
  /** Number of the request on its connection, from 1. */
  readonly ordinal: number;
}

/** A request being read. */
interface Reading {
  head: string;
  id: string;
  /** Bytes of a body with a length that are still to come; -1 for chunks. */
  remaining: number;
  tail: string;
  stage: Stage | null;
  ordinal: number;
}

export class ScriptedUpstream {
  readonly fault: Fault;
  /** Of the request under test. */
  sightings: Sighting[] = [];
  /** Good answers so far. */
  served = 0;
  /** Connections on which the fault was played. */
  played: Socket[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: string | null = null;
  #port = 0;
  #blackHole: SilentServer | null = null;

  private constructor(fault: Fault) {
    this.fault = fault;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#serve(socket));
  }

  static async start(fault: Fault): Promise<ScriptedUpstream> {
    const upstream = new ScriptedUpstream(fault);
    if (fault.isBlackHole) {
      upstream.#blackHole = await startSilentServer();
      return upstream;
    }
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    const bound = upstream.#server.address();
    upstream.#port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    return upstream;
  }

  get url(): string {
    return this.#blackHole?.url ?? `http://127.0.0.1:${this.#port}`;
  }

  /** Connections that neither side has ended. */
  get open(): number {
    return this.#sockets.size;
  }

  /** From now on the request with this id gets the fault. */
  arm(id: string): void {
    this.#armed = id;
    this.sightings = [];
    this.played = [];
    if (this.fault.at === 'connect' && this.#server.listening) this.#server.close();
  }

  disarm(): void {
    this.#armed = null;
  }

  /** Ends what is idle, so that the next request comes on a new connection; resolves once nothing is open. */
  async closeIdle(): Promise<true> {
    for (const socket of this.#sockets) socket.resume().end();
    while (this.#sockets.size > 0) {
      const [first] = this.#sockets;
      if (first !== undefined) await once(first, 'close');
    }
    return true;
  }

  async close(): Promise<void> {
    await this.#blackHole?.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    // the gateway's end is the end: what it half-closed it does not read
    socket.on('end', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    const { at } = this.fault;
    if (this.#armed !== null && at === 'accept') {
      this.#play(new Stage(socket, this.#armed));
      return;
    }
    let reading: Reading = { head: '', id: '', remaining: 0, tail: '', stage: null, ordinal: 1 };
    socket.on('data', (chunk: Buffer) => {
      const isOver = this.#read(socket, reading, chunk);
      if (isOver) reading = { head: '', id: '', remaining: 0, tail: '', stage: null, ordinal: reading.ordinal + 1 };
    });
  }

  /** @returns true when the request is whole */
  #read(socket: Socket, reading: Reading, chunk: Buffer): boolean {
    const isNew = reading.id === '';
    if (isNew) {
      reading.head += chunk.toString('latin1');
      const isMine = this.#armed !== null && reading.head.includes(this.#armed);
      if (isMine && this.fault.at === 'bytes') {
        this.#see(socket, reading);
        this.#play(new Stage(socket, this.#armed ?? ''));
        return false;
      }
      const end = reading.head.indexOf('\r\n\r\n') + 4;
      if (end < 4) return false;
      this.#headCame(socket, reading, reading.head.slice(end));
    } else {
      this.#bodyCame(reading, chunk.length, chunk.toString('latin1', Math.max(0, chunk.length - 7)));
    }
    const { stage } = reading;
    if (stage !== null && this.fault.at === 'body' && (reading.tail !== '' || reading.remaining === 0)) {
      if (!this.played.includes(socket)) this.#play(stage);
    }
    const isWhole = reading.remaining === 0 || (reading.remaining < 0 && reading.tail.endsWith('0\r\n\r\n'));
    if (!isWhole) return false;
    if (stage === null) {
      this.served++;
      if (socket.writable) socket.write(goodAnswer(reading.id), 'latin1');
    } else {
      if (this.fault.at === 'request') this.#play(stage);
      stage.requestIsWhole();
    }
    return true;
  }

  #headCame(socket: Socket, reading: Reading, body: string): void {
    reading.id = /^\S+ \/[^/]+\/(\S+) /.exec(reading.head)?.[1] ?? 'nobody';
    const length = /^content-length: (\d+)/im.exec(reading.head)?.[1];
    reading.remaining = /^transfer-encoding: chunked/im.test(reading.head) ? -1 : Number(length ?? 0);
    if (reading.id === this.#armed) {
      this.#see(socket, reading);
      // a connection from before the fault began
      if (this.fault.at === 'accept' || this.fault.at === 'connect') socket.resetAndDestroy();
      const isSpared = this.fault.isOnce && this.sightings.length > 1;
      if (!isSpared) reading.stage = new Stage(socket, reading.id);
      if (this.fault.at === 'head' && reading.stage !== null) this.#play(reading.stage);
    }
    this.#bodyCame(reading, body.length, body.slice(-7));
  }

  #bodyCame(reading: Reading, length: number, tail: string): void {
    if (reading.remaining > 0) reading.remaining -= length;
    reading.tail = (reading.tail + tail).slice(-7);
  }

  #see(socket: Socket, reading: Reading): void {
    this.sightings.push({ socket, ordinal: reading.ordinal });
  }

  #play(stage: Stage): void {
    this.played.push(stage.socket);
    const { play, says = '', ends = 'stay' } = this.fault;
    if (play !== undefined) play(stage);
    else stage.finish(ends, says);
  }
}

/** What a request gets that is not under test, and what `ok` looks like when a fault says nothing else. */
function goodAnswer(id: string): string {
  return `HTTP/1.1 200 OK\r\nX-Id: ${id}\r\nContent-Length: 4\r\n\r\nmine`;
}
