// Parses a response head from an upstream, as strictly as a request head, and says how the body is framed.
// This file knows no auth and rewrites nothing. Rules: RFC 9112 §4, §6.3; RFC 9110 §15.

import { isBlank } from '../core/model/blanks.ts';
import { type FieldNames, fieldClass } from './field-names.ts';
import { HeadScanner } from './head-scanner.ts';
import { MessageHead } from './message-head.ts';
import type { MessageProblem } from './problems.ts';

/** How the end of a response's body is found. `none`: the response has no body. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'until-close';

/** A parsed response head. */
export class ResponseHead extends MessageHead {
  status = 0;
  /** Offset in `text` of the status code, behind the version of HTTP and a blank: `200 OK`. */
  static readonly statusAt = 9;
  /** Offset in `text` of the reason phrase. */
  reasonAt = 0;
  /** Offset of the status line's end. */
  startLineEnd = 0;

  /** Whether the upstream keeps the connection open (RFC 9112 §9.3). */
  get isPersistent(): boolean {
    if (this.saysClose) return false;
    return this.minorVersion === 1 || this.saysKeepAlive;
  }

  /** @param method  method of the request that this response answers (RFC 9112 §6.3) */
  framing(method: string): ResponseFraming {
    if (method === 'HEAD' || this.status < 200 || this.status === 204 || this.status === 304) return 'none';
    if (this.isChunked) return 'chunked';
    if (this.contentLength >= 0) return this.contentLength === 0 ? 'none' : 'length';
    return 'until-close';
  }

  /** Parses like `parse`. Where a blank between a name and its colon is the only problem and a proxy may remove it, it is removed first. */
  parseTidied(text: string, scanner: HeadScanner, names: FieldNames, takesIcy = false): MessageProblem | null {
    const problem = this.parse(text, scanner, names, takesIcy);
    if (problem !== 'bad-field-name') return problem;
    const tidied = this.#withoutBlankBehindNames(names);
    if (tidied === null) return problem;
    const bytes = Buffer.from(tidied, 'latin1');
    const again = new HeadScanner();
    again.scan(bytes, 0, bytes.length);
    return this.parse(tidied, again, names, takesIcy);
  }

  /**
   * Arguments and result as in `RequestHead.parse`.
   *
   * @param takesIcy  whether `ICY 200 OK` is read as HTTP/1.0, which is what old streaming servers mean by it
   */
  parse(text: string, scanner: HeadScanner, names: FieldNames, takesIcy = false): MessageProblem | null {
    this.text = text;
    this.problemLine = -1;
    const lineEnd = scanner.lineEnds[0] as number;
    let statusAt: number = ResponseHead.statusAt;
    if (text.startsWith('HTTP/1.1 ')) this.minorVersion = 1;
    else if (text.startsWith('HTTP/1.0 ')) this.minorVersion = 0;
    else if (takesIcy && text.startsWith('ICY ')) {
      this.minorVersion = 0;
      statusAt = 4;
    } else return 'bad-version';
    const status = digit(text, statusAt) * 100 + digit(text, statusAt + 1) * 10 + digit(text, statusAt + 2);
    // the reason phrase may be empty, and some servers leave out the blank before it as well; llhttp accepts both
    const statusEnd = statusAt + 3;
    const isEnded = lineEnd === statusEnd || (lineEnd > statusEnd && text.charCodeAt(statusEnd) === 0x20);
    if (!(status >= 100 && status <= 599) || !isEnded) return 'bad-status';
    this.status = status;
    this.reasonAt = statusEnd + 1;
    this.startLineEnd = lineEnd;
    const problem = this.readFields(scanner, names);
    if (problem !== null) return problem;
    if (status >= 200 && status !== 204) return null;
    // after an interim response the final one has to follow on the same connection, and HTTP/1.0 has no interim responses (RFC 9110
    // §15.2); llhttp reports an error for any byte behind such a head
    if (status < 200 && status !== 101 && !this.isPersistent) return 'bad-connection';
    // RFC 9112 §6.1: 1xx and 204 may have no transfer coding, and a length in them would not describe the bytes that follow
    if (this.isChunked) return 'bad-transfer-encoding';
    return this.contentLength > 0 ? 'bad-content-length' : null;
  }

  /**
   * Removes blanks between a name and its colon, as RFC 9112 §5.1 wants it from a proxy. A blank behind a name that frames the message
   * or is meant for the next hop stays a problem: a server that reads such a line as another field sees another message.
   *
   * @returns null when no name has a blank behind it, or when the blank may not be removed
   */
  #withoutBlankBehindNames(names: FieldNames): string | null {
    const { text } = this;
    const lines = text.slice(0, -4).split('\r\n');
    let isTidied = false;
    for (let index = 1; index < lines.length; index++) {
      const line = lines[index] ?? '';
      const colon = line.indexOf(':');
      let end = colon;
      while (end > 0 && isBlank(line.charCodeAt(end - 1))) end--;
      if (end <= 0 || end === colon) continue;
      const found = names.classOf(line.slice(0, end));
      if (found < 0 || (found >= fieldClass.host && found <= fieldClass.lookAlike)) return null;
      lines[index] = line.slice(0, end) + line.slice(colon);
      isTidied = true;
    }
    return isTidied ? `${lines.join('\r\n')}\r\n\r\n` : null;
  }
}

function digit(text: string, index: number): number {
  const value = text.charCodeAt(index) - 0x30;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}
