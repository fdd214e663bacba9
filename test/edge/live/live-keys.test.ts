// The decision cache changes how fast a verdict comes, never the verdict. It holds tokens that were verified, and nothing else.
// gateway/RULES.md "Tokens and caches"; issuing a token never fills it.

import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { compileSnapshot } from '../../../gateway/config/compile.ts';
import { type Decision, decide } from '../../../gateway/core/decision/decide.ts';
import type { RequestFacts } from '../../../gateway/core/decision/state/facts.ts';
import { type Answers, noAnswers } from '../../../gateway/core/decision/state/lookups.ts';
import type { SigningKey, SigningKeyState } from '../../../gateway/core/model/signing-key.ts';
import { mintToken } from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { type CacheLimits, LiveKeys } from '../../../gateway/edge/live/live-keys.ts';
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
routes:
  - { name: vod, path: /vod/, upstream: web, accept: [token, password] }
  - { name: kids, path: /vod/kids/, upstream: web, accept: [token], max_token_ttl: 60s }
  - { name: aud, path: /aud/, upstream: web, accept: [token], audience: player }
  - { name: loose, path: /loose/, upstream: web, accept: [anyone, token], unscoped_tokens: allow }
  - { name: pass, host: pass.example, path: /, upstream: web, accept: [password] }
