// A client that writes the bytes a test gives it and reads whole answers; keep-alive, pipelining and HEAD are the test's to drive.
// Knows just enough HTTP to find where an answer ends. It repairs nothing: what it cannot frame is an error.

import { connect, type Socket } from 'node:net';

/** One answer, exactly as it came. */
export interface RawResponse {
  /** Status line and fields, without the empty line. */
  readonly head: string;
  readonly status: number;
  /** In order, names as spelled, values trimmed, bytes as latin1. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The content: without chunk framing. */
  readonly body: Buffer;
  /** `body` as UTF-8. */
  readonly text: string;
  /** The only value of a field; null when absent. Throws when it stands there twice. */
  header(name: string): string | null;
  /** Every value of a field, in order. */
  all(name: string): string[];
}

/** One connection. */
export class RawClient {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => {
      for (const waiting of this.#wake.splice(0)) waiting();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      wake();
    });
    // a reset ends the connection as an end does; a test that cares looks at `wasReset`
    socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#hasEnded = true;
        wake();
      });
    }
  }

  /** A client on a socket of the caller's, connected or about to be. */
  static on(socket: Socket): RawClient {
    return new RawClient(socket);
  }

  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** Text goes as latin1, one character a byte. */
  write(bytes: string | Uint8Array): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /**
   * The next final or interim answer.
   *
   * @param method  `HEAD` when this answers one: then no body is read
   */
  async read(method = 'GET'): Promise<RawResponse> {
    let end = this.#received.indexOf('\r\n\r\n');
    while (end < 0) {
      await this.#more('an answer');
      end = this.#received.indexOf('\r\n\r\n');
    }
    const head = this.#take(end + 4)
      .toString('latin1')
      .slice(0, -4);
    const [statusLine = '', ...lines] = head.split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? Number.NaN);
    if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
    const fields = lines.map((line): readonly [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    const all = (name: string) =>
      fields.filter(([known]) => known.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
    const header = (name: string) => {
      const values = all(name);
      if (values.length > 1) throw new Error(`${name} stands there ${values.length} times`);
      return values[0] ?? null;
    };
    const hasBody = method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304;
    const body = hasBody
      ? await this.#readBody(header('Transfer-Encoding'), header('Content-Length'))
      : Buffer.alloc(0);
    return { head, status, fields, body, text: body.toString('utf8'), header, all };
  }

  /** Resolves once the other side has ended or reset the connection. @returns bytes that no `read` took */
  async ended(): Promise<Buffer> {
    while (!this.#hasEnded) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.#received;
  }

  /** Resolves once this text has come and no `read` took it; for answers that do not end. */
  async waitFor(text: string): Promise<void> {
    while (!this.#received.includes(text)) await this.#more(text);
  }

  /** Takes what came and no `read` took. */
  takeRest(): Buffer {
    return this.#take(this.#received.length);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #readBody(coding: string | null, length: string | null): Promise<Buffer> {
    if (coding === 'chunked') {
      const pieces: Buffer[] = [];
      for (;;) {
        const size = Number.parseInt(await this.#line(), 16);
        if (size === 0) break;
        pieces.push(await this.#exactly(size));
        await this.#line();
      }
      while ((await this.#line()) !== '');
      return Buffer.concat(pieces);
    }
    if (length !== null) return this.#exactly(Number(length));
    await this.ended();
    return this.#take(this.#received.length);
  }

  async #line(): Promise<string> {
    while (!this.#received.includes('\r\n')) await this.#more('a line');
    return this.#take(this.#received.indexOf('\r\n') + 2)
      .toString('latin1')
      .slice(0, -2);
  }

  async #exactly(length: number): Promise<Buffer> {
    while (this.#received.length < length) await this.#more(`${length} bytes`);
    return this.#take(length);
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #more(wanted: string): Promise<void> {
    if (this.#hasEnded) {
      throw new Error(
        `the connection ended before ${wanted}; received ${JSON.stringify(this.#received.toString('latin1'))}`,
      );
    }
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}

/** One request on a connection of its own. @returns its answer; the connection is gone then */
export async function askRaw(port: number, request: string | Uint8Array): Promise<RawResponse> {
  const client = await RawClient.connect(port);
  try {
    client.write(request);
    const isHead = typeof request === 'string' && request.startsWith('HEAD ');
    return await client.read(isHead ? 'HEAD' : 'GET');
  } finally {
    client.destroy();
  }
}

/** The text of a request without a body. @param fields  complete lines without their line ends; Host is added when missing */
export function requestText(method: string, target: string, fields: readonly string[] = []): string {
  const hasHost = fields.some((line) => /^host:/i.test(line));
  const lines = hasHost ? fields : ['Host: media.example', ...fields];
  return `${method} ${target} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}
