// How control's cookies and forms treat an https `public_url` when the last hop is plain HTTP over loopback, as an edge reports it of a
// proxy that ends TLS and was forgotten in `trusted_proxies`. The edges' half is test/edge/request/public-transport.test.ts.

import { expect, test } from 'vitest';
import { notePlainHops } from '../../../gateway/api/serve/note-plain-hops.ts';
import { makePortal, mediaOrigin, password } from '../../support/rigs/portal-rig.ts';

const email = 'ann@example.org';
const attributesOf = (line: string): string[] => line.split('; ').slice(1).sort();

test('attack: cookies in the clear. An https public_url makes cookies Secure, even when the last hop is http over loopback', async () => {
  const portal = await makePortal({ publicUrl: 'https://portal.localhost:8080' });
  await portal.addAccount(email);
  // as an edge says it of a proxy that ends TLS and was forgotten in trusted_proxies
  const ann = portal.visitor();
  const page = await ann.get('/.latchkey/login');
  const answer = await ann.submit(page, '/login', { email, password });
  const lines = [...page.cookies, ...answer.cookies];
  expect(new Set(lines.map((line) => line.split('=')[0]))).toEqual(
    new Set(['__Host-latchkey', '__Host-latchkey_device', '__Host-latchkey_flow']),
  );
  for (const line of lines) expect(attributesOf(line)).toContain('Secure');
  expect((await ann.follow(answer)).status).toBe(200);
  // on every host of ours, since visitors come to all by the same way
  const media = await portal.visitor({ origin: mediaOrigin }).get('/.latchkey/login?return=%2Fvod%2F');
  for (const line of media.cookies) expect(line).toMatch(/^__Host-latchkey_.*; Secure/);
});

test('attack: a form of an http:// page. Where visitors come by https, a form of the http:// page with the same name counts as another site’s', async () => {
  const portal = await makePortal({ publicUrl: 'https://portal.localhost:8080' });
  await portal.addAccount(email);
  const statusFrom = async (origin: string): Promise<number> => {
    const ann = portal.visitor({ headers: { 'sec-fetch-site': undefined } });
    const page = await ann.get('/.latchkey/login');
    const token = /name="form_token" value="([^"]*)"/.exec(page.text)?.[1] ?? '';
    const fields = { email, password, form_token: token };
    return (await ann.post('/.latchkey/login', fields, { 'sec-fetch-site': undefined, origin })).status;
  };
  expect(await statusFrom('http://portal.localhost:8080')).toBe(403);
  expect(await statusFrom('https://portal.localhost:8080')).toBe(303);
});

test('a cookie that was set under a plain name earlier is removed where that name is not in force, and is not read', async () => {
  const before = await makePortal();
  await before.addAccount(email);
  const ann = before.visitor();
  await ann.signIn(email);
  const token = ann.cookies.get('portal.localhost')?.get('latchkey') ?? '';
  before.configure((config) =>
    config.portal === null
      ? config
      : { ...config, portal: { ...config.portal, publicUrl: 'https://portal.localhost:8080' } },
  );
  const answer = await before.visitor().get('/.latchkey/', { cookie: `latchkey=${token}` });
  expect([answer.status, answer.location]).toEqual([303, expect.stringContaining('login')]);
  expect(answer.cookies.filter((line) => line.startsWith('latchkey='))).toEqual([
    expect.stringMatching(/^latchkey=; Max-Age=0; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
  ]);
});

test('the log says once an hour that visitors come by plain http where public_url is https, and from which address', async () => {
  const said: string[] = [];
  const portal = await makePortal({ publicUrl: 'https://portal.localhost:8080' });
  let monotonicMs = 5_000_000;
  const { context } = portal;
  const note = notePlainHops({
    ...context,
    clock: { ...context.clock, monotonicMs: () => monotonicMs },
    logger: {
      ...context.logger,
      warn: (...words: unknown[]) => said.push(JSON.stringify(words)),
    } as typeof context.logger,
  });
  const from = (host: string, proto: string) => {
    const [forwarded, chain] = ['x-forwarded-for', '203.0.113.9, 127.0.0.1'];
    note({ 'x-forwarded-host': host, 'x-forwarded-proto': proto, [forwarded]: chain });
  };
  from('portal.localhost:8080', 'https');
  from('elsewhere.example', 'http');
  expect(said).toEqual([]);
  for (let request = 0; request < 3; request++) from('portal.localhost:8080', 'http');
  expect(said).toEqual([expect.stringContaining('"neighbour":"127.0.0.1"')]);
  expect(said[0]).toContain('trusted_proxies');
  monotonicMs += 3_601_000;
  from('media.localhost:8080', 'http');
  expect(said).toHaveLength(2);
});
