// The demo's web site on a real socket, with assertions signed by jose and a JWKS server in the place of the gateway's.

import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoUpstream, listenOnLoopback } from '../../../gateway/cli/demo/demo-upstream.ts';
import { findDemoFiles } from '../../../gateway/cli/demo/package-files.ts';
import { startWebUpstream } from '../../../gateway/cli/demo/web-upstream.ts';

const { publicKey, privateKey } = await generateKeyPair('EdDSA');
const jwksHosts: (string | undefined)[] = [];
let gateway: DemoUpstream;
let site: DemoUpstream;

beforeAll(async () => {
  const jwk = { ...(await exportJWK(publicKey)), kid: 'e1', alg: 'EdDSA', use: 'sig' };
  gateway = await listenOnLoopback(
    createServer((request, response) => {
      jwksHosts.push(request.headers.host);
      response.end(request.url === '/keys' ? JSON.stringify({ keys: [jwk] }) : '');
    }),
  );
  site = await startWebUpstream({
    files: findDemoFiles(),
    jwks: () => ({ address: '127.0.0.1', host: 'app.localhost', port: gateway.port, path: '/keys' }),
    issuer: 'latchkey',
    audience: 'web',
  });
});
afterAll(async () => {
  await site.close();
  await gateway.close();
});

function sign(
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
  key = privateKey,
): Promise<string> {
  return new SignJWT({ iss: 'latchkey', aud: 'web', exp: 4_000_000_000, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'e1', typ: 'la+jwt', ...header })
    .sign(key);
}

async function ask(headers: Record<string, string>, accept = 'application/json'): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${site.port}/some/page`, { headers: { accept, ...headers } });
  expect(answer.status).toBe(200);
  return answer.text();
}

test('the page shows the user, the headers, and the claims of an assertion that the site verified against the JWKS', async () => {
  const assertion = await sign({ sub: 'alice' });
  const seen = JSON.parse(await ask({ 'x-forwarded-user': 'alice', 'x-latchkey-assertion': assertion }));
  expect(seen.user).toBe('alice');
  expect(seen.assertion).toMatchObject({ kind: 'verified', claims: { sub: 'alice', aud: 'web' } });
  expect(seen.headers).toContainEqual(['x-forwarded-user', 'alice']);
  expect(jwksHosts).toContain('app.localhost');
});

test.each([
  ['another key', async () => sign({}, {}, (await generateKeyPair('EdDSA')).privateKey)],
  ['another audience', () => sign({ aud: 'media' })],
  ['another issuer', () => sign({ iss: 'somebody' })],
  ['another type', () => sign({}, { typ: 'JWT' })],
  ['an end in the past', () => sign({ exp: 1 })],
  ['no form at all', () => Promise.resolve('nonsense')],
])('an assertion with %s is refused', async (_what, make) => {
  const seen = JSON.parse(await ask({ 'x-latchkey-assertion': await make() }));
  expect(seen.assertion.kind).toBe('refused');
});

test('the page says when there is no assertion', async () => {
  expect(JSON.parse(await ask({})).assertion).toEqual({ kind: 'absent' });
});

test('the page escapes the values of the request', async () => {
  const page = await ask({ 'x-forwarded-user': '<script>alert(1)</script>' }, 'text/html');
  expect(page).toContain('Hello, &lt;script&gt;');
  expect(page).not.toContain('<script>');
});
