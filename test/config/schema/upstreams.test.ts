// What the file may say about upstreams: addresses, weights, balance, ejection, checks, TLS files; and what it may not.

import { chmodSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UpstreamConfig } from '../../../gateway/config/compiled/upstream-config.ts';
import { formatProblem } from '../../../gateway/config/problems/format.ts';
import { TestAuthority } from '../../support/rigs/certificates.ts';
import { ConfigFolder, minimalYaml } from '../../support/rigs/config-folder.ts';

const authority = new TestAuthority();
const client = authority.issue({ subject: 'gateway' });
let folder: ConfigFolder;

beforeEach(() => {
  folder = new ConfigFolder();
});
afterEach(() => {
  folder.remove();
});

const yamlOf = (upstream: string) => minimalYaml.replace('{ servers: ["http://127.0.0.1:9000"] }', upstream);

function load(upstream: string): UpstreamConfig {
  const [first] = folder.config(yamlOf(upstream)).upstreams;
  if (first === undefined) throw new Error('no upstream');
  return first;
}

function warnings(upstream: string): string[] {
  const loaded = folder.load(yamlOf(upstream));
  if (loaded.kind === 'invalid') throw new Error(loaded.problems.map(formatProblem).join('\n'));
  return loaded.warnings.map(formatProblem).filter((line) => line.startsWith('upstreams.'));
}

const problems = (upstream: string) => folder.problems(yamlOf(upstream));

test('every form of an address is read', () => {
  const { servers, tls } = load(
    '{ servers: ["a.test:81", "http://B.test", "https://c.test", "https://[::1]:8443", "unix:run/app.sock", { address: "unix:/run/x", weight: 3 }] }',
  );
  expect(servers.map(({ authority: name, isTls, weight }) => [name, isTls, weight])).toEqual([
    ['a.test:81', false, 1],
    ['b.test', false, 1],
    ['c.test', true, 1],
    ['[::1]:8443', true, 1],
    [`unix:${folder.file('run/app.sock')}`, false, 1],
    ['unix:/run/x', false, 3],
  ]);
  expect(servers.map(({ address }) => (address.kind === 'tcp' ? address.port : address.path))).toEqual([
    81,
    80,
    443,
    8443,
    folder.file('run/app.sock'),
    '/run/x',
  ]);
  expect(tls).toEqual({
    caFile: null,
    serverName: null,
    verify: true,
    clientCertificateFile: null,
    clientKeyFile: null,
    minVersion: 'TLSv1.2',
  });
});

test.each([
  ['least_connections', { kind: 'least-connections' }],
  ['{ hash: path }', { kind: 'path' }],
  ['{ hash_header: X-Device }', { kind: 'header', name: 'x-device' }],
  ['{ hash_cookie: Id }', { kind: 'cookie', name: 'Id' }],
])('balance: %s', (text, balance) => {
  expect(load(`{ servers: ["a:1", "b:1"], balance: ${text} }`).balance).toEqual(balance);
});

test('ejection is on for groups, off for one server, and can be changed or switched off', () => {
  expect(load('{ servers: ["a:1"] }').ejection).toBeNull();
  expect(load('{ servers: ["a:1", "b:1"] }').ejection).toEqual({ failures: 5, forMs: 10_000 });
  expect(load('{ servers: ["a:1", "b:1"], ejection: { for: 1m } }').ejection).toEqual({ failures: 5, forMs: 60_000 });
  expect(load('{ servers: ["a:1", "b:1"], ejection: off }').ejection).toBeNull();
});

test('a health check has defaults for all but its path', () => {
  expect(load('{ servers: ["a:1"], health_check: { path: "/health?deep=1" } }').healthCheck).toEqual({
    path: '/health?deep=1',
    host: null,
    intervalMs: 5000,
    timeoutMs: 2000,
    expect: [[200, 399]],
    healthyAfter: 2,
    unhealthyAfter: 3,
  });
  const check = load(
    '{ servers: ["a:1"], health_check: { path: /, host: "A.test:81", expect: [200-204, 301] } }',
  ).healthCheck;
  expect([check?.host, check?.expect]).toEqual([
    'a.test:81',
    [
      [200, 204],
      [301, 301],
    ],
  ]);
});

