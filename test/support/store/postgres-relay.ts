// Stands between one node and PostgreSQL: can be cut in two ways, and can lose every notification. What passes is not changed.
// Framing: https://www.postgresql.org/docs/current/protocol-message-formats.html; the node asks for no TLS here.

import { connect, createServer, type Server, type Socket } from 'node:net';

/** `reset`: connections end with RST and new ones likewise. `silence`: they stay, and nothing is heard of either side. */
type RelayCut = 'reset' | 'silence';

/** `A`, NotificationResponse. */
const notification = 0x41;
const headBytes = 5;

export class PostgresRelay {
  /** Loses notifications while true. */
  dropNotifications = false;
  /** Notifications that were lost. */
  dropped = 0;
  readonly #server: Server;
  readonly #target: number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #cut: RelayCut | null = null;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer({ noDelay: true }, (client) => this.#take(client));
  }

  /** @param origin  `postgres://…` of the real server */
  static async start(origin: string): Promise<PostgresRelay> {
    const relay = new PostgresRelay(Number(new URL(origin).port));
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  /** The same database by way of this relay. */
  urlFor(url: string): string {
    const address = this.#server.address();
    const through = new URL(url);
    through.port = `${typeof address === 'object' && address !== null ? address.port : 0}`;
    return through.href;
  }

  cut(how: RelayCut): void {
    this.#cut = how;
    for (const pair of this.#pairs) for (const socket of pair) cutSocket(socket, how);
  }

  /** What was silent goes on, as after lost packets that are sent again. */
  heal(): void {
    this.#cut = null;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#cut === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#target, host: '127.0.0.1', noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const filter = new NotificationFilter();
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes: Buffer) => {
      const passed = filter.take(bytes, this.dropNotifications);
      this.dropped += passed.dropped;
      if (passed.bytes.length > 0) client.write(passed.bytes);
    });
    server.on('error', () => client.resetAndDestroy());
    server.on('end', () => client.end());
    client.on('end', () => server.end());
    client.on('close', () => server.destroy());
    server.on('close', () => this.#pairs.delete(pair));
    if (this.#cut === 'silence') for (const socket of pair) socket.pause();
  }
}

function cutSocket(socket: Socket, how: RelayCut): void {
  if (how === 'reset') socket.resetAndDestroy();
  else socket.pause();
}

/** Cuts a server's bytes into messages. */
class NotificationFilter {
  #rest: Buffer = Buffer.alloc(0);

  take(bytes: Buffer, drop: boolean): { readonly bytes: Buffer; readonly dropped: number } {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const kept: Buffer[] = [];
    let dropped = 0;
    let at = 0;
    while (all.length - at >= headBytes) {
      const end = at + 1 + all.readUInt32BE(at + 1);
      if (end > all.length) break;
      if (drop && all[at] === notification) dropped += 1;
      else kept.push(all.subarray(at, end));
      at = end;
    }
    this.#rest = all.subarray(at);
    return { bytes: kept.length === 1 ? (kept[0] ?? all) : Buffer.concat(kept), dropped };
  }
}
