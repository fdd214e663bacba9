// Where every exit of a request is told: counters, access log, decision log, decision records. It decides nothing, and no request
// goes otherwise because of it. A token goes to the logs as it came, and they write a digest of it; no password, cookie or query
// goes there at all; of a Referer only what can hold none of them.

import type { RoutePolicy } from '../../core/decision/state/snapshot.ts';
import type { Denial } from '../../core/decision/verdict/denial.ts';
import type { AllowKind } from '../../core/decision/verdict/reasons.ts';
import { tokenAt } from '../../core/decision/verifier/explicit-tokens.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import type { AccessLog, DecisionLog } from '../../telemetry/access-log.ts';
import { monotonicMs } from '../../telemetry/clock.ts';
import type { EdgeMetrics } from '../../telemetry/edge-metrics.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { SpanEntry, SpanExport } from '../../telemetry/span-export.ts';
import { type RequestTrace, traceparentOf } from '../../telemetry/trace-context.ts';
import type { TunnelEnd } from '../../telemetry/tunnel-metrics.ts';
import type { Described } from '../request/describe.ts';
import type { FailedConnection } from '../upstream/answer-sink.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { ReportedServer } from '../upstream/pool.ts';
import type { HealthChange } from '../upstream/server-health.ts';
import type { DecisionRecords, ForwardedRequest } from './decision-records.ts';
import { PlaylistTokenHints } from './playlist-token-hint.ts';
import { VisitorFieldReader } from './visitor-fields.ts';

/** A request that was described, whatever becomes of it. */
interface ReportedRequest {
  readonly request: Described;
  readonly requestId: string;
  readonly trace: RequestTrace | null;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
  readonly downstream: ReportedConnection;
}

/** The client's connection, as far as reports name it. */
interface ReportedConnection {
  readonly connection: { readonly scheme: 'http' | 'https'; readonly tlsVersion: string | null };
}

/** An answer that latchkey gave itself. */
interface OwnAnswer {
  /** 0 when the client had left. */
  readonly status: number;
  /** Bytes of its body. */
  readonly bodyBytes: number;
}

/** A request that was forwarded, at its end or when it became a tunnel. */
interface ReportedExchange extends ForwardedRequest {
  readonly method: string;
  readonly trace: RequestTrace | null;
  readonly startedMs: number;
  /** Until the answer's head came; null without one. */
  readonly upstreamMs: number | null;
  readonly downstream: ReportedConnection;
  /** Bytes of the request's body. */
  readonly bytesIn: number;
  /** Bytes of the answer's body. */
  readonly bytesOut: number;
  /** Why the request's body was not taken to its end; null when it was, or when nobody refused it. */
  readonly refusal: string | null;
  /** What was wrong with the upstream, in words; null when nothing was. */
  readonly failure: string | null;
  /** It was ended because what allowed it was revoked. */
  readonly isRevoked: boolean;
}

/** A message that was no sound request. */
interface ReportedMessage {
  /** Its address. */
  readonly client: string;
  readonly requestId: string;
  readonly answer: OwnAnswer;
  /** What was wrong with it. */
  readonly hint: string;
  /** What is known of it. Unknown parts are empty. */
  readonly message: { readonly method: string; readonly host: string; readonly path: string };
  /** null when not even the head was sound. */
  readonly head: RequestHead | null;
  readonly tls: string | null;
}

interface EdgeReportsOptions {
  readonly metrics: EdgeMetrics;
  readonly logger: Logger;
  readonly accessLog: AccessLog | null;
  readonly decisionLog: DecisionLog | null;
  readonly spans: SpanExport | null;
}

// what access lines of requests say that no upstream saw
const unforwarded = { user: null, token: null, upstream: null, bytesIn: 0, traceparent: null, detail: null } as const;

/** One per edge. */
export class EdgeReports {
  /** Requests answered or forwarded so far. */
  requests = 0;
  /** null until control is there to take records. */
  records: DecisionRecords | null = null;
  readonly playlists = new PlaylistTokenHints();
  readonly visitors = new VisitorFieldReader();
  readonly #metrics: EdgeMetrics;
  readonly #logger: Logger;
  readonly #accessLog: AccessLog | null;
  readonly #decisionLog: DecisionLog | null;
  readonly #spans: SpanExport | null;

  constructor({ metrics, logger, accessLog, decisionLog, spans }: EdgeReportsOptions) {
    this.#spans = spans;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#accessLog = accessLog;
    this.#decisionLog = decisionLog;
  }

