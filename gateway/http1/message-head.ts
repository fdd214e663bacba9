// What requests and responses have in common: field lines, and how their fields frame the body.
// A head keeps one string (its exact bytes as latin1) and integers that point into it; no object per field.
// Rules: RFC 9112 §5, §6; RFC 9110 §5.5, §7.6.1, §8.6.

import { isBlank, withoutBlanks } from '../core/model/blanks.ts';
import { type FieldNames, fieldClass, noColon } from './field-names.ts';
import { type HeadScanner, maxFields } from './head-scanner.ts';
import type { MessageProblem } from './problems.ts';

/** Integers per field in `MessageHead.fields`. */
export const fieldStride = 4;

/**
 * One parsed head. Reused for message after message: copy what has to outlive the current one.
 *
 * `fields` holds for field i at `i * fieldStride`: class, start of the line, start of the value, end of the value.
 * The value is without surrounding blanks. The line of field i ends at `lineEnd(i)`.
 */
export abstract class MessageHead {
  text = '';
  fieldCount = 0;
  readonly fields: Int32Array = new Int32Array(maxFields * fieldStride);
  /** Length of the body by `Content-Length`; -1 without that field. */
  contentLength = -1;
  isChunked = false;
  /** `Connection: close` was there. */
  saysClose = false;
  /** `Connection: keep-alive` was there. */
  saysKeepAlive = false;
  /** Lower-case names that `Connection` listed, without `close` and `keep-alive`; null when none. */
  connectionNames: string[] | null = null;
  /** Fields whose names are told by signs alone from such as matter. */
  lookAlikes = 0;
  /** Line, from 0, that the problem is in, and where it begins in `text`; -1 where it is in none. */
  problemLine = -1;
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

  /** Reads the field lines behind the start line; what they say about framing is in the members afterwards. */
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

  /** Notes which field it is. */
  protected problemIn(field: number, lineStart: number, problem: MessageProblem): MessageProblem {
    this.problemLine = field + 1;
    this.problemStart = lineStart;
    // no more than these were read
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
        // a blank behind the word is none to every parser (llhttp: a tab is part of the coding's name)
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
/** Characters of a name that a log shows. */
export const maxNameShown = 64;

// Each listed name is compared with each field later on; nobody lists more than a handful.
const maxConnectionOptions = 32;

const connectionOption = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

// Whoever lists one of these wants the next hop to see another message than we do (RFC 9110 §7.6.1: MUST NOT).
const endToEnd: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'expect']);

/** Digits only, no leading zero, below 2^53: anything else is a different number to somebody (RFC 9110 §8.6). */
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
