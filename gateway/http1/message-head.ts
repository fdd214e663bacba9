// What requests and responses have in common: field lines, and how fields frame the body.
// A head keeps one string (its exact bytes as latin1) and integers that point into that string; it makes no object per field.
// Rules: RFC 9112 §5, §6; RFC 9110 §5.5, §7.6.1, §8.6.

import { isBlank, withoutBlanks } from '../core/model/blanks.ts';
import { type FieldNames, fieldClass, noColon } from './field-names.ts';
import { type HeadScanner, maxFields } from './head-scanner.ts';
import type { MessageProblem } from './problems.ts';

/** Integers per field in `MessageHead.fields`. */
export const fieldStride = 4;

/**
 * One parsed head. The object is reused for the next message, so callers copy what they need for longer.
 *
 * `fields` holds for field i at `i * fieldStride`: class, start of the line, start of the value, end of the value.
 * The value is without surrounding blanks.
 */
export abstract class MessageHead {
  text = '';
  fieldCount = 0;
  readonly fields: Int32Array = new Int32Array(maxFields * fieldStride);
  /** Length of the body as `Content-Length` says; -1 when the head has no such field. */
  contentLength = -1;
  isChunked = false;
  /** Whether the head has `Connection: close`. */
  saysClose = false;
  /** Whether the head has `Connection: keep-alive`. */
  saysKeepAlive = false;
  /** Lower-case names that `Connection` lists, without `close` and `keep-alive`; null when it lists no others. */
  connectionNames: string[] | null = null;
  /** How many fields are look-alikes: see field-names.ts. */
  lookAlikes = 0;
  /** The line, counted from 0, that has the problem; -1 when the problem is in no single line. */
  problemLine = -1;
  /** Offset in `text` at which that line begins. */
  problemStart = 0;
  /** 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minorVersion = 1;

  valueOf(field: number): string {
    const at = field * fieldStride;
    return this.text.slice(this.fields[at + 2] as number, this.fields[at + 3] as number);
  }

  nameOf(field: number): string {
    const start = this.fields[field * fieldStride + 1] as number;
    return this.text.slice(start, this.text.indexOf(':', start));
  }

  /** Names of look-alikes, for a log: a few of them, shortened. */
  lookAlikeNames(): string {
    const names: string[] = [];
    for (let index = 0; index < this.fieldCount && names.length < maxNamed; index++) {
      if (this.fields[index * fieldStride] === fieldClass.lookAlike)
        names.push(this.nameOf(index).slice(0, maxNameShown));
    }
    const more = this.lookAlikes - names.length;
    return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ');
  }

  /** Reads the field lines behind the start line, and sets the members that say how the body is framed. */
  protected readFields(scanner: HeadScanner, names: FieldNames): MessageProblem | null {
    const { bytes, start, lineEnds } = scanner;
    const fields = this.fields;
    this.contentLength = -1;
    this.isChunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.connectionNames = null;
    this.lookAlikes = 0;
    this.problemLine = -1;
    this.fieldCount = scanner.lines - 1;
    let lineStart = (lineEnds[0] as number) + 2;
    for (let index = 0; index < this.fieldCount; index++) {
      const lineEnd = lineEnds[index + 1] as number;
      const found = names.read(bytes, start + lineStart, start + lineEnd, index);
      // a blank before the colon and a folded line both fail the grammar of names (RFC 9112 §5.1, §5.2)
      if (found < 0) return this.problemIn(index, lineStart, found === noColon ? 'bad-field-line' : 'bad-field-name');
      let valueStart = names.colon - start + 1;
      let valueEnd = lineEnd;
      while (valueStart < valueEnd && isBlank(bytes[start + valueStart] as number)) valueStart++;
      while (valueEnd > valueStart && isBlank(bytes[start + valueEnd - 1] as number)) valueEnd--;
      const at = index * fieldStride;
      fields[at] = found;
      fields[at + 1] = lineStart;
      fields[at + 2] = valueStart;
      fields[at + 3] = valueEnd;
      if (found !== fieldClass.plain && found <= fieldClass.connection) {
        const problem = this.#readFraming(found, valueStart, valueEnd);
        if (problem !== null) return this.problemIn(index, lineStart, problem);
      } else if (found === fieldClass.lookAlike) this.lookAlikes++;
      lineStart = lineEnd + 2;
    }
    if (this.isChunked) {
      if (this.contentLength >= 0) return 'both-framings';
      if (this.minorVersion === 0) return 'transfer-encoding-on-1.0';
    }
    return null;
  }

  /** Notes which field has the problem. */
  protected problemIn(field: number, lineStart: number, problem: MessageProblem): MessageProblem {
    this.problemLine = field + 1;
    this.problemStart = lineStart;
    // the fields from this one on were not read
    this.fieldCount = field;
    return problem;
  }

  #readFraming(found: number, valueStart: number, valueEnd: number): MessageProblem | null {
    switch (found) {
      case fieldClass.contentLength: {
        if (this.contentLength >= 0) return 'content-length-repeated';
        this.contentLength = canonicalLength(this.text, valueStart, valueEnd);
        return this.contentLength < 0 ? 'bad-content-length' : null;
      }
      case fieldClass.transferEncoding:
        if (this.isChunked) return 'transfer-encoding-repeated';
        // not every parser cuts a blank behind the value (llhttp takes a tab for a part of the coding's name)
        if (this.text.charCodeAt(valueEnd) !== 0x0d) return 'bad-transfer-encoding';
        if (this.text.slice(valueStart, valueEnd).toLowerCase() !== 'chunked') return 'bad-transfer-encoding';
        this.isChunked = true;
        return null;
      case fieldClass.connection:
        return this.#readConnection(this.text.slice(valueStart, valueEnd));
      default:
        return null;
    }
  }

  #readConnection(value: string): MessageProblem | null {
    if (value === 'keep-alive' || value === 'Keep-Alive') {
      this.saysKeepAlive = true;
      return null;
    }
    if (value === 'close') {
      this.saysClose = true;
      return null;
    }
    const options = value.split(',', maxConnectionOptions + 1);
    if (options.length > maxConnectionOptions) return 'bad-connection';
    for (const part of options) {
      const option = withoutBlanks(part).toLowerCase();
      if (option === '') continue;
      if (option === 'close') this.saysClose = true;
      else if (option === 'keep-alive') this.saysKeepAlive = true;
      else if (!connectionOption.test(option) || endToEnd.has(option)) return 'bad-connection';
      else {
        this.connectionNames ??= [];
        if (this.connectionNames.push(option) > maxConnectionOptions) return 'bad-connection';
      }
    }
    return null;
  }
}

const maxNamed = 5;
/** The most characters of a name that a log shows. */
export const maxNameShown = 64;

// Each listed name is compared with each field later on, and real messages list a handful at most.
const maxConnectionOptions = 32;

const connectionOption = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

// A sender that lists one of these names in `Connection` wants the next hop to see another message than latchkey does (RFC 9110
// §7.6.1: MUST NOT).
const endToEnd: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'expect']);

/** Reads a length: digits only, no leading zero, below 2^53. Parsers read any other form as different numbers (RFC 9110 §8.6). */
function canonicalLength(text: string, start: number, end: number): number {
  const digits = end - start;
  if (digits === 0 || digits > 15) return -1;
  if (digits > 1 && text.charCodeAt(start) === 0x30) return -1;
  let length = 0;
  for (let index = start; index < end; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
