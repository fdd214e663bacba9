// The trace context of a request (W3C Trace Context): read from a client, made where there is none, written for the upstream.
// A client may send anything here. It says which trace a request belongs to, and nothing else: no decision and no limit hangs on it, and
// whether a span is exported is decided by chance alone.

import { randomFillSync } from 'node:crypto';

/** What a client's `traceparent` says. */
export interface IncomingTrace {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly parentId: string;
  /** The flags that are known: 1 is "sampled", 2 "the id is random". */
  readonly flags: number;
}

/** The place of one request in its trace. */
export interface RequestTrace {
  readonly traceId: string;
  /** Of this request at latchkey. */
  readonly spanId: string;
  /** null where the trace begins here. */
  readonly parentId: string | null;
  readonly flags: number;
  /** Whether latchkey exports a span of it. */
  readonly isSampled: boolean;
}

// §3.2.2: lower case only. A later version may say more behind a hyphen; version ff is none.
const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const sampledFlag = 1;
const randomFlag = 2;
const zeros = /^0+$/;

/** @param value  of the one field; two fields are none @returns null for what begins no trace that could be gone on with */
export function parseTraceparent(value: string): IncomingTrace | null {
  if (value.length > 512) return null;
  const [, version = '', traceId = '', parentId = '', flags = '', rest] = form.exec(value) ?? [];
  if (version === '' || version === 'ff' || (version === '00' && rest !== undefined)) return null;
  if (zeros.test(traceId) || zeros.test(parentId)) return null;
  return { traceId, parentId, flags: Number.parseInt(flags, 16) & (sampledFlag | randomFlag) };
}

/** The field for the next hop: the same trace, this request as the parent. */
export function traceparentOf({ traceId, spanId, flags }: RequestTrace): string {
  return `00-${traceId}-${spanId}-0${flags.toString(16)}`;
}

const poolBytes = 4096;

/** Makes the trace context of each request; one per edge. */
export class TraceSource {
  /** Share of requests whose span is exported, 0 to 1. */
  readonly #sample: number;
  // filled for 170 requests and more at once: asking the system for 24 bytes costs as much as asking for 4096
  readonly #pool = Buffer.alloc(poolBytes);
  #used = poolBytes;

  constructor(sample: number) {
    this.#sample = sample;
  }

  begin(incoming: IncomingTrace | null): RequestTrace {
    const isSampled = this.#sample > 0 && (this.#sample >= 1 || Math.random() < this.#sample);
    const flags = (incoming?.flags ?? randomFlag) | (isSampled ? sampledFlag : 0);
    return {
      traceId: incoming?.traceId ?? this.#hex(16),
      spanId: this.#hex(8),
      parentId: incoming?.parentId ?? null,
      flags,
      isSampled,
    };
  }

  #hex(bytes: number): string {
    if (this.#used + bytes > poolBytes) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const text = this.#pool.toString('hex', this.#used, this.#used + bytes);
    this.#used += bytes;
    return zeros.test(text) ? this.#hex(bytes) : text;
  }
}
