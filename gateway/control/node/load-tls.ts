// Reads the files for TLS: certificates and keys of listeners, the authorities that verify upstreams, and the certificates shown to upstreams.
// Keys go from here to the edges' feeds and to the supervisor, which gives them to the next control process.
// When one file cannot be used, the whole configuration is refused.

import type { Config, ListenerConfig } from '../../config/compiled/config.ts';
import type { UpstreamConfig } from '../../config/compiled/upstream-config.ts';
import { readAuthorities, readCertificate } from '../../config/files/certificates.ts';
import type { FileRefusal } from '../../config/files/named-file.ts';
import { readTlsFiles } from '../../config/files/upstream-tls.ts';
import type { FeedTls, FeedUpstreamTls } from '../../wire/feed.ts';
import type { ControlState } from '../../wire/process-messages.ts';

/** The contents of the TLS files of a configuration. */
type TlsState = Pick<ControlState, 'tls' | 'upstreamTls'>;

/** `problem` begins with the place in the configuration. */
type LoadedTls = ({ readonly kind: 'loaded' } & TlsState) | FileRefusal;

/** Reads the files of all listeners and upstreams anew. */
export function loadTls(config: Pick<Config, 'listeners' | 'upstreams'>): LoadedTls {
  const tls: (FeedTls | null)[] = [];
  for (const [at, listener] of config.listeners.entries()) {
    const read = readListener(listener);
    if (read !== null && 'problem' in read) return placed(`listeners[${at}].tls`, read);
    tls.push(read);
  }
  const upstreamTls: FeedUpstreamTls[] = [];
  for (const upstream of config.upstreams) {
    const read = readUpstream(upstream);
    if (read === null) continue;
    if ('problem' in read) return placed(`upstreams.${upstream.name}.tls`, read);
    upstreamTls.push(read);
  }
  return { kind: 'loaded', tls, upstreamTls };
}

function readListener({ tls }: ListenerConfig): FeedTls | FileRefusal | null {
  if (tls === null) return null;
  const certificates: { cert: string; key: string }[] = [];
  for (const files of tls.certificates) {
    const read = readCertificate(files);
    if (read.kind === 'refused') return read;
    certificates.push({ cert: read.cert, key: read.key });
  }
  if (tls.clientCertificates === null) return { certificates, clientCa: null };
  const authorities = readAuthorities(tls.clientCertificates.caFile);
  return authorities.kind === 'refused' ? authorities : { certificates, clientCa: authorities.pem };
}

function readUpstream({ name, tls }: UpstreamConfig): FeedUpstreamTls | FileRefusal | null {
  if (tls === null) return null;
  const read = readTlsFiles(tls);
  return read.kind === 'refused' ? read : { name, ...read.material };
}

function placed(place: string, { problem, hint }: FileRefusal): FileRefusal {
  return { kind: 'refused', problem: `${place}: ${problem}`, hint };
}
