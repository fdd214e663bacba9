// Real WebDAV servers behind a gateway that ends TLS. They compare the origin in Destination with their own origin, and their
// own origin is plain http: unless the gateway rewrites Destination, each COPY and MOVE of a visitor on https is a 502. RFC 4918 §10.3.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, requestText } from '../support/clients/raw-client.ts';
import { askTls } from '../support/clients/tls-client.ts';
import { ApacheSite, hasApacheDav } from '../support/peers/apache-site.ts';
import { hasNginx, NginxSite } from '../support/peers/nginx-site.ts';
import { CertificateFolder } from '../support/rigs/certificate-folder.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';

interface DavSite {
  readonly port: number;
  readonly root: string;
  close(): Promise<void>;
}

const sites: readonly (readonly [name: string, isThere: boolean, start: () => Promise<DavSite>])[] = [
  ['Apache with mod_dav', hasApacheDav, () => ApacheSite.start(['d'])],
  [
    'nginx with ngx_http_dav_module',
    hasNginx,
    async () => {
      const site = await NginxSite.start(
        { 'd/readme': 'x' },
        'dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; client_body_temp_path ROOT/../body;',
      );
      return { port: site.port, root: join(site.folder, 'root'), close: () => site.close() };
    },
  ],
];

describe.each(sites)('%s', (_name, isThere, start) => {
  let site: DavSite;
  let secure: TestGateway;
  let proxied: TestGateway;
  const certificates = new CertificateFolder();

  beforeEach((context) => {
    if (!isThere) context.skip('it is not installed');
  });

  beforeAll(async () => {
    if (!isThere) return;
    site = await start();
    const config = {
      upstreams: { dav: { servers: [`http://127.0.0.1:${site.port}`] } },
      routes: [{ name: 'd', path: '/d/', upstream: 'dav', accept: ['anyone' as const] }],
    };
    const made = certificates.issue({ names: ['media.example'] });
    const tls = { certificates: [{ cert_file: made.certFile, key_file: made.keyFile }] };
    secure = await startGateway({ config: { ...config, listeners: [{ address: '127.0.0.1:0', tls }] } });
    proxied = await startGateway({ config: { ...config, trusted_proxies: ['127.0.0.1'] } });
  });

  afterAll(async () => {
    await secure?.close();
    await proxied?.close();
    await site?.close();
    certificates.remove();
  });

  test.each([
    ['https://media.example/d/b', 'Host: media.example'],
    ['HTTPS://MEDIA.example:443/d/b', 'Host: media.example'],
    ['https://media.example:8443/d/b', 'Host: media.example:8443'],
  ])('copies to and moves to %s, as a visitor on https names it', async (destination, host) => {
    const put = requestText('PUT', '/d/a', [host, 'Content-Length: 2']);
    expect((await askTls(secure.port, {}, `${put}hi`)).status).toBeLessThan(300);
    for (const method of ['COPY', 'MOVE']) {
      const answer = await askTls(secure.port, {}, requestText(method, '/d/a', [host, `Destination: ${destination}`]));
      expect(answer.status, `${method} ${answer.text}`).toBeLessThan(300);
    }
    expect([existsSync(join(site.root, 'd/a')), existsSync(join(site.root, 'd/b'))]).toEqual([false, true]);
  });

  test('COPY works behind a trusted proxy that changed Host', async () => {
    const forwarded = ['Host: inner.example', 'X-Forwarded-Host: www.example', 'X-Forwarded-Proto: https'];
    const put = requestText('PUT', '/d/p', [...forwarded, 'Content-Length: 2']);
    expect((await askRaw(proxied.port, `${put}hi`)).status).toBeLessThan(300);
    const fields = [...forwarded, 'Destination: https://www.example/d/q'];
    expect((await askRaw(proxied.port, requestText('COPY', '/d/p', fields))).status).toBeLessThan(300);
    expect(existsSync(join(site.root, 'd/q'))).toBe(true);
  });
});
