// TLS on a listener: which certificate, which versions, resumed sessions, reloads, and what is no handshake at all.

import { randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RawClient, requestText } from '../../support/clients/raw-client.ts';
import { askTls, connectTls } from '../../support/clients/tls-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { type CertificateFiles, CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

describe('TLS', () => {
  let folder: CertificateFolder;
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  let current: { readonly certFile: string; readonly keyFile: string };
  let other: CertificateFiles;

  const fileOf = ({ certFile, keyFile }: { certFile: string; keyFile: string }) => ({
    cert_file: certFile,
    key_file: keyFile,
  });
  let config: FileInput;

  beforeAll(async () => {
    folder = new CertificateFolder();
    upstream = await RecordingUpstream.start();
    current = { certFile: join(folder.path, 'current.pem'), keyFile: join(folder.path, 'current.key') };
    const first = folder.issue({ names: ['first.test'] });
    copyFileSync(first.certFile, current.certFile);
    copyFileSync(first.keyFile, current.keyFile);
    other = folder.issue({ names: ['renewed.test'] });
    const certificates = [
      fileOf(current),
      fileOf(folder.issue({ names: ['*.b.test', 'b.test'] })),
      fileOf(folder.issue({ names: ['exact.b.test'] })),
    ];
    config = {
      listeners: [
        { address: '127.0.0.1:0', tls: { certificates } },
        { address: '127.0.0.1:0', tls: { certificates, min_version: '1.3' } },
      ],
      limits: { head_timeout: '1s' },
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'open', path: '/', upstream: 'web', accept: ['anyone'] },
        { name: 'closed', path: '/closed/', upstream: 'web', accept: ['password'] },
      ],
    };
    gateway = await startGateway({ config, users: { anna: 'a long pass phrase' } });
  });

  afterAll(async () => {
    await gateway?.close();
    await upstream?.close();
    folder?.remove();
  });

  test.each(['GET / HTTP/1.1\r\nHost: first.test\r\n\r\n', 'POST /a HTTP/1.0\r\n\r\n'])(
    'plain HTTP gets 400 in words: %j',
    async (head) => {
      const socket = connect(gateway.port, '127.0.0.1');
      socket.write(head);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n(.+\r\n)*Connection: close\r\n\r\nThis port speaks https\./);
      expect(upstream.requests).toEqual([]);
    },
  );

  beforeEach(() => upstream.clear());

  test('metrics say when each certificate ends, and what is in force beside it', async () => {
    mkdirSync(join(gateway.folder, 'data'), { recursive: true });
    const text = await gateway.scrape();
    const ends = Date.parse(new X509Certificate(readFileSync(current.certFile)).validTo) / 1000;
    expect(text).toContain(
      `latchkey_certificate_expiry_timestamp_seconds{certificate="${current.certFile}"} ${ends}\n`,
    );
    expect(text.match(/^latchkey_certificate_expiry_timestamp_seconds\{/gm)).toHaveLength(3);
    expect(text).toMatch(/^latchkey_build_info\{version="\d+\.\d+\.\d+[^"]*",node="\d+\.\d+\.\d+[^"]*"\} 1$/m);
    expect(text).toMatch(/^latchkey_data_folder_free_bytes [1-9]\d{5,}$/m);
    expect(text).not.toContain('=""');
  });

  test('access lines say the version of TLS', async () => {
    await askTls(gateway.port, {}, requestText('GET', '/says-tls', ['Connection: close']));
    const lines = await gateway.readLog('access', '/says-tls');
    expect(lines.at(-1)).toMatchObject({ path: '/says-tls', tls: 'TLSv1.3', protocol: 'HTTP/1.1' });
  });

  test.each([
    ['exact.b.test', 'DNS:exact.b.test'],
    ['EXACT.b.test', 'DNS:exact.b.test'],
    ['other.b.test', 'DNS:*.b.test, DNS:b.test'],
    ['b.test', 'DNS:*.b.test, DNS:b.test'],
    ['a.other.b.test', 'DNS:first.test'],
    ['unknown.test', 'DNS:first.test'],
    ['', 'DNS:first.test'],
  ])('a client that asks for %j is shown %s', async (servername, names) => {
    const before = gateway.metrics.tlsHandshakes;
    const { client, names: shown } = await connectTls(gateway.port, { servername });
    expect(shown).toBe(names);
    // a client that leaves before the other side is done too would count as a failed handshake, in a later test
    await expect.poll(() => gateway.metrics.tlsHandshakes).toBe(before + 1);
    client.destroy();
  });

  test('the upstream hears that it was https, and the client is what the socket says', async () => {
    const answer = await askTls(gateway.port, {}, requestText('GET', '/a?b=c'));
    expect(answer.status).toBe(200);
    expect(upstream.last.line).toBe('GET /a?b=c HTTP/1.1');
    expect(upstream.last.header('X-Forwarded-Proto')).toBe('https');
    expect(upstream.last.header('X-Forwarded-For')).toBe('127.0.0.1');
  });

  test('cookies are Secure, also on loopback', async () => {
    const basic = `Authorization: Basic ${Buffer.from('anna:a long pass phrase').toString('base64')}`;
    const answer = await askTls(gateway.port, {}, requestText('GET', '/closed/', [basic]));
    expect(answer.header('Set-Cookie')).toContain('; Secure');
  });

  test('RFC 9112 §3.2.2: an absolute target has the scheme of its connection', async () => {
    expect((await askTls(gateway.port, {}, requestText('GET', 'https://media.example/a'))).status).toBe(200);
    expect(upstream.last.line).toBe('GET /a HTTP/1.1');
    upstream.clear();
    expect((await askTls(gateway.port, {}, requestText('GET', 'http://media.example/a'))).status).toBe(400);
    expect(upstream.requests).toEqual([]);
  });

  test('pipelined requests and large bodies go through byte for byte', async () => {
    const body = randomBytes(512 * 1024);
    upstream.fallback = (request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n`);
      socket.write(request.body);
    };
    const { client } = await connectTls(gateway.port);
    client.write(requestText('POST', '/echo', [`Content-Length: ${body.length}`]));
    client.write(body);
    client.write(`${requestText('POST', '/echo', ['Content-Length: 2'])}hi${requestText('GET', '/last')}`);
    expect((await client.read()).body.equals(body)).toBe(true);
    expect((await client.read()).text).toBe('hi');
    expect((await client.read()).text).toBe('');
    client.destroy();
  });

  test.each([
    ['TLS 1.1', 0, { minVersion: 'TLSv1' as const, maxVersion: 'TLSv1.1' as const, ciphers: 'DEFAULT@SECLEVEL=0' }],
    ['a suite without forward secrecy', 0, { maxVersion: 'TLSv1.2' as const, ciphers: 'AES128-GCM-SHA256' }],
    [
      'a suite without authenticated encryption',
      0,
      { maxVersion: 'TLSv1.2' as const, ciphers: 'ECDHE-ECDSA-AES128-SHA256' },
    ],
    ['HTTP/2 alone', 0, { ALPNProtocols: ['h2'] }],
    ['TLS 1.2 where 1.3 is the least', 1, { maxVersion: 'TLSv1.2' as const }],
  ])('%s is refused and counted', async (_, listener, options) => {
    const failed = gateway.metrics.tlsHandshakesFailed;
    const port = gateway.edge.listening[listener]?.port ?? 0;
    await expect(connectTls(port, options)).rejects.toThrow();
    await expect.poll(() => gateway.metrics.tlsHandshakesFailed).toBe(failed + 1);
  });

  test('TLS 1.2 and 1.3 are spoken, and http/1.1 is agreed on', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const options = { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] };
      const before = gateway.metrics.tlsHandshakes;
      const { client, socket } = await connectTls(gateway.port, options);
      expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'http/1.1']);
      await expect.poll(() => gateway.metrics.tlsHandshakes).toBe(before + 1);
      client.destroy();
    }
  });

  test('a silent client and one that leaves end without an answer that could be taken for one', async () => {
    const failed = gateway.metrics.tlsHandshakesFailed;
    const silent = await RawClient.connect(gateway.port);
    await silent.ended();
    const leaving = connect(gateway.port, '127.0.0.1');
    await once(leaving, 'connect');
    leaving.resetAndDestroy();
    // clients of the tests before that left in the middle of a handshake may run into the same timeout
    await expect.poll(() => gateway.metrics.tlsHandshakesFailed).toBeGreaterThanOrEqual(failed + 2);
    silent.destroy();
    expect((await askTls(gateway.port, {}, requestText('GET', '/'))).status).toBe(200);
  });

  test('an answer that is cut off ends without a word of TLS, never in what looks like its end', async () => {
    upstream.script((_, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf'));
    const cut = await lastRecord();
    upstream.script((_, socket) => socket.end(okAnswer('ok')));
    expect([cut, await lastRecord()]).toEqual(['data, then FIN', 'alert, then FIN']);
  });

  /** What ends the connection of one request: TLS 1.2 shows of what kind its records are. */
  async function lastRecord(): Promise<string> {
    const pieces: Buffer[] = [];
    const relay = createServer((socket) => {
      const through = connect(gateway.port, '127.0.0.1');
      through.on('data', (chunk: Buffer) => pieces.push(chunk));
      through.on('error', () => pieces.splice(0));
      // nobody takes what the client still says
      through.on('close', () => socket.resume());
      socket.on('error', () => undefined);
      through.pipe(socket).pipe(through);
    });
    relay.listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { port } = relay.address() as AddressInfo;
    const { client, socket } = await connectTls(port, { maxVersion: 'TLSv1.2' });
    client.write(requestText('GET', '/', ['Connection: close']));
    await once(socket, 'close');
    await new Promise((resolve) => relay.close(resolve));
    const bytes = Buffer.concat(pieces);
    let kind = 0;
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) kind = bytes.readUInt8(at);
    return `${{ 21: 'alert', 23: 'data' }[kind] ?? kind}, then FIN`;
  }

  test('a client that closes after its request still gets the answer it asked for', async () => {
    const { client } = await connectTls(gateway.port);
    client.write(requestText('GET', '/', ['Connection: close']));
    expect((await client.read()).status).toBe(200);
    expect(await client.ended()).toHaveLength(0);
    client.destroy();
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s: a session is resumed on another connection, and counted',
    async (version) => {
      const options = { minVersion: version, maxVersion: version, servername: 'exact.b.test' };
      const first = await connectTls(gateway.port, options);
      first.client.write(requestText('GET', '/'));
      await first.client.read();
      const session = await first.session();
      first.client.destroy();
      const resumed = gateway.metrics.tlsSessionsResumed;
      const second = await connectTls(gateway.port, { ...options, session });
      expect([first.isResumed, second.isResumed]).toEqual([false, true]);
      second.client.write(requestText('GET', '/'));
      expect((await second.client.read()).status).toBe(200);
      expect(gateway.metrics.tlsSessionsResumed).toBe(resumed + 1);
      second.client.destroy();
      // with another secret the ticket is a stranger's
      gateway.edge.feed.tickets(randomBytes(32).toString('base64url'));
      const third = await connectTls(gateway.port, { ...options, session });
      expect(third.isResumed).toBe(false);
      third.client.destroy();
    },
  );

  test('a reload gives new handshakes the new certificate, while an answer under the old one runs on', async () => {
    let finish = () => undefined as unknown;
    upstream.script((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
      finish = () => socket.write('later');
    });
    const running = await connectTls(gateway.port);
    running.client.write(requestText('GET', '/'));
    await upstream.seen(1);
    copyFileSync(other.certFile, current.certFile);
    copyFileSync(other.keyFile, current.keyFile);
    await gateway.reload(config);
    const fresh = await connectTls(gateway.port);
    expect([running.names, fresh.names]).toEqual(['DNS:first.test', 'DNS:renewed.test']);
    fresh.client.destroy();
    finish();
    expect((await running.client.read()).text).toBe('firstlater');
    upstream.fallback = okAnswer('again');
    running.client.write(requestText('GET', '/'));
    expect((await running.client.read()).text).toBe('again');
    running.client.destroy();
  });

  test('no key and no ticket secret is ever logged', () => {
    expect(gateway.said()).not.toContain('PRIVATE KEY');
    expect(gateway.said()).not.toContain(other.key.split('\n')[1] ?? '-');
  });
});
