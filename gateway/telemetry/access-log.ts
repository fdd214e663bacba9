// The access log and the decision log of an edge: one line per request or refusal, JSON, or for the access log the combined format.
// Never in a line: a token (an 8-character digest instead), a query, a password, a cookie. Of the request's fields, User-Agent and
// Referer alone come here, and the caller has taken the query out of the latter.
// Lines are joined by hand because a general serializer costs more than the request's own decision.

import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import type { AllowKind, DenyReason } from '../core/decision/verdict/reasons.ts';
import { epochMilliseconds, isoTime } from './clock.ts';
import { combinedLine } from './combined-line.ts';
import { LogFile, type LogTarget } from './log-file.ts';
import type { LogKind } from './log-kinds.ts';
import type { Logger } from './logger.ts';

/** How access lines are written: `combined` is what Apache and nginx call so. */
export type AccessFormat = 'json' | 'combined';

/** One finished request. Null fields are left out of the line. @testing */
export interface AccessEntry {
  readonly requestId: string;
  /** Address of the client, after trusted proxies were walked. */
  readonly client: string;
  readonly method: string;
  readonly host: string;
  /** Canonical path without the path form's token and WITHOUT the query. */
  readonly path: string;
  readonly route: string | null;
  /** Status sent; 0 when the connection ended before a status was sent. */
  readonly status: number;
  readonly allowed: AllowKind | null;
  readonly denied: DenyReason | null;
  /** `sub` of the accepted token or the user whose password held. */
  readonly user: string | null;
  /** The token itself; only its digest is written. Null for a token that this very request issued. */
  readonly token: string | null;
  readonly upstream: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  /** `HTTP/1.1` or `HTTP/1.0`; null when the request line was not read. */
  readonly protocol: string | null;
  /** `TLSv1.3` or `TLSv1.2` where TLS ended here; null on plain connections. */
  readonly tls: string | null;
  readonly userAgent: string | null;
  /** Scheme, host and path of the `Referer`: see edge/report/visitor-fields.ts. */
  readonly referer: string | null;
  /** The trace context that the upstream got; null without one. */
  readonly traceparent: string | null;
  /** Of a refusal: the check that failed, where no decision log says it beside this line. */
  readonly detail: string | null;
  /** Advice for the operator, as for a playlist that loses its token. */
  readonly hint: string | null;
}

/** One refusal, with the detail that the client is not told. */
interface DecisionEntry {
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly route: string | null;
  readonly status: number;
  readonly denied: DenyReason;
  /** The check that failed, in words; never the credential. */
  readonly detail: string | null;
  readonly token: string | null;
}

/**
 * Names tokens in logs: 8 characters of HMAC-SHA-256 under a key that lives as long as the process.
 * A plain digest would let a reader of the log test guesses; an HMAC cannot be tested without the key.
 */
export class TokenDigest {
  readonly #key: KeyObject;
  // The digest of a repeated token is found by a comparison, since an HMAC was the most expensive part of a line.
  readonly #tokens: string[] = new Array<string>(memoSlots).fill('');
  readonly #digests: string[] = new Array<string>(memoSlots).fill('');

  constructor(key: Uint8Array = randomBytes(32)) {
    this.#key = createSecretKey(key);
  }

