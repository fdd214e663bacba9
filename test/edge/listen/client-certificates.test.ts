// Client certificates by host: who gets in, what the upstream hears, and that no connection and no resumed session
// carries one host's authentication to another (the family of CVE-2025-23419 and CVE-2025-68121).

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { askTls, connectTls } from '../../support/clients/tls-client.ts';
import { handshakeFields } from '../../support/clients/websocket.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { type CertificateFiles, CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { type FileInput, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

describe('client certificates', () => {
  let folder: CertificateFolder;
  let foreign: CertificateFolder;
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  let server: CertificateFiles;
  let anna: CertificateFiles;
  let stranger: CertificateFiles;
  let ended: CertificateFiles;
  let config: FileInput;
  const port = (listener: number) => gateway.edge.listening[listener]?.port ?? 0;
  const to = (host: string, target = '/') => requestText('GET', target, [`Host: ${host}`]);
  const fieldOf = ({ cert }: CertificateFiles) => `:${new X509Certificate(cert).raw.toString('base64')}:`;

  beforeAll(async () => {
    folder = new CertificateFolder();
    foreign = new CertificateFolder('Another Authority');
    upstream = await RecordingUpstream.start();
    server = folder.issue({ names: ['open.test', 'admin.test', '*.staff.test'] });
    anna = folder.issue({ subject: 'anna' });
    stranger = foreign.issue({ subject: 'anna' });
    ended = folder.issue({ subject: 'anna', notBefore: new Date(0), notAfter: new Date(1e12) });
    const certificates = [{ cert_file: server.certFile, key_file: server.keyFile }];
    const clients = (mode: 'optional' | 'required', hosts?: string[]) => ({
      ca_file: folder.authorityFile,
      mode,
      ...(hosts === undefined ? {} : { hosts }),
    });
    config = {
      listeners: [
        {
          address: '127.0.0.1:0',
          tls: { certificates, client_certificates: clients('required', ['admin.test', '*.staff.test']) },
        },
        { address: '127.0.0.1:0' },
        { address: '127.0.0.1:0', tls: { certificates, client_certificates: clients('optional') } },
      ],
      trusted_proxies: ['127.0.0.1'],
      upstreams: { web: { servers: [upstream.url] } },
      routes: [{ name: 'open', path: '/', upstream: 'web', accept: ['anyone'] }],
    };
    gateway = await startGateway({ config });
  });

  afterAll(async () => {
    await gateway?.close();
    await upstream?.close();
    folder?.remove();
    foreign?.remove();
  });

  beforeEach(() => upstream.clear());

  test('RFC 9440: a good certificate opens the host, and the upstream gets it in Client-Cert', async () => {
    for (const servername of ['admin.test', 'a.b.staff.test']) {
      const answer = await askTls(port(0), { servername, ...anna }, to(servername));
      expect(answer.status).toBe(200);
      expect(upstream.last.header('Client-Cert')).toBe(fieldOf(anna));
    }
  });

  test('Client-Cert and Client-Cert-Chain of a client go, on every listener, from trusted proxies too', async () => {
    const forged = ['Client-Cert: :AAAA:', 'client-cert-chain: :AAAA:', 'X-Forwarded-For: 192.0.2.9'];
    await askTls(
      port(0),
      { servername: 'admin.test', ...anna },
      requestText('GET', '/', ['Host: admin.test', ...forged]),
    );
    expect(upstream.last.all('Client-Cert')).toEqual([fieldOf(anna)]);
    expect(upstream.last.all('Client-Cert-Chain')).toEqual([]);
    await askTls(
      port(0),
      { servername: 'open.test', ...anna },
      requestText('GET', '/', ['Host: open.test', ...forged]),
    );
    expect(upstream.last.raw.toString('latin1').toLowerCase()).not.toContain('client-cert');
    await askRaw(port(1), requestText('GET', '/', ['Host: open.test', ...forged]));
    expect(upstream.last.raw.toString('latin1').toLowerCase()).not.toContain('client-cert');
  });

  test('without a certificate, or with one that is not good, the host answers 403 and the upstream hears nothing', async () => {
    for (const certificate of [{}, stranger, ended]) {
      const answer = await askTls(port(0), { servername: 'admin.test', ...certificate }, to('admin.test', '/secret'));
      expect(answer.status).toBe(403);
    }
    expect(upstream.requests).toEqual([]);
    const reasons = (await gateway.readLog('decisions', '/secret')).map((line) => line.decision);
    expect(reasons).toEqual(['deny:certificate-missing', 'deny:certificate-refused', 'deny:certificate-refused']);
  });

  test('attack: a page of another site opens no WebSocket with the certificate that the browser shows by itself', async () => {
    const upgrade = (host: string, ...origin: string[]) =>
      requestText('GET', '/ws', [`Host: ${host}`, ...handshakeFields(), ...origin]);
    const admin = (...origin: string[]) =>
      askTls(port(0), { servername: 'admin.test', ...anna }, upgrade('admin.test', ...origin));
    expect((await admin('Origin: https://evil.test')).status).toBe(403);
    expect(upstream.requests).toEqual([]);
    // programs say none, and a host that asks for nothing has nothing to protect
    expect((await admin()).status).toBe(200);
    expect((await admin('Origin: https://admin.test')).status).toBe(200);
    const open = await askTls(port(0), { servername: 'open.test' }, upgrade('open.test', 'Origin: https://evil.test'));
    expect(open.status).toBe(200);
  });

  test('a host without a policy is not asked for a certificate', async () => {
    const { client, socket } = await connectTls(port(0), { servername: 'open.test', ...anna });
    client.write(to('open.test'));
    expect((await client.read()).status).toBe(200);
    expect(upstream.last.header('Client-Cert')).toBeNull();
    expect(socket.getProtocol()).toBe('TLSv1.3');
    client.destroy();
  });

  test.each([
    ['open.test', 'admin.test'],
    ['admin.test', 'open.test'],
    ['', 'admin.test'],
    ['open.test', 'x.staff.test'],
  ])('RFC 9110 §15.5.20: a connection for %j is misdirected when it asks %s', async (servername, host) => {
    const { client } = await connectTls(port(0), { servername, ...anna });
    client.write(to(host, '/.latchkey/jwks.json') + to(host));
    expect((await client.read()).status).toBe(421);
    expect((await client.read()).status).toBe(421);
    expect(upstream.requests).toEqual([]);
    client.destroy();
  });

  test('a host that needs a certificate is misdirected on a listener that cannot ask for one', async () => {
    expect((await askRaw(port(1), to('admin.test'))).status).toBe(421);
    expect((await askTls(port(2), { servername: 'admin.test', ...anna }, to('admin.test'))).status).toBe(421);
    expect((await askRaw(port(1), to('open.test'))).status).toBe(200);
  });

  test('hosts of one policy share a connection', async () => {
    const { client } = await connectTls(port(0), { servername: 'admin.test', ...anna });
    client.write(to('admin.test') + to('x.staff.test'));
    expect([(await client.read()).status, (await client.read()).status]).toEqual([200, 200]);
    client.destroy();
  });

  test('optional: with a certificate the upstream hears of it, without one it does not, a wrong one is refused', async () => {
    expect((await askTls(port(2), { servername: 'open.test', ...anna }, to('open.test'))).status).toBe(200);
    expect(upstream.last.header('Client-Cert')).toBe(fieldOf(anna));
    expect((await askTls(port(2), { servername: 'open.test' }, to('open.test'))).status).toBe(200);
    expect(upstream.last.header('Client-Cert')).toBeNull();
    expect((await askTls(port(2), { servername: 'open.test', ...stranger }, to('open.test'))).status).toBe(403);
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('sessions of %s', (version) => {
    const versions = { minVersion: version, maxVersion: version };
    const sessionOf = async (servername: string, certificate: object) => {
      const { client, session } = await connectTls(port(0), { servername, ...versions, ...certificate });
      client.write(to(servername));
      const { status } = await client.read();
      const kept = await session();
      client.destroy();
      return { status, session: kept };
    };

    test('a resumed session keeps the certificate it was made with', async () => {
      const { session } = await sessionOf('admin.test', anna);
      const { client, isResumed } = await connectTls(port(0), { servername: 'admin.test', ...versions, session });
      client.write(to('admin.test'));
      expect([isResumed, (await client.read()).status]).toEqual([true, 200]);
      expect(upstream.last.header('Client-Cert')).toBe(fieldOf(anna));
      client.destroy();
    });

    test('a resumed session without a certificate, or with a wrong one, stays without', async () => {
      for (const certificate of [{}, stranger]) {
        const { session, status } = await sessionOf('admin.test', certificate);
        expect(status).toBe(403);
        const { client } = await connectTls(port(0), { servername: 'admin.test', ...versions, session });
        client.write(to('admin.test'));
        expect((await client.read()).status).toBe(403);
        client.destroy();
      }
    });

    test('CVE-2025-23419: a session of a host without a policy opens no host with one, and the other way round', async () => {
      const open = await sessionOf('open.test', {});
      const guarded = await connectTls(port(0), { servername: 'admin.test', ...versions, session: open.session });
      guarded.client.write(to('admin.test') + to('open.test'));
      expect(guarded.isResumed).toBe(false);
      expect([(await guarded.client.read()).status, (await guarded.client.read()).status]).toEqual([403, 421]);
      guarded.client.destroy();
      const admin = await sessionOf('admin.test', anna);
      upstream.clear();
      const crossed = await connectTls(port(0), { servername: 'open.test', ...versions, session: admin.session });
      crossed.client.write(to('open.test') + to('admin.test'));
      expect(crossed.isResumed).toBe(false);
      expect([(await crossed.client.read()).status, (await crossed.client.read()).status]).toEqual([200, 421]);
      expect(upstream.requests.map((request) => request.header('Client-Cert'))).toEqual([null]);
      crossed.client.destroy();
    });
  });

  test('a reload that asks for certificates holds for connections that are open, too', async () => {
    const { client } = await connectTls(port(0), { servername: 'open.test' });
    client.write(to('open.test'));
    expect((await client.read()).status).toBe(200);
    const [first, ...rest] = config.listeners ?? [];
    if (first?.tls?.client_certificates === undefined) throw new Error('the listener has no policy');
    const clients = { ...first.tls.client_certificates, hosts: ['admin.test', 'open.test'] };
    await gateway.reload({
      ...config,
      listeners: [{ ...first, tls: { ...first.tls, client_certificates: clients } }, ...rest],
    });
    client.write(to('open.test'));
    expect((await client.read()).status).toBe(421);
    client.destroy();
  });
});
