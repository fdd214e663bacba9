// Whatever a client claims about itself is gone before the gateway speaks: on every route, public ones included.
// gateway/RULES.md "Headers": Caddy CVE-2026-30851, oauth2-proxy CVE-2025-64484, Traefik CVE-2024-45410, fastify CVE-2026-3635.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let trusting: TestGateway;
let upstream: RecordingUpstream;
const user = ['X-Forwarded-User: user-1'];

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  const config = {
    upstreams: { web: { servers: [upstream.url] } },
    routes: [
      { name: 'app', path: '/app/', upstream: 'web', accept: ['token' as const] },
      { name: 'open', path: '/open/', upstream: 'web', accept: ['anyone' as const] },
      {
        name: 'custom',
        path: '/custom/',
        upstream: 'web',
        accept: ['token' as const],
        identity: { custom: { sub: 'X-Account' } },
      },
    ],
  };
  gateway = await startGateway({ config });
  trusting = await startGateway({ config: { ...config, trusted_proxies: ['127.0.0.0/8', '10.0.0.0/8', 'fd00::/8'] } });
});
afterAll(async () => {
  await gateway.close();
  await trusting.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, fields: readonly string[] = [], at = gateway): Promise<RawResponse> {
  return askRaw(at.port, requestText('GET', target, fields));
}

function bearer(): string {
  return `Authorization: Bearer ${gateway.mint()}`;
}

const claimed = [
  'X-Forwarded-User: root',
  'x-forwarded-email: root@example.org',
  'X-FORWARDED-GROUPS: admins',
  'X-Forwarded-Preferred-Username: root',
  'X-Forwarded-Access-Token: t',
  'X-Auth-Request-User: root',
  'X-Auth-Request-Groups: admins',
  'Remote-User: root',
  'Remote-Groups: admins',
  'Remote-Name: root',
  'Remote-Email: root@example.org',
  'X-Account: root',
  'X-Latchkey-Assertion: a.b.c',
  'X-Latchkey-Grant: g',
  'X-Latchkey-Device: d',
  'X-Latchkey-Amr: otp',
  'Latchkey-Token: t',
  'X-Forwarded-For: 192.0.2.1',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Uri: /admin',
  'X-Forwarded-Method: DELETE',
  'X-Forwarded-Port: 1',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-Anything: 1',
  'X-Original-URL: /admin',
  'X-Original-URI: /admin',
  'X-Original-Method: DELETE',
  'X-Rewrite-URL: /admin',
  'X-Real-IP: 192.0.2.1',
  'Forwarded: for=192.0.2.1;host=evil.example',
  'X-Request-Id: mine',
];

describe('what a client says about itself', () => {
  test('never arrives: signed in, anonymous, and where the claim is missing', async () => {
    await ask('/app/a', [...claimed, bearer()]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /app/a', { identity: user }));
    await ask('/open/a', claimed);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/a'));
    await ask('/open/a', [...claimed, bearer()]);
    expect(upstream.last.all('X-Forwarded-User')).toEqual([]);
    await ask('/custom/a', [...claimed, bearer()]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /custom/a', { identity: ['X-Account: user-1'] }));
  });

  test('repeated, among honest fields: these stay byte for byte', async () => {
    const sent = ['A: 1', 'X-Forwarded-User: root', 'B:2', 'Remote-User: root', 'X-Forwarded-User: root', 'C:  3  '];
    await ask('/open/a', sent);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/a', { fields: ['A: 1', 'B:2', 'C:  3  '] }));
  });

  test.each([
    'X_Forwarded_User: root',
    'X.Forwarded.User: root',
    'X-Forwarded_User: root',
    'Remote.User: root',
    'X_Latchkey_Assertion: a',
    'X_ACCOUNT: root',
    'X_Forwarded_For: 203.0.113.7',
    'Content_Length: 5',
    'X~Real~IP: 203.0.113.7',
  ])('spelled %s is dropped on every route, and the log names it', async (line) => {
    const name = line.slice(0, line.indexOf(':'));
    for (const [path, identity] of [
      ['/open', []],
      ['/app', user],
      ['/custom', ['X-Account: user-1']],
    ] as const) {
      const target = `${path}/${encodeURIComponent(name)}`;
      await ask(target, ['A: 1', line, 'client_id: 2', ...(path === '/open' ? [] : [bearer()])]);
      expect(seenHead(upstream.last)).toBe(
        forwardedHead(`GET ${target}`, { fields: ['A: 1', 'client_id: 2'], identity }),
      );
      const entry = (await gateway.readLog('access', target)).find(({ path }) => path === target);
      expect(entry?.hint).toContain(name);
    }
  });

  test('named by the hundred: the log shows a few of them', async () => {
    const lines = Array.from({ length: 90 }, (_, index) => `X_Forwarded_${'a'.repeat(index)}: 1`);
    await ask('/open/hundred', lines);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/hundred'));
    const entry = (await gateway.readLog('access', '/open/hundred')).find(({ path }) => path === '/open/hundred');
    expect(entry?.hint).toMatch(/X_Forwarded_aaaa and 85 more$/);
  });

  test.each(['X-Forwarded-User : root', 'X-Forwarded-User\t: root', 'X-Forwarded-Usér: root'])(
    'spelled %s is 400, and nothing is forwarded',
    async (line) => {
      const client = await RawClient.connect(gateway.port);
      client.write(requestText('GET', '/open/a', [line]) + requestText('GET', '/open/next'));
      const answer = await client.read();
      expect([answer.status, answer.header('Connection')]).toEqual([400, 'close']);
      expect((await client.ended()).toString('latin1')).toBe('');
      expect(upstream.requests).toEqual([]);
      client.destroy();
    },
  );

  test('decides nothing: not the path, not the host, not the health check of a prober', async () => {
    for (const line of ['X-Original-URL: /open/a', 'X-Forwarded-Uri: /open/a', 'X-Rewrite-URL: /open/a']) {
      expect((await ask('/app/a', [line])).status).toBe(401);
    }
    expect((await ask('/app/a', ['User-Agent: kube-probe/1.30'])).status).toBe(401);
    expect((await ask('/app/a', ['User-Agent: GoogleHC/1.0'])).status).toBe(401);
    expect(upstream.requests).toEqual([]);
  });
});

describe('Connection', () => {
  test('takes the fields away that it names, but none that the gateway says', async () => {
    await ask('/app/a', [
      'Connection: X-Forwarded-User, X-Secret, x-forwarded-for, X-Request-Id, Via, close',
      'X-Secret: 1',
      'X-Other: 2',
      bearer(),
    ]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /app/a', { fields: ['X-Other: 2'], identity: user }));
  });

  test('takes cookies and credentials away without hiding them from the decision', async () => {
    const pass = gateway.mint({}, 'pass');
    await ask('/app/a', ['Connection: Cookie', `Cookie: a=1; latchkey_pass=${pass}`]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /app/a', { identity: user }));
    await ask('/app/a', ['Connection: Authorization', bearer()]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /app/a', { identity: user }));
  });

  test('hop-by-hop fields end here', async () => {
    await ask('/open/a', [
      'Connection: keep-alive, Upgrade',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic dTpw',
      'TE: trailers',
      'Trailer: X-Forwarded-User',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/a'));
  });
});

describe('trailers', () => {
  test('are dropped', async () => {
    const head = 'POST /open/a HTTP/1.1\r\nHost: media.example\r\nTransfer-Encoding: chunked\r\n\r\n';
    await askRaw(gateway.port, `${head}3\r\nabc\r\n0\r\nX-Forwarded-User: root\r\nContent-Length: 5\r\n\r\n`);
    expect(upstream.last.body.toString('latin1')).toBe('3\r\nabc\r\n0\r\n\r\n');
  });
});

describe('addresses', () => {
  const chain = (...values: string[]) => values.map((value) => `X-Forwarded-For: ${value}`);
  const opens = async (ip: string, fields: readonly string[], at = trusting): Promise<number> =>
    (await ask('/app/a', [`Authorization: Bearer ${at.mint({ ips: [ip] })}`, ...fields], at)).status;

  test('without a list of proxies the neighbour is the client, whatever it says', async () => {
    expect(await opens('192.0.2.1', chain('192.0.2.1'), gateway)).toBe(403);
    expect(await opens('127.0.0.1', chain('192.0.2.1'), gateway)).toBe(200);
  });

  test('behind listed proxies the chain is walked from the right, and the client’s own words are dropped', async () => {
    const fields = chain('203.0.113.9, 192.0.2.1', '10.0.0.7');
    expect(await opens('192.0.2.1', fields)).toBe(200);
    expect(upstream.last.header('X-Forwarded-For')).toBe('192.0.2.1, 10.0.0.7, 127.0.0.1');
    expect(await opens('203.0.113.9', fields)).toBe(403);
  });

  test('mapped and unusual spellings of an address are one address', async () => {
    for (const spelled of ['::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201', '0:0:0:0:0:ffff:192.0.2.1']) {
      expect(`${spelled} ${await opens('192.0.2.1', chain(spelled))}`).toBe(`${spelled} 200`);
      expect(upstream.last.header('X-Forwarded-For')).toBe('192.0.2.1, 127.0.0.1');
    }
    expect(await opens('2001:db8::1', chain('2001:0DB8:0:0::1, fd00::5'))).toBe(200);
    expect(upstream.last.header('X-Forwarded-For')).toBe('2001:db8::1, fd00::5, 127.0.0.1');
  });

  test('what is no address ends the walk', async () => {
    for (const junk of ['unknown', '192.0.2.1:80', '', '192.0.2.300', '"[::1]"', 'fe80::1%eth0', '1.2.3']) {
      expect(await opens('10.0.0.7', chain(`192.0.2.1, ${junk}, 10.0.0.7`))).toBe(200);
      expect(upstream.last.header('X-Forwarded-For')).toBe('10.0.0.7, 127.0.0.1');
    }
  });

  test('hundreds of forged entries do not hide the client behind its proxy', async () => {
    const forged = Array.from({ length: 500 }, (_, index) => `203.0.113.${index % 250}`).join(', ');
    expect(await opens('192.0.2.1', chain(`${forged}, 192.0.2.1`))).toBe(200);
    expect(upstream.last.header('X-Forwarded-For')).toBe('192.0.2.1, 127.0.0.1');
    const proxies = Array.from({ length: 500 }, () => '10.0.0.1').join(', ');
    await opens('10.0.0.1', chain(proxies));
    expect(upstream.last.header('X-Forwarded-For')?.split(',')).toHaveLength(33);
  });

  test('a listed proxy’s word counts for scheme, host and request id: the last one, and none from others', async () => {
    const fields = [
      'X-Forwarded-Proto: ftp',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: client.example',
      'X-Forwarded-Host: public.example',
      'X-Request-Id: from-proxy',
    ];
    await ask('/open/a', fields, trusting);
    expect(upstream.last.raw.toString('latin1')).toBe(
      forwardedHead('GET /open/a', { forwardedProto: 'https', forwardedHost: 'public.example' }).replace(
        'X-Request-Id: ID',
        'X-Request-Id: from-proxy',
      ),
    );
    await ask('/open/a', ['X-Request-Id: a b', 'X-Forwarded-Proto: gopher'], trusting);
    expect(upstream.last.header('X-Request-Id')).not.toBe('a b');
    expect(upstream.last.header('X-Forwarded-Proto')).toBe('http');
  });

  test('identity headers are nobody’s to say, a listed proxy’s neither', async () => {
    await ask('/open/a', ['X-Forwarded-User: root', 'Remote-User: root', 'X-Latchkey-Assertion: a'], trusting);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /open/a'));
  });
});
