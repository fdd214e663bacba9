// An upstream that is nothing but sockets: each connection is the test's to read, to answer, to stall and to break.
// For large bodies and for misbehaviour; RecordingUpstream is the one that understands requests.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** One connection that the gateway opened. */
export class UpstreamSocket {
  readonly socket: Socket;
  /** Everything that came, until `drop` was called. */
  received = '';
  /** Bytes that came, dropped ones included. */
  bytes = 0;
  #keeps = true;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.#keeps) this.received += chunk.toString('latin1');
      this.#wakeAll();
    });
    socket.on('end', () => this.#wakeAll());
    socket.on('close', () => this.#wakeAll());
  }

  /** Whether the gateway has ended, or either side has destroyed, the connection. */
  get isGone(): boolean {
    return this.socket.readableEnded || this.socket.destroyed;
  }

  /** From now on bytes are counted and not kept. */
  drop(): void {
    this.#keeps = false;
    this.received = '';
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves once the text came; throws when the connection ends before. */
  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      if (this.isGone) throw new Error(`the gateway ended before ${JSON.stringify(text)}: ${this.received}`);
      await this.#more();
    }
  }

  /** Resolves once that many request heads came in all. */
  async heads(count = 1): Promise<void> {
    while (this.received.split('\r\n\r\n').length <= count) {
      if (this.isGone) throw new Error(`the gateway ended before head ${count}: ${this.received}`);
      await this.#more();
    }
  }

  /** Resolves once the connection has ended. */
  async gone(): Promise<void> {
    while (!this.isGone) await this.#more();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Listens on a free port of the loopback address and hands out connections in the order they came. */
export class SocketUpstream {
  readonly connections: UpstreamSocket[] = [];
  readonly #server: Server;
  readonly #onConnection: ((connection: UpstreamSocket) => void) | null;
  #wake: (() => void)[] = [];

  private constructor(onConnection: ((connection: UpstreamSocket) => void) | null) {
    this.#onConnection = onConnection;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const connection = new UpstreamSocket(socket);
      this.connections.push(connection);
      this.#onConnection?.(connection);
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  /**
   * @param onConnection  called for each connection as it comes; without it the test asks for them
   * @param port          of a server that is gone, to take its place; a free one by default
   */
  static async start(
    onConnection: ((connection: UpstreamSocket) => void) | null = null,
    port = 0,
  ): Promise<SocketUpstream> {
    const upstream = new SocketUpstream(onConnection);
    upstream.#server.listen(port, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that neither side has ended. */
  get open(): number {
    return this.connections.filter((connection) => !connection.isGone).length;
  }

  /** The connection with this number, from 1; waits for it. */
  async connection(number: number): Promise<UpstreamSocket> {
    for (;;) {
      const found = this.connections[number - 1];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
