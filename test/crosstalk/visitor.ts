// One client of the cross-talk test: one identity on one connection, which compares every byte that it gets.
// It asks one batch of requests at a time, pipelined; it may read slowly, and it may leave in the middle.

import { connect, type Socket } from 'node:net';
import type { Pattern } from '../support/pattern.ts';
import { BodyDecoder, framingOf } from './body-decoder.ts';
import {
  nonceField,
  offsetOf,
  patternOf,
  prefixOf,
  type Question,
  seenField,
  targetOf,
  uploadField,
} from './protocol.ts';
import { addProblem, type Tally } from './tally.ts';

interface VisitorOptions {
  readonly port: number;
  readonly user: string;
  readonly token: string;
  readonly tally: Tally;
}

/** How a batch is asked and taken. */
export interface Manner {
  /** Bytes from the upstream after which the client leaves; infinite when it stays. */
  readonly leaveAfter: number;
  /** Pause behind each read; 0 for a fast reader. */
  readonly pauseMs: number;
}

interface Answer {
  readonly status: number;
  readonly decoder: BodyDecoder;
  /** It came from the upstream, and its bytes are compared. */
  readonly isOwn: boolean;
  /** The gateway ends the connection behind it. */
  readonly isLast: boolean;
  readonly prefix: Buffer;
  readonly start: number;
  received: number;
}

const noBytes = Buffer.alloc(0);
// of an upload at once
const uploadPart = 60_000;

export class Visitor {
  readonly #options: VisitorOptions;
  readonly #pattern: Pattern;
  #socket: Socket | null = null;
  #waiting: Question[] = [];
  #answer: Answer | null = null;
  #head: Buffer = noBytes;
  #manner: Manner = { leaveAfter: Number.POSITIVE_INFINITY, pauseMs: 0 };
  #receivedInBatch = 0;
  #hasLeft = false;
  #done: () => void = () => undefined;

  constructor(options: VisitorOptions) {
    this.#options = options;
    this.#pattern = patternOf(options.user);
  }

  /** Asks these, and resolves once each is answered, left or lost. Only the last one may have a body. */
  ask(questions: readonly Question[], manner: Manner): Promise<void> {
    this.#options.tally.requests += questions.length;
    this.#waiting = [...questions];
    this.#manner = manner;
    this.#receivedInBatch = 0;
    this.#hasLeft = false;
    return new Promise((resolve) => {
      this.#done = resolve;
      const socket = this.#socket ?? this.#connect();
      let heads = '';
      for (const question of questions) heads += this.#headOf(question);
      socket.write(heads, 'latin1');
      const last = questions.at(-1);
      if (last !== undefined && last.upload !== null) this.#upload(socket, last, last.upload);
      if (manner.leaveAfter === 0) setImmediate(() => this.#leave(socket));
    });
  }

  /** Ends the connection between two batches; the next batch gets another. */
  hangUp(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    this.#head = noBytes;
    this.#answer = null;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#read(socket, chunk);
      if (this.#manner.pauseMs === 0 || this.#waiting.length === 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), this.#manner.pauseMs);
    });
    socket.on('close', () => this.#onClose(socket));
    return socket;
  }

  #headOf(question: Question): string {
    const { user, token } = this.#options;
    const length = question.upload === null ? '' : `Content-Length: ${question.upload}\r\n`;
    // what the client says about itself must never win over its token
    return (
      `${question.upload === null ? 'GET' : 'PUT'} ${targetOf(question)} HTTP/1.1\r\nHost: a\r\n` +
      `Authorization: Bearer ${token}\r\n${nonceField}: ${question.nonce}\r\n` +
      `X-Forwarded-User: not-${user}\r\n${length}\r\n`
    );
  }

