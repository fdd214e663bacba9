// Parses a request head into a RequestHead. The parser is strict: it refuses what RFC 9112 does not clearly allow.
// Every head that it accepts, llhttp has to accept with the same framing. There are two exceptions: methods, of which llhttp has a
// closed list and RFC 9110 §9.1 has none, and raw UTF-8 in targets. This file knows no auth, no routes, and not what a path means.
// Rules: RFC 9112 §3, §3.2, §6; RFC 9110 §7.2, §10.1.1.

import { isUtf8 } from 'node:buffer';
import { canonicalHost } from '../core/decision/route/host.ts';
import { type FieldNames, fieldClass } from './field-names.ts';
import type { HeadScanner } from './head-scanner.ts';
import { fieldStride, MessageHead } from './message-head.ts';
import type { MessageProblem } from './problems.ts';

/** The most characters in a request target. @testing */
export const maxTargetLength = 16 * 1024;

/** The most characters in a method; the longest registered method has 16. */
const maxMethodLength = 32;

// The methods of nearly all requests, which need no further check.
const usualMethods: ReadonlySet<string> = new Set('GET HEAD POST PUT DELETE PATCH OPTIONS PROPFIND'.split(' '));

// CONNECT would open a tunnel, and TRACE would echo the headers that the gateway adds. Compared in upper case, because some servers
// ignore the case of a method.
const refusedMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

const methodToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// An authority with user info or without a host is refused: no `Host` field could say the same.
const schemeAndAuthority = {
  http: /^http:\/\/([A-Za-z0-9\-._:[\]]+)(?=[/?]|$)/i,
  https: /^https:\/\/([A-Za-z0-9\-._:[\]]+)(?=[/?]|$)/i,
};

/** A parsed request head. Its path is raw: not canonical, not yet routed. */
export class RequestHead extends MessageHead {
  method = '';
  /** The target's path as sent, which begins with `/`. Of a target in absolute form the scheme and the authority are cut off. */
  rawPath = '';
  /** The target's query as sent, with its `?`; empty when the target has no query. */
  rawQuery = '';
  /**
   * The host and port that the request is for: the authority of a target in absolute form, else the value of `Host`; empty for an
   * HTTP/1.0 request with neither. All other code takes the host from this member and never from a field (RFC 9112 §3.2.2).
   */
  host = '';
  /** `host` comes from the target and the `Host` field says something else, so the field has to be rewritten. */
  isHostOfTarget = false;
  expectsContinue = false;
  hasUpgrade = false;

  /** Whether the client wants to keep the connection open (RFC 9112 §9.3). */
  get isPersistent(): boolean {
    if (this.saysClose) return false;
    return this.minorVersion === 1 || this.saysKeepAlive;
  }

  get hasBody(): boolean {
    return this.isChunked || this.contentLength > 0;
  }

  /**
   * @param text     exactly the head's bytes as latin1, its empty line included
   * @param scanner  the scanner that has just scanned these bytes to their end
   * @param scheme   the scheme of the connection; a target in absolute form must name the same scheme (RFC 9112 §3.2.2)
   * @returns null for a sound head; after a problem no member of `this` may be used
   */
  parse(
    text: string,
    scanner: HeadScanner,
    names: FieldNames,
    scheme: 'http' | 'https' = 'http',
  ): MessageProblem | null {
    this.text = text;
    // a problem in the start line must not be reported with a field of the previous head
    this.fieldCount = 0;
    this.problemLine = -1;
    this.#scheme = scheme;
    const startLine = this.#readStartLine(text, scanner);
    if (startLine !== null) return startLine;
    const problem = this.readFields(scanner, names);
    if (problem !== null) return problem;
    return this.#readOwnFields();
  }

