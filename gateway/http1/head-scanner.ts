// Finds the end of a message head and the end of each of its lines, and refuses bytes that no head may hold.
// One pass over the bytes finds control characters, bare CR, bare LF, the empty line, and too many lines.
// The scanner knows neither names nor values. Rules: RFC 9112 §2.2, §5.2 (obs-fold), RFC 9110 §5.5.

import type { MessageProblem } from './problems.ts';

/** The most field lines in one head. */
export const maxFields = 100;

/** The most bytes in one head, the empty line included. */
export const maxHeadBytes = 32 * 1024;

/** What `HeadScanner.scan` returns when the head is not complete yet. */
export const needMore = -1;
/** What `HeadScanner.scan` returns when the head has a byte that no head may have at that place. @testing */
export const badByte = -2;
/** What `HeadScanner.scan` returns when the head has too many lines. @testing */
export const tooManyLines = -3;

const noBytes = new Uint8Array(0);

/**
 * A scan of one head that can be resumed. The scan goes on where it stopped, so that a client that sends single bytes costs one
 * look at each byte.
 *
 * Measured on a head of 486 bytes: this loop takes 0.6 µs, a loop with a table of byte classes 0.8, `latin1Slice` with a regular
 * expression 1.6 to 2.2.
 */
export class HeadScanner {
  /** Offset of each line's CR, relative to the head's first byte. Line 0 is the start line. */
  readonly lineEnds: Int32Array = new Int32Array(maxFields + 1);
  /** How many lines were found, the start line included. */
  lines = 0;
  /** The bytes that were scanned last, for the parser; the head begins at `start`. */
  bytes: Uint8Array = noBytes;
  start = 0;
  /** Offset of the refused byte, relative to the head's first byte like `lineStart`. */
  badAt = 0;
  #next = 0;
  #lineStart = 0;

  /** Offset at which the current line begins. */
  get lineStart(): number {
    return this.#lineStart;
  }

  /** Forgets the head scanned before. */
  reset(): void {
    this.lines = 0;
    this.#next = 0;
    this.#lineStart = 0;
  }

  /**
   * @param bytes  the bytes that hold the head from `start` on
   * @param start  first byte of the head; the same bytes must be there at each call for one head
   * @param end    end of what has arrived
   * @returns length of the head with its empty line, or `needMore`, `badByte`, `tooManyLines`. Except after `needMore` and after an
   *   empty line in front of the head (2, while `lines` is 0), the caller has to call `reset` before the next call. `maxHeadBytes`
   *   is NOT checked here: a complete head may be longer, and so may the bytes that were scanned when `needMore` is returned
   */
  scan(bytes: Uint8Array, start: number, end: number): number {
    this.bytes = bytes;
    this.start = start;
    let lineStart = this.#lineStart;
    let index = start + this.#next;
    for (;;) {
      // HT and obs-text (0x80 to 0xff) are allowed in field values (RFC 9110 §5.5); other control characters and DEL never are
      let byte = 0;
      while (index < end) {
        byte = bytes[index] as number;
        if (byte < 0x20 || byte === 0x7f) break;
        index++;
      }
      if (index >= end) break;
      if (byte === 0x09) {
        index++;
        continue;
      }
      if (byte !== 0x0d) return this.#refuse(index - start, lineStart);
      if (index + 1 >= end) break;
      if (bytes[index + 1] !== 0x0a) return this.#refuse(index - start, lineStart);
      const at = index - start;
      if (at === lineStart) {
        // an empty line ends the head; whether a first line may be empty is the caller's decision (RFC 9112 §2.2)
        if (this.lines === 0) return 2;
        return at + 2;
      }
      if (this.lines > maxFields) return tooManyLines;
      this.lineEnds[this.lines++] = at;
      lineStart = at + 2;
      index += 2;
    }
    this.#next = index - start;
    this.#lineStart = lineStart;
    return needMore;
  }

  #refuse(badAt: number, lineStart: number): number {
    this.badAt = badAt;
    this.#lineStart = lineStart;
    return badByte;
  }
}

/** The problem that a negative code of `scan` or `HeadCollector.read` stands for; `needMore` is none. */
export function scanProblem(code: number): MessageProblem {
  if (code === badByte) return 'bad-byte';
  return code === tooManyLines ? 'too-many-fields' : 'head-too-large';
}
