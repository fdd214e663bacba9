// The table of verifiers gives the verdicts that `decide` gave when it was one function: the same facts, routes, tokens, answers and
// states of the live index go to both. test/core/decision/former/ is that function with what it imported.

import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { compileSnapshot } from '../../../gateway/config/compile.ts';
import { type Decision, decide } from '../../../gateway/core/decision/decide.ts';
import type { AccessAnswer } from '../../../gateway/core/decision/state/access.ts';
import { acceptKinds } from '../../../gateway/core/decision/state/credential-kinds.ts';
import type { RequestFacts } from '../../../gateway/core/decision/state/facts.ts';
import { type Answers, noAnswers } from '../../../gateway/core/decision/state/lookups.ts';
import type { LiveIndex, RoutePolicy } from '../../../gateway/core/decision/state/snapshot.ts';
import { allowKinds } from '../../../gateway/core/decision/verdict/reasons.ts';
import type { SigningKey } from '../../../gateway/core/model/signing-key.ts';
import type { TokenClaims } from '../../../gateway/core/token/claims.ts';
import {
  mintToken,
  type TokenRefusal,
  type VerifiedToken,
  verifyToken,
} from '../../../gateway/core/token/common-key-token.ts';
import { buildKeyRing } from '../../../gateway/core/token/key-ring.ts';
import { ConfigFolder } from '../../support/rigs/config-folder.ts';
import { type Decision as FormerDecision, decide as formerDecide } from './former/decide.ts';
import { isNoLooser as formerIsNoLooser } from './former/route-strictness.ts';
import { buildRouteTable as buildFormerTable } from './former/route-table.ts';
import type { RoutePolicy as FormerRoute, Snapshot as FormerSnapshot } from './former/snapshot.ts';

const runs = Number(process.env.DECIDE_RUNS ?? 20_000);
const start = 1_800_000_000;
const folder = new ConfigFolder();
afterAll(() => folder.remove());

const variants = [
  'max_staleness: 10s',
  'audience: player, unscoped_tokens: allow',
  'revocation: none, methods: [GET]',
  'max_token_ttl: 60s',
];
/** Every way to accept something. */
const accepts = Array.from({ length: 2 ** acceptKinds.length - 1 }, (_, bits) =>
  acceptKinds.filter((_, at) => ((bits + 1) & (1 << at)) !== 0),
);
const routeLines = accepts.flatMap((accept, at) =>
  variants.map(
    (variant, number) =>
      `  - { name: r${at}-${number}, host: a.example, path: /r${at}-${number}/, upstream: web, accept: [${accept.join(', ')}], ${variant} }`,
  ),
);
const paths = accepts.flatMap((_, at) => variants.map((_, number) => `/r${at}-${number}/x`));
const config = folder.config(`
listeners: [{ address: 127.0.0.1:0 }]
users_file: ./users
portal: { public_url: "https://portal.example", hosts: [a.example] }
mail: { from: "a@a.example", log: mail.log }
trusted_proxies: [127.0.0.1]
upstreams: { web: { servers: ["http://127.0.0.1:9000"] } }
routes:
${routeLines.join('\n')}
  - { name: bare, host: a.example, path: /bare, upstream: web, accept: [token] }
  - { name: folder, host: a.example, path: /bare/, upstream: web, accept: [anyone] }
  - { name: merged, host: a.example, path: /merged/, upstream: web, accept: [anyone], paths: redirect }
`);
const snapshot = compileSnapshot(config, 1, { routes: config.routes.map((_, at) => at), upstreams: [0] }, 1);

function formerRoute(route: RoutePolicy): FormerRoute {
  const takes = (kind: (typeof acceptKinds)[number]) => route.accept.includes(kind);
  return {
    ...route,
    takesAnyone: takes('anyone'),
    takesToken: takes('token'),
    takesPass: takes('token') || takes('password') || takes('member'),
    takesPassword: takes('password'),
    takesSession: takes('session'),
    takesMember: takes('member'),
  };
}
const routeNames = [...routeLines.map((_, at) => paths[at] ?? ''), '/bare', '/bare/x', '/merged/x'];
const routes = routeNames.map((path) => snapshot.routes.find('a.example', path)).filter((route) => route !== null);
const formerSnapshot: FormerSnapshot = {
  ...snapshot,
  reserved: formerRoute(snapshot.reserved),
  routes: buildFormerTable(routes.map(formerRoute), ['portal.example'], formerIsNoLooser),
};

