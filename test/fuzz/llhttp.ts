// llhttp as a plain function over bytes: the WebAssembly build that ships inside undici, with nothing lenient switched on.
// The second opinion of the differential tests. It stops behind each message, so the exact end of each one is known.
// It must not know anything of our own parser.

import { createRequire } from 'node:module';

/** One message as llhttp read it. */
export interface LlhttpMessage {
  /** Empty for responses. */
  readonly method: string;
  /** Request target; empty for responses. */
  readonly target: string;
  /** 0 for requests. */
  readonly status: number;
  readonly version: string;
  /** Of the head alone, in order, as latin1. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The content as latin1, without chunk framing. */
  readonly body: string;
  /** Offset behind the message, counted from the first byte that the parser was fed. */
  readonly end: number;
}

interface OpenMessage {
  target: string;
  names: string[];
  values: string[];
  inHead: boolean;
  body: string[];
  head: Omit<LlhttpMessage, 'body' | 'end'> | null;
}

const isRequest = 1;
const isResponse = 2;
const paused = 21;
const pausedUpgrade = 22;

let current: LlhttpParser | null = null;
const spans = new Map<string, (parser: LlhttpParser, text: string) => void>([
  ['wasm_on_url', (parser, text) => parser.onTarget(text)],
  ['wasm_on_status', () => undefined],
  ['wasm_on_header_field', (parser, text) => parser.onName(text)],
  ['wasm_on_header_value', (parser, text) => parser.onValue(text)],
  ['wasm_on_body', (parser, text) => parser.onBody(text)],
]);

const program = loadProgram();
const memory = loadMemory();
const [execute, finish, resume, resumeAfterUpgrade] = [
  load('llhttp_execute'),
  load('llhttp_finish'),
  load('llhttp_resume'),
  load('llhttp_resume_after_upgrade'),
];
const [alloc, free, malloc, release] = [load('llhttp_alloc'), load('llhttp_free'), load('malloc'), load('free')];
const [errorAt, errorName] = [load('llhttp_get_error_pos'), load('llhttp_errno_name')];
const [methodOf, methodName] = [load('llhttp_get_method'), load('llhttp_method_name')];
const [statusOf, majorOf, minorOf] = [
  load('llhttp_get_status_code'),
  load('llhttp_get_http_major'),
  load('llhttp_get_http_minor'),
];

/** A parser for the bytes of one connection. Give it back with `close`. */
export class LlhttpParser {
  /** Name of the error that ended the reading; null while all is well. */
  error: string | null = null;
  /** Whether the bytes so far end inside a message. */
  isInside = false;
  readonly #pointer: number;
  readonly #kind: number;
  readonly #methods: readonly string[];
  #fed = 0;
  #responses = 0;
  #message = emptyMessage();
  #complete: Omit<LlhttpMessage, 'end'> | null = null;

  /** @param methods  of the requests that the responses answer, in order; GET behind the last one */
  constructor(kind: 'request' | 'response', methods: readonly string[] = []) {
    this.#kind = kind === 'request' ? isRequest : isResponse;
    this.#methods = methods;
    this.#pointer = alloc(this.#kind);
  }

