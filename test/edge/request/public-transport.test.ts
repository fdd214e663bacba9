// Cookies, origins and HSTS follow what the configuration says of how visitors come, and not the last hop: here that is always plain
// HTTP over loopback, as from a proxy that ends TLS and was forgotten in `trusted_proxies`.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { CertificateFolder } from '../../support/rigs/certificate-folder.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';
import { MemberRig } from '../../support/rigs/member-rig.ts';

describe('where public_url is https, the last hop plain HTTP over loopback from a proxy that nobody named', () => {
  let rig: MemberRig;
  beforeAll(async () => {
    rig = await MemberRig.start({
      config: {
        portal: { public_url: 'https://portal.example' },
        // of another neighbour
        trusted_proxies: ['198.51.100.7'],
      },
    });
  });
  afterAll(() => rig.close());
  beforeEach(() => rig.reset());

  test('attack: cookies in the clear. A session counts by its __Host- name only, and ends by it, Secure', async () => {
    const session = rig.session();
    expect((await rig.ask('GET', '/club/a', `Cookie: __Host-latchkey=${session}`)).status).toBe(200);
    rig.reset();
    const plain = await rig.ask('GET', '/club/a', `Cookie: latchkey=${session}`);
    expect([plain.status, rig.upstream.requests]).toEqual([401, []]);
    const bad = await rig.ask('GET', '/club/a', 'Cookie: __Host-latchkey=x');
    expect(bad.all('Set-Cookie')).toEqual(['__Host-latchkey=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure']);
  });

  test('attack: cookies in the clear. The word of somebody who is not trusted makes them no less', async () => {
    for (const said of ['X-Forwarded-Proto: http', 'X-Forwarded-Proto: https', 'Forwarded: proto=http']) {
      const plain = await rig.ask('GET', '/club/a', said, `Cookie: latchkey=${rig.session()}`);
      expect(plain.status, said).toBe(401);
    }
  });

  test('a pass for a member is Secure, and so is what clears one', async () => {
    const first = await rig.ask('GET', '/vod/summer/a', `Cookie: __Host-latchkey=${rig.session()}`);
    expect(first.all('Set-Cookie')).toEqual([
      expect.stringMatching(/^latchkey_pass=ey.*; Path=\/vod\/summer\/; .*; SameSite=Lax; Secure$/),
    ]);
    const cleared = await rig.ask('GET', '/vod/a', 'Cookie: latchkey_pass=x');
    expect(cleared.header('Set-Cookie')).toMatch(/^latchkey_pass=; .*; Secure$/);
  });

  test('the site gets and sets neither name', async () => {
    const both = `Cookie: a=1; latchkey=planted; __Host-latchkey=${rig.session()}; latchkey_flow=x; __Host-latchkey_flow=y`;
    rig.upstream.fallback = okAnswer('ok', [
      'Set-Cookie: latchkey=evil',
      'Set-Cookie: __Host-latchkey=evil',
      'Set-Cookie: b=2',
    ]);
    const answer = await rig.ask('GET', '/club/a', both);
    expect([answer.status, answer.all('Set-Cookie')]).toEqual([200, ['b=2']]);
    expect(rig.upstream.last.all('Cookie')).toEqual(['a=1']);
  });
});

