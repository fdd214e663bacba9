// Renewals that no answer has carried yet: how long they wait, and that no client gets one that has run out meanwhile.

import { afterAll, expect, test } from 'vitest';
import { compileSnapshot } from '../../../gateway/config/compile.ts';
import { AccessCache } from '../../../gateway/core/decision/state/access-cache.ts';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import { mintToken, type VerifiedToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import type { ControlPort } from '../../../gateway/edge/live/control-questions.ts';
import { LiveKeys } from '../../../gateway/edge/live/live-keys.ts';
import { Lookups } from '../../../gateway/edge/live/lookups.ts';
import { Renewals } from '../../../gateway/edge/live/renewals.ts';
import { AccessMetrics } from '../../../gateway/telemetry/access-metrics.ts';
import { EdgeMetrics } from '../../../gateway/telemetry/edge-metrics.ts';
import { ConfigFolder } from '../../support/rigs/config-folder.ts';

const start = 1_800_000_000;
const metrics = new EdgeMetrics([], []);
const folder = new ConfigFolder();
afterAll(() => {
  metrics.close();
  folder.remove();
});

const config = folder.config(`
listeners: [{ address: 127.0.0.1:0 }]
users_file: ./users
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes: [{ name: vod, path: /vod/, upstream: web, accept: [password], revocation: none }]
`);
const snapshot = compileSnapshot(config, 1, { routes: [0], upstreams: [0] }, 1);
const route = snapshot.routes.find('media.example', '/vod/a');
const records: readonly SigningKey[] = (['content', 'internal'] as const).map((purpose) => ({
  id: purpose,
  algorithm: 'HS256',
  purpose,
  state: 'signing',
  secret: Buffer.alloc(32, purpose),
}));
const ring = buildKeyRing(records);

/** Renewals at a control that answers at once, by a clock of the test's own. */
function started() {
  const live = new LiveKeys(records, { entries: 10, bytes: 100_000 }, metrics);
  const rig = { now: start, asked: 0, sessionLife: 900 };
  const unused = () => Promise.reject(new Error('not asked here'));
  const control: ControlPort = {
    askAccess: unused,
    askPassword: unused,
    askKnown: unused,
    renewPassword: async () => {
      rig.asked += 1;
      return { kind: 'stands' };
    },
    renewSession: async () => {
      rig.asked += 1;
      if (rig.sessionLife === 0) return { kind: 'ended' };
      return { kind: 'renewed', token: session(rig.now, rig.sessionLife), maxAgeSeconds: 1000 };
    },
    reportSeen: unused,
  };
  const cache = new AccessCache({ entries: 10, bytes: 100_000 });
  const lookups = new Lookups({ control, cache, metrics: new AccessMetrics(), now: () => rig.now });
  const renewals = new Renewals({ control, lookups, live, nowMs: () => (rig.now - start) * 1000, now: () => rig.now });
  const begin = async (token: VerifiedToken): Promise<void> => {
    if (route === null) throw new Error('no route');
    const request = { host: 'media.example', path: '/vod/a', sessionCookie: null };
    renewals.begin(token, { request, route, snapshot, now: rig.now });
    // the answer is there at once: nothing but turns of promises lies before it
    await new Promise((resolve) => setImmediate(resolve));
  };
  const verify = (text: string): VerifiedToken => {
    const token = live.verify(text);
    if (token.kind === 'refused') throw new Error(token.detail);
    return token;
  };
  return { rig, renewals, begin, verify };
}

function mint(type: 'pass' | 'session', claims: object): string {
  const key = ring.find(type === 'pass' ? 'content' : 'internal');
  if (key === undefined) throw new Error('no key');
  return mintToken(claims, { key, type });
}

function session(iat: number, seconds: number): string {
  return mint('session', { sub: 'ac_1', sid: 'se_1', did: 'dv_1', aud: ['media.example'], iat, exp: iat + seconds });
}

const oldPass = mint('pass', {
  sub: 'u',
  cred: { id: 'c', v: 1 },
  paths: ['/vod/*'],
  iat: start - 2000,
  exp: start + 9000,
});

test('a renewed pass that no answer carried for half of its life is dropped: the next request asks anew', async () => {
  const { rig, renewals, begin, verify } = started();
  const token = verify(oldPass);
  await begin(token);
  rig.now += 1799;
  await begin(token);
  expect(rig.asked).toBe(1);
  rig.now += 1;
  // half of its hour is over: whoever got it would have to have it renewed at once
  expect(renewals.take(token)).toBeNull();
  await begin(token);
  expect(rig.asked).toBe(2);
  rig.now += 1799;
  expect(renewals.take(token)).toMatchObject({ kind: 'pass', claims: { iat: start + 1800, exp: start + 5400 } });
  expect(renewals.take(token)).toBeNull();
});

test('a renewed session token is dropped likewise, and the end of a session is forgotten within a minute', async () => {
  const { rig, renewals, begin, verify } = started();
  const token = verify(session(start - 600, 900));
  await begin(token);
  rig.now += 450;
  expect(renewals.take(token)).toBeNull();
  rig.sessionLife = 0;
  await begin(token);
  expect(rig.asked).toBe(2);
  rig.now += 60;
  // signed in again meanwhile: an old no must not clear the new cookie
  expect(renewals.take(token)).toBeNull();
  rig.sessionLife = 900;
  await begin(token);
  expect(renewals.take(token)).toEqual({
    kind: 'session',
    session: { kind: 'renewed', token: session(rig.now, 900), maxAgeSeconds: 1000 },
  });
});

test('a renewal that has no useful life left is not kept, and not asked for on every request', async () => {
  const { rig, renewals, begin, verify } = started();
  const token = verify(session(start - 600, 900));
  rig.sessionLife = 1;
  rig.now += 10;
  await begin(token);
  rig.now += 1;
  expect(renewals.take(token)).toBeNull();
  rig.sessionLife = -5;
  await begin(token);
  await begin(token);
  expect(rig.asked).toBe(2);
  expect(renewals.take(token)).toBeNull();
  rig.now += 5;
  await begin(token);
  expect(rig.asked).toBe(3);
});
