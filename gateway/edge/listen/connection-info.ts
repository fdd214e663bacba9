// How a connection came in: what its requests are measured by beside their own bytes. Shapes only.
// Made by a listener once the connection is ready for HTTP, and never changed for that connection.

import type { Socket } from 'node:net';
import type { HostTable } from '../../core/model/host-pattern.ts';
import type { ClientCertificate, ClientPolicy } from './client-certificates.ts';

/** What a listener asks of each request; judged by listener-gate.ts. */
type GateRules =
  /** Everything goes to https, at this port. */
  | { readonly kind: 'redirect'; readonly port: number }
  | {
      readonly kind: 'certificates';
      /** The listener's own policy; null when it asks no client for a certificate. */
      readonly policy: ClientPolicy | null;
      /** Hosts that need a certificate on another listener; null for none. */
      readonly elsewhere: HostTable<true> | null;
    };

/** What a listener lays down for its requests; a reload may change it under connections that are open. */
export interface ListenerRules {
  /** null on a listener that has no rules of its own, which is the usual case. */
  gate: GateRules | null;
}

/** A connection that is ready for HTTP, as its listener knows it. */
export interface ConnectionInfo {
  /** The TCP connection, below TLS where there is TLS. */
  readonly transport: Socket;
  /** The client's address: the socket's peer, or the address that the peer's PROXY header named. IPv4-mapped IPv6 folded. */
  readonly peerAddress: string;
  readonly scheme: 'http' | 'https';
  /** `TLSv1.3` or `TLSv1.2`; null on a plain connection. */
  readonly tlsVersion: string | null;
  readonly rules: ListenerRules;
  /** Fingerprint of the client certificate policy that the handshake was held under; empty for none. */
  readonly policy: string;
  /** null when the client presented none. */
  readonly certificate: ClientCertificate | null;
}
