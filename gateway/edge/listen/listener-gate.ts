// What a listener asks of a request before anything else does: https, or a client certificate for this host.
// The gate judges where a request came in. It can only refuse or redirect: a request that passes is still judged by `decide`.
// Rules: RFC 9110 §15.5.20 (421 for a host that this connection was not made for), RFC 6750 §5.3 (no token in the clear).

import { asciiQuery } from '../../core/decision/route/path.ts';
import type { Snapshot } from '../../core/decision/state/snapshot.ts';
import type { DenyReason } from '../../core/decision/verdict/reasons.ts';
import type { HostTable } from '../../core/model/host-pattern.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Described } from '../request/describe.ts';
import { type ClientPolicy, isCovered } from './client-certificates.ts';
import type { ConnectionInfo, ListenerRules } from './connection-info.ts';

/** The rules of a listener that has some. */
export type Gate = NonNullable<ListenerRules['gate']>;

type GateVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'refuse'; readonly reason: DenyReason; readonly detail: string }
  | { readonly kind: 'redirect'; readonly location: string };

const pass: GateVerdict = { kind: 'pass' };

export function checkGate(
  gate: Gate,
  connection: ConnectionInfo,
  request: Described,
  snapshot: Snapshot,
  now: EpochSeconds,
): GateVerdict {
  switch (gate.kind) {
    case 'redirect':
      return redirect(gate.port, request, snapshot);
    case 'certificates':
      return checkCertificate(gate.policy, gate.elsewhere, connection, request.host, now);
    default:
      return gate satisfies never;
  }
}

function redirect(port: number, request: Described, snapshot: Snapshot): GateVerdict {
  // to hosts of the configuration only: the address must not be the sender's to choose
  if (request.host === '' || !snapshot.routes.knowsHost(request.host)) {
    return { kind: 'refuse', reason: 'unknown-host', detail: 'no route has this host' };
  }
  // A credential that came in the clear was seen on the way. A redirect would hide that, and say it a second time.
  if (request.explicitCount > 0 || request.basic !== null) {
    return { kind: 'refuse', reason: 'credential-in-clear', detail: 'a token or a password came over plain http' };
  }
  const authority = port === 443 ? request.host : `${request.host}:${port}`;
  return { kind: 'redirect', location: `https://${authority}${request.path}${asciiQuery(request.head.rawQuery)}` };
}

function checkCertificate(
  policy: ClientPolicy | null,
  elsewhere: HostTable<true> | null,
  connection: ConnectionInfo,
  host: string,
  now: EpochSeconds,
): GateVerdict {
  // The policy of the Host, and not only of the name in the handshake: one connection may carry requests for many hosts.
  const isOurs = policy !== null && isCovered(policy, host);
  const wanted = isOurs ? policy.fingerprint : '';
  const isWayAround = !(isOurs && policy.isRequired) && elsewhere?.find(host) === true;
  if (wanted !== connection.policy || isWayAround) {
    return {
      kind: 'refuse',
      reason: 'misdirected',
      detail: 'the connection was made under another client certificate policy than this host has',
    };
  }
  if (!isOurs) return pass;
  const { certificate } = connection;
  if (certificate === null) {
    if (!policy.isRequired) return pass;
    return { kind: 'refuse', reason: 'certificate-missing', detail: 'this host needs a client certificate' };
  }
  // a connection may outlive its certificate; one that is wrong is never taken for none
  if (!certificate.isVerified || certificate.endsAt < now) {
    const detail = 'the client certificate is not of a known authority, is too long, or has ended';
    return { kind: 'refuse', reason: 'certificate-refused', detail };
  }
  return pass;
}
