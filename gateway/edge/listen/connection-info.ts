// How a connection came in: what its requests are measured by beside their own bytes. Shapes only.
// Made by a listener once the connection is ready for HTTP, and never changed for that connection.

import type { Socket } from 'node:net';
import type { EpochSeconds } from '../../core/model/time.ts';
import type { Gate } from './listener-gate.ts';

/** What a listener lays down for its requests; a reload may change it under connections that are open. */
export interface ListenerRules {
  /** null on a listener that has no rules of its own, which is the usual one. */
  gate: Gate | null;
}

/** A certificate that the client presented in the handshake, or in the one that this session goes back to. */
export interface ClientCertificate {
  /** It was signed by the listener's authorities and held at the time of the handshake. */
  readonly isVerified: boolean;
  /** Not good any more after this. */
  readonly endsAt: EpochSeconds;
  /** `Client-Cert` field for the upstream, with its line end (RFC 9440 §2.2); empty unless verified. */
  readonly line: string;
}

export interface Arrival {
  /** The TCP connection, below TLS where there is TLS. */
  readonly transport: Socket;
  /** The client as far as this connection knows: the neighbour, or whom its PROXY header named. IPv4-mapped IPv6 folded. */
  readonly peerAddress: string;
  readonly scheme: 'http' | 'https';
  readonly rules: ListenerRules;
  /** Fingerprint of the client certificate policy that the handshake was held under; empty for none. */
  readonly policy: string;
  readonly certificate: ClientCertificate | null;
}