test.each([
  ['{ servers: ["a:1"], balance: { hash: path, hash_cookie: a } }', 'upstreams.web.balance: hashes by more than one'],
  ['{ servers: ["a:1"], balance: { hash_header: "X Device" } }', 'upstreams.web.balance.hash_header: "X Device" is no'],
  ['{ servers: ["a:1"], balance: { hash_cookie: "a=b" } }', 'upstreams.web.balance.hash_cookie: "a=b" is no'],
  ['{ servers: ["a:1"], balance: { hash: query } }', 'upstreams.web.balance.hash: unknown part of the request "query"'],
  ['{ servers: ["a:1"], balance: least_conn }', 'unknown balance "least_conn" (one of least_connections)'],
  ['{ servers: ["a:1"], ejection: { failures: 0 } }', 'upstreams.web.ejection.failures: 0 is too small'],
  ['{ servers: ["a:1"], health_check: {} }', 'upstreams.web.health_check.path: is missing'],
  ['{ servers: ["a:1"], health_check: { path: health } }', 'begin with /'],
  ['{ servers: ["a:1"], health_check: { path: /, expect: [399-200] } }', 'ends before it begins'],
  ['{ servers: ["a:1"], health_check: { path: /, expect: ["2xx"] } }', 'is no range of statuses'],
  ['{ servers: [{ address: "a:1", weight: 0 }] }', 'upstreams.web.servers[0].weight: 0 is too small'],
  ['{ servers: ["a:1"], tls: {} }', 'upstreams.web.tls: no server of this upstream speaks TLS'],
  ['{ servers: ["https://a"], tls: { min_version: TLSv1.1 } }', 'unknown version "TLSv1.1"'],
  [
    '{ servers: ["https://a"], tls: { ca_file: none.pem } }',
    'upstreams.web.tls.ca_file: FOLDER/none.pem does not exist',
  ],
  ['{ servers: ["https://a"], tls: { ca_file: users } }', 'FOLDER/users holds no certificate in PEM'],
  ['{ servers: ["https://a"], tls: { client_certificate_file: c.pem } }', 'client_certificate_file: has no key'],
  ['{ servers: ["https://a"], tls: { client_key_file: c.key } }', 'client_key_file: has no certificate'],
  [
    '{ servers: ["https://a"], tls: { client_certificate_file: c.pem, client_key_file: other.key } }',
    'is not the key of',
  ],
  [
    '{ servers: ["https://a"], tls: { client_certificate_file: c.pem, client_key_file: c.pem } }',
    'holds a certificate and no private key',
  ],
  ['{ servers: ["https://a"], tls: { ca_file: broken.pem } }', 'certificate 2 in FOLDER/broken.pem is broken'],
])('%s is refused', (upstream, part) => {
  writeFileSync(folder.file('c.pem'), client.cert);
  writeFileSync(folder.file('c.key'), client.key, { mode: 0o600 });
  writeFileSync(folder.file('other.key'), authority.issue({}).key, { mode: 0o600 });
  writeFileSync(folder.file('broken.pem'), `${authority.cert}${authority.cert.replace(/M/g, 'A')}`);
  expect(problems(upstream)).toEqual([expect.stringContaining(part.replace('FOLDER', folder.path))]);
});

test.each([
  ['127.0.0.1:8080', 'http://127.0.0.1:8080', true],
  ['127.0.0.1:8080', 'http://localhost:8080', true],
  ['0.0.0.0:8080', 'http://[::1]:8080', true],
  ['10.0.0.5:80', 'http://10.0.0.5', true],
  ['10.0.0.5:80', 'http://127.0.0.1:80', false],
  ['127.0.0.1:8080', 'http://127.0.0.1:8081', false],
  ['127.0.0.1:0', 'http://127.0.0.1:9000', false],
])('a listener at %s and a server at %s: the server leads back, %s', (listener, server, leadsBack) => {
  const yaml = minimalYaml.replace('127.0.0.1:0', `"${listener}"`).replace('http://127.0.0.1:9000', server);
  const loaded = folder.load(yaml);
  const texts = loaded.kind === 'loaded' ? loaded.warnings.map(({ problem }) => problem) : ['not loaded'];
  expect(texts.filter((text) => !text.includes('plain text'))).toEqual(
    leadsBack ? ['is listeners[0] of this gateway: requests would go round'] : [],
  );
});

test('settings that are dangerous but allowed are warnings', () => {
  expect(warnings('{ servers: ["a:1"], balance: {} }')).toEqual([expect.stringContaining('balance: says nothing')]);
  writeFileSync(folder.file('c.pem'), client.cert);
  writeFileSync(folder.file('c.key'), client.key);
  chmodSync(folder.file('c.key'), 0o644);
  const found = warnings(
    '{ servers: ["https://a", "unix:/run/a", "http://b", "https://a:443"], tls: { verify: false, client_certificate_file: c.pem, client_key_file: c.key } }',
  );
  expect(found).toEqual([
    expect.stringContaining('servers[3]: the same server as servers[0]'),
    expect.stringContaining('servers[2]: is spoken to in plain text'),
    expect.stringContaining('tls.verify: anybody on the way can pretend'),
    expect.stringContaining(
      'tls.client_key_file: FOLDER/c.key can be read by every account'.replace('FOLDER', folder.path),
    ),
  ]);
  expect(found.join()).not.toContain('PRIVATE');
  const ended = authority.issue({ notBefore: new Date(0), notAfter: new Date(1e12) });
  writeFileSync(folder.file('c.pem'), ended.cert);
  writeFileSync(folder.file('c.key'), ended.key);
  chmodSync(folder.file('c.key'), 0o600);
  expect(
    warnings('{ servers: ["https://a"], tls: { client_certificate_file: c.pem, client_key_file: c.key } }'),
  ).toEqual([expect.stringContaining('tls.client_certificate_file: '.concat(folder.file('c.pem'), ' has expired'))]);
});
