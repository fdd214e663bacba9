// Reads certificates, their keys and bundles of authorities from PEM files, and says what is wrong with them.
// Never puts a byte of a key into a message. The names of a certificate are those of subjectAltName; its common name is ignored (RFC 9525 §2).

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { isWildcardHost } from '../../core/model/host-pattern.ts';
import { epochMilliseconds } from '../../telemetry/clock.ts';
import type { CertificateConfig } from '../compiled/config.ts';
import { type FileRefusal, readNamedFile } from './named-file.ts';

/** Longest file that is read, in bytes; a bundle of all public authorities is a quarter as long. */
const maxPemBytes = 1024 * 1024;

/** A refusal that says which of the two files it is about. */
type PairRefusal = FileRefusal & { readonly file: 'certificate' | 'key' };

type CertificateFiles =
  | {
      readonly kind: 'read';
      /** PEM, the leaf first. */
      readonly cert: string;
      /** PEM; a secret. */
      readonly key: string;
      /** Every account of the machine may read the key. */
      readonly worldReadable: boolean;
      /** A sentence for people when the certificate has expired or is not valid yet; null when it is valid today. */
      readonly dateProblem: string | null;
    }
  | PairRefusal;

type AuthorityFile = { readonly kind: 'read'; readonly pem: string } | FileRefusal;

/** Reads a certificate with its key and checks that they belong together and can be used. */
export function readCertificate({ certFile, keyFile }: CertificateConfig): CertificateFiles {
  const cert = readCertificates(certFile, 'name a PEM file with the certificate first, then its chain');
  if (cert.kind === 'refused') return { ...cert, file: 'certificate' };
  const [leaf, ...chain] = cert.certificates;
  const key = readPem(keyFile);
  if (key.kind === 'refused') return { ...key, file: 'key' };
  const parsed = parseKey(key.text);
  if (parsed === null) return { ...noKey(keyFile, key.text), file: 'key' };
  if (!leaf.checkPrivateKey(parsed)) {
    if (chain.some((other) => other.checkPrivateKey(parsed))) {
      const problem = `${certFile} begins with another certificate than that of ${keyFile}`;
      return { ...refused(problem, 'put the certificate of the key first, then its chain'), file: 'certificate' };
    }
    const problem = `${keyFile} is not the key of ${certFile}`;
    return { ...refused(problem, 'name the files that were made together'), file: 'key' };
  }
  try {
    createSecureContext({ cert: cert.text, key: key.text });
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : 'it is not accepted';
    const problem = `${certFile} cannot be used: ${reason}`;
    return { ...refused(problem, 'make one with a P-256 or an RSA 2048 key'), file: 'certificate' };
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
  const read = readCertificates(file, 'name a PEM file with the certificates, one after the other');
  return read.kind === 'refused' ? read : { kind: 'read', pem: read.text };
}

/** The host names a certificate is for, lower case, wildcards as `*.example.org`. @param cert  PEM, the leaf first */
export function certificateNames(cert: string): readonly string[] {
  const names: string[] = [];
  // a name that would need quotes is not a host name
  for (const entry of (new X509Certificate(cert).subjectAltName ?? '').split(', ')) {
    if (!entry.startsWith('DNS:')) continue;
    const name = entry.slice('DNS:'.length);
    const isWildcard = isWildcardHost(name);
    const host = canonicalHost(isWildcard ? name.slice(2) : name);
    if (host !== null) names.push(isWildcard ? `*.${host}` : host);
  }
  return names;
}

type Pem = { readonly kind: 'read'; readonly text: string; readonly worldReadable: boolean } | FileRefusal;

function readPem(path: string): Pem {
  const read = readNamedFile(path, { maxBytes: maxPemBytes, hint: 'name a PEM file' });
  if (read.kind === 'refused') return read;
  // OpenSSL finds PEM blocks at the beginning of a line: behind a byte order mark it would overlook the first key or certificate
  if (read.bytes[0] === 0xef || read.bytes[0] === 0xff || read.bytes[0] === 0xfe) {
    return refused(`${path} begins with a byte order mark`, 'save it as ASCII, or as UTF-8 without one');
  }
  return { kind: 'read', text: read.bytes.toString('latin1'), worldReadable: read.worldReadable };
}

type Certificates =
  | {
      readonly kind: 'read';
      readonly text: string;
      readonly certificates: readonly [X509Certificate, ...X509Certificate[]];
    }
  | FileRefusal;

/** Reads every certificate of a file, in order. @param hint  which file the operator should name instead */
function readCertificates(path: string, hint: string): Certificates {
  const read = readPem(path);
  if (read.kind === 'refused') return read;
  const { text } = read;
  const certificates: X509Certificate[] = [];
  for (const block of text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []) {
    const certificate = parseCertificate(block);
    if (certificate === null) {
      return refused(`certificate ${certificates.length + 1} in ${path} is broken`, 'copy it again from its source');
    }
    certificates.push(certificate);
  }
  const [first, ...others] = certificates;
  return first === undefined
    ? noCertificate(path, text, hint)
    : { kind: 'read', text, certificates: [first, ...others] };
}

/** Says what a file holds that is easily mistaken for the wanted one, such as a key in the place of a certificate. */
function noCertificate(path: string, text: string, hint: string): FileRefusal {
  if (text.includes('PRIVATE KEY-----')) return refused(`${path} holds a private key and no certificate`, hint);
  if (parseCertificate(Buffer.from(text, 'latin1')) === null)
    return refused(`${path} holds no certificate in PEM`, hint);
  const remedy = `make PEM of it with: openssl x509 -inform der -in ${path} -out NEW_FILE`;
  return refused(`${path} holds a certificate in DER, not in PEM`, remedy);
}

function noKey(path: string, text: string): FileRefusal {
  if (text.includes('ENCRYPTED')) {
    return refused(`${path} is locked with a passphrase`, `unlock it with: openssl pkey -in ${path} -out NEW_FILE`);
  }
  const isCertificate = text.includes('BEGIN CERTIFICATE-----');
  const found = isCertificate ? 'holds a certificate and no private key' : 'holds no private key in PEM';
  return refused(`${path} ${found}`, 'name the PEM file with the key of the certificate');
}

/** @param source  PEM or DER */
function parseCertificate(source: string | Buffer): X509Certificate | null {
  try {
    return new X509Certificate(source);
  } catch {
    return null;
  }
}

function parseKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function dateProblem(file: string, { validFromDate, validToDate }: X509Certificate): string | null {
  const now = epochMilliseconds();
  if (validToDate.getTime() < now) return `${file} has expired: it ended at ${timeText(validToDate)}`;
  if (validFromDate.getTime() > now) return `${file} does not hold before ${timeText(validFromDate)}`;
  return null;
}

/** `2026-11-22T06:00:00Z` */
function timeText(date: Date): string {
  return date.toISOString().replace('.000', '');
}

function refused(problem: string, hint: string): FileRefusal {
  return { kind: 'refused', problem, hint };
}