function key(id: string, changes: Partial<SigningKey> = {}): SigningKey {
  return { id, algorithm: 'HS256', purpose: 'content', state: 'signing', secret: Buffer.alloc(32, id), ...changes };
}
const minters = buildKeyRing([key('k1'), key('gone'), key('inner', { purpose: 'internal' }), key('strange')]);
const ring = buildKeyRing([key('k1'), key('gone', { state: 'retired' }), key('inner', { purpose: 'internal' })]);

function mint(kid: string, type: 'outside' | 'pass' | 'session', claims: object): string {
  const signer = minters.find(kid);
  if (signer === undefined) throw new Error(`no key ${kid}`);
  return mintToken(claims, { key: signer, type });
}

const limits: readonly Partial<TokenClaims>[] = [
  { paths: ['/*'] },
  { paths: ['/r3-0/*'] },
  { paths: ['/*'], hosts: ['a.example'] },
  { paths: ['/*'], hosts: ['b.example'] },
  { paths: ['/*'], methods: ['GET'] },
  { paths: ['/*'], ips: ['10.0.0.0/8'] },
  { paths: ['/*'], aud: ['player'] },
  {},
];
const lives: readonly Partial<TokenClaims>[] = [
  { iat: start - 10, exp: start + 3000 },
  { iat: start - 1000, exp: start + 50 },
  { exp: start + 50 },
  { iat: start - 100, exp: start - 50 },
  { iat: start + 60, exp: start + 500 },
  { nbf: start + 90, exp: start + 500 },
  { iat: start, exp: start + 30_000_000 },
];
const origins: readonly Partial<TokenClaims>[] = [
  { sub: 'u', cred: { id: 'c', v: 1 }, n: ['cr_c'], v: ['e', 3] },
  { sub: 'ac_1', grant: 'me_1', n: ['ac_1', 'se_1'], v: ['e', 3], sid: 'se_1', did: 'dv_1' },
  { sub: 'ac_2', grant: 'me_2', n: ['ac_2', 'se_2'], v: ['e', 3], sid: 'se_2', did: 'dv_2' },
  { sub: 'x' },
  { sub: 'x', cred: { id: 'c', v: 1 }, grant: 'me_1' },
];
const outside = lives.flatMap((life) => limits.map((limit) => mint('k1', 'outside', { ...life, ...limit, sub: 'o' })));
const passes = origins.flatMap((origin) =>
  lives.flatMap((life) => limits.map((limit) => mint('k1', 'pass', { ...origin, ...life, ...limit }))),
);
const sessions = ['ac_1', 'ac_2'].flatMap((sub, at) =>
  [['a.example'], ['b.example']].flatMap((aud) =>
    lives.map((life) =>
      mint('inner', 'session', { sub, sid: `se_${at + 1}`, did: `dv_${at + 1}`, aud, n: [sub], v: ['e', 3], ...life }),
    ),
  ),
);
const bad = [
  mint('strange', 'outside', { exp: start + 50, paths: ['/*'] }),
  mint('gone', 'outside', { exp: start + 50, paths: ['/*'] }),
  `${outside[0]?.slice(0, -4)}AAAA`,
  'not.a.token',
  'x',
  `${Buffer.from('{"alg":"none","kid":"k1"}').toString('base64url')}.e30.AAAA`,
  `${Buffer.from('{"alg":"HS256","kid":"k1","typ":"at+jwt"}').toString('base64url')}.e30.AAAA`,
  `${Buffer.from('{"alg":"HS256","kid":"inner","typ":"JWT"}').toString('base64url')}.e30.AAAA`,
];
const known = new Map<string, VerifiedToken | TokenRefusal>();
function verifyOnce(token: string): VerifiedToken | TokenRefusal {
  const found = known.get(token) ?? verifyToken(token, ring);
  known.set(token, found);
  return found;
}

