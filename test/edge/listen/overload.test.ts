// An overloaded edge first refuses requests that show no credential. The delay of the loop is said by the test, not made.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Overload } from '../../../gateway/edge/listen/overload.ts';
import { askRaw, RawClient, type RawResponse, requestText } from '../../support/clients/raw-client.ts';
import { RecordingUpstream } from '../../support/peers/recording-upstream.ts';
import { startGateway, type TestGateway } from '../../support/rigs/gateway.ts';

describe('the level', () => {
  const after = (...delays: number[]): number => {
    const overload = new Overload();
    for (const delay of delays) overload.note(delay, 100);
    return overload.level;
  };

  test.each([
    ['nothing', [0, 20, 99, 0], 0],
    ['one late tick alone', [0, 5000, 0, 0], 0],
    ['two late ticks in a row', [0, 100, 100], 1],
    ['a late tick and a very late one', [0, 100, 400], 1],
    ['two very late ticks', [400, 400], 2],
    ['three good ticks after overload', [100, 100, 0, 0, 0], 1],
    ['four good ticks after overload', [100, 100, 0, 0, 0, 0], 0],
    ['good ticks with a late one between them', [100, 100, 0, 0, 100, 0, 0, 0], 1],
    ['four better ticks after the second level', [400, 400, 100, 100, 100, 100], 1],
  ])('after %s', (_name, delays, level) => {
    expect(after(...delays)).toBe(level);
  });
});

describe('an edge', () => {
  let gateway: TestGateway;
  let upstream: RecordingUpstream;
  let delayMs = 0;

  beforeAll(async () => {
    upstream = await RecordingUpstream.start();
    gateway = await startGateway({
      config: {
        upstreams: { web: { servers: [upstream.url] } },
        routes: [
          { name: 'open', path: '/open/', upstream: 'web', accept: ['anyone'] },
          { name: 'both', path: '/both/', upstream: 'web', accept: ['anyone', 'token'] },
          { name: 'token', path: '/token/', upstream: 'web', accept: ['token'] },
          { name: 'password', path: '/password/', upstream: 'web', accept: ['password'] },
        ],
        limits: { max_event_loop_delay: '100ms' },
      },
      users: { ann: 'secret' },
      loopDelayMs: () => delayMs,
    });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });
  beforeEach(() => upstream.clear());

  /** Has the edge measure that much until its level is this one. */
  async function overload(delay: number, level: number): Promise<void> {
    delayMs = delay;
    await expect.poll(() => gateway.metrics.overloadLevel).toBe(level);
  }

  function ask(path: string, fields: readonly string[] = []): Promise<RawResponse> {
    return askRaw(gateway.port, requestText('GET', path, fields));
  }
  const basic = `Authorization: Basic ${Buffer.from('ann:secret').toString('base64')}`;
  const bearer = (): string => `Authorization: Bearer ${gateway.mint()}`;

  test('answers 503 first to requests without a verified token, and serves those with one', async () => {
    await overload(150, 1);
    for (const [path, fields] of [
      ['/open/a', []],
      ['/both/a', []],
      ['/password/a', [basic]],
    ] as const) {
      const answer = await ask(path, fields);
      expect([answer.status, answer.header('Retry-After')], path).toEqual([503, '2']);
    }
    expect(upstream.requests).toEqual([]);
    expect((await ask('/token/a', [bearer()])).status).toBe(200);
    expect((await ask('/both/a', [bearer()])).status).toBe(200);
    // what is refused anyway is refused for its own reason
    expect((await ask('/token/a')).status).toBe(401);
    expect((await ask('/nowhere')).status).toBe(404);
    expect((await ask('/.latchkey/jwks.json', ['Host: a'])).status).not.toBe(503);
  });

  test('at four times the delay refuses requests with a token too', async () => {
    await overload(400, 2);
    const answer = await ask('/token/a', [bearer()]);
    expect([answer.status, answer.header('Retry-After')]).toEqual([503, '2']);
  });

  test('keeps the connection, says why in its logs and metrics, and serves again once it is over', async () => {
    await overload(150, 1);
    const client = await RawClient.connect(gateway.port);
    client.write(requestText('GET', '/open/again'));
    expect((await client.read()).status).toBe(503);
    await overload(0, 0);
    client.write(requestText('GET', '/open/again'));
    expect((await client.read()).status).toBe(200);
    client.destroy();
    expect(await gateway.readLog('decisions', '/open/again')).toContainEqual(
      expect.objectContaining({ path: '/open/again', status: 503, decision: 'deny:overloaded' }),
    );
    const metrics = await gateway.scrape();
    expect(metrics).toMatch(/latchkey_decisions_total\{[^}]*reason="overloaded"[^}]*\} [1-9]/);
    expect(metrics).toContain('latchkey_overload_level 0');
    expect(gateway.said()).toContain('the overload is over');
  });
});
