// Reads the PEM files that an upstream's TLS names, by the rules of certificates.ts, and says which setting is wrong.
// `latchkey check` and control use the same checks, so that an edge never gets material that it cannot use.

import type { UpstreamTls } from '../compiled/upstream-config.ts';
import { readAuthorities, readCertificate } from './certificates.ts';
import type { FileRefusal } from './named-file.ts';

/** What is in the files: PEM text. `key` is a secret. */
export interface TlsMaterial {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

type TlsFileKey = 'ca_file' | 'client_certificate_file' | 'client_key_file';

type TlsFiles =
  | {
      readonly kind: 'read';
      readonly material: TlsMaterial;
      readonly keyIsWorldReadable: boolean;
      /** A sentence for people when the client certificate has expired or is not valid yet; null when it is valid today. */
      readonly dateProblem: string | null;
    }
  | (FileRefusal & { readonly at: TlsFileKey });

/** Reads all TLS files of one upstream, and checks that they can be used together. */
export function readTlsFiles(tls: UpstreamTls): TlsFiles {
  const authorities = tls.caFile === null ? null : readAuthorities(tls.caFile);
  if (authorities?.kind === 'refused') return { ...authorities, at: 'ca_file' };
  const ca = authorities?.pem ?? null;
  const { clientCertificateFile: certFile, clientKeyFile: keyFile } = tls;
  if (certFile === null || keyFile === null) {
    const material = { ca, certificate: null, key: null };
    return { kind: 'read', material, keyIsWorldReadable: false, dateProblem: null };
  }
  const client = readCertificate({ certFile, keyFile });
  if (client.kind === 'refused') {
    const { kind, file, problem, hint } = client;
    return { kind, problem, hint, at: file === 'key' ? 'client_key_file' : 'client_certificate_file' };
  }
  return {
    kind: 'read',
    material: { ca, certificate: client.cert, key: client.key },
    keyIsWorldReadable: client.worldReadable,
    dateProblem: client.dateProblem,
  };
}

/** The part of a secure context that comes out of files. */
export function contextOptions(material: TlsMaterial): { ca?: string; cert?: string; key?: string } {
  return {
    ...(material.ca === null ? {} : { ca: material.ca }),
    ...(material.certificate === null ? {} : { cert: material.certificate }),
    ...(material.key === null ? {} : { key: material.key }),
  };
}
