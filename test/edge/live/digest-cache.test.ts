// Which tokens may push others out of a full cache: those that come again, and no others.

import { expect, test } from 'vitest';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { DigestCache } from '../../../gateway/edge/live/digest-cache.ts';
import { LiveKeys } from '../../../gateway/edge/live/live-keys.ts';
import { EdgeMetrics } from '../../../gateway/telemetry/edge-metrics.ts';

test('a fingerprint is unknown the first time, and known the second time', () => {
  const lately = new DigestCache(100);
  expect(lately.isKnown(12345)).toBe(false);
  expect(lately.isKnown(12345)).toBe(true);
  expect(lately.isKnown(-7)).toBe(false);
  expect(lately.isKnown(-7)).toBe(true);
});

test('two fingerprints that share a slot do not push each other out for ever', () => {
  const lately = new DigestCache(1);
  const [left, right] = [1, 65];
  let known = 0;
  for (let turn = 0; turn < 10; turn++) for (const one of [left, right]) known += lately.isKnown(one) ? 1 : 0;
  expect(known).toBeGreaterThan(5);
});

const key: SigningKey = {
  id: 'k1',
  algorithm: 'HS256',
  purpose: 'content',
  state: 'signing',
  secret: Buffer.alloc(32, 'a'),
};

test('tokens that come once do not push out tokens that come again, and a new token that comes again is remembered', async () => {
  const signer = buildKeyRing([key]).signer('content');
  if (signer === null) throw new Error('no key');
  const options = { key: signer, type: 'outside' } as const;
  const token = (user: number) => mintToken({ sub: `user-${user}`, exp: 2_000_000_000, paths: ['/*'] }, options);
  const metrics = new EdgeMetrics([], []);
  const hits = async () =>
    Number(/^latchkey_decision_cache_hits_total (\d+)/m.exec(await metrics.registry.metrics())?.[1]);
  const live = new LiveKeys([key], { entries: 20, bytes: 1_000_000 }, metrics);
  const regulars = Array.from({ length: 20 }, (_, user) => token(user));
  for (const regular of regulars) live.verify(regular);
  for (let user = 1000; user < 3000; user++) expect(live.verify(token(user)).kind).toBe('verified');
  expect(await hits()).toBe(0);
  for (const regular of regulars) live.verify(regular);
  expect(await hits()).toBe(20);
  const newcomer = token(9999);
  // seen, known and remembered, found
  for (let turn = 0; turn < 4; turn++) live.verify(newcomer);
  expect(await hits()).toBeGreaterThanOrEqual(21);
  expect(live.entries).toBe(20);
  metrics.close();
});
