// Client certificates: which hosts ask for one, under which policy a connection was made, what the upstream is told.
// A policy has a fingerprint, and a connection keeps the one it was made under, so that a session can never carry
// one host's authentication to another. Rules: RFC 9440 (Client-Cert), RFC 9110 §15.5.20 (421), RFC 8446 §4.6.1.

import type { TLSSocket } from 'node:tls';
import type { ClientCertificateConfig } from '../../config/compiled/config.ts';
import { digestOf } from '../../core/model/digest.ts';
import { HostTable } from '../../core/model/host-pattern.ts';
import type { EpochSeconds } from '../../core/model/time.ts';

/** Who is asked for a certificate on one listener, compiled. */
export interface ClientPolicy {
  /** Names authorities and mode; changes when either does. Never empty. */
  readonly fingerprint: string;
  readonly isRequired: boolean;
  /** null: every host of the listener. */
  readonly hosts: HostTable<true> | null;
}

/** A certificate that the client presented in the handshake, or in the handshake of the session that this one resumes. */
export interface ClientCertificate {
  /** It was signed by the listener's authorities and was valid at the time of the handshake. */
  readonly isVerified: boolean;
  /** The certificate is not valid any more after this. */
  readonly endsAt: EpochSeconds;
  /** `Client-Cert` field for the upstream, with its line end (RFC 9440 §2.2); empty unless verified. */
  readonly line: string;
}

/** Longest certificate that is handed on, in bytes of DER; upstreams refuse longer heads anyway. */
const maxCertificateBytes = 8192;

/** @param authorities  PEM of the bundle */
export function compileClientPolicy(config: ClientCertificateConfig, authorities: string): ClientPolicy {
  const digest = digestOf(`${config.mode}\n${authorities}`);
  return {
    fingerprint: digest.slice(0, 22),
    isRequired: config.mode === 'required',
    hosts: config.hosts === null ? null : hostNames(config.hosts),
  };
}

/** Hosts as a policy names them: exact, or a wildcard of any depth, as in routes. */
export function hostNames(hosts: readonly string[]): HostTable<true> {
  const names = new HostTable<true>('any-depth');
  for (const host of hosts) names.add(host, true);
  return names;
}

/** Whether the policy is for this host. @param host  canonical; empty for a request that names none */
export function isCovered(policy: ClientPolicy, host: string): boolean {
  return policy.hosts === null || policy.hosts.find(host) === true;
}

/**
 * The certificate of a connection that was asked for one.
 *
 * @param socket  after its handshake; on a resumed session this is what the first handshake found
 * @returns null when the client presented none
 */
export function clientCertificateOf(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const isVerified = socket.authorized && certificate.raw.length <= maxCertificateBytes;
  return {
    isVerified,
    endsAt: Math.floor(certificate.validToDate.getTime() / 1000),
    line: isVerified ? `Client-Cert: :${certificate.raw.toString('base64')}:\r\n` : '',
  };
}
