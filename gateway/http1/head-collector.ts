// Reads heads out of a stream of chunks: usually one chunk holds one whole head, sometimes a head comes in pieces.
// Only a head in pieces is copied, and it is scanned on where the last piece ended. It parses nothing.

import { HeadScanner, maxHeadBytes, needMore } from './head-scanner.ts';

/** `HeadCollector.read` when the head is longer than `maxHeadBytes`. @testing */
export const headTooLarge = -4;

const firstPieceBytes = 1024;

/** Heads of one connection, one after the other. */
export class HeadCollector {
  /** Offset in the chunk behind the head that `read` returned last. */
  end = 0;
  /** Has scanned that head to its end; `lines` is 0 for an empty line in front of a head. */
  readonly scanner: HeadScanner;
  /** Has just refused a head, when `read` says so. */
  refusedBy: HeadScanner;
  #pieces: Buffer | null = null;
  #pieceScanner: HeadScanner | null = null;
  #length = 0;
  #text = '';

  /** @param shared  scans heads that arrive in one piece; may serve all connections of a process */
  constructor(shared: HeadScanner) {
    this.scanner = shared;
    this.refusedBy = shared;
  }

  /** Whether the first bytes of a head came and its end did not. */
  get isPartial(): boolean {
    return this.#pieces !== null;
  }

  /** That head's bytes as latin1, its empty line included. Once: an idle connection keeps no head alive. */
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
   * Reads on from `start`.
   *
   * @returns the head's length (then `end`, `scanner` and `takeText` are its own), or `needMore` (then all of the chunk was
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
    // once more with the shared one, so that nothing of this head stays with the connection
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
