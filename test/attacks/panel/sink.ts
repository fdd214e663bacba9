// The end of the parser panel: Node's http server, which writes down each request as it read it.
// Stands behind the other peers, so that what they understood can be read from what they sent on.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** A request as Node read it. */
export interface SinkRequest {
  readonly method: string;
  readonly target: string;
  /** As sent, latin1: name, value, name, value. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

export class Sink {
  /** By the value of `X-Request-Id`; every request that came under it. */
  readonly requests = new Map<string, SinkRequest[]>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer({ maxHeaderSize: 128 * 1024, keepAliveTimeout: 60_000 }, (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const id = String(request.headers['x-request-id'] ?? '');
        const seen = { method: request.method ?? '', target: request.url ?? '', rawHeaders: request.rawHeaders };
        this.requests.set(id, [...(this.requests.get(id) ?? []), { ...seen, body: Buffer.concat(pieces) }]);
        response.end('ok');
      });
    });
  }

  static async start(): Promise<Sink> {
    const sink = new Sink();
    sink.#server.listen(0, '127.0.0.1');
    await once(sink.#server, 'listening');
    return sink;
  }

  get port(): number {
    const bound = this.#server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
