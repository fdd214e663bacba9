// Checks the framing of a chunked body, and passes the body on in canonical form.
// Chunk extensions and trailers are dropped; all other bytes are passed on as slices of the input, so a large body is never copied.
// The last chunk is held back until the body has ended: some readers take its `0` line for the end, and a body that breaks off
// after that line must not look complete. Rules: RFC 9112 §7.1; RFC 9110 §6.5.1.

/** Takes bytes `start` to `end` of `bytes`, which are valid during the call only. */
type ByteSink = (bytes: Uint8Array, start: number, end: number) => void;

/** What `ChunkedFilter.feed` returns when the framing is broken, or the body is too large. */
export const brokenChunk = -1;

// The most hexadecimal digits of a chunk size, leading zeros included: a chunk has less than 2^52 bytes.
const maxSizeDigits = 13;
// The most bytes of extensions and trailers in one body. Node had no such limit: CVE-2024-22019.
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
// In the states from here on the bytes are dropped.
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
  /** `feed` returned `brokenChunk` because the chunk sizes add up to more than `maxBytes`. No data of the last chunk was passed on. */
  isTooLarge = false;
  readonly #maxBytes: number;
  /** Sum of all chunk sizes that were read. */
  #announced = 0;
  #state = inSize;
  #size = 0;
  #digits = 0;
  #dropped = 0;
  /** The bytes of what may be the last chunk are held back. `lastChunk` is passed on in their place, once the body has ended. */
  #holdsLast = false;

  /** @param maxBytes  the most bytes of data in the whole body; framing is not counted */
  constructor(maxBytes: number = Number.MAX_SAFE_INTEGER) {
    this.#maxBytes = maxBytes;
  }

  get isDone(): boolean {
    return this.#state === done;
  }

  /**
   * Reads bytes `start` to `end`.
   *
   * @param keepFraming  true: the sink gets a whole chunked body in canonical form; false: it gets the data alone
   * @returns offset behind the last byte of the body (`end` while the body goes on), or `brokenChunk`
   */
  feed(bytes: Uint8Array, start: number, end: number, keepFraming: boolean, sink: ByteSink): number {
    let index = start;
    // where the bytes begin that the next call of the sink gets; -1 while bytes are dropped
    let run = keepFraming && this.#keepsHere() ? index : -1;
    // where, in that run, a chunk size begins whose digits so far are all zero
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
            // leading zeros are dropped: some parsers read them as an octal number, or refuse so many digits
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
          // trailers stand between the last chunk's line and the empty line that ends the body
          if (this.#state === trailerStart && byte !== 0x0d && !this.#holdsLast) holdFrom(zeroAt);
          if (++this.#dropped > maxDroppedBytes) return brokenChunk;
          const next = afterDroppedByte(this.#state, byte);
          if (next < 0) return brokenChunk;
          // the CR behind the extensions is part of the canonical form again
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

  /** Whether the size of this chunk is zero, or has only zeros as digits so far: then it may be the last chunk. */
  get #isInLast(): boolean {
    return this.#size === 0 && this.#digits > 0;
  }
}

const nameByte = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  nameByte[character.charCodeAt(0)] = 1;
}

/**
 * The state after one byte of an extension or a trailer; `brokenChunk` when the byte may not stand there. Blanks around the parts of
 * an extension (BWS) are refused.
 */
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
