// Takes one message body out of a stream of reads: by length, by chunks, or up to the end. It checks only the framing:
// a body that it cannot frame is an error, and the caller compares the bytes.

type BodyFraming = { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' | 'until-close' };

/** Framing that a head asks for. @param head  with its line ends, as latin1 */
export function framingOf(head: string, fallback: BodyFraming): BodyFraming {
  if (/\r\ntransfer-encoding: ?chunked\r\n/i.test(head)) return { kind: 'chunked' };
  const length = /\r\ncontent-length: ?(\d+)\r\n/i.exec(head);
  return length === null ? fallback : { kind: 'length', length: Number(length[1]) };
}

/** One body. */
export class BodyDecoder {
  #remaining: number;
  readonly #kind: BodyFraming['kind'];
  /** A chunk's size line, or the line end behind its data, as far as it came. */
  #line = '';
  #isInData = false;
  #isLast = false;
  #isDone = false;

  constructor(framing: BodyFraming) {
    this.#kind = framing.kind;
    this.#remaining = framing.kind === 'length' ? framing.length : 0;
    this.#isDone = framing.kind === 'length' && framing.length === 0;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** The body ends with its connection. */
  get isUntilClose(): boolean {
    return this.#kind === 'until-close';
  }

  /** @returns offset behind what belongs to the body */
  feed(bytes: Buffer, start: number, take: (bytes: Buffer) => void): number {
    let at = start;
    while (at < bytes.length && !this.#isDone) {
      if (this.#kind === 'until-close') {
        take(bytes.subarray(at));
        return bytes.length;
      }
      if (this.#kind === 'length' || this.#isInData) {
        const end = Math.min(bytes.length, at + this.#remaining);
        take(bytes.subarray(at, end));
        this.#remaining -= end - at;
        at = end;
        if (this.#remaining > 0) continue;
        if (this.#kind === 'length') this.#isDone = true;
        this.#isInData = false;
        continue;
      }
      const end = bytes.indexOf(0x0a, at);
      this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end + 1);
      if (end < 0) return bytes.length;
      at = end + 1;
      this.#onLine(this.#line);
      this.#line = '';
    }
    return at;
  }

  #onLine(line: string): void {
    if (this.#isLast) {
      if (line !== '\r\n') throw new Error(`behind the last chunk: ${JSON.stringify(line)}`);
      this.#isDone = true;
      return;
    }
    // behind a chunk's data
    if (line === '\r\n') return;
    const size = /^([0-9a-f]+)\r\n$/i.exec(line);
    if (size === null) throw new Error(`no chunk size: ${JSON.stringify(line.slice(0, 100))}`);
    this.#remaining = Number.parseInt(size[1] ?? '', 16);
    this.#isLast = this.#remaining === 0;
    this.#isInData = !this.#isLast;
  }
}
