// How long an upstream connection may stay idle: our own limit, or less when the upstream says less.
// Rule: the `Keep-Alive` field as servers send it (RFC 2068 §19.7.1.1), `timeout=5, max=100`.

import { fieldClass } from '../../http1/field-names.ts';
import { fieldStride } from '../../http1/message-head.ts';
import type { ResponseHead } from '../../http1/response-head.ts';

/**
 * @param oursMs  limit of the configuration
 * @returns milliseconds, at most `oursMs`; 0 when the connection must not be used again
 */
export function idleTimeMs(head: ResponseHead, oursMs: number): number {
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.fields[index * fieldStride] !== fieldClass.hopByHop) continue;
    if (head.nameOf(index).toLowerCase() !== 'keep-alive') continue;
    const match = /(?:^|[,; \t])timeout=(\d{1,6})/i.exec(head.valueOf(index));
    // one second less than the upstream says, so that our next request does not meet its close
    if (match !== null) return Math.max(0, Math.min(oursMs, Number(match[1]) * 1000 - 1000));
  }
  return oursMs;
}
