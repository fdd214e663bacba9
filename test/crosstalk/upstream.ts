// The upstream of the cross-talk test: it knows the client by `X-Forwarded-User` alone, answers with that identity's bytes, and
// misbehaves when the target says so, for which it uses bare sockets. It answers pipelined requests in order.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import type { Pattern } from '../support/pattern.ts';
import { TestAuthority, type TestCertificate } from '../support/rigs/certificates.ts';
import { BodyDecoder, framingOf } from './body-decoder.ts';
import { type Act, nonceField, offsetOf, patternOf, prefixOf, seenField, uploadField } from './protocol.ts';

/** One server. */
export interface CrosstalkUpstream {
  /** For a configuration's `servers`. */
  readonly url: string;
  /** Requests answered, faults included. */
  requests(): number;
  /** Bytes of uploads that were not their identity's. */
  foreignBytes(): number;
  close(): Promise<void>;
}

const largestPart = 60_000;
const wholeAnswer = 16_384;
const noBytes = Buffer.alloc(0);

interface Counts {
  requests: number;
  foreignBytes: number;
}

interface Upload {
  readonly decoder: BodyDecoder;
  readonly pattern: Pattern;
  readonly start: number;
  received: number;
  isRight: boolean;
}

/** Listens on a free port of the loopback address. @param certificate  speaks TLS with it; null for plain TCP */
export async function startCrosstalkUpstream(certificate: TestCertificate | null = null): Promise<CrosstalkUpstream> {
  const sockets = new Set<Socket>();
  const counts: Counts = { requests: 0, foreignBytes: 0 };
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    new Connection(socket, counts);
  };
  const server =
    certificate === null
      ? createServer({ noDelay: true }, serve)
      : createTlsServer({ noDelay: true, cert: certificate.cert, key: certificate.key }, serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return {
    url: `${certificate === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests: () => counts.requests,
    foreignBytes: () => counts.foreignBytes,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Two servers in plain text and one behind TLS, of one group. */
export async function startCrosstalkUpstreams(): Promise<CrosstalkUpstream[]> {
  const certificate = new TestAuthority().issue({ names: ['127.0.0.1'] });
  return Promise.all([null, null, certificate].map((one) => startCrosstalkUpstream(one)));
}

class Connection {
  readonly #socket: Socket;
  readonly #counts: Counts;
  #held: Buffer = noBytes;
  #isBusy = false;
  #upload: Upload | null = null;
  #head = '';
  /** Requests of this connection, so that late bytes know whether it is still idle. */
  #seen = 0;

  constructor(socket: Socket, counts: Counts) {
    this.#socket = socket;
    this.#counts = counts;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
      this.#read();
    });
  }

  #read(): void {
    while (!this.#isBusy && this.#held.length > 0 && this.#socket.writable) {
      if (this.#upload !== null) {
        this.#readUpload(this.#upload);
        continue;
      }
      const end = this.#held.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#head = this.#held.toString('latin1', 0, end + 2);
      this.#held = this.#held.subarray(end + 4);
      this.#seen++;
      const decoder = new BodyDecoder(framingOf(this.#head, { kind: 'length', length: 0 }));
      if (decoder.isDone) this.#answer('');
      else this.#upload = this.#openUpload(decoder);
    }
  }

  #openUpload(decoder: BodyDecoder): Upload {
    const pattern = patternOf(fieldOf(this.#head, 'X-Forwarded-User'));
    return { decoder, pattern, start: offsetOf(fieldOf(this.#head, nonceField)), received: 0, isRight: true };
  }

  #readUpload(upload: Upload): void {
    const taken = upload.decoder.feed(this.#held, 0, (bytes) => {
      if (!upload.pattern.matches(upload.start + upload.received, bytes)) {
        upload.isRight = false;
        this.#counts.foreignBytes += bytes.length;
      }
      upload.received += bytes.length;
    });
    this.#held = this.#held.subarray(taken);
    if (!upload.decoder.isDone) return;
    this.#upload = null;
    this.#answer(`${uploadField}: ${upload.received} ${upload.isRight ? 'right' : 'wrong'}\r\n`);
  }

  #answer(lines: string): void {
    this.#counts.requests++;
    const socket = this.#socket;
    const head = this.#head;
    const [, act = '', digits = '0'] = /^\S+ \/([a-z]+)\/(\d+)/.exec(head) ?? [];
    const nonce = fieldOf(head, nonceField);
    const user = fieldOf(head, 'X-Forwarded-User');
    const said = `${nonceField}: ${nonce}\r\n${seenField}: ${user}\r\n${lines}`;
    const body = new AnswerBody(nonce, user, Number(digits));
    switch (act as Act) {
      case 'reset':
        // a TLS socket cannot reset; its end without a closing alert is as good
        if (socket instanceof TLSSocket) socket.destroy();
        else socket.resetAndDestroy();
        return;
      case 'nothing':
        socket.end();
        return;
      case 'junk':
        socket.write(`HTTP/1.1 2\0 ${nonce}\r\n\r\n`);
        return;
      case 'early':
        socket.write(`HTTP/1.1 200 OK\r\n${said}Content-Length: ${body.length}\r\n\r\n`);
        socket.end(body.next(Math.floor(body.length / 2)));
        return;
      case 'close':
        socket.write(`HTTP/1.1 200 OK\r\n${said}Connection: close\r\n\r\n`);
        this.#stream(body, 'plain', () => socket.end());
        return;
      case 'chunked':
        socket.write(`HTTP/1.1 200 OK\r\n${said}Transfer-Encoding: chunked\r\n\r\n`);
        this.#stream(body, 'chunked', () => undefined);
        return;
      case 'late':
        this.#isBusy = true;
        setTimeout(() => this.#send(said, body, ''), 1 + (body.length % 5));
        return;
      case 'poison':
        this.#send(said, body, 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison');
        return;
      case 'afterwards':
        this.#send(said, body, '');
        this.#poisonLater(this.#seen, body.length % 7);
        return;
      case 'bye':
        this.#send(said, body, '');
        socket.end();
        return;
      case 'length':
        this.#send(said, body, '');
        return;
      default:
        act satisfies string;
        throw new Error(`no such act: ${head.slice(0, 200)}`);
    }
  }

  /** No head: to a request that overtakes these bytes they are a broken answer, and never a foreign one. */
  #poisonLater(seen: number, afterMs: number): void {
    setTimeout(() => {
      if (this.#seen === seen && !this.#socket.destroyed) this.#socket.write('\0poison\r\n\r\n');
    }, afterMs);
  }

  #send(said: string, body: AnswerBody, behind: string): void {
    this.#isBusy = false;
    const head = `HTTP/1.1 200 OK\r\n${said}Content-Length: ${body.length}\r\n\r\n`;
    if (body.length <= wholeAnswer) {
      // one write, so that what comes behind arrives with it
      this.#socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body.next(body.length), Buffer.from(behind)]));
      // a late answer leaves requests behind it
      setImmediate(() => this.#read());
      return;
    }
    this.#socket.write(head);
    this.#stream(body, 'plain', () => this.#socket.write(behind));
  }

  #stream(body: AnswerBody, framing: 'plain' | 'chunked', done: () => void): void {
    const socket = this.#socket;
    this.#isBusy = true;
    const write = (): void => {
      while (body.left > 0) {
        const part = body.next(framing === 'plain' ? largestPart : 1 + ((body.left * 7) % largestPart));
        if (framing === 'chunked') {
          socket.cork();
          socket.write(`${part.length.toString(16)}\r\n`);
          socket.write(part);
          socket.write('\r\n');
          process.nextTick(() => socket.uncork());
        } else socket.write(part);
        if (socket.writableNeedDrain) {
          socket.once('drain', write);
          return;
        }
      }
      if (framing === 'chunked') socket.write('0\r\n\r\n');
      this.#isBusy = false;
      done();
      this.#read();
    };
    write();
  }
}

/** The bytes of one answer, in order. */
class AnswerBody {
  readonly length: number;
  #sent = 0;
  readonly #prefix: string;
  readonly #start: number;
  readonly #pattern: Pattern;

  constructor(nonce: string, user: string, size: number) {
    this.#prefix = prefixOf(nonce, user);
    this.#start = offsetOf(nonce);
    this.#pattern = patternOf(user);
    this.length = this.#prefix.length + size;
  }

  get left(): number {
    return this.length - this.#sent;
  }

  /** At most this many of the bytes that come next. */
  next(most: number): Buffer {
    const take = Math.min(most, this.left);
    const from = this.#sent;
    this.#sent += take;
    const prefix = Buffer.from(this.#prefix.slice(from, from + take), 'latin1');
    if (prefix.length === take) return prefix;
    const at = this.#start + from + prefix.length - this.#prefix.length;
    const bytes = this.#pattern.at(at, take - prefix.length);
    return prefix.length === 0 ? bytes : Buffer.concat([prefix, bytes]);
  }
}

/** Value of a field that the gateway or the client wrote with one blank; throws when it is missing or repeated. */
function fieldOf(head: string, name: string): string {
  const marker = `\r\n${name}: `;
  const at = head.indexOf(marker);
  if (at < 0 || head.indexOf(marker, at + 1) >= 0) throw new Error(`${name} is not there once: ${head}`);
  return head.slice(at + marker.length, head.indexOf('\r\n', at + marker.length));
}
