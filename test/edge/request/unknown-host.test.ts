// Hosts that nobody configured, and messages that are none: refused, and on record.
// gateway/RULES.md "Hosts": an unknown Host under the reserved prefix is 421 (RFC 9110 §15.5.20).

import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { okAnswer, RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let gateway: TestGateway;
let upstream: RecordingUpstream;

const config = () => ({
  portal: { public_url: 'http://portal.example', name: 'Kino & Söhne' },
  upstreams: { site: { servers: [upstream.url] } },
  routes: [{ name: 'site', host: 'site.example', path: '/', upstream: 'site', accept: ['anyone' as const] }],
});

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
  upstream.fallback = okAnswer('site');
  gateway = await startGateway({ config: config() });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const ask = (host: string, target: string) => askRaw(gateway.port, requestText('GET', target, [`Host: ${host}`]));

test('latchkey’s own pages answer on configured hosts only', async () => {
  expect((await ask('site.example', '/.latchkey/jwks.json')).status).toBe(200);
  expect((await ask('other.example', '/.latchkey/jwks.json')).status).toBe(421);
});

test('a host without routes is 404 and reaches no upstream', async () => {
  upstream.clear();
  expect((await ask('other.example', '/')).status).toBe(404);
  expect(upstream.requests).toHaveLength(0);
});

describe('the portal’s own host', () => {
  const portal = (method: string, target: string, host = 'portal.example') =>
    askRaw(gateway.port, requestText(method, target, [`Host: ${host}`, 'Accept: text/html', 'Content-Length: 0']));

  test.each(['GET', 'HEAD'])('leads a %s of its root to the pages, where no route serves it', async (method) => {
    const answer = await portal(method, '/?a=1', 'Portal.Example:8080');
    expect([answer.status, answer.header('Location')]).toEqual([302, '/.latchkey/']);
    expect(answer.header('Cache-Control')).toBe('no-store');
  });

  test.each(['favicon.ico', 'apple-touch-icon.png', 'robots.txt'])(
    'leads to its own %s, and on no other host',
    async (name) => {
      const answer = await portal('GET', `/${name}`);
      expect([answer.status, answer.header('Location')]).toEqual([302, `/.latchkey/${name}`]);
      expect((await portal('POST', `/${name}`)).status).toBe(404);
      expect((await portal('GET', `/${name}`, 'other.example')).status).toBe(404);
    },
  );

  test('leads nowhere from another path, by another method, or on another host', async () => {
    for (const [method, target] of [
      ['GET', '/a'],
      ['GET', '/index.html'],
      ['POST', '/'],
    ] as const) {
      const answer = await portal(method, target);
      expect([target, answer.status, answer.header('Location')]).toEqual([target, 404, null]);
    }
    expect((await portal('GET', '/', 'other.example')).status).toBe(404);
  });

  test('serves a route of its own there', async () => {
    const own = { name: 'own', host: 'portal.example', path: '/', upstream: 'site', accept: ['anyone' as const] };
    await gateway.reload({ ...config(), routes: [...config().routes, own] });
    upstream.clear();
    expect((await portal('GET', '/')).status).toBe(200);
    expect((await portal('GET', '/favicon.ico')).status).toBe(200);
    expect(upstream.requests).toHaveLength(2);
    await gateway.reload(config());
  });
});

test('an error page names the place, leads on, and looks the same on every host', async () => {
  const fields = ['Sec-Fetch-Mode: navigate', 'Accept: text/html'];
  const page = (host: string, target: string) =>
    askRaw(gateway.port, requestText('GET', target, [`Host: ${host}`, ...fields]));
  const nothing = await page('other.example', '/film');
  expect([nothing.status, nothing.header('Content-Length')]).toEqual([404, String(nothing.text.length)]);
  expect(nothing.text).toContain('<title>Nothing is here &#183; Kino &#38; S&#246;hne</title>');
  expect(nothing.text).toContain(
    '<a class="button" href="http://portal.example/.latchkey/">Go to Kino &#38; S&#246;hne</a>',
  );
  expect(nothing.header('Content-Security-Policy')).toContain(
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'",
  );
  expect(nothing.text).not.toContain('<img');
  const refused = await page('site.example', '/%zz');
  expect([refused.status, refused.text.includes('Kino &#38; S&#246;hne')]).toEqual([400, true]);
  // with a logo it stands beside the name, from the same host, so the page's policy needs no other one
  const logo = join(tmpdir(), `lk-edge-logo-${process.pid}.svg`);
  onTestFinished(() => rmSync(logo, { force: true }));
  writeFileSync(logo, '<svg xmlns="http://www.w3.org/2000/svg"/>');
  await gateway.reload({ ...config(), portal: { ...config().portal, logo_file: logo } });
  const withLogo = await page('site.example', '/%zz');
  expect(withLogo.text).toContain('<img src="/.latchkey/logo" alt="" height="32"><span>Kino &#38; S&#246;hne</span>');
  expect(withLogo.header('Content-Length')).toBe(String(withLogo.text.length));
  // who can only wait asks for the same address again, and a reload brings another name
  upstream.fallback = null;
  await gateway.reload({ ...config(), portal: undefined, upstreams: { site: { servers: ['http://127.0.0.1:9'] } } });
  const away = await page('site.example', '/film');
  expect(away.status).toBe(502);
  expect(away.text).toContain('<a class="button" href="">Try again</a></p>\n<p><a href="/">Go to the first page</a>');
  expect(away.text).toContain('<header><span>latchkey</span></header>');
  await gateway.reload(config());
  upstream.fallback = okAnswer('site');
});

test('a message that is none has its line in the access log, with its path and without a query or a value', async () => {
  expect(
    (await askRaw(gateway.port, 'GET /film?q=secret HTTP/1.1\r\nHost: site.example\r\nBad Name: sesame\r\n\r\n'))
      .status,
  ).toBe(400);
  const lines = await gateway.readLog('access', '/film');
  const line = lines.find((entry) => String(entry.hint).includes('bad-field-name'));
  expect(line).toMatchObject({ status: 400, client: '127.0.0.1' });
  expect(JSON.stringify(line)).not.toMatch(/secret|sesame/);
});
