// Certificates for tests, made on the spot: an authority, and what it signs. P-256 and SHA-256, nothing else.
// The least of X.509 that TLS looks at, in DER by hand (RFC 5280 §4.1, X.690): no program and no file is needed.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its key, as PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateWish {
  /** Host names and addresses of subjectAltName. */
  readonly names?: readonly string[];
  /** Common name; nobody should look at it. Default `test`. */
  readonly subject?: string;
  /** Default: yesterday, and in ten years. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const dayMs = 86_400_000;

/** Signs certificates. */
export class TestAuthority {
  /** PEM of its own certificate. */
  readonly cert: string;
  readonly #name: string;
  readonly #key: KeyObject;

  constructor(name = 'test authority') {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#name = name;
    this.#key = pair.privateKey;
    this.cert = this.#sign(pair.publicKey, { subject: name }, true);
  }

  issue(wish: CertificateWish): TestCertificate {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    return { cert: this.#sign(pair.publicKey, wish, false), key: String(key) };
  }

  #sign(publicKey: KeyObject, wish: CertificateWish, isAuthority: boolean): string {
    const now = Date.now();
    const tbs = sequence(
      tagged(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
      ecdsaWithSha256,
      nameOf(this.#name),
      sequence(timeOf(wish.notBefore ?? new Date(now - dayMs)), timeOf(wish.notAfter ?? new Date(now + 3650 * dayMs))),
      nameOf(wish.subject ?? 'test'),
      publicKey.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(...extensions(wish.names ?? [], isAuthority))),
    );
    const signature = sign('sha256', tbs, this.#key);
    return pem(sequence(tbs, ecdsaWithSha256, tagged(0x03, Buffer.from([0]), signature)));
  }
}

function extensions(names: readonly string[], isAuthority: boolean): Buffer[] {
  const found = [extension('551d13', isAuthority ? sequence(Buffer.from([0x01, 0x01, 0xff])) : sequence())];
  if (names.length > 0) {
    const entries = names.map((name) =>
      isIP(name) === 4
        ? tagged(0x87, Buffer.from(name.split('.').map(Number)))
        : tagged(0x82, Buffer.from(name, 'latin1')),
    );
    found.push(extension('551d11', sequence(...entries)));
  }
  return found;
}

function extension(oid: string, value: Buffer): Buffer {
  return sequence(objectId(oid), tagged(0x04, value));
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('550403'), tagged(0x0c, Buffer.from(commonName)))));
}

/** UTCTime; good until 2049. */
function timeOf(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${digits}Z`));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'));