  of(token: string): string {
    const slot = slotOf(token);
    if (this.#tokens[slot] === token && token !== '') return this.#digests[slot] ?? '';
    const digest = createHmac('sha256', this.#key).update(token, 'latin1').digest('base64url').slice(0, 8);
    if (token.length > maxRememberedLength) return digest;
    // a copy: the token is a slice of a request head, and would keep the whole head alive
    this.#tokens[slot] = Buffer.from(token, 'latin1').toString('latin1');
    this.#digests[slot] = digest;
    return digest;
  }
}

/** A power of two; the latest token of a slot stays. */
const memoSlots = 4096;
/** Longer tokens are rare, and remembering them would let senders choose how much memory the process takes. */
const maxRememberedLength = 1024;

/** The slot of a token, by the last characters of its MAC, in which valid tokens differ. */
function slotOf(token: string): number {
  let bits = token.length;
  for (let index = Math.max(0, token.length - 7); index < token.length; index++) {
    bits = (Math.imul(bits, 67) + token.charCodeAt(index)) | 0;
  }
  return (bits ^ (bits >>> 12)) & (memoSlots - 1);
}

/** The parts that both logs need. */
interface EdgeLogOptions {
  readonly target: LogTarget;
  readonly logger: Logger;
  /** One instance serves both logs of a process, so that their digests agree. */
  readonly digest?: TokenDigest;
}

interface AccessLogOptions extends EdgeLogOptions {
  /** Default `json`. */
  readonly format?: AccessFormat;
  /** Whether refusals say their private detail here, because no decision log does. Default no. */
  readonly saysDetails?: boolean;
}

/** Makes the access log, or null when it is off. */
export function openAccessLog(options: AccessLogOptions): AccessLog | null {
  return options.target.kind === 'off' ? null : new AccessLog(options, options.target);
}

/** Whether both logs go to one place, so that a refusal written by both would be there twice. */
export function isOneStream(left: LogTarget, right: LogTarget): boolean {
  if (left.kind === 'off' || right.kind === 'off') return false;
  return left.kind === 'file' ? right.kind === 'file' && left.path === right.path : right.kind === 'stdout';
}

/** Makes the decision log, or null when it is off. */
export function openDecisionLog(options: EdgeLogOptions): DecisionLog | null {
  return options.target.kind === 'off' ? null : new DecisionLog(options, options.target);
}

/** What both logs do with their file. */
class EdgeLog {
  protected readonly file: LogFile;
  protected readonly digest: TokenDigest;

  constructor(name: string, options: EdgeLogOptions, target: Exclude<LogTarget, { readonly kind: 'off' }>) {
    this.file = new LogFile({ name, target, logger: options.logger });
    this.digest = options.digest ?? new TokenDigest();
  }

  get dropped(): number {
    return this.file.dropped;
  }

  reopen(): void {
    this.file.reopen();
  }

  flush(): Promise<void> {
    return this.file.flush();
  }

  close(): void {
    this.file.close();
  }
}

/** One line per request. */
export class AccessLog extends EdgeLog {
  /** Whether refusals say their private detail here. */
  readonly saysDetails: boolean;
  readonly #isCombined: boolean;

  constructor(options: AccessLogOptions, target: Exclude<LogTarget, { readonly kind: 'off' }>) {
    super('access', options, target);
    this.saysDetails = options.saysDetails ?? false;
    this.#isCombined = options.format === 'combined';
  }

  write(entry: AccessEntry): void {
    if (this.#isCombined) {
      this.file.write(combinedLine(entry, epochMilliseconds()));
      return;
    }
    const decision =
      entry.denied !== null ? `deny:${entry.denied}` : entry.allowed !== null ? `allow:${entry.allowed}` : '';
    let line = lineHead('access', entry);
    if (decision !== '') line += `,"decision":"${decision}"`;
    if (entry.user !== null) line += `,"user":${quote(entry.user)}`;
    if (entry.token !== null) line += `,"token":"${this.digest.of(entry.token)}"`;
    if (entry.upstream !== null) line += `,"upstream":${quote(entry.upstream)}`;
    line += `,"bytes_in":${entry.bytesIn},"bytes_out":${entry.bytesOut}`;
    line += `,"duration_ms":${Math.round(entry.durationMs * 1000) / 1000}`;
    if (entry.protocol !== null) line += `,"protocol":"${entry.protocol}"`;
    if (entry.tls !== null) line += `,"tls":"${entry.tls}"`;
    if (entry.userAgent !== null) line += `,"user_agent":${quote(entry.userAgent)}`;
    if (entry.referer !== null) line += `,"referer":${quote(entry.referer)}`;
    if (entry.traceparent !== null) line += `,"traceparent":"${entry.traceparent}"`;
    if (entry.detail !== null) line += `,"detail":${quote(entry.detail)}`;
    if (entry.hint !== null) line += `,"hint":${quote(entry.hint)}`;
    this.file.write(`${line}}\n`);
  }
}

/** One line per refusal, with its private detail. */
export class DecisionLog extends EdgeLog {
  constructor(options: EdgeLogOptions, target: Exclude<LogTarget, { readonly kind: 'off' }>) {
    super('decisions', options, target);
  }

  write(entry: DecisionEntry): void {
    let line = `${lineHead('decision', entry)},"decision":"deny:${entry.denied}"`;
    if (entry.token !== null) line += `,"token":"${this.digest.of(entry.token)}"`;
    if (entry.detail !== null) line += `,"detail":${quote(entry.detail)}`;
    this.file.write(`${line}}\n`);
  }
}

type LineHead = Pick<DecisionEntry, 'requestId' | 'client' | 'method' | 'host' | 'path' | 'route' | 'status'>;

function lineHead(kind: LogKind, entry: LineHead): string {
  const line =
    `{"kind":"${kind}","time":"${timeText(epochMilliseconds())}","request_id":${quote(entry.requestId)},"client":${quote(entry.client)}` +
    `,"method":${quote(entry.method)},"host":${quote(entry.host)},"path":${quote(entry.path)}`;
  const route = entry.route === null ? '' : `,"route":${quote(entry.route)}`;
  return `${line}${route},"status":${entry.status}`;
}

let lastMs = Number.NaN;
let lastText = '';

/** The last time as text: under load many lines have the same millisecond. */
function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = isoTime(ms);
    lastMs = ms;
  }
  return lastText;
}

/** Long enough for any honest path, short enough that a line stays one write on a pipe. */
const maxTextLength = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const needsEscape = /["\\\u0000-\u001f\u007f-\uffff]/;

/** A JSON string. Text from a client may hold anything, so whatever is not plain goes through `JSON.stringify`. */
function quote(text: string): string {
  const clipped = text.length > maxTextLength ? `${text.slice(0, maxTextLength)}...` : text;
  return needsEscape.test(clipped) ? JSON.stringify(clipped) : `"${clipped}"`;
}