const anyToken = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...outside) },
  { weight: 8, arbitrary: fc.constantFrom(...passes) },
  { weight: 1, arbitrary: fc.constantFrom(...sessions) },
  { weight: 3, arbitrary: fc.constantFrom(...bad) },
);
const rarely = <T>(arbitrary: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 19, arbitrary: fc.constant(otherwise) }, { weight: 1, arbitrary });
const form = fc.constantFrom('bearer' as const, 'path' as const, 'query' as const);

const facts = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST'),
    host: fc.oneof(
      { weight: 20, arbitrary: fc.constant('a.example') },
      { weight: 1, arbitrary: fc.constantFrom('b.example', 'portal.example') },
    ),
    path: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom(...paths) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '/',
          '/bare',
          '/bare/',
          '/merged/x',
          '/r1-0/%2Fx',
          '/r1-0/x;y/../r2-0/',
          '/r1-0;x/y',
        ),
      },
    ),
    pathNeeds: rarely(fc.constantFrom(1, 2, 4, 16), 0),
    clientAddress: fc.constantFrom('10.0.0.1', '192.0.2.1'),
    isReserved: rarely(fc.constant(true), false),
    explicit: fc.option(fc.record({ form, token: anyToken }), { freq: 2 }),
    more: rarely(fc.array(fc.record({ form, token: anyToken }), { maxLength: 2 }), []),
    crowd: rarely(fc.constant(17), 0),
    passCookies: fc.oneof(fc.constant([]), fc.array(anyToken, { maxLength: 3 })),
    sessionCookie: fc.option(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...sessions) }, { weight: 1, arbitrary: anyToken }),
    ),
    linkTokens: rarely(fc.constantFrom(1, 2), 0),
    basic: fc.option(fc.constantFrom(Buffer.from('u:p').toString('base64'), '!!'), { freq: 2 }),
  })
  .map(
    ({ explicit, more, crowd, ...rest }): RequestFacts => ({
      ...rest,
      explicitToken: explicit?.token ?? null,
      explicitForm: explicit?.form ?? null,
      explicitCount: explicit === null ? 0 : 1 + more.length + crowd,
      moreTokens: explicit === null ? [] : more,
    }),
  );

const position = fc.option(fc.constantFrom({ epoch: 'e', seq: 5 }, { epoch: 'e', seq: 1 }, { epoch: 'f', seq: 5 }));
const away = { kind: 'away' } as const;
const granted = fc
  .record({
    methods: fc.constantFrom(null, ['GET'], ['POST']),
    untilAt: fc.constantFrom(null, start + 20, start + 2),
    path: fc.constantFrom('/', '/r8-0/', '/a*b'),
    nodes: fc.constantFrom(
      ['ac_1'],
      Array.from({ length: 16 }, (_, at) => `li_${at}`),
    ),
  })
  .map(
    ({ nodes, ...scope }): AccessAnswer => ({
      kind: 'granted',
      position: { epoch: 'e', seq: 4 },
      subjects: ['ac_1'],
      nodes,
      grant: 'me_1',
      scope: { host: 'a.example', ...scope },
      claims: { sub: 'ac_1', email: 'a@a.example' },
    }),
  );
const accessAnswer = fc.oneof(
  granted,
  fc.constant<AccessAnswer>({ kind: 'none', position: { epoch: 'e', seq: 4 }, subjects: [] }),
);
const answers: fc.Arbitrary<Answers | null> = fc.option(
  fc.record({
    password: fc.option(
      fc.oneof(
        fc.record({
          kind: fc.constant('verified' as const),
          sub: fc.constant('u'),
          userRecordId: fc.constant('c'),
          userRecordVersion: fc.constant(1),
          position,
        }),
        fc.constantFrom({ kind: 'refused' } as const, { kind: 'busy', retryAfterSeconds: 3 } as const, away),
      ),
    ),
    session: fc.option(
      fc.oneof(
        fc.constantFrom(...sessions, 'x').map((token) => ({ kind: 'renewed' as const, token, maxAgeSeconds: 900 })),
        fc.constantFrom({ kind: 'ended' } as const, away),
      ),
    ),
    access: fc.option(
      fc.oneof(
        { weight: 3, arbitrary: accessAnswer },
        { weight: 1, arbitrary: fc.constantFrom({ kind: 'ended' } as const, away) },
      ),
    ),
  }),
);

