// Reads and checks the PEM files that an upstream's TLS names. Never puts a byte of a key into a message.
// `latchkey check` and control use the same checks, so that an edge never gets material that it cannot use.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { fileRefusal } from './secrets.ts';
import type { UpstreamTls } from './upstream-config.ts';

/** What is in the files: PEM text. `key` is a secret. */
export interface TlsMaterial {
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
}

export type TlsFileKey = 'ca_file' | 'client_certificate_file' | 'client_key_file';

export type TlsFiles =
  | { readonly kind: 'read'; readonly material: TlsMaterial; readonly keyIsWorldReadable: boolean }
  | { readonly kind: 'refused'; readonly at: TlsFileKey; readonly problem: string; readonly hint: string };

/** Longest PEM file that is read; the roots of a whole system are some 250 KiB. */
const maxPemBytes = 1024 * 1024;

/** Reads all files of one upstream, and makes sure that they can be used together. */
export function readTlsFiles(tls: UpstreamTls): TlsFiles {
  const ca = tls.caFile === null ? null : readPem(tls.caFile, 'ca_file');
  if (ca?.kind === 'refused') return ca;
  const certificate =
    tls.clientCertificateFile === null ? null : readPem(tls.clientCertificateFile, 'client_certificate_file');
  if (certificate?.kind === 'refused') return certificate;
  const key = tls.clientKeyFile === null ? null : readPem(tls.clientKeyFile, 'client_key_file');
  if (key?.kind === 'refused') return key;

  if (ca !== null && tls.caFile !== null) {
    for (const pem of certificatesIn(ca.text)) {
      if (!isCertificate(pem)) return noCertificate(tls.caFile, 'ca_file');
    }
    if (certificatesIn(ca.text).length === 0) return noCertificate(tls.caFile, 'ca_file');
  }
  if (certificate !== null && tls.clientCertificateFile !== null) {
    const [first] = certificatesIn(certificate.text);
    if (first === undefined || !isCertificate(first)) {
      return noCertificate(tls.clientCertificateFile, 'client_certificate_file');
    }
    if (key !== null && tls.clientKeyFile !== null) {
      const wrong = keyProblem(first, key.text);
      if (wrong !== null) {
        return refused('client_key_file', `${tls.clientKeyFile} ${wrong}`, 'name the PEM key of the certificate');
      }
    }
  }
  const material = { ca: ca?.text ?? null, certificate: certificate?.text ?? null, key: key?.text ?? null };
  try {
    createSecureContext(contextOptions(material));
  } catch {
    // the parts were sound: what is left is a chain or a curve that OpenSSL does not take
    return refused('client_certificate_file', 'the certificate cannot be used for TLS', 'name another one');
  }
  return { kind: 'read', material, keyIsWorldReadable: key?.worldReadable ?? false };
}

/** The part of a secure context that comes out of files. */
export function contextOptions(material: TlsMaterial): { ca?: string; cert?: string; key?: string } {
  return {
    ...(material.ca === null ? {} : { ca: material.ca }),
    ...(material.certificate === null ? {} : { cert: material.certificate }),
    ...(material.key === null ? {} : { key: material.key }),
  };
}

type PemFile = { readonly kind: 'text'; readonly text: string; readonly worldReadable: boolean };

function readPem(path: string, at: TlsFileKey): PemFile | (TlsFiles & { kind: 'refused' }) {
  try {
    // Non-blocking, so that a FIFO in the place of the file cannot hang the start.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = fstatSync(descriptor);
      if (!status.isFile()) return refused(at, `${path} is not a regular file`, 'name a PEM file');
      if (status.size > maxPemBytes) {
        return refused(at, `${path} has ${status.size} bytes, more than ${maxPemBytes}`, 'name a PEM file');
      }
      return {
        kind: 'text',
        text: readFileSync(descriptor, 'latin1'),
        worldReadable: (status.mode & 0o004) !== 0,
      };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const refusal = fileRefusal(path, error, 'name a PEM file');
    return refused(at, refusal.problem, refusal.hint);
  }
}

function certificatesIn(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

function keyProblem(certificate: string, key: string): string | null {
  try {
    const privateKey = createPrivateKey(key);
    return new X509Certificate(certificate).checkPrivateKey(privateKey) ? null : 'is not the key of the certificate';
  } catch {
    return 'holds no private key, or one with a passphrase';
  }
}

function noCertificate(path: string, at: TlsFileKey): TlsFiles & { kind: 'refused' } {
  return refused(at, `${path} holds no sound PEM certificate`, 'name a file with BEGIN CERTIFICATE');
}

function refused(at: TlsFileKey, problem: string, hint: string): TlsFiles & { kind: 'refused' } {
  return { kind: 'refused', at, problem, hint };
}
