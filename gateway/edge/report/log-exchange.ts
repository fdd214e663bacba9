// The access line of a request that was forwarded, or of a tunnel at its end.
// Never the token as text: the log makes a digest of it.

import { tokenAt } from '../../core/decision/verifier/explicit-tokens.ts';
import type { AccessLog } from '../../telemetry/access-log.ts';
import type { TunnelEnd } from '../../telemetry/tunnel-metrics.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** @param ended  how the tunnel ended; null for a request */
export function logExchange(log: AccessLog, exchange: Exchange, durationMs: number, ended: TunnelEnd | null): void {
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
    hint: hints.length === 0 ? null : hints.join('; '),
  });
}
