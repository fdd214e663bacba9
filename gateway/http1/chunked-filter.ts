// Walks over a chunked body, proves its framing, and hands on the bytes of the canonical form.
// Chunk extensions and trailers are left out; everything else goes through as slices of what came in, so a large
// body is never copied. The last chunk is handed on with the body's very end and not before: to some readers a `0` line is the
// end already, and a body that breaks off behind it must not look whole. Rules: RFC 9112 §7.1; RFC 9110 §6.5.1.

/** Takes bytes `start` to `end` of `bytes`; they are only lent for the call. */
type ByteSink = (bytes: Uint8Array, start: number, end: number) => void;

/** `ChunkedFilter.feed` when the framing is broken. */
export const brokenChunk = -1;

// Hexadecimal digits at most: 2^52 bytes in one chunk, with no leading zeros beyond that width.
const maxSizeDigits = 13;
// Extension and trailer bytes at most over one whole body (CVE-2024-22019 is what no cap looks like).
const maxDroppedBytes = 16 * 1024;

/** `0`, CR LF, CR LF. */
const lastChunk = Uint8Array.of(0x30, 0x0d, 0x0a, 0x0d, 0x0a);

const inSize = 0;
const afterSizeCr = 1;
const inData = 2;
const afterData = 3;
const afterDataCr = 4;
const afterLastCr = 5;
const done = 6;
// From here on the bytes are dropped.
const extensionStart = 7;
const extensionName = 8;
const extensionValueStart = 9;
const extensionToken = 10;
const extensionQuoted = 11;
const extensionQuotedPair = 12;
const extensionQuotedEnd = 13;
const trailerStart = 14;
const trailerName = 15;
const trailerValue = 16;
const afterTrailerCr = 17;

/** The framing of one chunked body. */
export class ChunkedFilter {
  /** `brokenChunk` meant: the chunks' sizes add up to more than the body may have. Nothing of that chunk was handed on. */
  isTooLarge = false;
  readonly #maxBytes: number;
  /** Bytes of all chunks whose size was read. */
  #announced = 0;
  #state = inSize;
  #size = 0;
  #digits = 0;
  #dropped = 0;
  /** What may be the last chunk was not handed on with the bytes around it: it is, once it is known to be that. */
  #holdsLast = false;

  /** @param maxBytes  of data in the whole body, framing not counted */
  constructor(maxBytes: number = Number.MAX_SAFE_INTEGER) {
    this.#maxBytes = maxBytes;
  }

  get isDone(): boolean {
    return this.#state === done;
  }