  #readStartLine(text: string, scanner: HeadScanner): MessageProblem | null {
    const { bytes, start } = scanner;
    const lineEnd = scanner.lineEnds[0] as number;
    const methodEnd = text.indexOf(' ');
    if (methodEnd <= 0 || methodEnd > lineEnd) return 'bad-start-line';
    // Control characters and `#` are refused: llhttp accepts HT, FF and `#`, but RFC 3986 allows none of them. Some programs send
    // bytes from 0x80 on without encoding them. No server ends a target at such a byte, so they are accepted where they are UTF-8.
    let isForeign = false;
    let isHigh = false;
    let query = -1;
    let targetEnd = methodEnd + 1;
    for (; targetEnd < lineEnd; targetEnd++) {
      const code = bytes[start + targetEnd] as number;
      if (code === 0x20) break;
      if (code === 0x3f && query < 0) query = targetEnd;
      if (code < 0x21 || code >= 0x7f || code === 0x23) {
        if (code >= 0x80) isHigh = true;
        else isForeign = true;
      }
    }
    if (targetEnd === lineEnd) return 'bad-start-line';
    const version = readVersion(text, targetEnd + 1, lineEnd);
    if (typeof version === 'string') return version;
    this.minorVersion = version;
    const problem = this.#readMethod(text, methodEnd);
    if (problem !== null) return problem;
    if (targetEnd - methodEnd - 1 > maxTargetLength) return 'target-too-long';
    if (isHigh && !isUtf8(bytes.subarray(start + methodEnd + 1, start + targetEnd))) return 'bad-target';
    return isForeign ? 'bad-target' : this.#readTarget(text, methodEnd + 1, query < 0 ? targetEnd : query, targetEnd);
  }

  #readMethod(text: string, end: number): MessageProblem | null {
    if (end === 3 && text.charCodeAt(0) === 0x47 && text.charCodeAt(1) === 0x45 && text.charCodeAt(2) === 0x54) {
      this.method = 'GET';
      return null;
    }
    const method = text.slice(0, end);
    if (!usualMethods.has(method)) {
      // PRI is the first word of an HTTP/2 connection and no method of HTTP/1.1 (RFC 9113 §11.6)
      if (method.length > maxMethodLength || method === 'PRI') return 'method-unknown';
      if (!methodToken.test(method)) return 'bad-method';
      if (refusedMethods.has(method.toUpperCase())) return 'method-refused';
    }
    this.method = method;
    return null;
  }

  /** Reads a target in origin form, or in absolute form with the connection's scheme. `*` and the authority form are refused. */
  #readTarget(text: string, start: number, pathEnd: number, end: number): MessageProblem | null {
    let pathStart = start;
    this.#absoluteAuthority = null;
    if (text.charCodeAt(start) !== 0x2f) {
      const match = schemeAndAuthority[this.#scheme].exec(text.slice(start, end));
      if (match === null) return 'bad-target';
      this.#absoluteAuthority = match[1] ?? '';
      pathStart = start + match[0].length;
    }
    this.rawPath = pathStart === pathEnd ? '/' : text.slice(pathStart, pathEnd);
    this.rawQuery = pathEnd === end ? '' : text.slice(pathEnd, end);
    return null;
  }

  #absoluteAuthority: string | null = null;
  #scheme: 'http' | 'https' = 'http';

  #readOwnFields(): MessageProblem | null {
    const fields = this.fields;
    let hosts = 0;
    let expectations = 0;
    this.host = '';
    this.isHostOfTarget = false;
    this.expectsContinue = false;
    this.hasUpgrade = false;
    for (let index = 0; index < this.fieldCount; index++) {
      const found = fields[index * fieldStride];
      if (found === fieldClass.plain) continue;
      if (found === fieldClass.host) {
        if (++hosts > 1) return 'host-repeated';
        this.host = this.valueOf(index);
        if (this.host === '') return 'bad-host';
      } else if (found === fieldClass.expect) {
        if (++expectations > 1 || this.valueOf(index).toLowerCase() !== '100-continue') return 'bad-expectation';
        // an HTTP/1.0 client cannot wait for a 100 (RFC 9110 §10.1.1)
        this.expectsContinue = this.minorVersion === 1;
      } else if (found === fieldClass.upgrade) {
        this.hasUpgrade = true;
      }
    }
    if (hosts === 0 && this.minorVersion === 1) return 'host-missing';
    if (this.#absoluteAuthority !== null) {
      // RFC 9112 §3.2: an invalid Host is refused, even where the target's authority replaces it
      if (hosts > 0 && canonicalHost(this.host) === null) return 'bad-host';
      this.isHostOfTarget = this.host.toLowerCase() !== this.#absoluteAuthority.toLowerCase();
      if (this.isHostOfTarget) this.host = this.#absoluteAuthority;
    }
    return null;
  }
}

const versionPrefix = [0x48, 0x54, 0x54, 0x50, 0x2f];

/** @returns the minor version of HTTP/1.0 or HTTP/1.1; a problem for any other version */
function readVersion(text: string, start: number, end: number): MessageProblem | 0 | 1 {
  if (end - start !== 8) return 'bad-version';
  for (let index = 0; index < 5; index++) {
    if (text.charCodeAt(start + index) !== versionPrefix[index]) return 'bad-version';
  }
  const major = text.charCodeAt(start + 5) - 0x30;
  const minor = text.charCodeAt(start + 7) - 0x30;
  if (text.charCodeAt(start + 6) !== 0x2e) return 'bad-version';
  if (major === 1 && minor === 1) return 1;
  if (major === 1 && minor === 0) return 0;
  return major >= 0 && major <= 9 && minor >= 0 && minor <= 9 ? 'version-unsupported' : 'bad-version';
}
