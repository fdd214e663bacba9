// Cross-origin requests as browsers send them: finding `Origin`, knowing a preflight, and answering it.
// A preflight carries no credential by design, so it is answered before one is looked for, and no upstream sees it.
// Rules: Fetch §3.2.2 (CORS-preflight request), §3.2.5.

import type { RequestHead } from '../../http1/request-head.ts';
import { onlyValue } from '../../http1/upgrade.ts';

/** The value of the only `Origin`; null without one, and for two, which no browser sends. */
export function onlyOrigin(head: RequestHead): string | null {
  return onlyValue(head, 'origin');
}

/** Whether a browser asks here what another request may do. */
export function isPreflight(head: RequestHead): boolean {
  return (
    head.method === 'OPTIONS' &&
    onlyValue(head, 'access-control-request-method') !== null &&
    onlyValue(head, 'origin') !== null
  );
}

/**
 * The answer to a preflight of an allowed origin.
 *
 * @param lines       from `CorsPolicy.preflightLines`
 * @param connection  `close`, `keep-alive`, or empty when nothing has to be said
 */
export function preflightAnswer(lines: string, requestId: string, connection: string): string {
  const connectionLine = connection === '' ? '' : `Connection: ${connection}\r\n`;
  return `HTTP/1.1 204 No Content\r\n${lines}${connectionLine}X-Request-Id: ${requestId}\r\n\r\n`;
}
