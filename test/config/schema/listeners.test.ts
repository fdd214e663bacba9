// What `check` says about listeners: certificates and keys, client certificates, redirects, PROXY headers.

import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatProblem } from '../../../gateway/config/problems/format.ts';
import { type CertificateFiles, CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { ConfigFolder, minimalYaml } from '../../support/rigs/config-folder.ts';
import { markedBlock } from '../../support/run/pages.ts';

let folder: ConfigFolder;
let certificates: CertificateFolder;
let good: CertificateFiles;

beforeAll(() => {
  folder = new ConfigFolder();
  certificates = new CertificateFolder();
  good = certificates.issue({ names: ['media.test'] });
});

afterAll(() => {
  folder.remove();
  certificates.remove();
});

const yamlWith = (listener: string) => minimalYaml.replace('{ address: 127.0.0.1:0 }', listener);
const withTls = (files: { certFile: string; keyFile: string }, more = '') =>
  yamlWith(
    `{ address: 0.0.0.0:0, tls: { certificates: [{ cert_file: ${files.certFile}, key_file: ${files.keyFile} }]${more} } }`,
  );
const warningsOf = (yaml: string) => {
  const loaded = folder.load(yaml);
  return loaded.kind === 'loaded' ? loaded.warnings.map(formatProblem) : [];
};

test('a listener with tls loads with its defaults, without the warning about plain text', () => {
  const config = folder.config(withTls(good));
  expect(config.listeners[0]?.tls).toEqual({
    certificates: [{ certFile: good.certFile, keyFile: good.keyFile }],
    minVersion: '1.2',
    clientCertificates: null,
  });
  expect(warningsOf(withTls(good))).toEqual([]);
});

test('min_version may stand without quotes, and is 1.2 or 1.3', () => {
  expect(folder.config(withTls(good, ', min_version: 1.3')).listeners[0]?.tls?.minVersion).toBe('1.3');
  expect(folder.config(withTls(good, ', min_version: "1.3"')).listeners[0]?.tls?.minVersion).toBe('1.3');
  expect(folder.problems(withTls(good, ', min_version: 1.1'))).toHaveLength(1);
});

test('a key of another certificate, a missing file, and a file that is no PEM are problems with a place and a hint', () => {
  const other = certificates.issue({ names: ['other.test'] });
  expect(folder.problems(withTls({ certFile: good.certFile, keyFile: other.keyFile }))).toEqual([
    `listeners[0].tls.certificates[0].key_file: ${other.keyFile} is not the key of ${good.certFile} (name the files that were made together)`,
  ]);
  const chain = join(certificates.path, 'chain.pem');
  writeFileSync(chain, `${good.cert}${other.cert}`);
  expect(folder.problems(withTls({ certFile: chain, keyFile: other.keyFile }))).toEqual([
    `listeners[0].tls.certificates[0].cert_file: ${chain} begins with another certificate than that of ${other.keyFile} (put the certificate of the key first, then its chain)`,
  ]);
  const missing = join(certificates.path, 'missing.pem');
  expect(folder.problems(withTls({ certFile: missing, keyFile: good.keyFile }))).toEqual([
    `listeners[0].tls.certificates[0].cert_file: ${missing} does not exist (name a PEM file)`,
  ]);
  const [problem = ''] = folder.problems(withTls({ certFile: good.keyFile, keyFile: good.keyFile }));
  expect(problem).toContain(`cert_file: ${good.keyFile} holds a private key and no certificate`);
  expect(folder.problems(withTls({ certFile: good.certFile, keyFile: good.certFile }))[0]).toContain(
    'holds a certificate and no private key',
  );
});

test('certificates in DER, and broken ones in a chain, are named as what they are', () => {
  const der = join(certificates.path, 'der.pem');
  writeFileSync(der, new X509Certificate(good.cert).raw);
  expect(folder.problems(withTls({ certFile: der, keyFile: good.keyFile }))).toEqual([
    expect.stringContaining(`${der} holds a certificate in DER, not in PEM (make PEM of it with: openssl x509 -inform`),
  ]);
  const chain = join(certificates.path, 'broken-chain.pem');
  writeFileSync(chain, `${good.cert}${good.cert.replace(/M/g, 'A')}`);
  expect(folder.problems(withTls({ certFile: chain, keyFile: good.keyFile }))).toEqual([
    `listeners[0].tls.certificates[0].cert_file: certificate 2 in ${chain} is broken (copy it again from its source)`,
  ]);
});

test('a key that is locked with a passphrase is a problem that says so, without a byte of it', () => {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const keyFile = join(certificates.path, 'locked.key');
  writeFileSync(keyFile, privateKey, { mode: 0o600 });
  const [problem = ''] = folder.problems(withTls({ certFile: good.certFile, keyFile }));
  expect(problem).toContain('is locked with a passphrase');
  expect(problem).not.toContain(privateKey.split('\n')[1]);
});

test('an expired certificate and a key that everybody may read are warnings', () => {
  const ended = certificates.issue({ names: ['media.test'], notBefore: new Date(0), notAfter: new Date(1e12) });
  expect(warningsOf(withTls(ended))).toEqual([
    expect.stringContaining('has expired: it ended at 2001-09-09T01:46:40Z'),
  ]);
  const open = certificates.issue({ names: ['media.test'] });
  chmodSync(open.keyFile, 0o644);
  expect(warningsOf(withTls(open))).toEqual([expect.stringContaining('can be read by every account')]);
});

test('client certificates: a file that is no bundle is a problem; a host without a route, or open on another listener, is a warning', () => {
  const clients = (text: string) => withTls(good, `, client_certificates: { ${text} }`);
  const authority = `ca_file: ${certificates.authorityFile}`;
  expect(folder.problems(clients(`ca_file: ${good.keyFile}, mode: required`))).toEqual([
    expect.stringContaining('listeners[0].tls.client_certificates.ca_file'),
  ]);
  expect(folder.problems(clients(`${authority}, mode: always`))).toHaveLength(1);
  expect(warningsOf(clients(`${authority}, mode: required, hosts: [admin.test]`))).toEqual([]);
  const routed = clients(`${authority}, mode: required, hosts: [admin.test]`).replace(
    'path: /',
    'host: b.test, path: /',
  );
  expect(warningsOf(routed)).toEqual([
    expect.stringContaining('no route has the host admin.test'),
    expect.stringContaining('no certificate of this listener is for b.test'),
  ]);
  const plain = clients(`${authority}, mode: required`).replace(
    'listeners: [',
    'listeners: [{ address: 127.0.0.1:0 }, ',
  );
  expect(warningsOf(plain)).toEqual([expect.stringContaining('listeners[0] serves the same hosts without')]);
});

test('redirects: true is port 443, never beside tls', () => {
  expect(folder.config(yamlWith('{ address: 0.0.0.0:0, redirect_to_https: true }')).listeners[0]?.redirectPort).toBe(
    443,
  );
  expect(folder.config(yamlWith('{ address: :0, redirect_to_https: 8443 }')).listeners[0]?.redirectPort).toBe(8443);
  expect(folder.config(yamlWith('{ address: :0, redirect_to_https: false }')).listeners[0]?.redirectPort).toBeNull();
  expect(folder.problems(yamlWith('{ address: :0, redirect_to_https: 0 }'))).toHaveLength(1);
  expect(folder.problems(withTls(good).replace('tls:', 'redirect_to_https: true, tls:'))).toEqual([
    expect.stringContaining('this listener speaks https already'),
  ]);
});

test('PROXY headers: the addresses that send them have to be named', () => {
  const from = (list: string) => yamlWith(`{ address: 127.0.0.1:0, proxy_protocol: { from: ${list} } }`);
  expect(folder.config(from('[10.0.0.0/8, "2001:db8::1"]')).listeners[0]?.proxyFrom).toEqual([
    '10.0.0.0/8',
    '2001:db8::1',
  ]);
  expect(folder.problems(from('[]'))).toHaveLength(1);
  expect(folder.problems(from('[everybody]'))).toHaveLength(1);
});

test('the listeners of config/README.md load', () => {
  const loaded = folder.load(minimalYaml.replace(/^listeners.*\n/m, markedBlock('tls config')));
  // its files are the reader's to bring
  const problems = loaded.kind === 'invalid' ? loaded.problems.map(({ problem }) => problem) : [];
  expect(problems).toHaveLength(5);
  expect(problems.every((problem) => problem.endsWith('does not exist'))).toBe(true);
});
