// Collects what `explain` needs of each decision and hands it to control, at most once a second: an edge writes no file.
// Records are bounded in number and length; what is too much, or what control does not take, is dropped and counted. A request that
// an outside token or an open route lets through is not recorded unless the configuration says `all`: nothing may be slow there.
// A record never holds a token, only ids and the claims that say whose the token is.

import type { Permit } from '../../core/decision/decide.ts';
import type { LiveIndex } from '../../core/decision/state/snapshot.ts';
import { type DecisionRecord, recordLine, type TokenFacts } from '../../core/decision/verdict/decision-record.ts';
import type { Denial } from '../../core/decision/verdict/denial.ts';
import type { LogPosition } from '../../core/model/change.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { VerifiedToken } from '../../core/token/common-key-token.ts';
import type { DecisionRecordMetrics } from '../../telemetry/decision-record-metrics.ts';
import type { Described } from '../request/describe.ts';

/** `on`: refusals, and what was let in by a pass, a session, an access list or a password. */
type RecordMode = 'off' | 'on' | 'all';

/** An allowed request that went to an upstream. */
export interface ForwardedRequest {
  readonly permit: Permit;
  readonly request: Described;
  readonly requestId: string;
  /** Of the answer; 0 when there was none. */
  readonly status: number;
}

/** What records are made with, and where they go. @testing */
export interface DecisionRecordsOptions {
  readonly edgeId: string;
  readonly live: LiveIndex & { readonly revocations: { readonly position: LogPosition | null } };
  readonly epochSeconds: () => EpochSeconds;
  /** @returns whether control has taken the lines */
  readonly send: (lines: string) => Promise<boolean>;
  readonly metrics: DecisionRecordMetrics;
  /** Between two deliveries. Default 1000. */
  readonly everyMs?: number;
}

/** Bounds of one delivery. */
const maxRecords = 4096;
const maxLength = 2 * 1024 * 1024;
const maxPathLength = 512;
const maxPresented = 4;

/** One per edge. */
export class DecisionRecords {
  readonly #options: DecisionRecordsOptions;
  readonly #timer: NodeJS.Timeout;
  #mode: RecordMode;
  #lines: string[] = [];
  #length = 0;
  #sending: Promise<void> | null = null;

  constructor(mode: RecordMode, options: DecisionRecordsOptions) {
    this.#mode = mode;
    this.#options = options;
    this.#timer = setInterval(() => this.#flush(), options.everyMs ?? 1000);
    this.#timer.unref();
  }

  set mode(mode: RecordMode) {
    this.#mode = mode;
  }

  /** Sends what is waiting, and nothing more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    this.#flush();
    await this.#sending;
    this.#mode = 'off';
  }

  /** A request was forwarded, or became a tunnel. */
  forwarded(exchange: ForwardedRequest): void {
    const { how, route, token, claims } = exchange.permit;
    if (this.#mode !== 'all' && (this.#mode === 'off' || how === 'token' || how === 'anyone')) return;
    if (!this.#hasRoom()) return;
    this.#take({
      ...this.#common(exchange.request, exchange.requestId, exchange.status),
      route: route.name,
      outcome: 'allow',
      reason: how,
      detail: null,
      holder: token === null ? null : factsOf(token),
      user: claims?.sub ?? null,
      grant: claims?.grant ?? null,
      nodes: claims?.n ?? [],
      presented: [],
    });
  }

  refused(request: Described, requestId: string, denial: Denial, status: number): void {
    if (this.#mode === 'off' || !this.#hasRoom()) return;
    this.#take({
      ...this.#common(request, requestId, status),
      route: denial.route?.name ?? null,
      outcome: 'deny',
      reason: denial.reason,
      detail: denial.detail,
      holder: null,
      user: null,
      grant: null,
      nodes: [],
      presented: denial.route === null ? [] : this.#presented(request),
    });
  }

  #common(request: Described, id: string, status: number) {
    const { clientAddress: client, method, host, path } = request;
    const { edgeId: by, live, epochSeconds } = this.#options;
    return {
      id,
      at: epochSeconds(),
      by,
      client,
      method,
      host,
      path: path.length > maxPathLength ? `${path.slice(0, maxPathLength)}...` : path,
      status,
      position: live.revocations.position,
    };
  }

  /** The tokens that came with a refused request and are really ours: verified again, since a refusal keeps nothing of them. */
  #presented(request: Described): TokenFacts[] {
    const { explicitToken, moreTokens, sessionCookie, passCookies } = request;
    const tokens = [sessionCookie, explicitToken, ...moreTokens.map(({ token }) => token), ...passCookies];
    const found: TokenFacts[] = [];
    for (const token of tokens) {
      if (found.length >= maxPresented) break;
      const verified = token === null ? null : this.#options.live.verify(token);
      if (verified?.kind === 'verified') found.push(factsOf(verified));
    }
    return found;
  }

  /** Asked before a record is put together: in a flood of refusals each costs a comparison. */
  #hasRoom(): boolean {
    if (this.#lines.length < maxRecords && this.#length < maxLength) return true;
    this.#options.metrics.dropped++;
    return false;
  }

  #take(record: DecisionRecord): void {
    const line = recordLine(record);
    this.#lines.push(line);
    this.#length += line.length;
  }

  #flush(): void {
    // one delivery at a time: a slow control gets fewer of them, not more
    if (this.#lines.length === 0 || this.#sending !== null) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#length = 0;
    this.#sending = this.#options.send(lines.join('')).then((isTaken) => {
      this.#sending = null;
      if (isTaken) this.#options.metrics.kept += lines.length;
      else this.#options.metrics.dropped += lines.length;
    });
  }
}

function factsOf({ type, keyId, claims }: VerifiedToken): TokenFacts {
  const { sub, jti, grant, sid, did, n, v, exp } = claims;
  return {
    type,
    key: keyId,
    ...(sub === undefined ? {} : { sub: cut(sub) }),
    ...(jti === undefined ? {} : { jti: cut(jti) }),
    ...(grant === undefined ? {} : { grant: cut(grant) }),
    ...(sid === undefined ? {} : { session: sid }),
    ...(did === undefined ? {} : { device: did }),
    ...(n === undefined ? {} : { nodes: n }),
    ...(v === undefined ? {} : { minted: { epoch: v[0], seq: v[1] } }),
    expiresAt: exp,
  };
}

/** Claims of outside tokens may be as long as their makers like. */
function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