  /**
   * Goes over bytes `start` to `end`.
   *
   * @param keepFraming  true: the sink gets a whole chunked body in canonical form; false: it gets the data alone
   * @returns offset behind the last byte that belongs to the body (`end` unless `isDone`), or `brokenChunk`
   */
  feed(bytes: Uint8Array, start: number, end: number, keepFraming: boolean, sink: ByteSink): number {
    let index = start;
    // begin of the run that is handed on with the next call of the sink; -1 while bytes are being dropped
    let run = keepFraming && this.#keepsHere() ? index : -1;
    // where, inside that run, a size begins that is zero so far
    let zeroAt = -1;
    const holdFrom = (end: number): void => {
      if (run >= 0 && run < end) sink(bytes, run, end);
      run = -1;
      this.#holdsLast = true;
    };
    while (index < end && this.#state !== done) {
      const byte = bytes[index] as number;
      switch (this.#state) {
        case inSize: {
          const value = hexValue(byte);
          if (value >= 0) {
            // leading zeros go: to some parser they are an octal number, or too many digits
            if (this.#digits > 0 && this.#size === 0 && keepFraming) {
              if (!this.#holdsLast) holdFrom(zeroAt);
              if (value > 0) {
                this.#holdsLast = false;
                run = index;
              }
            } else if (value === 0 && this.#digits === 0) zeroAt = index;
            if (++this.#digits > maxSizeDigits) return brokenChunk;
            this.#size = this.#size * 16 + value;
          } else if (this.#digits === 0) return brokenChunk;
          else if (byte === 0x0d) this.#state = afterSizeCr;
          else if (byte === 0x3b) {
            if (this.#size === 0 && !this.#holdsLast) holdFrom(zeroAt);
            else if (run >= 0 && run < index) sink(bytes, run, index);
            run = -1;
            this.#state = extensionStart;
          } else return brokenChunk;
          index++;
          break;
        }
        case afterSizeCr:
          if (byte !== 0x0a) return brokenChunk;
          index++;
          if (this.#size > 0) this.#digits = 0;
          this.#announced += this.#size;
          if (this.#announced > this.#maxBytes) {
            this.isTooLarge = true;
            return brokenChunk;
          }
          this.#state = this.#size > 0 ? inData : trailerStart;
          break;
        case inData: {
          const take = Math.min(this.#size, end - index);
          if (!keepFraming) sink(bytes, index, index + take);
          index += take;
          this.#size -= take;
          if (this.#size === 0) this.#state = afterData;
          break;
        }
        case afterData:
          if (byte !== 0x0d) return brokenChunk;
          this.#state = afterDataCr;
          index++;
          break;
        case afterDataCr:
          if (byte !== 0x0a) return brokenChunk;
          this.#state = inSize;
          index++;
          break;
        case afterLastCr:
          if (byte !== 0x0a) return brokenChunk;
          this.#state = done;
          index++;
          if (this.#holdsLast && keepFraming) sink(lastChunk, 0, lastChunk.length);
          break;
        default: {
          // a trailer stands between the last chunk's line and the line that ends it
          if (this.#state === trailerStart && byte !== 0x0d && !this.#holdsLast) holdFrom(zeroAt);
          if (++this.#dropped > maxDroppedBytes) return brokenChunk;
          const next = afterDroppedByte(this.#state, byte);
          if (next < 0) return brokenChunk;
          // the CR that ends extensions belongs to the canonical form again
          if (keepFraming && next === afterSizeCr && this.#size > 0) run = index;
          this.#state = next;
          index++;
        }
      }
    }
    if (keepFraming && this.#isInLast && this.#state !== done && !this.#holdsLast) holdFrom(zeroAt);
    if (run >= 0 && run < index) sink(bytes, run, index);
    return index;
  }

  #keepsHere(): boolean {
    return this.#state < extensionStart && !this.#isInLast;
  }

  /** In a chunk whose size is zero, or so far nothing but zeros. */
  get #isInLast(): boolean {
    return this.#size === 0 && this.#digits > 0;
  }
}

const nameByte = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  nameByte[character.charCodeAt(0)] = 1;
}

/** State behind one byte of an extension or a trailer; negative when the byte may not stand there. No blanks (BWS). */
function afterDroppedByte(state: number, byte: number): number {
  switch (state) {
    case extensionStart:
      return nameByte[byte] === 1 ? extensionName : brokenChunk;
    case extensionName:
      if (nameByte[byte] === 1) return extensionName;
      return byte === 0x3d ? extensionValueStart : afterExtension(byte);
    case extensionValueStart:
      if (byte === 0x22) return extensionQuoted;
      return nameByte[byte] === 1 ? extensionToken : brokenChunk;
    case extensionToken:
      return nameByte[byte] === 1 ? extensionToken : afterExtension(byte);
    case extensionQuoted:
      if (byte === 0x22) return extensionQuotedEnd;
      if (byte === 0x5c) return extensionQuotedPair;
      return isText(byte) ? extensionQuoted : brokenChunk;
    case extensionQuotedPair:
      return isText(byte) ? extensionQuoted : brokenChunk;
    case extensionQuotedEnd:
      return afterExtension(byte);
    case trailerStart:
      if (byte === 0x0d) return afterLastCr;
      return nameByte[byte] === 1 ? trailerName : brokenChunk;
    case trailerName:
      if (byte === 0x3a) return trailerValue;
      return nameByte[byte] === 1 ? trailerName : brokenChunk;
    case trailerValue:
      if (byte === 0x0d) return afterTrailerCr;
      return isText(byte) ? trailerValue : brokenChunk;
    default:
      return byte === 0x0a ? trailerStart : brokenChunk;
  }
}

function afterExtension(byte: number): number {
  if (byte === 0x0d) return afterSizeCr;
  return byte === 0x3b ? extensionStart : brokenChunk;
}

function isText(byte: number): boolean {
  return byte === 0x09 || (byte >= 0x20 && byte !== 0x7f);
}

function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
