// Reads heads out of a stream of chunks: usually one chunk holds one whole head, sometimes a head comes in pieces.
// Only a head in pieces is copied, and each scan goes on where the piece before ended. This file parses nothing.

import { HeadScanner, maxHeadBytes, needMore } from './head-scanner.ts';

/** What `HeadCollector.read` returns when the head is longer than `maxHeadBytes`. @testing */
export const headTooLarge = -4;

const firstPieceBytes = 1024;

/** Reads the heads of one connection, one after the other. */
export class HeadCollector {
  /** Offset in the chunk behind the head that `read` returned last. */
  end = 0;
  /** The scanner that has scanned that head to its end; its `lines` is 0 for an empty line in front of a head. */
  readonly scanner: HeadScanner;
  /** The scanner that refused the head, after `read` returned a negative code other than `needMore`. */
  refusedBy: HeadScanner;
  #pieces: Buffer | null = null;
  #pieceScanner: HeadScanner | null = null;
  #length = 0;
  #text = '';

  /** @param shared  the scanner for heads that arrive in one piece; all connections of a process may share it */
  constructor(shared: HeadScanner) {
    this.scanner = shared;
    this.refusedBy = shared;
  }

  /** Whether the first bytes of a head have arrived and its end has not. */
  get isPartial(): boolean {
    return this.#pieces !== null;
  }

  /**
   * The bytes of the head that `read` returned last, as latin1, its empty line included. They are given out once, so that an idle
   * connection keeps no head in memory.
   */
  takeText(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Forgets the pieces of a head. */
  clear(): void {
    this.#pieces = null;
    this.#pieceScanner = null;
  }

  /**
   * Reads the chunk from `start` on.
   *
   * @returns the head's length (then `end`, `scanner` and `takeText` are those of this head), or `needMore` (then the whole chunk was
   *   taken), `badByte`, `tooManyLines`, `headTooLarge`
   */
  read(chunk: Buffer, start: number, chunkEnd: number): number {
    if (this.#pieces !== null) return this.#readOn(chunk, start, chunkEnd);
    this.scanner.reset();
    const length = this.scanner.scan(chunk, start, chunkEnd);
    if (length >= 0) return this.#found(chunk, start, length, start + length);
    this.refusedBy = this.scanner;
    if (length !== needMore) return length;
    if (chunkEnd - start >= maxHeadBytes) return headTooLarge;
    this.#pieces = Buffer.allocUnsafe(Math.min(maxHeadBytes, Math.max(firstPieceBytes, (chunkEnd - start) * 2)));
    this.#length = chunk.copy(this.#pieces, 0, start, chunkEnd);
    this.#pieceScanner = new HeadScanner();
    this.#pieceScanner.scan(this.#pieces, 0, this.#length);
    return needMore;
  }

  #readOn(chunk: Buffer, start: number, chunkEnd: number): number {
    const before = this.#length;
    const take = Math.min(chunkEnd - start, maxHeadBytes - before);
    const pieces = this.#room(before + take);
    chunk.copy(pieces, before, start, start + take);
    this.#length += take;
    const scanner = this.#pieceScanner ?? this.scanner;
    const length = scanner.scan(pieces, 0, this.#length);
    this.refusedBy = scanner;
    if (length === needMore) return this.#length >= maxHeadBytes ? headTooLarge : needMore;
    if (length < 0) return length;
    // the head is scanned once more with the shared scanner, so that the connection keeps no memory for this head
    this.clear();
    this.scanner.reset();
    this.scanner.scan(pieces, 0, length);
    return this.#found(pieces, 0, length, start + length - before);
  }

  #found(bytes: Buffer, start: number, length: number, end: number): number {
    if (length > maxHeadBytes) return headTooLarge;
    this.end = end;
    this.#text = bytes.toString('latin1', start, start + length);
    return length;
  }

  #room(length: number): Buffer {
    const pieces = this.#pieces ?? Buffer.allocUnsafe(length);
    if (pieces.length >= length) return pieces;
    const grown = Buffer.allocUnsafe(Math.min(maxHeadBytes, Math.max(length, pieces.length * 2)));
    pieces.copy(grown, 0, 0, this.#length);
    this.#pieces = grown;
    return grown;
  }
}
