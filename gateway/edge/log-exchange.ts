// The access line of a request that was forwarded, or of a tunnel at its end.
// Never the token as text: the log makes a digest of it.

import type { AccessLog } from '../telemetry/access-log.ts';
import type { TunnelEnd } from '../telemetry/tunnel-metrics.ts';
import type { Exchange } from './exchange.ts';

/** @param ended  how the tunnel ended; null for a request */
export function logExchange(log: AccessLog, exchange: Exchange, durationMs: number, ended: TunnelEnd | null): void {
  const refusal = exchange.refusal === null ? null : `refused message: ${exchange.refusal}`;
  const { request, permit } = exchange;
  const route = permit.route;
  const hint = exchange.isRevoked ? 'ended: what allowed it was revoked' : refusal;
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
    token: permit.token === null ? null : request.explicitToken,
    upstream: route.upstreamName,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    durationMs,
    hint: ended === null ? hint : `tunnel ended: ${ended}`,
  });
}
