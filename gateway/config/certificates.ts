// Reads certificates, their keys and bundles of authorities from PEM files, and says what is wrong with them.
// Never puts a byte of a key into a message. Names are those of subjectAltName: a common name is no name (RFC 9525 §2).

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { canonicalHost } from '../core/decision/host.ts';
import { epochMilliseconds } from '../telemetry/clock.ts';
import type { CertificateConfig } from './config.ts';
import { type FileRefusal, readNamedFile } from './named-file.ts';

/** Longest file that is read; a bundle of every public authority has a quarter of it. */
const maxPemBytes = 1024 * 1024;

/** A refusal that says which of the two files it is about. */
type PairRefusal = FileRefusal & { readonly file: 'certificate' | 'key' };

export type CertificateFiles =
  | {
      readonly kind: 'read';
      /** PEM, the leaf first. */
      readonly cert: string;
      /** PEM; a secret. */
      readonly key: string;
      /** Every account of the machine may read the key. */
      readonly worldReadable: boolean;
      /** It has ended or has not begun: a sentence for people; null when it holds today. */
      readonly dateProblem: string | null;
    }
  | PairRefusal;

export type AuthorityFile = { readonly kind: 'read'; readonly pem: string } | FileRefusal;

/** Reads a certificate with its key and checks that they belong together and can be used. */
export function readCertificate({ certFile, keyFile }: CertificateConfig): CertificateFiles {
  const cert = readPem(certFile);
  if (cert.kind === 'refused') return { ...cert, file: 'certificate' };
  const [leaf, ...chain] = parseCertificates(cert.text);
  if (leaf === undefined || leaf === null) {
    return refused(
      'certificate',
      `${certFile} holds no certificate in PEM`,
      'the certificate itself first, then its chain',
    );
  }
  const key = readPem(keyFile);
  if (key.kind === 'refused') return { ...key, file: 'key' };
  const parsed = parseKey(key.text);
  if (parsed === null) {
    const isLocked = key.text.includes('ENCRYPTED');
    return refused(
      'key',
      isLocked ? `${keyFile} is locked with a passphrase` : `${keyFile} holds no private key in PEM`,
      isLocked ? 'unlock it with: openssl pkey -in FILE -out FILE' : 'it begins with -----BEGIN PRIVATE KEY-----',
    );
  }
  if (!leaf.checkPrivateKey(parsed)) {
    if (chain.some((other) => other?.checkPrivateKey(parsed))) {
      const problem = `${certFile} begins with another certificate than that of ${keyFile}`;
      return refused('certificate', problem, 'put the certificate of the key first, then its chain');
    }
    return refused('key', `${keyFile} is not the key of ${certFile}`, 'name the files that were made together');
  }
  try {
    createSecureContext({ cert: cert.text, key: key.text });
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'it is not accepted';
    return refused('certificate', `${certFile} cannot be used: ${reason}`, 'make one with a P-256 or an RSA 2048 key');
  }
  return {
    kind: 'read',
    cert: cert.text,
    key: key.text,
    worldReadable: key.worldReadable,
    dateProblem: dateProblem(certFile, leaf),
  };
}

/** Reads a bundle of authorities: at least one certificate, and nothing that only looks like one. */
export function readAuthorities(file: string): AuthorityFile {
  const read = readPem(file);
  if (read.kind === 'refused') return read;
  const found = parseCertificates(read.text);
  const hint = 'certificates in PEM, one behind the other';
  if (found.length === 0) return { kind: 'refused', problem: `${file} holds no certificate in PEM`, hint };
  const broken = found.indexOf(null);
  if (broken >= 0) return { kind: 'refused', problem: `certificate ${broken + 1} in ${file} is broken`, hint };
  return { kind: 'read', pem: read.text };
}

/** The host names a certificate is for, lower case, wildcards as `*.example.org`. @param cert  PEM, the leaf first */
export function certificateNames(cert: string): readonly string[] {
  const names: string[] = [];
  // what would need quotes is no host name
  for (const entry of (new X509Certificate(cert).subjectAltName ?? '').split(', ')) {
    if (!entry.startsWith('DNS:')) continue;
    const name = entry.slice('DNS:'.length);
    const isWildcard = name.startsWith('*.');
    const host = canonicalHost(isWildcard ? name.slice(2) : name);
    if (host !== null) names.push(isWildcard ? `*.${host}` : host);
  }
  return names;
}

type Pem = { readonly kind: 'read'; readonly text: string; readonly worldReadable: boolean } | FileRefusal;

function readPem(path: string): Pem {
  const read = readNamedFile(path, { maxBytes: maxPemBytes, hint: 'name a PEM file' });
  if (read.kind === 'refused') return read;
  return { kind: 'read', text: read.bytes.toString('latin1'), worldReadable: read.worldReadable };
}

/** Every certificate of a PEM text in order; null for one that cannot be read. */
function parseCertificates(pem: string): (X509Certificate | null)[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      return null;
    }
  });
}

function parseKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function dateProblem(file: string, certificate: X509Certificate): string | null {
  const now = epochMilliseconds();
  if (certificate.validToDate.getTime() < now) return `${file} has expired: it ended at ${certificate.validTo}`;
  if (certificate.validFromDate.getTime() > now) return `${file} does not hold before ${certificate.validFrom}`;
  return null;
}

function refused(file: PairRefusal['file'], problem: string, hint: string): PairRefusal {
  return { kind: 'refused', file, problem, hint };
}