`);
const snapshot = compileSnapshot(config, 1, { routes: config.routes.map((_, at) => at), upstreams: [0] }, 1);

function key(id: string, fill: string, state: SigningKeyState = 'signing'): SigningKey {
  return { id, algorithm: 'HS256', purpose: 'content', state, secret: Buffer.alloc(32, fill) };
}

/** What the keys may become; k1 changes its bytes in the last one, so that a remembered token would be wrong. */
const keySets: readonly (readonly SigningKey[])[] = [
  [key('k1', 'a'), key('k2', 'b')],
  [key('k1', 'a', 'verifying'), key('k2', 'b')],
  [key('k1', 'a', 'retired'), key('k2', 'b')],
  [key('k2', 'b')],
  [key('k1', 'z'), key('k2', 'b')],
];

const minters = buildKeyRing([key('k1', 'a'), key('k2', 'b')]);

function mint(kid: string, type: 'outside' | 'pass', claims: object): string {
  const signer = minters.find(kid);
  if (signer === undefined) throw new Error(`no key ${kid}`);
  return mintToken(claims, { key: signer, type });
}

const tokens: readonly string[] = ['k1', 'k2'].flatMap((kid) =>
  (['outside', 'pass'] as const).flatMap((type) =>
    [
      { exp: start + 30, paths: ['/*'] },
      { exp: start + 300, paths: ['/vod/*'], sub: 'u' },
      { exp: start + 300, iat: start, paths: ['/vod/kids/*'], methods: ['GET'] },
      { exp: start + 50, nbf: start + 20, paths: ['/*'] },
      { exp: start + 50, aud: ['player'], paths: ['/*'] },
      { exp: start + 50, hosts: ['a.example'], ips: ['10.0.0.0/8'], paths: ['/*'] },
      { exp: start + 50 },
    ].map((claims) => mint(kid, type, claims)),
  ),
);

const anyToken = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...tokens) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...tokens), fc.nat(500), fc.constantFrom('A', 'Q', '.', '='))
      .map(([token, at, letter]) => token.slice(0, at % token.length) + letter + token.slice((at % token.length) + 1)),
  },
  // the end of one token under the beginning of another: what a look-up by a part of the token would mix up
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...tokens), fc.constantFrom(...tokens))
      .map(([left, right]) => left.slice(0, left.lastIndexOf('.')) + right.slice(right.lastIndexOf('.'))),
  },
);

const facts = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'POST'),
    host: fc.constantFrom('a.example', 'b.example', 'pass.example'),
    path: fc.constantFrom('/vod/a', '/vod/kids/a', '/aud/a', '/loose/a', '/nowhere'),
    clientAddress: fc.constantFrom('10.0.0.1', '192.0.2.1'),
    explicitToken: fc.option(anyToken),
    passCookies: fc.array(anyToken, { maxLength: 3 }),
    basic: fc.option(fc.constant(Buffer.from('u:p').toString('base64'))),
  })
  .map(
    (request): RequestFacts => ({
      ...request,
      isReserved: false,
      pathNeeds: 0,
      explicitForm: request.explicitToken === null ? null : 'bearer',
      explicitCount: request.explicitToken === null ? 0 : 1,
      moreTokens: [],
      sessionCookie: null,
      linkTokens: 0,
    }),
  );

const verified: Answers = {
  ...noAnswers,
  password: { kind: 'verified', sub: 'u', userRecordId: 'c_x', userRecordVersion: 1, position: null },
};

const step = fc.oneof(
  { weight: 20, arbitrary: fc.record({ kind: fc.constant('ask' as const), request: facts }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('reload' as const, 'ring' as const),
      set: fc.nat(keySets.length - 1),
    }),
  },
);

/** As after a control that just read its log. */
function liveKeys(keys: readonly SigningKey[], limits: CacheLimits): LiveKeys {
  const live = new LiveKeys(keys, limits, metrics);
  live.freshAtMs = live.nowMs;
  return live;
}

/** All that a verdict is. */
function verdict(decision: Decision): unknown {
  switch (decision.kind) {
    case 'allow':
      return {
        how: decision.how,
        route: decision.route.name,
        claims: decision.claims,
        issue: decision.issue,
        cookies: decision.cookies,
        keyId: decision.token?.keyId,
        lines: decision.token?.identityLines(decision.route.identity),
      };
    case 'deny':
      return { ...decision, route: decision.route?.name, ranOut: decision.ranOut?.claims };
    case 'lookup':
      return { ...decision, route: decision.route.name };
    default:
      return decision satisfies never;
  }
}

test('verdicts are equal without a cache, with a tiny cache and with a large one, for any tokens in any order', () => {
  let allowed = 0;
  let hits = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const keys = keySets[0] ?? [];
      const none = liveKeys(keys, { entries: 0, bytes: 0 });
      const cached = [
        { entries: 2, bytes: 1_000_000 },
        { entries: 1000, bytes: 3000 },
        { entries: 1000, bytes: 1_000_000 },
      ].map((limits) => ({
        limits,
        live: liveKeys(keys, limits),
        // hears every question, and never an answer that issues a pass
        twin: liveKeys(keys, limits),
      }));
      let now = start;
      for (const next of steps) {
        if (next.kind === 'wait') now += next.seconds;
        else if (next.kind !== 'ask') {
          const keys = keySets[next.set] ?? [];
          none.replaceKeys(keys, { entries: 0, bytes: 0 });
          for (const { limits, live, twin } of cached) {
            for (const each of [live, twin]) {
              if (next.kind === 'reload') each.replaceKeys(keys, limits);
              else each.replaceRing(keys);
            }
          }
        } else {
          const first = decide(next.request, snapshot, none, now, null);
          const expected = verdict(first);
          if (first.kind === 'allow') allowed += 1;
          for (const { live, twin } of cached) {
            if (live.entries > 0) hits += 1;
            expect(verdict(decide(next.request, snapshot, live, now, null))).toEqual(expected);
            decide(next.request, snapshot, twin, now, null);
            if (first.kind !== 'lookup') continue;
            // the same question with control's answer: a pass is issued, and the memory is as it is without one
            expect(verdict(decide(next.request, snapshot, live, now, verified))).toEqual(
              verdict(decide(next.request, snapshot, none, now, verified)),
            );
            decide(next.request, snapshot, twin, now, null);
            expect(live.entries).toBe(twin.entries);
          }
        }
      }
      expect(none.entries).toBe(0);
    }),
    { numRuns: 300 },
  );
  // the property says nothing when every request is refused, or when no memory was ever there
  expect(allowed).toBeGreaterThan(300);
  expect(hits).toBeGreaterThan(300);
});

test('after a reload nothing that was remembered counts, with the same keys as well, and it is remembered anew', () => {
  // as many places as tokens: what counts for nothing must not keep others out
  const limits = { entries: tokens.length, bytes: 1_000_000 };
  const live = new LiveKeys(keySets[0] ?? [], limits, metrics);
  const verifyAll = () => tokens.map((token) => live.verify(token));
  const sameAs = (before: readonly unknown[]) => verifyAll().filter((verified, at) => verified === before[at]).length;
  const first = verifyAll();
  expect(sameAs(first)).toBe(tokens.length);
  live.replaceKeys(keySets[0] ?? [], limits);
  expect(sameAs(first)).toBe(0);
  expect(sameAs(verifyAll())).toBe(tokens.length);
  expect(live.entries).toBe(tokens.length);
  live.replaceKeys(keySets[0] ?? [], { ...limits, entries: 3 });
  expect(live.entries).toBe(0);
});

test('another key ring ends what the former one verified, and keeps the answers of control about access', () => {
  const live = liveKeys(keySets[0] ?? [], { entries: 10, bytes: 1_000_000 });
  const ofK1 = tokens[0] ?? '';
  expect(live.verify(ofK1).kind).toBe('verified');
  const position = { epoch: 'e', seq: 1 };
  live.revocations.replace(position, []);
  live.changed(null);
  const asked = { account: 'ac_1', host: 'a.example', path: '/vod/a' };
  live.access.finish(live.access.begin(), asked, { kind: 'none', position, subjects: ['ac_1'] }, start);
  live.replaceRing(keySets[2] ?? []);
  expect(live.verify(ofK1).kind).toBe('refused');
  expect(live.findAccess('ac_1', 'a.example', '/vod/a', start)).toMatchObject({ kind: 'none' });
  live.replaceKeys(keySets[2] ?? [], { entries: 10, bytes: 1_000_000 });
  expect(live.findAccess('ac_1', 'a.example', '/vod/a', start)).toBeNull();
});

test('two tokens with the same fingerprint are told apart', () => {
  // what finds an entry is the end of the MAC and the length; a forger can copy both, and gains nothing
  const live = new LiveKeys(keySets[0] ?? [], { entries: 10, bytes: 1_000_000 }, metrics);
  const good = tokens[0] ?? '';
  expect(live.verify(good).kind).toBe('verified');
  const dot = good.lastIndexOf('.');
  const forged = `${good.slice(0, dot - 1)}${good[dot - 1] === 'Q' ? 'g' : 'Q'}${good.slice(dot)}`;
  expect(forged).toHaveLength(good.length);
  expect(live.verify(forged).kind).toBe('refused');
  expect(live.verify(good).kind).toBe('verified');
});

test('a flood of bad tokens leaves memory and what is remembered alone', () => {
  const live = new LiveKeys(keySets[0] ?? [], { entries: 100, bytes: 1_000_000 }, metrics);
  for (const token of tokens) live.verify(token);
  const before = live.entries;
  for (let index = 0; index < 20_000; index++) live.verify(`${tokens[0]?.slice(0, -6)}${100_000 + index}`);
  expect(live.entries).toBe(before);
});
