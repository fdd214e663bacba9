// Parses a response head from an upstream, as strictly as a request's, and says how its body is framed.
// Knows no auth and rewrites nothing. Rules: RFC 9112 §4, §6.3; RFC 9110 §15.

import type { FieldNames } from './field-names.ts';
import type { HeadScanner } from './head-scanner.ts';
import { MessageHead } from './message-head.ts';
import type { MessageProblem } from './problems.ts';

/** How the end of a response's body is known. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'until-close';

/** A parsed response head. */
export class ResponseHead extends MessageHead {
  status = 0;
  /** Offset in `text` of what follows the status line's version and blank: `200 OK`. */
  static readonly statusAt = 9;
  /** Offset of the status line's end. */
  startLineEnd = 0;

  /** Whether the upstream lets the connection stay (RFC 9112 §9.3). */
  get isPersistent(): boolean {
    if (this.saysClose) return false;
    return this.minorVersion === 1 || this.saysKeepAlive;
  }

  /** @param method  of the request that this answers (RFC 9112 §6.3) */
  framing(method: string): ResponseFraming {
    if (method === 'HEAD' || this.status < 200 || this.status === 204 || this.status === 304) return 'none';
    if (this.isChunked) return 'chunked';
    if (this.contentLength >= 0) return this.contentLength === 0 ? 'none' : 'length';
    return 'until-close';
  }

  /** Arguments and result as in `RequestHead.parse`. */
  parse(text: string, scanner: HeadScanner, names: FieldNames): MessageProblem | null {
    this.text = text;
    const lineEnd = scanner.lineEnds[0] as number;
    if (text.startsWith('HTTP/1.1 ')) this.minorVersion = 1;
    else if (text.startsWith('HTTP/1.0 ')) this.minorVersion = 0;
    else return 'bad-version';
    const status = digit(text, 9) * 100 + digit(text, 10) * 10 + digit(text, 11);
    // a reason phrase may be empty and some servers leave out its blank as well; llhttp takes both
    if (!(status >= 100 && status <= 599) || (lineEnd > 12 && text.charCodeAt(12) !== 0x20) || lineEnd < 12) {
      return 'bad-status';
    }
    this.status = status;
    this.startLineEnd = lineEnd;
    const problem = this.readFields(scanner, names);
    if (problem !== null) return problem;
    if (status >= 200 && status !== 204) return null;
    // the final answer has to follow on this very connection, and 1.0 knows no interim ones (RFC 9110 §15.2); to llhttp
    // whatever comes behind such a head is an error
    if (status < 200 && status !== 101 && !this.isPersistent) return 'bad-connection';
    // RFC 9112 §6.1: neither may carry a transfer coding, and a length of theirs would say nothing about bytes that follow
    if (this.isChunked) return 'bad-transfer-encoding';
    return this.contentLength > 0 ? 'bad-content-length' : null;
  }
}

function digit(text: string, index: number): number {
  const value = text.charCodeAt(index) - 0x30;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}
