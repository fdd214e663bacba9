// A real gateway between a client that sends any bytes and an upstream that reads with llhttp, answers, and may be told
// to answer with any bytes. One client at a time, so that what the upstream got is what that client's bytes became.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';
import { Disagreement } from './disagreement.ts';
import { type LlhttpMessage, LlhttpParser } from './llhttp.ts';

/** What a client got on one connection. */
export interface ClientView {
  /** Final answers in order. */
  readonly answers: readonly LlhttpMessage[];
  /** The gateway ended the connection; `reset` when not in good order. */
  readonly ending: 'open' | 'ended' | 'reset';
  /** What llhttp says about the bytes that came; null when they are answers and nothing else. */
  readonly error: string | null;
}

/** When the client has seen enough. */
interface Expected {
  /** Methods of the requests in order, for answers to HEAD. */
  readonly methods: readonly string[];
  readonly answers: number;
  /** The gateway has to end the connection behind them. */
  readonly ends: boolean;
}

/** Header of an answer that came from the upstream: its number, from 1, within one `send`. */
export const numberField = 'X-Number';

const patienceMs = 5000;

export class GatewayRig {
  /** Requests that the upstream read, in order. */
  received: LlhttpMessage[] = [];
  /** What llhttp could not read at the upstream. */
  unreadable: string[] = [];
  /** Bytes for the next answer; the upstream ends the connection behind them. */
  nextAnswer: Buffer | null = null;
  readonly #gateway: TestGateway;
  readonly #upstream: Server;
  readonly #sockets: Set<Socket>;
  #turn: Promise<unknown> = Promise.resolve();
  /** The connection that the last scripted answer ended; a request on it would meet its end. */
  #ending: Promise<unknown> = Promise.resolve();

  private constructor(gateway: TestGateway, upstream: Server, sockets: Set<Socket>) {
    this.#gateway = gateway;
    this.#upstream = upstream;
    this.#sockets = sockets;
  }

  static async start(): Promise<GatewayRig> {
    let rig: GatewayRig | null = null;
    const sockets = new Set<Socket>();
    const upstream = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      rig?.serve(socket);
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const bound = upstream.address();
    const port = typeof bound === 'object' ? bound?.port : 0;
    const gateway = await startGateway({
      config: {
        upstreams: { web: { servers: [`http://127.0.0.1:${port}`] } },
        routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
        logs: { level: 'error', access: 'off', decisions: 'off' },
        // a machine with too much to do is no reason to refuse anything here
        limits: { max_event_loop_delay: '1h' },
      },
    });
    rig = new GatewayRig(gateway, upstream, sockets);
    return rig;
  }

  /** Runs `work` when nothing else does: a batch that ran out of time leaves its last comparison running. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Forgets what the upstream got, then sends `pieces`, each in a turn of the event loop of its own. */
  async send(pieces: readonly Buffer[], expected: Expected): Promise<ClientView> {
    await this.#ending;
    this.received = [];
    this.unreadable = [];
    const socket = connect({ port: this.#gateway.port, host: '127.0.0.1', noDelay: true });
    const parser = new LlhttpParser('response', expected.methods);
    const answers: LlhttpMessage[] = [];
    let ending: ClientView['ending'] = 'open';
    const take = (messages: LlhttpMessage[]): void => {
      answers.push(...messages.filter((message) => message.status >= 200));
    };
    try {
      await new Promise<void>((resolve, reject) => {
        const patience = setTimeout(() => {
          reject(new Disagreement(`no answer ${answers.length + 1} of ${expected.answers}, ends: ${expected.ends}`));
        }, patienceMs);
        const done = (): void => {
          clearTimeout(patience);
          resolve();
        };
        const look = (): void => {
          if ((answers.length >= expected.answers && !expected.ends) || parser.error !== null) done();
        };
        socket.on('data', (chunk: Buffer) => {
          take(parser.feed(chunk));
          look();
        });
        socket.on('error', () => {
          ending = 'reset';
        });
        socket.on('close', () => {
          if (ending === 'open') {
            ending = 'ended';
            take(parser.end());
          }
          done();
        });
        socket.once('connect', () => {
          void sendPieces(socket, pieces);
          look();
        });
      });
      return { answers, ending, error: parser.error };
    } finally {
      socket.destroy();
      parser.close();
    }
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#gateway.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#upstream.close(() => resolve()));
  }

  serve(socket: Socket): void {
    const parser = new LlhttpParser('request');
    socket.on('error', () => undefined);
    socket.on('close', () => parser.close());
    socket.on('data', (chunk: Buffer) => {
      if (!socket.writable) return;
      for (const message of parser.feed(chunk)) {
        this.received.push(message);
        this.#answer(socket, message);
      }
      if (parser.error === null) return;
      this.unreadable.push(`${parser.error} in ${chunk.toString('hex')}`);
      socket.destroy();
    });
  }

  #answer(socket: Socket, message: LlhttpMessage): void {
    if (this.nextAnswer !== null) {
      this.#ending = once(socket, 'close');
      socket.end(this.nextAnswer);
      this.nextAnswer = null;
      return;
    }
    const text = `number ${this.received.length}`;
    const head = `HTTP/1.1 200 OK\r\n${numberField}: ${this.received.length}\r\nContent-Length: ${text.length}\r\n\r\n`;
    socket.write(message.method === 'HEAD' ? head : head + text);
  }
}

async function sendPieces(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
