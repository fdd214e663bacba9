// Exports spans of requests to an OpenTelemetry collector, by OTLP over HTTP (JSON), with OpenTelemetry's own exporter.
// A request never waits for it and never fails by it: spans wait in a bounded queue, one export runs at a time, and what is too much or is
// not taken is dropped and counted. The exporter is loaded when the configuration asks for it, and takes no memory otherwise.

import { z } from 'zod';
import { epochMilliseconds } from './clock.ts';
import type { Logger } from './logger.ts';
import { packageVersion } from './package-version.ts';
import type { SpanMetrics } from './span-metrics.ts';
import type { RequestTrace } from './trace-context.ts';

/** Where spans go. */
export interface OtlpConfig {
  /** URL that takes traces, usually ending in `/v1/traces`. */
  readonly endpoint: string;
  /** Sent with each export. May hold a secret: never logged. */
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  /** Share of requests, above 0 and at most 1. */
  readonly sample: number;
}

/** One finished request, as its span tells it. Null members are left out. */
export interface SpanEntry {
  readonly trace: RequestTrace;
  readonly durationMs: number;
  readonly requestId: string;
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Canonical, WITHOUT a token and WITHOUT the query. */
  readonly path: string;
  readonly client: string;
  readonly route: string | null;
  /** 0 when the connection ended before an answer. */
  readonly status: number;
  /** `allow:KIND` or `deny:REASON`; null where nothing was decided. */
  readonly decision: string | null;
  readonly upstream: string | null;
  /** From the request's way to the upstream to the head of its answer; null when there was none. */
  readonly upstreamMs: number | null;
  /** What was wrong with the upstream, in words. */
  readonly failure: string | null;
}

interface SpanExportOptions {
  readonly otlp: OtlpConfig;
  readonly metrics: SpanMetrics;
  readonly logger: Logger;
  /** Between two exports. Default 1000. */
  readonly everyMs?: number;
}

/** The part of the exporter that is used. */
interface Exporter {
  export(spans: unknown[], done: (result: { readonly code: number; readonly error?: Error }) => void): void;
  shutdown(): Promise<void>;
}

type ExporterClass = new (options: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMillis: number;
}) => Exporter;

const exporterModule = z.object({
  OTLPTraceExporter: z.custom<ExporterClass>((value) => typeof value === 'function'),
});

const packageName: string = '@opentelemetry/exporter-trace-otlp-http';

const maxWaiting = 2048;
const maxBatch = 512;
const exportTimeoutMs = 5000;
/** How long an edge that ends waits for the last export. */
const lastExportMs = 1000;
const serverKind = 1;
const errorStatus = 2;

/** Loads the exporter and makes the queue. */
export async function openSpanExport(options: SpanExportOptions): Promise<SpanExport> {
  const { OTLPTraceExporter } = exporterModule.parse(await import(packageName));
  const { endpoint: url, headers } = options.otlp;
  return new SpanExport(options, new OTLPTraceExporter({ url, headers, timeoutMillis: exportTimeoutMs }));
}

/** One per edge. */
export class SpanExport {
  readonly #options: SpanExportOptions;
  readonly #exporter: Exporter;
  readonly #timer: NodeJS.Timeout;
  readonly #resource: { readonly attributes: Readonly<Record<string, string>> };
  readonly #scope: { readonly name: string; readonly version: string };
  #waiting: unknown[] = [];
  #running: Promise<void> | null = null;
  #isFailing = false;

  constructor(options: SpanExportOptions, exporter: Exporter) {
    this.#options = options;
    this.#exporter = exporter;
    const version = packageVersion();
    this.#scope = { name: 'latchkey', version };
    this.#resource = { attributes: { 'service.name': options.otlp.serviceName, 'service.version': version } };
    this.#timer = setInterval(() => this.#flush(), options.everyMs ?? 1000);
    this.#timer.unref();
  }

