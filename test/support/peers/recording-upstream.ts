// An upstream on bare sockets that keeps the exact bytes of every request and answers as the test says.
// For small requests: it keeps whole bodies in memory. It understands framing and nothing else.

import { createServer, type Server, type Socket } from 'node:net';

/** A request as it arrived. */
export interface RecordedRequest {
  /** Exactly what came, head and body with its framing. */
  readonly raw: Buffer;
  /** Request line. */
  readonly line: string;
  /** Field lines in order, as they came, latin1. */
  readonly fields: readonly string[];
  /** Bytes behind the head, chunk framing included. */
  readonly body: Buffer;
  /** Number of the connection, from 1. */
  readonly connection: number;
  /** The only value of a field; null when absent. Throws when it stands there twice. */
  header(name: string): string | null;
  /** Every value of a field, in order. */
  all(name: string): string[];
}

/** Text is written as latin1; a function writes for itself; null: no answer at all. */
type Scripted = string | Uint8Array | null | ((request: RecordedRequest, socket: Socket) => void);

/** 200 with this text. @param fields  complete lines without line ends */
export function okAnswer(text: string, fields: readonly string[] = []): string {
  const lines = [`Content-Length: ${Buffer.byteLength(text, 'latin1')}`, ...fields];
  return `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${text}`;
}

/** Listens on a free port of the loopback address. */
export class RecordingUpstream {
  /** Everything that came, in order of completion. */
  readonly requests: RecordedRequest[] = [];
  /** Answers whatever is not scripted. */
  fallback: Scripted = okAnswer('content');
  /** Connections that were opened so far. */
  connections = 0;
  readonly #scripted: Scripted[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #wake: (() => void)[] = [];

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async start(): Promise<RecordingUpstream> {
    const upstream = new RecordingUpstream();
    await new Promise<void>((resolve) => upstream.#server.listen(0, '127.0.0.1', resolve));
    return upstream;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  /** For a configuration's `servers`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The request that came last; throws when none came. */
  get last(): RecordedRequest {
    const last = this.requests.at(-1);
    if (last === undefined) throw new Error('the upstream saw no request');
    return last;
  }

  /** Answers to the next requests, one each, before `fallback` is used. */
  script(...answers: Scripted[]): void {
    this.#scripted.push(...answers);
  }

  /** Forgets what came, and what was scripted. */
  clear(): void {
    this.requests.length = 0;
    this.#scripted.length = 0;
    this.fallback = okAnswer('content');
  }

  /** Resolves once that many requests came in all. */
  async seen(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections;
    let waiting: Buffer = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      waiting = Buffer.concat([waiting, chunk]);
      for (let length = messageLength(waiting); length > 0; length = messageLength(waiting)) {
        const request = record(Buffer.from(waiting.subarray(0, length)), connection);
        waiting = waiting.subarray(length);
        this.requests.push(request);
        const answer = this.#scripted.length > 0 ? (this.#scripted.shift() ?? null) : this.fallback;
        if (typeof answer === 'function') answer(request, socket);
        else if (typeof answer === 'string') socket.write(answer, 'latin1');
        else if (answer !== null) socket.write(answer);
        for (const wake of this.#wake.splice(0)) wake();
      }
    });
  }
}

function record(raw: Buffer, connection: number): RecordedRequest {
  const headEnd = raw.indexOf('\r\n\r\n');
  const [line = '', ...fields] = raw.toString('latin1', 0, headEnd).split('\r\n');
  const all = (name: string) =>
    fields
      .filter((field) => field.slice(0, field.indexOf(':')).toLowerCase() === name.toLowerCase())
      .map((field) => field.slice(field.indexOf(':') + 1).trim());
  const header = (name: string) => {
    const values = all(name);
    if (values.length > 1) throw new Error(`${name} stands there ${values.length} times`);
    return values[0] ?? null;
  };
  return { raw, line, fields, body: raw.subarray(headEnd + 4), connection, header, all };
}

/** Length of the message at the beginning of these bytes; 0 when it is not all here yet. */
function messageLength(bytes: Buffer): number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return 0;
  const head = bytes.toString('latin1', 0, headEnd + 2);
  const bodyStart = headEnd + 4;
  const length = /\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n/i.exec(head);
  if (length !== null) {
    const end = bodyStart + Number(length[1]);
    return bytes.length >= end ? end : 0;
  }
  if (!/\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n/i.test(head)) return bodyStart;
  let at = bodyStart;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return 0;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) {
      // trailers, if any, up to the empty line
      const end = bytes.indexOf('\r\n\r\n', lineEnd);
      return end < 0 ? 0 : end + 4;
    }
    at = lineEnd + 2 + size + 2;
    if (at > bytes.length) return 0;
  }
}
