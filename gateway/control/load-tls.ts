// Reads what listeners need to end TLS: certificates, their keys, the authorities of client certificates.
// Keys go from here to the edges' feeds and to the supervisor, which gives them to a control that starts anew.

import { readAuthorities, readCertificate } from '../config/certificates.ts';
import type { Config, TlsConfig } from '../config/config.ts';
import type { FeedTls } from '../config/edge-feed.ts';

/** By position in `config.listeners`; null for a plain one. */
export type ListenerTls = readonly (FeedTls | null)[];

export type LoadedTls =
  | { readonly kind: 'loaded'; readonly tls: ListenerTls }
  | { readonly kind: 'refused'; readonly problem: string; readonly hint: string };

/** Reads the files of all listeners anew. */
export function loadTls(config: Pick<Config, 'listeners'>): LoadedTls {
  const tls: (FeedTls | null)[] = [];
  for (const listener of config.listeners) {
    if (listener.tls === null) {
      tls.push(null);
      continue;
    }
    const read = readListener(listener.tls);
    if ('problem' in read) return { kind: 'refused', ...read };
    tls.push(read);
  }
  return { kind: 'loaded', tls };
}

function readListener(config: TlsConfig): FeedTls | { readonly problem: string; readonly hint: string } {
  const certificates: { cert: string; key: string }[] = [];
  for (const files of config.certificates) {
    const read = readCertificate(files);
    if (read.kind === 'refused') return { problem: read.problem, hint: read.hint };
    certificates.push({ cert: read.cert, key: read.key });
  }
  if (config.clientCertificates === null) return { certificates, clientCa: null };
  const authorities = readAuthorities(config.clientCertificates.caFile);
  if (authorities.kind === 'refused') return { problem: authorities.problem, hint: authorities.hint };
  return { certificates, clientCa: authorities.pem };
}