describe('what follows the scheme beside cookies', () => {
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  beforeAll(async () => {
    upstream = await RecordingUpstream.start();
    gateway = await startGateway({
      users: { alice: 'correct horse' },
      config: {
        portal: { public_url: 'https://portal.example' },
        trusted_proxies: ['198.51.100.7'],
        upstreams: { web: { servers: [upstream.url] } },
        routes: [
          {
            name: 'open',
            path: '/open/',
            upstream: 'web',
            accept: ['anyone'],
            response: { security_headers: 'strict' },
          },
          { name: 'vod', path: '/vod/', upstream: 'web', accept: ['password'] },
          { name: 'live', path: '/live/', upstream: 'web', accept: ['token'] },
        ],
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  test('HSTS is said: the visitor came by https', async () => {
    upstream.fallback = okAnswer('ok', []);
    const answer = await askRaw(gateway.port, requestText('GET', '/open/a', []));
    expect(answer.all('Strict-Transport-Security')).toEqual(['max-age=31536000']);
  });

  test('attack: a token in the clear. A site’s own http:// address is the visitor’s https://, the token of a path with it', async () => {
    upstream.fallback = 'HTTP/1.1 302 Found\r\nLocation: http://media.example/live/b\r\nContent-Length: 0\r\n\r\n';
    const token = gateway.mint({ paths: ['/live/*'] });
    const answer = await askRaw(gateway.port, requestText('GET', `/.t/${token}/live/a`, []));
    expect([answer.status, answer.header('Location')]).toEqual([302, `https://media.example/.t/${token}/live/b`]);
  });

  test('a password becomes a Secure pass', async () => {
    const basic = `Authorization: Basic ${Buffer.from('alice:correct horse').toString('base64')}`;
    const answer = await askRaw(gateway.port, requestText('GET', '/vod/a', [basic]));
    expect(answer.header('Set-Cookie')).toMatch(/^latchkey_pass=ey.*; Secure$/);
  });

  test('attack: a page of http://, which others on its network may have written, opens no WebSocket with a cookie', async () => {
    const statusOf = async (origin: string) => {
      const fields = [
        ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        `Cookie: latchkey_pass=${gateway.mint({}, 'pass')}`,
        `Origin: ${origin}`,
      ];
      upstream.clear();
      const { status } = await askRaw(gateway.port, requestText('GET', '/live/a', fields));
      return [status, upstream.requests.length];
    };
    expect(await statusOf('http://media.example')).toEqual([403, 0]);
    expect((await statusOf('https://media.example'))[1]).toBe(1);
  });
});

describe('passes for passwords where there is no portal', () => {
  const basic = `Authorization: Basic ${Buffer.from('alice:correct horse').toString('base64')}`;
  const routes = [{ name: 'vod', path: '/vod/', upstream: 'web', accept: ['password' as const] }];

  async function cookieOf(gateway: TestGateway, ...fields: string[]): Promise<string | null> {
    return (await askRaw(gateway.port, requestText('GET', '/vod/a', [basic, ...fields]))).header('Set-Cookie');
  }

  test('are Secure on every listener when one of them ends TLS', async () => {
    const upstream = await RecordingUpstream.start();
    const folder = new CertificateFolder();
    const { certFile, keyFile } = folder.issue({ names: ['media.example'] });
    const tls = { certificates: [{ cert_file: certFile, key_file: keyFile }] };
    const gateway = await startGateway({
      users: { alice: 'correct horse' },
      config: {
        listeners: [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0', tls }],
        upstreams: { web: { servers: [upstream.url] } },
        routes,
      },
    });
    try {
      expect(await cookieOf(gateway)).toMatch(/; Secure$/);
    } finally {
      await gateway.close();
      await upstream.close();
      folder.remove();
    }
  });

  test('where nothing is said, anybody’s word that TLS ended in front makes them Secure, and nobody’s takes that away', async () => {
    const upstream = await RecordingUpstream.start();
    const gateway = await startGateway({
      users: { alice: 'correct horse' },
      config: { upstreams: { web: { servers: [upstream.url] } }, routes },
    });
    try {
      expect(await cookieOf(gateway, 'X-Forwarded-Proto: https')).toMatch(/; Secure$/);
      expect(await cookieOf(gateway, 'X-Forwarded-Proto: https', 'X-Forwarded-Proto: http')).toMatch(/; Secure$/);
      expect(await cookieOf(gateway)).toMatch(/; SameSite=Lax$/);
      // in nothing else: the site hears what the listener knows
      expect(upstream.requests.map((request) => request.all('X-Forwarded-Proto'))).toEqual([
        ['http'],
        ['http'],
        ['http'],
      ]);
    } finally {
      await gateway.close();
      await upstream.close();
    }
  });
});
