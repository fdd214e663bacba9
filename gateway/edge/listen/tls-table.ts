// What one listener needs to hold handshakes, built from one configuration: contexts by name, session ticket keys, and
// a server for each client certificate policy. Never changed: a reload builds another, and connections keep theirs.
// Rules: RFC 9325 §3 and §4 (versions, suites, no renegotiation), RFC 7301 (ALPN), RFC 5077 §5.5 (ticket keys).

import { constants, hkdfSync } from 'node:crypto';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
} from 'node:tls';
import type { TlsConfig } from '../../config/compiled/config.ts';
import { certificateNames } from '../../config/files/certificates.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { HostTable } from '../../core/model/host-pattern.ts';
import type { FeedTls } from '../../wire/feed.ts';
import { type ClientPolicy, compileClientPolicy, isCovered } from './client-certificates.ts';

interface TlsTableOptions {
  readonly config: TlsConfig;
  readonly material: FeedTls;
  /** base64url; the same on all edges. */
  readonly ticketSecret: string;
  readonly handshakeTimeoutMs: number;
}

/** Handshakes of one policy. The server never listens: connections are given to it. */
export interface TlsFront {
  readonly server: Server;
  /** Fingerprint of the policy; empty when no client is asked for a certificate. */
  readonly policy: string;
}

export interface TlsTable {
  /** null when no host asks for client certificates. */
  readonly policy: ClientPolicy | null;
  /** The front for a server name has to be known before the handshake: they differ. */
  readonly needsServerName: boolean;
  readonly fronts: readonly TlsFront[];
  /** @param serverName  canonical; empty for a client that names none */
  frontOf(serverName: string): TlsFront;
}

// Forward secrecy and authenticated encryption only; the client chooses among them, as it knows its own hardware.
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
/** Sessions of visitors who authenticate by a certificate end soon: the certificate may be withdrawn meanwhile. */
const sessionSeconds = { open: 3600, guarded: 300 } as const;

/** @throws Error when OpenSSL does not take the material; the caller keeps what it has */
export function buildTlsTable(options: TlsTableOptions): TlsTable {
  const { config, material } = options;
  const policy =
    config.clientCertificates === null || material.clientCa === null
      ? null
      : compileClientPolicy(config.clientCertificates, material.clientCa);
  if (config.clientCertificates !== null && policy === null) throw new Error('the authorities of clients are missing');
  const open = policy === null || policy.hosts !== null ? buildFront(options, null) : null;
  const guarded = policy === null ? null : buildFront(options, policy);
  return {
    policy,
    fronts: [open, guarded].filter((front) => front !== null),
    needsServerName: open !== null && guarded !== null,
    frontOf: (serverName) => {
      const front = policy !== null && isCovered(policy, serverName) ? guarded : open;
      if (front === null) throw new Error('a policy without a front');
      return front;
    },
  };
}

function buildFront(options: TlsTableOptions, policy: ClientPolicy | null): TlsFront {
  const { config, material } = options;
  const fingerprint = policy?.fingerprint ?? '';
  const shared: SecureContextOptions = {
    ciphers,
    honorCipherOrder: false,
    minVersion: config.minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    sessionTimeout: policy === null ? sessionSeconds.open : sessionSeconds.guarded,
    // both by policy, so that a session of one is unknown to the other, whatever name comes with it
    sessionIdContext: `latchkey ${fingerprint}`.slice(0, 32),
    ticketKeys: ticketKeys(options.ticketSecret, fingerprint),
    ...(policy === null || material.clientCa === null ? {} : { ca: material.clientCa }),
  };
  const names = new HostTable<SecureContext>('one-label');
  for (const { cert, key } of material.certificates) {
    const context = createSecureContext({ ...shared, cert, key });
    for (const name of certificateNames(cert)) names.add(name, context);
  }
  const first = material.certificates[0];
  if (first === undefined) throw new Error('a listener with tls has no certificate');
  const server = createServer({
    ...shared,
    cert: first.cert,
    key: first.key,
    requestCert: policy !== null,
    // a connection without a good certificate is answered by http, which can say what is wrong
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.handshakeTimeoutMs,
    SNICallback: (name, done) => {
      const host = canonicalHost(name);
      done(null, (host === null ? null : names.find(host)) ?? undefined);
    },
  });
  return { server, policy: fingerprint };
}

/** 48 bytes as `tls` wants them, a different 48 for each policy. */
function ticketKeys(secret: string, fingerprint: string): Buffer {
  const info = `latchkey session tickets ${fingerprint}`;
  return Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), Buffer.alloc(0), info, 48));
}