const live: fc.Arbitrary<LiveIndex> = fc
  .record({
    revoked: fc.constantFrom('', '', '', 'o', 'u', 'ac_1', 'ac_2', 'x'),
    ahead: fc.constantFrom(0, 0, 0, 3, 100_000),
    isForeign: rarely(fc.constant(true), false),
    hasRevoked: rarely(fc.constant(true), false),
    position,
    indexAgeMs: fc.constantFrom(0, 0, 0, 5000, 20_000, Number.POSITIVE_INFINITY),
    access: fc.option(accessAnswer),
  })
  .map(({ revoked, ahead, isForeign, hasRevoked, access, ...rest }) => ({
    ...rest,
    verify: verifyOnce,
    isRevoked: ({ claims }) => claims.sub === revoked,
    placesAhead: () => ahead,
    isForeign: () => isForeign,
    isOurs: (token) => ring.isNamedBy(token),
    hasRevoked: () => hasRevoked,
    findAccess: () => access,
  }));

/** All that a verdict is; what the denial learned to say since is left out. */
function verdict(decision: Decision | FormerDecision): object {
  switch (decision.kind) {
    case 'allow': {
      const { how, place, claims, issue, cookies, token, renew, route } = decision;
      return { how, place, claims, issue, cookies, token: known.size > 0 && token, renew, route: route.name };
    }
    case 'deny': {
      const { kind, reason, presented, cookies, detail, retryAfterSeconds, route, leadsTo } = decision;
      return {
        kind,
        reason,
        presented,
        cookies,
        detail,
        retryAfterSeconds,
        route: route?.name,
        leadsTo: leadsTo ?? 'nowhere',
      };
    }
    case 'lookup':
      return { ...decision, route: decision.route.name };
    default:
      return decision satisfies never;
  }
}

test('the table of verifiers decides as the one function before it, on whatever comes', () => {
  const reached = new Map<string, number>();
  const nows = fc.constantFrom(start, start + 1, start + 20, start + 1700);
  fc.assert(
    fc.property(facts, live, answers, nows, (request, index, answered, now) => {
      const former = formerDecide(request, formerSnapshot, index, now, answered);
      const decision = decide(request, snapshot, index, now, answered);
      expect(verdict(decision)).toEqual(verdict(former));
      const outcome =
        decision.kind === 'allow'
          ? `allow ${decision.how}`
          : decision.kind === 'deny'
            ? `deny ${decision.reason}`
            : `ask ${decision.question}`;
      reached.set(outcome, (reached.get(outcome) ?? 0) + 1);
    }),
    { numRuns: runs },
  );
  if (process.env.DECIDE_RUNS !== undefined) console.log([...reached].sort());
  expect([...reached.keys()]).toEqual(expect.arrayContaining(allowKinds.map((kind) => `allow ${kind}`)));
  expect([...reached.keys()]).toEqual(
    expect.arrayContaining(['password', 'session', 'access'].map((kind) => `ask ${kind}`)),
  );
  expect([...reached.keys()]).toEqual(expect.arrayContaining(reachable.map((reason) => `deny ${reason}`)));
  expect(noAnswers).toEqual({ password: null, session: null, access: null });
});

/** The reasons that `decide` gives; the others come from the rules around it. */
const reachable = [
  ...['no-route', 'unknown-host', 'ambiguous-path', 'encoded-slash', 'path-not-taken', 'path-merged', 'other-end'],
  ...['method-refused', 'credential-repeated', 'path-form-method', 'no-credential', 'credential-not-accepted'],
  ...['token-malformed', 'token-bad-header', 'token-unknown-key', 'token-retired-key', 'token-wrong-type'],
  ...['token-bad-signature', 'token-bad-claims', 'token-expired', 'token-not-yet-valid', 'token-issued-ahead'],
  ...['token-lives-too-long', 'token-revoked', 'token-wrong-audience', 'token-unscoped', 'outside-path'],
  ...['outside-method', 'outside-host', 'outside-address', 'not-a-member', 'password-malformed', 'password-wrong'],
  ...['password-busy', 'control-away', 'index-stale'],
];