  #upload(socket: Socket, question: Question, size: number): void {
    const start = offsetOf(question.nonce);
    let sent = 0;
    const write = (): void => {
      while (sent < size && !socket.destroyed) {
        const part = this.#pattern.at(start + sent, Math.min(uploadPart, size - sent));
        sent += part.length;
        if (sent >= this.#manner.leaveAfter) {
          this.#leave(socket);
          return;
        }
        if (!socket.write(part)) {
          socket.once('drain', write);
          return;
        }
      }
    };
    write();
  }

  #read(socket: Socket, chunk: Buffer): void {
    this.#receivedInBatch += chunk.length;
    try {
      for (let at = 0; at < chunk.length; ) {
        const question = this.#waiting[0];
        if (question === undefined) throw new Error(`bytes for no request: ${chunk.toString('latin1', at, at + 200)}`);
        if (this.#answer === null) at = this.#readHead(question, chunk, at);
        else at = this.#answer.decoder.feed(chunk, at, (bytes) => this.#compare(question, bytes));
        if (this.#answer?.decoder.isDone === true) this.#finish(question, this.#answer);
      }
    } catch (error) {
      this.#wrong(error instanceof Error ? error.message : String(error));
      socket.destroy();
      return;
    }
    if (this.#waiting.length === 0) this.#done();
    else if (this.#receivedInBatch >= this.#manner.leaveAfter) this.#leave(socket);
  }

  /** @returns offset behind the head, or the chunk's end */
  #readHead(question: Question, chunk: Buffer, at: number): number {
    const bytes = this.#head.length === 0 ? chunk.subarray(at) : Buffer.concat([this.#head, chunk.subarray(at)]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#head = Buffer.from(bytes);
      return chunk.length;
    }
    const before = this.#head.length;
    this.#head = noBytes;
    const head = bytes.toString('latin1', 0, end + 2);
    const status = Number(head.slice(9, 12));
    const { user, tally } = this.#options;
    const isOwn = status === 200;
    if (isOwn || head.includes(`\r\n${nonceField}:`) || head.includes(`\r\n${seenField}:`)) {
      const isRight =
        head.includes(`\r\n${nonceField}: ${question.nonce}\r\n`) && head.includes(`\r\n${seenField}: ${user}\r\n`);
      if (!isRight) {
        tally.foreign += head.length;
        throw new Error(`${user} asked ${question.nonce} and got ${head}`);
      }
    }
    if (question.upload !== null && isOwn && !head.includes(`\r\n${uploadField}: ${question.upload} right\r\n`)) {
      throw new Error(`the upload ${question.nonce} of ${user} was answered with ${head}`);
    }
    this.#answer = {
      status,
      decoder: new BodyDecoder(framingOf(head, { kind: 'until-close' })),
      isOwn,
      isLast: head.includes('\r\nConnection: close\r\n'),
      prefix: Buffer.from(prefixOf(question.nonce, user), 'latin1'),
      start: offsetOf(question.nonce),
      received: 0,
    };
    return at + end + 4 - before;
  }

  #compare(question: Question, bytes: Buffer): void {
    const answer = this.#answer;
    if (answer === null || !answer.isOwn) return;
    const { tally, user } = this.#options;
    const { prefix, received } = answer;
    answer.received += bytes.length;
    tally.bytes += bytes.length;
    const inPrefix = Math.max(0, Math.min(bytes.length, prefix.length - received));
    const isPrefix = prefix.subarray(received, received + inPrefix).equals(bytes.subarray(0, inPrefix));
    const from = answer.start + Math.max(0, received - prefix.length);
    if (isPrefix && this.#pattern.matches(from, bytes.subarray(inPrefix))) return;
    tally.foreign += bytes.length;
    throw new Error(`foreign bytes for ${user}, ${question.nonce}, at ${received}`);
  }

  #finish(question: Question, answer: Answer): void {
    const { tally, user } = this.#options;
    this.#answer = null;
    this.#waiting.shift();
    const { act } = question;
    const isFault = act === 'reset' || act === 'nothing' || act === 'junk' || act === 'early';
    if (answer.isOwn && !isFault) {
      if (answer.received !== answer.prefix.length + question.size) {
        this.#wrong(`${user} got ${answer.received} bytes for ${question.size} and a prefix`);
      } else tally.right++;
      if (question.upload !== null) tally.bytes += question.upload;
    } else if (answer.status === 502 || answer.status === 503 || answer.status === 504) {
      if (isFault) tally.faults[act]++;
      else tally.collateral++;
    } else this.#wrong(`${user} asked for ${act} and got ${answer.status}`);
    if (answer.isLast && this.#waiting.length === 0) this.hangUp();
  }

  #leave(socket: Socket): void {
    this.#hasLeft = true;
    socket.destroy();
  }

  #onClose(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    const [question, ...rest] = this.#waiting;
    if (question === undefined) return;
    const { tally } = this.#options;
    this.#waiting = [];
    if (this.#hasLeft) tally.left += 1 + rest.length;
    else {
      if (question.act === 'early') tally.faults.early++;
      else tally.collateral++;
      tally.lost += rest.length;
    }
    this.#done();
  }

  #wrong(problem: string): void {
    this.#options.tally.wrong++;
    addProblem(this.#options.tally, problem);
  }
}
