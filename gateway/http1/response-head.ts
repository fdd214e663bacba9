// Parses a response head from an upstream, as strictly as a request's, and says how its body is framed.
// Knows no auth and rewrites nothing. Rules: RFC 9112 §4, §6.3; RFC 9110 §15.

import { isBlank } from '../core/model/blanks.ts';
import { type FieldNames, fieldClass } from './field-names.ts';
import { HeadScanner } from './head-scanner.ts';
import { MessageHead } from './message-head.ts';
import type { MessageProblem } from './problems.ts';

/** How the end of a response's body is known. */
export type ResponseFraming = 'none' | 'length' | 'chunked' | 'until-close';

/** A parsed response head. */
export class ResponseHead extends MessageHead {
  status = 0;
  /** Offset in `text` of what follows the version of HTTP and its blank: `200 OK`. */
  static readonly statusAt = 9;
  /** Offset in `text` of the reason phrase. */
  reasonAt = 0;
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

  /** As `parse`, and blanks between names and their colons are removed first, where that is a proxy's to do. */
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
   * @param takesIcy  `ICY 200 OK` is taken for HTTP/1.0, which is what old stream servers mean by it
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
    // a reason phrase may be empty and some servers leave out its blank as well; llhttp takes both
    const statusEnd = statusAt + 3;
    const isEnded = lineEnd === statusEnd || (lineEnd > statusEnd && text.charCodeAt(statusEnd) === 0x20);
    if (!(status >= 100 && status <= 599) || !isEnded) return 'bad-status';
    this.status = status;
    this.reasonAt = statusEnd + 1;
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

  /**
   * RFC 9112 §5.1: a proxy removes blanks between a name and its colon from a response. Not where the name frames the message or
   * speaks between neighbours: whoever reads such a line as another field sees another message, so it stays a problem.
   *
   * @returns null when there are none, or such as may not be removed
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