  /** A forwarded request is over, whatever its end was. */
  exchangeOver(exchange: ReportedExchange): void {
    this.requests++;
    const durationMs = monotonicMs() - exchange.startedMs;
    this.#metrics.bytesOut += exchange.bytesOut;
    this.#metrics.request(exchange.permit.route.index, exchange.status, 0, durationMs / 1000);
    if (exchange.refusal === 'bad-chunk') this.#metrics.parseRefusals++;
    this.records?.forwarded(exchange);
    if (exchange.trace?.isSampled === true) this.#takeExchange(exchange, exchange.trace, durationMs);
    if (this.#accessLog !== null) this.#writeAccessLine(this.#accessLog, exchange, durationMs, null);
  }

  /** A request became a tunnel. For the metrics it ends here: hours of silence are no latency. */
  tunnelBegan(exchange: ReportedExchange): void {
    const durationMs = monotonicMs() - exchange.startedMs;
    const route = exchange.permit.route.index;
    this.requests++;
    this.records?.forwarded(exchange);
    this.#metrics.request(route, exchange.status, 0, durationMs / 1000);
    this.#metrics.tunnelsBegun[route] = (this.#metrics.tunnelsBegun[route] ?? 0) + 1;
  }

  /** The access line of a tunnel is written at its end, with all its bytes. */
  tunnelOver(exchange: ReportedExchange, why: TunnelEnd): void {
    this.#metrics.tunnels.ended(why);
    const durationMs = monotonicMs() - exchange.startedMs;
    if (exchange.trace?.isSampled === true) this.#takeExchange(exchange, exchange.trace, durationMs);
    if (this.#accessLog !== null) this.#writeAccessLine(this.#accessLog, exchange, durationMs, why);
  }

  /** @param hint  what the operator can do about it, for the logs; null for nothing */
  requestDenied(reported: ReportedRequest, denial: Denial, answer: OwnAnswer, hint: string | null) {
    const { request, requestId, startedMs } = reported;
    const { status } = answer;
    this.requests++;
    this.#metrics.bytesOut += answer.bodyBytes;
    const durationMs = monotonicMs() - startedMs;
    const route = denial.route?.name ?? null;
    this.#metrics.request(denial.route?.index ?? -1, status, 1, durationMs / 1000);
    this.records?.refused(request, requestId, denial, status);
    this.#takeOwn(reported, durationMs, { route, status, decision: `deny:${denial.reason}` });
    const common = {
      requestId,
      client: request.clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      route,
      status,
      denied: denial.reason,
      // a token that was not judged may be the site's, and nothing of it is ours to write down
      token: denial.presented ? request.explicitToken : null,
    };
    this.#decisionLog?.write({ ...common, detail: hint === null ? denial.detail : `${denial.detail}; ${hint}` });
    this.#accessLog?.write({
      ...unforwarded,
      ...common,
      ...this.#visitorOf(reported),
      allowed: null,
      bytesOut: answer.bodyBytes,
      durationMs,
      detail: this.#accessLog.saysDetails ? denial.detail : null,
      hint,
    });
  }

