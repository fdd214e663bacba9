// A real nginx behind the gateway: fields that the gateway adds to a request must not change the site's answers.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, requestText } from '../support/clients/raw-client.ts';
import { askTls } from '../support/clients/tls-client.ts';
import { hasNginx, NginxSite } from '../support/peers/nginx-site.ts';
import { CertificateFolder } from '../support/rigs/certificate-folder.ts';
import { startGateway, type TestGateway } from '../support/rigs/gateway.ts';

const page = `<!doctype html>${'<p>the same words again and again</p>\n'.repeat(2500)}`;

describe('nginx with gzip, as it comes', () => {
  let site: NginxSite;
  let gateway: TestGateway;

  beforeEach((context) => {
    if (!hasNginx) context.skip('nginx is not installed');
  });

  beforeAll(async () => {
    if (!hasNginx) return;
    site = await NginxSite.start({ 'a.html': page }, 'gzip on;');
    gateway = await startGateway({ config: configuration('off') });
  });

  afterAll(async () => {
    await gateway?.close();
    await site?.close();
  });

  function configuration(via: 'off' | 'on') {
    return {
      via,
      upstreams: { site: { servers: [`http://127.0.0.1:${site.port}`] } },
      routes: [{ name: 'all', path: '/', upstream: 'site', accept: ['anyone' as const] }],
    };
  }

  async function sizes(fields: readonly string[]): Promise<{ direct: number; through: number }> {
    const text = requestText('GET', '/a.html', fields);
    const [direct, through] = await Promise.all([askRaw(site.port, text), askRaw(gateway.port, text)]);
    return { direct: direct.body.length, through: through.body.length };
  }

  test('sends its pages as small through the gateway as without it', async () => {
    const { direct, through } = await sizes(['Accept-Encoding: gzip']);
    expect(direct).toBeLessThan(page.length / 10);
    expect(through).toBe(direct);
  });

  test('sends them whole to a client that asks for no coding', async () => {
    expect(await sizes([])).toEqual({ direct: page.length, through: page.length });
  });

  test('sends them whole where the configuration asks for Via', async () => {
    await gateway.reload(configuration('on'));
    expect((await sizes(['Accept-Encoding: gzip'])).through).toBe(page.length);
  });
});

describe('nginx that redirects to folders', () => {
  let site: NginxSite;
  let gateway: TestGateway;
  const certificates = new CertificateFolder();

  beforeEach((context) => {
    if (!hasNginx) context.skip('nginx is not installed');
  });

  beforeAll(async () => {
    if (!hasNginx) return;
    site = await NginxSite.start({ 'vod/film/index.html': 'film' }, '');
    const made = certificates.issue({ names: ['media.example'] });
    const tls = { certificates: [{ cert_file: made.certFile, key_file: made.keyFile }] };
    gateway = await startGateway({
      config: {
        listeners: [{ address: '127.0.0.1:0', tls }],
        upstreams: { site: { servers: [`http://127.0.0.1:${site.port}`] } },
        routes: [{ name: 'all', path: '/', upstream: 'site', accept: ['anyone', 'token'] }],
      },
    });
  });

  afterAll(async () => {
    await gateway?.close();
    await site?.close();
    certificates.remove();
  });

  test('keeps its visitors on https, and a token in the path with them', async () => {
    const direct = await askRaw(site.port, requestText('GET', '/vod/film'));
    expect(direct.header('Location')).toBe(`http://media.example:${site.port}/vod/film/`);
    const through = await askTls(gateway.port, {}, requestText('GET', '/vod/film'));
    expect(through.header('Location')).toBe('https://media.example/vod/film/');
    const prefix = `/.t/${gateway.mint()}`;
    const withToken = await askTls(gateway.port, {}, requestText('GET', `${prefix}/vod/film`));
    expect(withToken.header('Location')).toBe(`https://media.example${prefix}/vod/film/`);
  });
});
