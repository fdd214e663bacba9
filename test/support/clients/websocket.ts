// WebSockets for tests, by hand: handshakes, frames, an upstream that echoes, and a raw client.
// Just enough of RFC 6455 to be a second opinion on a gateway that looks at no frame; fragments and extensions are left out.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { RawClient, type RawResponse, requestText } from './raw-client.ts';

export const opcode = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The example of RFC 6455 §1.3, and what a server answers to it. */
export const sampleKey = 'dGhlIHNhbXBsZSBub25jZQ==';
export const sampleAccept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** `Sec-WebSocket-Accept` for a key. */
function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** One unfragmented frame. @param mask  four bytes for a client's frame; null for a server's */
function frame(code: number, payload: Uint8Array | string, mask: Uint8Array | null = null): Buffer {
  const content = Buffer.from(payload);
  const length = content.length;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + extended);
  head[0] = 0x80 | code;
  head[1] = (mask === null ? 0 : 0x80) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) head.writeUInt16BE(length, 2);
  if (extended === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (mask === null) return Buffer.concat([head, content]);
  for (let index = 0; index < length; index++) content[index] = (content[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return Buffer.concat([head, mask, content]);
}

/** Frames out of a stream of bytes. */
class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  feed(chunk: Uint8Array): Frame[] {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const frames: Frame[] = [];
    for (let next = this.#next(); next !== null; next = this.#next()) frames.push(next);
    return frames;
  }

  #next(): Frame | null {
    const bytes = this.#bytes;
    if (bytes.length < 2) return null;
    const short = (bytes[1] ?? 0) & 0x7f;
    const isMasked = ((bytes[1] ?? 0) & 0x80) !== 0;
    const lengthEnd = short === 126 ? 4 : short === 127 ? 10 : 2;
    const start = lengthEnd + (isMasked ? 4 : 0);
    if (bytes.length < start) return null;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < start + length) return null;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    const mask = bytes.subarray(lengthEnd, start);
    if (isMasked) for (let at = 0; at < length; at++) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
    this.#bytes = bytes.subarray(start + length);
    return { opcode: (bytes[0] ?? 0) & 0x0f, payload };
  }
}

/** Fields of a sound handshake. @param fields  further lines; one with a name that is here already takes its place */
export function handshakeFields(fields: readonly string[] = []): string[] {
  const name = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase();
  const own = [
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${sampleKey}`,
    'Sec-WebSocket-Version: 13',
  ];
  const given = new Set(fields.map(name));
  return [...own.filter((line) => !given.has(name(line))), ...fields];
}

export function handshake(target: string, fields: readonly string[] = []): string {
  return requestText('GET', target, handshakeFields(fields));
}

/** A server's 101. @param fields  complete lines; one with a name that is here already takes its place */
export function switching(key: string, fields: readonly string[] = []): string {
  const name = (line: string) => line.slice(0, line.indexOf(':')).toLowerCase();
  const given = new Set(fields.map(name));
  const own = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptFor(key)}`];
  const lines = [...own.filter((line) => !given.has(name(line))), ...fields];
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** A client that has sent its handshake; frames are masked with a fixed mask. */
export class WebSocketClient {
  readonly raw: RawClient;
  readonly answer: RawResponse;
  readonly #reader = new FrameReader();
  readonly #frames: Frame[] = [];
  #wake: (() => void)[] = [];

  private constructor(raw: RawClient, answer: RawResponse) {
    this.raw = raw;
    this.answer = answer;
  }

  /** @param early  bytes sent together with the handshake */
  static async open(
    port: number,
    target: string,
    fields: readonly string[] = [],
    early: Uint8Array = Buffer.alloc(0),
  ): Promise<WebSocketClient> {
    const raw = await RawClient.connect(port);
    raw.write(Buffer.concat([Buffer.from(handshake(target, fields), 'latin1'), early]));
    const client = new WebSocketClient(raw, await raw.read());
    if (client.answer.status === 101) {
      client.#take(raw.takeRest());
      raw.socket.on('data', () => client.#take(raw.takeRest()));
      raw.socket.on('close', () => client.#take(raw.takeRest()));
      raw.socket.on('end', () => client.#take(raw.takeRest()));
    }
    return client;
  }

  send(payload: Uint8Array | string, code: number = opcode.text): void {
    this.raw.write(frame(code, payload, Buffer.from([1, 2, 3, 4])));
  }

  /** The next frame; throws when the connection ends before. */
  async receive(): Promise<Frame> {
    for (;;) {
      const next = this.#frames.shift();
      if (next !== undefined) return next;
      if (this.raw.hasEnded) throw new Error('the tunnel ended before a frame');
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Sends a text and returns the text that comes back. */
  async echo(text: string): Promise<string> {
    this.send(text);
    return (await this.receive()).payload.toString('utf8');
  }

  destroy(): void {
    this.raw.destroy();
  }

  #take(bytes: Buffer): void {
    this.#frames.push(...this.#reader.feed(bytes));
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** An upstream that switches and sends every message back; pings are answered, a close is answered and ends. */
export class WebSocketUpstream {
  /** Heads of the handshakes, latin1, in order. */
  readonly heads: string[] = [];
  readonly sockets: Socket[] = [];
  /** Bytes that came behind the heads. */
  bytes = 0;
  /** What to answer instead of the right 101; for a refusal or a broken one. */
  answer: ((key: string) => string) | null = null;
  readonly #server: Server;

  readonly #scheme: 'http' | 'https';

  private constructor(tls: TlsOptions | null) {
    const options = { noDelay: true, allowHalfOpen: true };
    this.#scheme = tls === null ? 'http' : 'https';
    const serve = (socket: Socket) => this.#serve(socket);
    this.#server = tls === null ? createServer(options, serve) : createTlsServer({ ...options, ...tls }, serve);
  }

  /** @param tls  certificate and key; null for plain HTTP */
  static async start(tls: TlsOptions | null = null): Promise<WebSocketUpstream> {
    const upstream = new WebSocketUpstream(tls);
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** Connections that neither side has ended. */
  get open(): number {
    return this.sockets.filter((socket) => !socket.readableEnded && !socket.destroyed).length;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    this.sockets.push(socket);
    const reader = new FrameReader();
    let head = '';
    let isOpen = false;
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      let rest = chunk;
      if (!isOpen) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        rest = Buffer.from(head.slice(end + 4), 'latin1');
        this.heads.push(head.slice(0, end + 4));
        const key = /^sec-websocket-key:[ \t]*(\S+)/im.exec(head)?.[1] ?? '';
        head = '';
        socket.write((this.answer ?? switching)(key), 'latin1');
        isOpen = this.answer === null;
      }
      this.bytes += rest.length;
      if (!isOpen) return;
      for (const { opcode: code, payload } of reader.feed(rest)) {
        if (code === opcode.ping) socket.write(frame(opcode.pong, payload));
        else if (code === opcode.close) socket.end(frame(opcode.close, payload));
        else socket.write(frame(code, payload));
      }
    });
  }
}