  /**
   * An allowed request that was never forwarded.
   *
   * @param allowed  what allowed it
   * @param status   of the answer that latchkey gave itself; 0 when the client had left
   * @param hint     why it ended here
   */
  endedHere(
    reported: ReportedRequest,
    allowed: { readonly route: RoutePolicy; readonly how: AllowKind; readonly user: string | null },
    status: number,
    hint: string,
  ): void {
    const { request, requestId, startedMs } = reported;
    this.requests++;
    const durationMs = monotonicMs() - startedMs;
    this.#metrics.request(allowed.route.index, status, 0, durationMs / 1000);
    this.#takeOwn(reported, durationMs, { route: allowed.route.name, status, decision: `allow:${allowed.how}` });
    this.#accessLog?.write({
      ...unforwarded,
      ...this.#visitorOf(reported),
      requestId,
      bytesOut: 0,
      client: request.clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      route: allowed.route.name,
      status,
      allowed: allowed.how,
      denied: null,
      user: allowed.user,
      durationMs,
      hint,
    });
  }

  /** The listener sent a request to https. */
  requestRedirected(reported: ReportedRequest, { status, bodyBytes }: OwnAnswer): void {
    const { request, requestId, startedMs } = reported;
    this.requests++;
    this.#metrics.bytesOut += bodyBytes;
    const durationMs = monotonicMs() - startedMs;
    this.#metrics.request(-1, status, 1, durationMs / 1000);
    this.#takeOwn(reported, durationMs, { route: null, status, decision: null });
    const { clientAddress: client, method, host, path } = request;
    const line = { requestId, client, method, host, path, route: null, status, allowed: null, denied: null };
    const visitor = this.#visitorOf(reported);
    this.#accessLog?.write({ ...unforwarded, ...line, ...visitor, bytesOut: bodyBytes, durationMs, hint: null });
  }

  messageRefused({ client, requestId, answer, hint, message, head, tls }: ReportedMessage): void {
    const { method, host, path } = message;
    const { status, bodyBytes } = answer;
    this.#metrics.parseRefusals++;
    this.#metrics.bytesOut += bodyBytes;
    this.#metrics.request(-1, status, 2, 0);
    const line = { requestId, client, method, host, path, route: null, status, allowed: null, denied: null };
    const known = head === null ? unknownVisitor : { ...this.visitors.read(head), protocol: protocolOf(head) };
    this.#accessLog?.write({ ...unforwarded, ...line, ...known, tls, bytesOut: bodyBytes, durationMs: 0, hint });
  }

  #visitorOf({ request: { head }, downstream, trace }: ReportedRequest) {
    const tls = downstream.connection.tlsVersion;
    return { ...this.visitors.read(head), protocol: protocolOf(head), tls, traceparent: shownTrace(trace) };
  }

  /** The span of a request that latchkey answered itself. */
  #takeOwn(
    { trace, requestId, request, downstream }: ReportedRequest,
    durationMs: number,
    verdict: Pick<SpanEntry, 'route' | 'status' | 'decision'>,
  ): void {
    if (trace?.isSampled !== true) return;
    const { method, host, path, clientAddress: client } = request;
    const { scheme } = downstream.connection;
    const nowhere = { upstream: null, upstreamMs: null, failure: null };
    this.#spans?.take({ trace, durationMs, requestId, method, host, path, client, scheme, ...verdict, ...nowhere });
  }

  #takeExchange(exchange: ReportedExchange, trace: RequestTrace, durationMs: number): void {
    const { permit, request, requestId, method, status, upstreamMs, failure, downstream } = exchange;
    const { host, path, clientAddress: client } = request;
    const { name: route, upstreamName: upstream } = permit.route;
    const { scheme } = downstream.connection;
    const decision = `allow:${permit.how}`;
    const went = { route, upstream, upstreamMs, failure, status, decision };
    this.#spans?.take({ trace, durationMs, requestId, method, host, path, client, scheme, ...went });
  }

  /** What the operator can do when a player lost its token on the way; counted for the route. Null when that is not what happened. */
  playlistHint(request: Described, route: RoutePolicy | null, nowMs: number): string | null {
    const hint = this.playlists.hintFor(request, nowMs);
    if (hint !== null && route !== null) {
      this.#metrics.lostTokens[route.index] = (this.#metrics.lostTokens[route.index] ?? 0) + 1;
    }
    return hint;
  }

  upstreamTrouble(exchange: ReportedExchange, connection: FailedConnection, failure: UpstreamFailure): void {
    this.#logger.warn(
      {
        request_id: exchange.requestId,
        upstream: exchange.permit.route.upstreamName,
        server: connection.server.authority,
        failure,
        cause: connection.cause,
      },
      'upstream failed',
    );
  }

  /** A server is left out of its upstream from now on, or is back in it. */
  serverChanged(upstream: string, server: ReportedServer, change: HealthChange, detail: string): void {
    if (change === 'ejected') {
      const { ejections } = this.#metrics;
      ejections[server.metricIndex] = (ejections[server.metricIndex] ?? 0) + 1;
    }
    this.#logger.warn({ upstream, server: server.authority, detail }, `upstream server is ${change}`);
  }

  /** The edge has more to do than it gets done, or not any more. @param level  0: the overload is over */
  overloadChanged(level: number, delayMs: number): void {
    this.#metrics.overloadLevel = level;
    this.#logger.warn({ level, delayMs: Math.round(delayMs) }, level === 0 ? 'the overload is over' : 'overloaded');
  }

  /** @param ended  how the tunnel ended; null for a request */
  #writeAccessLine(log: AccessLog, exchange: ReportedExchange, durationMs: number, ended: TunnelEnd | null) {
    const hints: string[] = [];
    if (exchange.isRevoked) hints.push('ended: what allowed it was revoked');
    else if (exchange.refusal !== null) hints.push(`refused message: ${exchange.refusal}`);
    if (ended !== null) hints.push(`tunnel ended: ${ended}`);
    if (exchange.failure !== null) hints.push(exchange.failure);
    const { head } = exchange.request;
    if (head.lookAlikes > 0)
      hints.push(`fields dropped, whose names some servers take for others: ${head.lookAlikeNames()}`);
    const { request, permit } = exchange;
    const route = permit.route;
    const { userAgent, referer } = this.visitors.read(head);
    log.write({
      requestId: exchange.requestId,
      client: request.clientAddress,
      method: exchange.method,
      host: request.host,
      path: request.path,
      route: route.name,
      status: exchange.status,
      allowed: permit.how,
      denied: null,
      user: permit.claims?.sub ?? null,
      token: tokenAt(request, permit.place),
      upstream: route.upstreamName,
      bytesIn: exchange.bytesIn,
      bytesOut: exchange.bytesOut,
      durationMs,
      protocol: protocolOf(head),
      tls: exchange.downstream.connection.tlsVersion,
      userAgent,
      referer,
      traceparent: shownTrace(exchange.trace),
      detail: null,
      hint: hints.length === 0 ? null : hints.join('; '),
    });
  }
}

const unknownVisitor = { userAgent: null, referer: null, protocol: null } as const;

function shownTrace(trace: RequestTrace | null): string | null {
  return trace === null ? null : traceparentOf(trace);
}

function protocolOf(head: RequestHead): string {
  return head.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0';
}
