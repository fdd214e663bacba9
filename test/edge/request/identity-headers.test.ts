// What the upstream learns about who asks: headers by preset, the signed assertion, and where the request came from.
// gateway/RULES.md "Identity headers to the upstream".

import { createHmac } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { epochSeconds } from '../../../gateway/telemetry/clock.ts';
import { askRaw, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { forwardedHead, seenHead } from '../../support/peers/forwarded-head.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { gatewaySecret, startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;
const claims = {
  sub: 'user-1',
  email: 'u@example.org',
  name: 'Zoë Ünal',
  preferred_username: 'zoe',
  groups: ['admins', 'staff'],
  amr: ['pwd', 'otp'],
  grant: 'g-7',
};

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  gateway = await startGateway({
    config: {
      upstreams: { web: { servers: [upstream.url] } },
      routes: [
        { name: 'default', path: '/o/', upstream: 'web', accept: ['token'] },
        { name: 'authelia', path: '/a/', upstream: 'web', accept: ['token'], identity: 'authelia' },
        {
          name: 'custom',
          path: '/c/',
          upstream: 'web',
          accept: ['token'],
          identity: { custom: { sub: 'X-Account', groups: 'X-Teams' } },
        },
        { name: 'signed', path: '/s/', upstream: 'web', accept: ['anyone', 'token'], assertion: true },
      ],
      tokens: { issuer: 'https://gate.example' },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});
beforeEach(() => upstream.clear());

function ask(target: string, fields: readonly string[] = []): Promise<RawResponse> {
  return askRaw(gateway.port, requestText('GET', target, fields));
}

function bearer(more: object = {}): string[] {
  return [`Authorization: Bearer ${gateway.mint({ ...claims, ...more })}`];
}

describe('headers', () => {
  const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
  const always = ['X-Latchkey-Grant: g-7', 'X-Latchkey-Amr: pwd,otp'];
  test.each([
    [
      'oauth2-proxy, the default',
      '/o/a',
      [
        'X-Forwarded-User: user-1',
        'X-Forwarded-Email: u@example.org',
        'X-Forwarded-Groups: admins,staff',
        'X-Forwarded-Preferred-Username: zoe',
        ...always,
      ],
    ],
    [
      'authelia',
      '/a/a',
      [
        'Remote-User: user-1',
        'Remote-Groups: admins,staff',
        `Remote-Name: ${utf8('Zoë Ünal')}`,
        'Remote-Email: u@example.org',
        ...always,
      ],
    ],
    ['custom', '/c/a', ['X-Account: user-1', 'X-Teams: admins,staff', ...always]],
  ])('%s', async (_preset, path, identity) => {
    for (let round = 0; round < 2; round++) {
      expect((await ask(path, bearer())).status).toBe(200);
      expect(seenHead(upstream.last)).toBe(forwardedHead(`GET ${path}`, { identity }));
    }
  });

  test('a claim that is absent or empty has no header', async () => {
    await ask('/o/a', [`Authorization: Bearer ${gateway.mint({ groups: [] })}`]);
    expect(seenHead(upstream.last)).toBe(forwardedHead('GET /o/a', { identity: ['X-Forwarded-User: user-1'] }));
  });

  test('one token on routes of two presets is told in the words of each', async () => {
    const token = bearer();
    for (const [path, name] of [
      ['/o/a', 'X-Forwarded-User'],
      ['/a/a', 'Remote-User'],
      ['/o/a', 'X-Forwarded-User'],
    ] as const) {
      await ask(path, token);
      const said = ['X-Forwarded-User', 'Remote-User'].filter((known) => upstream.last.all(known).length > 0);
      expect(said).toEqual([name]);
    }
  });

  test.each([
    ['a line break', { sub: 'user\r\nX-Forwarded-User: root' }],
    ['a NUL', { email: 'a\u0000b' }],
    ['a comma in a group', { groups: ['a,admins'] }],
  ])('a value with %s refuses the token', async (_what, bad) => {
    // made by another holder of the key: our own mint would not
    const header = Buffer.from('{"alg":"HS256","kid":"k1"}').toString('base64url');
    const body = Buffer.from(JSON.stringify({ exp: epochSeconds() + 60, paths: ['/*'], ...bad })).toString('base64url');
    const mac = createHmac('sha256', gatewaySecret).update(`${header}.${body}`).digest('base64url');
    const answer = await ask('/o/a', [`Authorization: Bearer ${header}.${body}.${mac}`]);
    expect([answer.status, upstream.requests.length]).toEqual([401, 0]);
  });
});

describe('the assertion', () => {
  async function verifyLast() {
    const jwks = await ask('/.latchkey/jwks.json');
    expect([jwks.status, jwks.header('Content-Type')]).toEqual([200, 'application/jwk-set+json']);
    const assertion = upstream.last.header('X-Latchkey-Assertion') ?? '';
    const verified = await jwtVerify(assertion, createLocalJWKSet(JSON.parse(jwks.text)), {
      typ: 'la+jwt',
      algorithms: ['EdDSA'],
      issuer: 'https://gate.example',
      audience: 'web',
      requiredClaims: ['iat', 'exp', 'sub'],
    });
    return { assertion, jwks, payload: verified.payload };
  }

  test('is verified by jose against the JWKS that the gateway serves, and says who asks', async () => {
    expect((await ask('/s/a', bearer())).status).toBe(200);
    const { assertion, payload, jwks } = await verifyLast();
    expect(payload).toMatchObject(claims);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    expect(decodeProtectedHeader(assertion).alg).toBe('EdDSA');
    const { keys }: { keys: Record<string, unknown>[] } = JSON.parse(jwks.text);
    expect(keys.map(({ kty, crv, d, k }) => [kty, crv, d, k])).toEqual([['OKP', 'Ed25519', undefined, undefined]]);
  });

  test('is one per principal: another user gets another, the same user the same', async () => {
    const seen: string[] = [];
    for (const sub of ['ann', 'bob', 'ann']) {
      await ask('/s/a', [`Authorization: Bearer ${gateway.mint({ sub })}`]);
      const { assertion, payload } = await verifyLast();
      expect(payload.sub).toBe(sub);
      seen.push(assertion);
    }
    expect(seen[0]).toBe(seen[2]);
    expect(seen[0]).not.toBe(seen[1]);
  });

  test('is absent where it was not asked for, and for nobody in particular', async () => {
    await ask('/o/a', bearer());
    expect(upstream.last.all('X-Latchkey-Assertion')).toEqual([]);
    await ask('/s/a');
    expect(upstream.last.all('X-Latchkey-Assertion')).toEqual([]);
  });
});

describe('where a request came from', () => {
  test('an HTTP/1.0 request without Host says so, and the upstream gets a Host', async () => {
    const token = gateway.mint();
    const answer = await askRaw(gateway.port, `GET /o/a HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    expect(answer.status).toBe(200);
    expect(seenHead(upstream.last)).toBe(
      'GET /o/a HTTP/1.1\r\nHost: web\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n' +
        'X-Forwarded-Host: \r\nX-Request-Id: ID\r\nX-Forwarded-User: user-1\r\n\r\n',
    );
  });

  test('Via is said to an upstream only where the configuration asks for it', async () => {
    await ask('/o/a', bearer());
    expect(upstream.last.all('Via')).toEqual([]);
    const saying = await startGateway({
      config: {
        via: 'on',
        upstreams: { web: { servers: [upstream.url] } },
        routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone'] }],
      },
    });
    await askRaw(saying.port, requestText('GET', '/a', ['Via: 1.1 cdn']));
    expect(upstream.last.all('Via')).toEqual(['1.1 cdn', '1.1 latchkey']);
    await askRaw(saying.port, 'GET /a HTTP/1.0\r\n\r\n');
    expect(upstream.last.all('Via')).toEqual(['1.0 latchkey']);
    await saying.close();
  });

  test('a request id is made, given to both sides, and differs each time', async () => {
    const first = await ask('/o/a', [...bearer(), 'X-Request-Id: mine']);
    const seen = upstream.last.header('X-Request-Id');
    expect(first.header('X-Request-Id')).toBe(seen);
    expect(seen).not.toBe('mine');
    await ask('/o/a', bearer());
    expect(upstream.last.header('X-Request-Id')).not.toBe(seen);
  });
});
