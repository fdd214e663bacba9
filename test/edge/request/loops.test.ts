// An upstream that leads back to the gateway: the request ends with 508 after a few rounds, and holds nothing up.
// Nothing is added to a request for it but a count in the id of one that came through a gateway before.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askRaw, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

let upstream: RecordingUpstream;

beforeAll(async () => {
  upstream = await RecordingUpstream.start();
});
afterAll(() => upstream.close());

function leadingTo(port: number, more: object = {}) {
  return {
    upstreams: { web: { servers: [`http://127.0.0.1:${port}`] } },
    routes: [{ name: 'all', path: '/', upstream: 'web', accept: ['anyone' as const] }],
    ...more,
  };
}

function upstreamPort(): number {
  return Number(new URL(upstream.url).port);
}

async function rounds(gateway: TestGateway): Promise<number> {
  const lines = (await gateway.readLog('access', '/round')).filter((line) => line.path === '/round');
  return lines.length;
}

describe('an upstream that is the gateway itself', () => {
  test.each([
    ['nobody is trusted', {}, []],
    ['the gateway trusts itself', { trusted_proxies: ['127.0.0.1'] }, []],
    [
      'the gateway trusts itself, and another proxy made the id',
      { trusted_proxies: ['127.0.0.1'] },
      ['X-Request-Id: its-own'],
    ],
    ['a client says that it is the first round', {}, ['X-Request-Id: AAAAAAAAAAAA-1.1', 'X-Request-Id: x']],
  ])('ends with 508, counted, where %s', async (_where, more, fields) => {
    const gateway = await startGateway({ config: leadingTo(upstreamPort(), more) });
    await gateway.reload(leadingTo(gateway.port, more));
    const answer = await askRaw(gateway.port, requestText('GET', '/round', fields));
    expect(answer.status).toBe(508);
    expect(await gateway.scrape()).toMatch(/latchkey_decisions_total\{[^}]*reason="forward-loop"[^}]*\} 1/);
    expect(await rounds(gateway)).toBeLessThan(60);
    await gateway.close();
  });

  test('ends through a second gateway as well, which makes ids of its own', async () => {
    const first = await startGateway({ config: leadingTo(upstreamPort()) });
    const second = await startGateway({ config: leadingTo(first.port) });
    await first.reload(leadingTo(second.port));
    expect((await askRaw(first.port, requestText('GET', '/round'))).status).toBe(508);
    expect(await rounds(first)).toBeLessThan(12);
    await first.close();
    await second.close();
  });
});

describe('a request that goes on', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway({ config: leadingTo(upstreamPort()) });
  });
  afterAll(() => gateway.close());

  test('through two gateways to a site is forwarded, with an id that counts', async () => {
    const front = await startGateway({ config: leadingTo(gateway.port) });
    const answer = await askRaw(front.port, requestText('GET', '/a'));
    expect(answer.status).toBe(200);
    expect(upstream.last.header('X-Request-Id')).toMatch(/^[A-Za-z0-9_-]{12}-[0-9a-z]+\.1$/);
    await front.close();
  });

  test('again and again with the id of the answer before, as programs do that follow a request, is never refused', async () => {
    let id = 'none-yet';
    for (let round = 0; round < 40; round++) {
      const answer = await askRaw(gateway.port, requestText('GET', '/a', [`X-Request-Id: ${id}`]));
      expect(answer.status).toBe(200);
      id = answer.header('X-Request-Id') ?? '';
    }
  });

  test('is refused to a client that claims too many rounds, and to nobody else', async () => {
    const claim = ['X-Request-Id: AAAAAAAAAAAA-1.16'];
    const before = upstream.requests.length;
    expect((await askRaw(gateway.port, requestText('GET', '/a', claim))).status).toBe(508);
    expect(upstream.requests.length).toBe(before);
    expect((await askRaw(gateway.port, requestText('GET', '/a'))).status).toBe(200);
    expect(upstream.last.header('X-Request-Id')).toMatch(/^[A-Za-z0-9_-]{12}-[0-9a-z]+$/);
  });
});