  take(entry: SpanEntry): void {
    if (this.#waiting.length >= maxWaiting) {
      this.#options.metrics.dropped++;
      return;
    }
    this.#waiting.push(this.#spanOf(entry));
  }

  /** Exports what waits, as far as the collector takes it within a second. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#within(this.#running);
    this.#flush();
    await this.#within(this.#running);
    this.#options.metrics.dropped += this.#waiting.length;
    this.#waiting = [];
    await this.#within(this.#exporter.shutdown().catch(() => undefined));
  }

  #flush(): void {
    if (this.#waiting.length === 0 || this.#running !== null) return;
    const batch = this.#waiting.splice(0, maxBatch);
    this.#running = new Promise((resolve) => {
      this.#exporter.export(batch, ({ code, error }) => {
        this.#running = null;
        const { metrics } = this.#options;
        if (code === 0) metrics.exported += batch.length;
        else metrics.dropped += batch.length;
        this.#report(code === 0 ? null : (error?.message ?? 'unknown'));
        // more came than one batch holds
        if (code === 0 && this.#waiting.length >= maxBatch) this.#flush();
        resolve();
      });
    });
  }

  /** Says once that the collector takes nothing, and once that it does again. */
  #report(problem: string | null): void {
    const isFailing = problem !== null;
    if (isFailing === this.#isFailing) return;
    this.#isFailing = isFailing;
    const { logger, otlp } = this.#options;
    const { origin, pathname } = new URL(otlp.endpoint);
    const endpoint = origin + pathname;
    if (isFailing) logger.warn({ endpoint, problem: problem.slice(0, 200) }, 'spans cannot be exported');
    else logger.info({ endpoint }, 'spans are exported again');
  }

  async #within(work: Promise<unknown> | null): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, lastExportMs);
    });
    await Promise.race([work, overdue]);
    clearTimeout(timer);
  }

  /** As the exporter reads spans (`ReadableSpan`). */
  #spanOf(entry: SpanEntry): unknown {
    const { trace, durationMs } = entry;
    const endMs = epochMilliseconds();
    const context = { traceId: trace.traceId, spanId: trace.spanId, traceFlags: trace.flags };
    const parent = trace.parentId;
    const isError = entry.status >= 500 || entry.failure !== null;
    return {
      name: entry.route === null ? entry.method : `${entry.method} ${entry.route}`,
      kind: serverKind,
      spanContext: () => context,
      ...(parent === null
        ? {}
        : { parentSpanContext: { traceId: trace.traceId, spanId: parent, traceFlags: trace.flags, isRemote: true } }),
      startTime: hrTime(endMs - durationMs),
      endTime: hrTime(endMs),
      duration: hrTime(durationMs),
      status: { code: isError ? errorStatus : 0 },
      attributes: attributesOf(entry),
      links: [],
      events: [],
      ended: true,
      resource: this.#resource,
      instrumentationScope: this.#scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  }
}

const maxTextLength = 512;

/** Names of the semantic conventions for HTTP where there is one, else of latchkey's own. */
function attributesOf(entry: SpanEntry): Record<string, string | number> {
  const { route, status, decision, upstream, upstreamMs, failure } = entry;
  return {
    'http.request.method': entry.method,
    'url.scheme': entry.scheme,
    'url.path': entry.path.slice(0, maxTextLength),
    'server.address': entry.host.slice(0, maxTextLength),
    'client.address': entry.client,
    'latchkey.request_id': entry.requestId,
    ...(status === 0 ? {} : { 'http.response.status_code': status }),
    ...(status >= 500 ? { 'error.type': String(status) } : {}),
    ...(route === null ? {} : { 'latchkey.route': route }),
    ...(decision === null ? {} : { 'latchkey.decision': decision }),
    ...(upstream === null ? {} : { 'latchkey.upstream': upstream }),
    ...(upstreamMs === null ? {} : { 'latchkey.upstream_ms': upstreamMs }),
    ...(failure === null ? {} : { 'latchkey.failure': failure }),
  };
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