  /** Takes the next bytes. @returns the messages that became complete with them */
  feed(bytes: Uint8Array): LlhttpMessage[] {
    const messages: LlhttpMessage[] = [];
    const start = malloc(Math.max(bytes.length, 1));
    new Uint8Array(memory.buffer, start, bytes.length).set(bytes);
    current = this;
    // also with nothing left: behind a pause llhttp has to be called to know that it is between two messages
    for (let at = 0; this.error === null; ) {
      const code = execute(this.#pointer, start + at, bytes.length - at);
      if (code === 0) break;
      at = errorAt(this.#pointer) - start;
      if (code === paused) {
        this.#take(messages, this.#fed + at);
        resume(this.#pointer);
      } else if (code === pausedUpgrade) {
        this.#take(messages, this.#fed + at);
        resumeAfterUpgrade(this.#pointer);
      } else {
        this.error = cString(errorName(code));
      }
    }
    this.#fed += bytes.length;
    current = null;
    release(start);
    return messages;
  }

  /** The connection has ended. @returns the message that this completes, if it does */
  end(): LlhttpMessage[] {
    const messages: LlhttpMessage[] = [];
    current = this;
    const code = this.error === null ? finish(this.#pointer) : 0;
    this.#take(messages, this.#fed);
    if (code !== 0 && code !== paused) this.error = cString(errorName(code));
    current = null;
    return messages;
  }

  close(): void {
    free(this.#pointer);
  }

  // What follows is called by llhttp in the middle of `execute`.

  onBegin(): number {
    this.#message = emptyMessage();
    this.isInside = true;
    return 0;
  }

  onTarget(text: string): void {
    this.#message.target += text;
  }

  onName(text: string): void {
    const { names, values, inHead } = this.#message;
    if (!inHead) return;
    if (names.length === values.length) names.push(text);
    else names.push((names.pop() ?? '') + text);
  }

  onValue(text: string): void {
    const { names, values, inHead } = this.#message;
    if (!inHead) return;
    if (values.length < names.length) values.push(text);
    else values.push((values.pop() ?? '') + text);
  }

  /** @returns 1 when no body follows whatever the head says */
  onHead(): number {
    const message = this.#message;
    const status = this.#kind === isResponse ? statusOf(this.#pointer) : 0;
    message.inHead = false;
    message.head = {
      method: this.#kind === isRequest ? cString(methodName(methodOf(this.#pointer))) : '',
      target: message.target,
      status,
      version: `${majorOf(this.#pointer)}.${minorOf(this.#pointer)}`,
      // blanks behind a value are left to whoever uses llhttp; Node takes them away, as RFC 9110 §5.5 says
      fields: message.names.map((name, index) => [name, (message.values[index] ?? '').replace(/[\t ]+$/, '')]),
    };
    if (status < 200) return 0;
    return this.#methods[this.#responses++] === 'HEAD' ? 1 : 0;
  }

  onBody(text: string): void {
    this.#message.body.push(text);
  }

  onComplete(): number {
    const { head, body } = this.#message;
    if (head !== null) this.#complete = { ...head, body: body.join('') };
    this.isInside = false;
    return paused;
  }

  #take(messages: LlhttpMessage[], end: number): void {
    if (this.#complete !== null) messages.push({ ...this.#complete, end });
    this.#complete = null;
  }
}

/** What llhttp made of one connection's bytes. */
interface LlhttpReading {
  readonly messages: readonly LlhttpMessage[];
  readonly error: string | null;
  /** The bytes end inside a message. */
  readonly isInside: boolean;
}

/** Reads all of `bytes` at once. @param ends  the connection ends behind them */
export function readByLlhttp(
  kind: 'request' | 'response',
  bytes: Uint8Array,
  options: { readonly methods?: readonly string[]; readonly ends?: boolean } = {},
): LlhttpReading {
  const parser = new LlhttpParser(kind, options.methods);
  const messages = parser.feed(bytes);
  const { isInside } = parser;
  if (options.ends === true) messages.push(...parser.end());
  parser.close();
  return { messages, error: parser.error, isInside: options.ends === true ? parser.isInside : isInside };
}

function emptyMessage(): OpenMessage {
  return { target: '', names: [], values: [], inHead: true, body: [], head: null };
}

function loadProgram(): WebAssembly.Instance {
  const code: unknown = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js');
  if (!(code instanceof Uint8Array)) throw new Error('undici has no llhttp where it used to be');
  const env: Record<string, (...values: number[]) => number> = {
    wasm_on_message_begin: () => current?.onBegin() ?? 0,
    wasm_on_headers_complete: () => current?.onHead() ?? 0,
    wasm_on_message_complete: () => current?.onComplete() ?? 0,
  };
  for (const [name, take] of spans) {
    env[name] = (_parser, at = 0, length = 0) => {
      if (current !== null) take(current, Buffer.from(memory.buffer, at, length).toString('latin1'));
      return 0;
    };
  }
  return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(code)), { env });
}

function loadMemory(): WebAssembly.Memory {
  const found = program.exports.memory;
  if (!(found instanceof WebAssembly.Memory)) throw new Error('llhttp has no memory');
  const initialize = program.exports._initialize;
  if (typeof initialize === 'function') initialize();
  return found;
}

function load(name: string): (...values: number[]) => number {
  const found = program.exports[name];
  if (typeof found !== 'function') throw new Error(`llhttp has no ${name}`);
  return (...values) => Number(Reflect.apply(found, null, values));
}

function cString(at: number): string {
  const bytes = new Uint8Array(memory.buffer, at);
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString('latin1');
}
