// A folder of certificates under one authority, as files that a configuration can name.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateWish, TestAuthority, type TestCertificate } from './certificates.ts';

/** A certificate, its key, and the files they are in. */
export interface CertificateFiles extends TestCertificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Certificates in a temporary folder. */
export class CertificateFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'latchkey-tls-'));
  readonly authorityFile: string = join(this.path, 'ca.pem');
  readonly #authority: TestAuthority;
  #made = 0;

  constructor(name = 'test authority') {
    this.#authority = new TestAuthority(name);
    writeFileSync(this.authorityFile, this.#authority.cert);
  }

  issue(wish: CertificateWish): CertificateFiles {
    const { cert, key } = this.#authority.issue(wish);
    const base = join(this.path, `c${++this.#made}`);
    const files = { certFile: `${base}.pem`, keyFile: `${base}.key`, cert, key };
    writeFileSync(files.certFile, cert);
    writeFileSync(files.keyFile, key, { mode: 0o600 });
    return files;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
