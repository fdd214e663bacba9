// The upstream of the attack suite: keeps the raw bytes of each connection, complete requests or not, and answers.
// By default it answers with the request's own target, so that an answer in the wrong place shows.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type Message, readMessage } from './message.ts';

/** One connection that the gateway opened. */
export class TapConnection {
  readonly socket: Socket;
  readonly number: number;
  /** Bytes that are no complete request (yet). */
  rest: Buffer = Buffer.alloc(0);
  /** Why the bytes are no canonical request; null while they may be. */
  broken: string | null = null;
  requests = 0;
  isGone = false;

  constructor(socket: Socket, number: number) {
    this.socket = socket;
    this.number = number;
  }
}

export interface TapMessage extends Message {
  readonly connection: TapConnection;
}

/** Answers one request; a string is written as latin1. */
type TapAnswer = (message: TapMessage) => string | null;

/** 200 with the request's target as its text. */
export function echoTarget(message: Message, fields: readonly string[] = []): string {
  const length = `Content-Length: ${message.target.length}`;
  const head = ['HTTP/1.1 200 OK', length, ...fields].join('\r\n');
  return `${head}\r\n\r\n${message.method === 'HEAD' ? '' : message.target}`;
}

/** Listens on a free port of the loopback address. */
export class TapUpstream {
  readonly messages: TapMessage[] = [];
  readonly connections: TapConnection[] = [];
  answer: TapAnswer = (message) => echoTarget(message);
  readonly #server: Server;
  #wake: (() => void)[] = [];

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async start(): Promise<TapUpstream> {
    const tap = new TapUpstream();
    tap.#server.listen(0, '127.0.0.1');
    await once(tap.#server, 'listening');
    return tap;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  /** For a configuration's `servers`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Forgets the bytes that came so far, and connections that are over. */
  clear(): void {
    this.messages.length = 0;
    const open = this.connections.filter((connection) => !connection.isGone);
    this.connections.splice(0, this.connections.length, ...open);
  }

  /** Resolves once the condition holds; what it looks at is what this upstream sees. False when the time is over. */
  async until(condition: () => boolean, deadlineMs: number): Promise<boolean> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#wakeAll();
    }, deadlineMs);
    while (!condition() && !isOver) await new Promise<void>((resolve) => this.#wake.push(resolve));
    clearTimeout(timer);
    return condition();
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    const connection = new TapConnection(socket, (this.connections.at(-1)?.number ?? 0) + 1);
    this.connections.push(connection);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      connection.isGone = true;
      this.#wakeAll();
    });
    socket.on('data', (chunk: Buffer) => {
      connection.rest = Buffer.concat([connection.rest, chunk]);
      this.#read(connection);
      this.#wakeAll();
    });
  }

  #read(connection: TapConnection): void {
    while (connection.rest.length > 0 && connection.broken === null) {
      const reading = readMessage(connection.rest);
      if (reading.kind === 'incomplete') return;
      if (reading.kind === 'broken') {
        connection.broken = reading.why;
        return;
      }
      const message = { ...reading.message, raw: Buffer.from(reading.message.raw), connection };
      connection.rest = connection.rest.subarray(message.raw.length);
      connection.requests++;
      this.messages.push(message);
      const answer = this.answer(message);
      if (answer !== null) connection.socket.write(answer, 'latin1');
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
