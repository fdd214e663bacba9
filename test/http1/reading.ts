// Drives the http1 parsers the way an edge does, for the tests of this folder: bytes in, one plain result out.
// Every reader takes the bytes in pieces, so that each table can be run in one piece, in two, and byte by byte.
// This file asserts nothing.

import { brokenChunk, ChunkedFilter } from '../../gateway/http1/chunked-filter.ts';
import { FieldNames, type NameGrammar } from '../../gateway/http1/field-names.ts';
import { badByte, HeadScanner, maxHeadBytes, needMore, tooManyLines } from '../../gateway/http1/head-scanner.ts';
import type { MessageHead } from '../../gateway/http1/message-head.ts';
import type { MessageProblem } from '../../gateway/http1/problems.ts';
import { RequestHead } from '../../gateway/http1/request-head.ts';
import { ResponseHead } from '../../gateway/http1/response-head.ts';

/** Bytes of a latin1 string. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Offsets at which a message of `length` bytes arrives: all at once, every two-part split, and byte by byte. */
export function* arrivals(length: number): Generator<readonly number[]> {
  yield [length];
  for (let cut = 1; cut < length; cut++) yield [cut, length];
  yield Array.from({ length }, (_, index) => index + 1);
}

/** What became of a head. `text` is the head alone, `rest` the offset behind it. */
type HeadOutcome =
  | { kind: 'complete'; text: string; scanner: HeadScanner; rest: number }
  | { kind: 'incomplete' }
  | { kind: 'refused'; problem: MessageProblem };

// Empty lines skipped before a head (RFC 9112 §2.2); an edge has a cap as well.
const maxLeadingLines = 4;

/** Scans one head from the front of `bytes`, which arrive up to each of `ends` in turn. */
export function readHead(bytes: Uint8Array, ends: readonly number[]): HeadOutcome {
  const scanner = new HeadScanner();
  let start = 0;
  let skipped = 0;
  for (const end of ends) {
    for (;;) {
      const length = scanner.scan(bytes, start, end);
      if (length === badByte) return { kind: 'refused', problem: 'bad-byte' };
      if (length === tooManyLines) return { kind: 'refused', problem: 'too-many-fields' };
      if (length === needMore) {
        if (end - start >= maxHeadBytes) return { kind: 'refused', problem: 'head-too-large' };
        break;
      }
      if (scanner.lines === 0) {
        if (++skipped > maxLeadingLines) return { kind: 'refused', problem: 'bad-start-line' };
        start += length;
        continue;
      }
      if (length > maxHeadBytes) return { kind: 'refused', problem: 'head-too-large' };
      const text = Buffer.from(bytes).toString('latin1', start, start + length);
      return { kind: 'complete', text, scanner, rest: start + length };
    }
  }
  return { kind: 'incomplete' };
}

/** Class 16 is `cookie` in these tests; everything else that does not frame is plain. */
export function namesOf(grammar: NameGrammar): FieldNames {
  return new FieldNames(grammar, (name) => (name === 'cookie' ? 16 : 0));
}

const requestNames = namesOf('strict');
const responseNames = namesOf('token');

/** Name and value of each field in order. */
export function fieldsOf(head: MessageHead): [string, string][] {
  return Array.from({ length: head.fieldCount }, (_, index) => [head.nameOf(index), head.valueOf(index)]);
}

/** Reads a request head; the string is the problem, or `incomplete`. */
export function readRequest(input: string, ends = [input.length]): RequestHead | MessageProblem | 'incomplete' {
  const outcome = readHead(bytesOf(input), ends);
  if (outcome.kind === 'incomplete') return 'incomplete';
  if (outcome.kind === 'refused') return outcome.problem;
  const head = new RequestHead();
  return head.parse(outcome.text, outcome.scanner, requestNames) ?? head;
}

/** Reads a response head; the string is the problem, or `incomplete`. */
export function readResponse(input: string, ends = [input.length]): ResponseHead | MessageProblem | 'incomplete' {
  const outcome = readHead(bytesOf(input), ends);
  if (outcome.kind === 'incomplete') return 'incomplete';
  if (outcome.kind === 'refused') return outcome.problem;
  const head = new ResponseHead();
  return head.parse(outcome.text, outcome.scanner, responseNames) ?? head;
}

/** What became of a chunked body: `output` is what the sink got; `rest` the offset behind the body. */
type ChunkedOutcome = { kind: 'done' | 'incomplete'; output: string; rest: number } | { kind: 'broken' };

/** Feeds a chunked body from offset `from` of `bytes`, which arrive up to each of `ends` in turn. */
export function readChunked(
  bytes: Uint8Array,
  ends: readonly number[],
  form: 'canonical' | 'data',
  from = 0,
): ChunkedOutcome {
  const filter = new ChunkedFilter();
  const output: Buffer[] = [];
  let at = from;
  for (const end of ends) {
    // a copy with other bytes around it: looking outside of the given range changes the result
    const lent = Buffer.alloc(end - at + 2, 0x21);
    lent.set(bytes.subarray(at, end), 1);
    const taken = filter.feed(lent, 1, end - at + 1, form === 'canonical', (piece, start, stop) => {
      output.push(Buffer.from(piece.subarray(start, stop)));
    });
    if (taken === brokenChunk) return { kind: 'broken' };
    at += taken - 1;
    if (filter.isDone) break;
  }
  return { kind: filter.isDone ? 'done' : 'incomplete', output: Buffer.concat(output).toString('latin1'), rest: at };
}
