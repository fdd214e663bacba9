// Credentials with the content request: one answer carries the content and the token, and nothing remembers either.
// gateway/RULES.md "Passes" and "Tokens and caches", RFC 7617, RFC 7240 §2 (Prefer).

import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { gatewaySecret, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    users: { alice: 'correct horse', zoë: 'pässwörd' },
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [
        { name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'password'] },
        { name: 'one', path: '/one.mp4', upstream: 'media', accept: ['password'], max_token_ttl: '60s' },
        { name: 'host', host: 'h.example', path: '/', upstream: 'media', accept: ['password'], audience: ['p', 'q'] },
        { name: 'tokens', path: '/tokens/', upstream: 'media', accept: ['token'] },
        { name: 'either', path: '/either/', upstream: 'media', accept: ['anyone', 'password'] },
      ],
      trusted_proxies: ['127.0.0.1'],
      password_checks_per_second: 1000,
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function basic(user: string, password: string): string {
  return `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
const alice = basic('alice', 'correct horse');

async function ask(method: string, target: string, fields: readonly string[] = []): Promise<RawResponse> {
  for (;;) {
    const answer = await askRaw(gateway.port, requestText(method, target, fields));
    // a control that the machine gave no time to check says so, and nothing about the password
    if (answer.status !== 503) return answer;
  }
}

/** Outcomes of password checks that control has counted. */
async function checks(): Promise<number> {
  const lines = (await gateway.scrape())
    .split('\n')
    .filter((line) => line.startsWith('latchkey_password_checks_total'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
}

function passOf(answer: RawResponse): string {
  const [cookie = ''] = answer.all('Set-Cookie').filter((line) => line.startsWith('latchkey_pass='));
  return cookie.slice('latchkey_pass='.length, cookie.indexOf(';'));
}

describe('content and token come in one answer', () => {
  test('the upstream’s 200 and body, with the pass as a cookie for the route, and nobody may store it', async () => {
    upstream.fallback = okAnswer('#EXTM3U', ['Cache-Control: public, max-age=600', 'Expires: tomorrow', 'ETag: "e"']);
    const answer = await ask('GET', '/vod/a.m3u8', [alice, 'Cookie: other=1']);
    expect([answer.status, answer.text]).toEqual([200, '#EXTM3U']);
    expect(answer.all('Set-Cookie')).toEqual([
      `latchkey_pass=${passOf(answer)}; Path=/vod/; Max-Age=3600; HttpOnly; SameSite=Lax`,
    ]);
    expect(answer.all('Cache-Control')).toEqual(['private, no-store']);
    expect([answer.all('Expires'), answer.header('ETag'), answer.header('Latchkey-Token')]).toEqual([[], '"e"', null]);
    expect(seenHead(upstream.last)).toBe(
      forwardedHead('GET /vod/a.m3u8', { fields: ['Cookie: other=1'], identity: ['X-Forwarded-User: alice'] }),
    );
  });

  test('the token names the common key, the user, the user record, the route and its end, and no secret', async () => {
    const before = epochSeconds();
    const token = passOf(await ask('GET', '/vod/a', [alice]));
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', kid: 'k1', typ: 'lp+jwt' });
    const { payload } = await jwtVerify(token, gatewaySecret);
    expect(payload).toEqual({
      iss: 'latchkey',
      sub: 'alice',
      cred: { id: expect.stringMatching(/^c_[a-z2-7]{12}$/), v: 1 },
      n: [expect.stringMatching(/^cr_c_[a-z2-7]{12}$/)],
      v: ['none', 0],
      hosts: ['media.example'],
      paths: ['/vod/*'],
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 3600,
    });
    // the edge's clock may be a little behind, and the check may have taken long
    expect(payload.iat).toBeGreaterThanOrEqual(before - 2);
    expect(payload.iat).toBeLessThanOrEqual(epochSeconds());
  });

  test('the token is no longer than the route allows, and no wider than the route: path, host, audience', async () => {
    const one = decodeJwt(passOf(await ask('GET', '/one.mp4', [alice])));
    expect([one.paths, (one.exp ?? 0) - (one.iat ?? 0)]).toEqual([['/one.mp4'], 60]);
    const host = decodeJwt(passOf(await ask('GET', '/x', [alice, 'Host: h.example'])));
    expect([host.paths, host.hosts, host.aud]).toEqual([['/*'], ['h.example'], ['p']]);
  });

  test('the pass opens what the password opened, as a cookie and as a bearer token, without a check', async () => {
    for (const [target, host] of [
      ['/vod/b.ts', 'media.example'],
      ['/one.mp4', 'media.example'],
      ['/x', 'h.example'],
    ] as const) {
      const pass = passOf(await ask('GET', target, [alice, `Host: ${host}`]));
      const before = await checks();
      for (const line of [`Cookie: latchkey_pass=${pass}`, `Authorization: Bearer ${pass}`]) {
        const answer = await ask('GET', target, [line, `Host: ${host}`]);
        expect([answer.status, answer.all('Set-Cookie')]).toEqual([200, []]);
        expect(upstream.last.header('X-Forwarded-User')).toBe('alice');
      }
      expect(await checks()).toBe(before);
    }
  });

  test('a program that prefers the token gets it in a header as well', async () => {
    for (const prefer of ['token', 'respond-async, Token', 'return=minimal,token']) {
      const answer = await ask('GET', '/vod/a', [alice, `Prefer: ${prefer}`]);
      expect(answer.header('Latchkey-Token')).toBe(passOf(answer));
      expect(answer.header('Preference-Applied')).toBe('token');
    }
    expect((await ask('GET', '/vod/a', [alice, 'Prefer: tokens'])).header('Latchkey-Token')).toBeNull();
  });

  test('an upstream cannot hand out a token of its own in our name', async () => {
    upstream.fallback = okAnswer('x', ['Latchkey-Token: forged', 'Set-Cookie: latchkey_pass=forged; Path=/']);
    const answer = await ask('GET', '/vod/a', [alice, 'Prefer: token']);
    expect(answer.all('Latchkey-Token')).toEqual([passOf(answer)]);
    expect(answer.all('Set-Cookie')).toHaveLength(1);
    expect(answer.head).not.toContain('forged');
  });

  test('no content, no token', async () => {
    for (const status of ['404 Not Found', '500 Oops']) {
      upstream.fallback = `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`;
      const answer = await ask('GET', '/vod/a', [alice, 'Prefer: token']);
      expect([answer.all('Set-Cookie'), answer.all('Latchkey-Token')]).toEqual([[], []]);
    }
  });

  test('HEAD, POST with a body, and a second request on the connection work alike', async () => {
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('HEAD', '/vod/a', [alice]));
    upstream.script('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n');
    expect(passOf(await client.read('HEAD'))).not.toBe('');
    client.write(
      requestText('POST', '/vod/a', [alice, 'Content-Length: 4']).concat('body', requestText('GET', '/vod/b')),
    );
    const second = await client.read();
    expect([second.status, passOf(second) !== '', upstream.last.body.toString()]).toEqual([200, true, 'body']);
    expect((await client.read()).status).toBe(401);
    client.destroy();
  });

  test('names and passwords are UTF-8, in whatever normal form', async () => {
    for (const form of ['NFC', 'NFD'] as const) {
      const answer = await ask('GET', '/vod/a', [basic('zoë'.normalize(form), 'pässwörd')]);
      expect(answer.status).toBe(200);
      expect(upstream.last.header('X-Forwarded-User')).toBe(Buffer.from('zoë').toString('latin1'));
    }
  });
});

describe('which credential decides', () => {
  test('a valid token beside Basic decides alone, and no password is checked', async () => {
    const before = await checks();
    const wrong = basic('alice', 'wrong');
    const token = gateway.mint({ sub: 'by-token' });
    const pass = gateway.mint({ sub: 'by-token' }, 'pass');
    for (const [target, fields] of [
      [`/.t/${token}/vod/a`, [wrong]],
      [`/vod/a?token=${token}`, [wrong]],
      ['/vod/a', [wrong, `Cookie: latchkey_pass=${pass}`]],
      ['/vod/a', [alice, `Cookie: latchkey_pass=${pass}`]],
    ] as const) {
      const answer = await ask('GET', target, fields);
      expect([answer.status, answer.all('Set-Cookie')]).toEqual([200, []]);
      expect(seenHead(upstream.last)).toBe(forwardedHead('GET /vod/a', { identity: ['X-Forwarded-User: by-token'] }));
    }
    expect(await checks()).toBe(before);
  });

  test('a wrong token beside a right password is refused, and no password is checked', async () => {
    const before = await checks();
    const expired = gateway.mint({ exp: epochSeconds() - 60 });
    for (const target of [`/.t/${expired}/vod/a`, `/vod/a?token=${expired}`]) {
      expect((await ask('GET', target, [alice])).status).toBe(401);
    }
    expect(upstream.requests).toEqual([]);
    expect(await checks()).toBe(before);
  });

  test('an expired pass cookie beside valid credentials gets a new one', async () => {
    for (const bad of [gateway.mint({ exp: epochSeconds() - 60, paths: ['/vod/*'] }, 'pass'), 'nonsense']) {
      const answer = await ask('GET', '/vod/a', [alice, `Cookie: latchkey_pass=${bad}`]);
      expect(answer.status).toBe(200);
      expect(answer.all('Set-Cookie')).toHaveLength(1);
      const again = await ask('GET', '/vod/a', [`Cookie: latchkey_pass=${passOf(answer)}`]);
      expect(again.status).toBe(200);
    }
  });

  test('a pass for something else beside valid credentials does not stop them', async () => {
    const elsewhere = gateway.mint({ paths: ['/elsewhere/*'] }, 'pass');
    expect((await ask('GET', '/vod/a', [alice, `Cookie: latchkey_pass=${elsewhere}`])).status).toBe(200);
  });

  test('a wrong password is refused where anyone may pass as well', async () => {
    expect((await ask('GET', '/either/a', [basic('alice', 'wrong-either')])).status).toBe(401);
    expect((await ask('GET', '/either/a')).status).toBe(200);
  });

  test('Basic on a route without passwords is the upstream’s own', async () => {
    const before = await checks();
    expect((await ask('GET', `/tokens/a?token=${gateway.mint()}`, [alice])).status).toBe(200);
    expect(upstream.last.fields).toContain(alice);
    expect((await ask('GET', '/tokens/a', [alice])).status).toBe(401);
    expect(await checks()).toBe(before);
  });
});

describe('a refusal', () => {
  const anonymous = (answer: RawResponse) =>
    `${answer.head}\n${answer.text}`.replaceAll(answer.header('X-Request-Id') ?? '', 'ID');

  test('says the same for an unknown user, a wrong password and a user in another case', async () => {
    const wrong = await ask('GET', '/vod/a', [basic('alice', 'wrong')]);
    expect(wrong.status).toBe(401);
    expect(wrong.all('WWW-Authenticate')).toEqual(['Basic realm="vod", charset="UTF-8"', 'Bearer realm="vod"']);
    for (const line of [basic('nobody', 'wrong'), basic('Alice', 'correct horse'), basic('alice', '')]) {
      expect(anonymous(await ask('GET', '/vod/a', [line]))).toBe(anonymous(wrong));
    }
    expect(upstream.requests).toEqual([]);
  });

  test.each([
    ['no base64', 'Authorization: Basic !!!'],
    ['base64 without padding', 'Authorization: Basic YTpi YTpi'],
    ['no colon', `Authorization: Basic ${Buffer.from('alice').toString('base64')}`],
    ['no name', basic('', 'x')],
    ['a control character', basic('alice', 'a\u0000b')],
    ['bytes that are not UTF-8', `Authorization: Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`],
    ['nothing', 'Authorization: Basic'],
  ])('of %s asks nobody', async (_what, line) => {
    const before = await checks();
    const answer = await ask('GET', '/vod/a', [line]);
    expect([answer.status, upstream.requests.length, await checks()]).toEqual([401, 0, before]);
  });

  test('of guess after guess becomes 429 with Retry-After, for unknown users as well', async () => {
    for (const name of ['alice', 'nobody-2']) {
      const from = `X-Forwarded-For: 192.0.2.${name.length}`;
      const guess = (number: number) => ask('GET', '/vod/a', [basic(name, `guess ${number}`), from]);
      for (let number = 0; number < 5; number++) expect((await guess(number)).status).toBe(401);
      // the first wait is a second, which a busy machine may let pass; each guess in vain doubles it
      let number = 5;
      let refused = await guess(number);
      while (refused.status === 401 && number < 10) refused = await guess(++number);
      expect(refused.status).toBe(429);
      expect(Number(refused.header('Retry-After'))).toBeGreaterThan(0);
    }
    expect(upstream.requests).toEqual([]);
  });
});

describe('cookies', () => {
  test('are Secure where the client came over TLS', async () => {
    const answer = await ask('GET', '/vod/a', [alice, 'X-Forwarded-Proto: https']);
    expect(answer.header('Set-Cookie')).toMatch(/; Path=\/vod\/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure$/);
  });
});

describe('nothing remembers', () => {
  test('issuing fills no cache; the first use of the token does', async () => {
    const entries = async () =>
      Number(/^latchkey_decision_cache_entries (\d+)/m.exec(await gateway.scrape())?.[1] ?? Number.NaN);
    const before = await entries();
    // no other test uses a pass of hers: two that are made in one second for one account are the same bytes
    const pass = passOf(await ask('GET', '/vod/a', [basic('zoë', 'pässwörd')]));
    expect(await entries()).toBe(before);
    await ask('GET', '/vod/a', [`Cookie: latchkey_pass=${pass}`]);
    expect(await entries()).toBe(before + 1);
  });

  test('the logs know who and which route, and neither token nor password', async () => {
    const answer = await ask('GET', '/vod/logged', [alice, 'Prefer: token']);
    const lines = await gateway.readLog('access', '/vod/logged');
    const line = lines.find(({ path }) => path === '/vod/logged');
    expect(line).toMatchObject({ user: 'alice', route: 'vod', status: 200, decision: 'allow:password' });
    expect(line).not.toHaveProperty('token');
    const everything = JSON.stringify(lines) + gateway.said();
    const [header = '', message = '', mac = ''] = passOf(answer).split('.');
    expect(header).not.toBe('');
    for (const secret of [message, mac, 'correct horse', alice.split(' ').at(-1) ?? '']) {
      expect(everything).not.toContain(secret);
    }
  });
});

test('a reload that takes the route away while its password is checked ends in an answer, not in a crash', async () => {
  const own = await startGateway({
    users: { alice: 'correct horse' },
    config: {
      upstreams: { media: { servers: [upstream.url] }, spare: { servers: [upstream.url] } },
      routes: [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['password'] }],
    },
  });
  try {
    const before = own.snapshot;
    const [vod] = before.config.routes;
    if (vod === undefined) throw new Error('no route');
    const running = askRaw(own.port, requestText('GET', '/vod/a', [basic('alice', 'correct horse')]));
    // read, and so asked about: the hash takes many turns of the loop, and the new configuration comes in this one
    while (own.metrics.bytesIn === 0) await new Promise((resolve) => setImmediate(resolve));
    own.edge.feed.snapshot({
      ...before,
      seq: before.seq + 1,
      config: {
        ...before.config,
        upstreams: before.config.upstreams.filter(({ name }) => name === 'spare'),
        routes: [{ ...vod, name: 'other', path: '/', upstream: 'spare', accept: ['anyone'] }],
      },
    });
    expect((await running).status).toBe(503);
    expect(upstream.requests).toEqual([]);
    expect((await askRaw(own.port, requestText('GET', '/after'))).status).toBe(200);
  } finally {
    await own.close();
  }
});

test('without control a password cannot be checked, which is 503, and tokens go on', async () => {
  const own = await startGateway({
    users: { alice: 'correct horse' },
    config: {
      upstreams: { media: { servers: [upstream.url] } },
      routes: [{ name: 'vod', path: '/vod/', upstream: 'media', accept: ['token', 'password'] }],
    },
  });
  try {
    await own.control.close();
    const answer = await askRaw(own.port, requestText('GET', '/vod/a', [alice]));
    expect([answer.status, answer.header('Retry-After')]).toEqual([503, '1']);
    expect(upstream.requests).toEqual([]);
    const token = [`Authorization: Bearer ${own.mint()}`];
    expect((await askRaw(own.port, requestText('GET', '/vod/a', token))).status).toBe(200);
  } finally {
    await own.close();
  }
});
