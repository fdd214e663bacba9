// Tells what a token opens under a configuration: route by route, or at one URL. It uses the functions that decide requests, but knows
// nothing of revocations: only a running gateway knows those.

import { compileSnapshot } from '../../config/compile.ts';
import type { Config } from '../../config/compiled/config.ts';
import { decide } from '../../core/decision/decide.ts';
import { chooseRoute } from '../../core/decision/route/choose-route.ts';
import { canonicalHost } from '../../core/decision/route/host.ts';
import { canonicalPathAllowing, comparedForm, pathNeed } from '../../core/decision/route/path.ts';
import type { RequestFacts } from '../../core/decision/state/facts.ts';
import type { LiveIndex, RoutePolicy, Snapshot } from '../../core/decision/state/snapshot.ts';
import type { DenyReason } from '../../core/decision/verdict/reasons.ts';
import { refusalDetail } from '../../core/decision/verdict/refusal-detail.ts';
import { judgeToken } from '../../core/decision/verifier/judge-token.ts';
import { isWildcardHost } from '../../core/model/host-pattern.ts';
import type { EpochSeconds } from '../../core/model/time.ts';
import { type VerifiedToken, verifyToken } from '../../core/token/common-key-token.ts';
import type { KeyRing } from '../../core/token/key-ring.ts';
import { canonicalPattern } from '../../core/token/path-pattern.ts';

/** What a token opens on one route. */
export interface RouteVerdict {
  readonly route: string;
  readonly opens: boolean;
  /** null when the token opens something. */
  readonly reason: DenyReason | null;
  /** In words: what the token opens there, or why it opens nothing. */
  readonly detail: string;
}

/** The decision about one request with a token. */
export interface UrlVerdict extends Omit<RouteVerdict, 'route'> {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** null when no route covers the host and path. */
  readonly route: string | null;
}

interface Circumstances {
  readonly config: Config;
  readonly ring: KeyRing;
  readonly now: EpochSeconds;
}

/** Whether each route of the configuration would open anything for the token. */
export function judgeRoutes(token: VerifiedToken, { config, ring, now }: Circumstances): readonly RouteVerdict[] {
  const snapshot = snapshotOf(config);
  const live = liveOf(ring);
  return config.routes.map((route) => {
    const policy = policyOf(snapshot, route);
    if (policy === null) return { route: route.name, opens: false, reason: 'no-route', detail: 'no request gets here' };
    const places = placesOf(token, policy, snapshot);
    let refused: RouteVerdict | null = null;
    for (const facts of places) {
      if (policy.methods !== null && !policy.methods.includes(facts.method)) {
        const detail = `the route takes ${policy.methods.join(', ')} alone`;
        refused ??= { route: route.name, opens: false, reason: 'method-refused', detail };
        continue;
      }
      const reason = judgeToken(token, { facts, route: policy, snapshot, live, now });
      if (typeof reason !== 'string') {
        return { route: route.name, opens: true, reason: null, detail: openedText(token, policy) };
      }
      const detail = refusalDetail(token, reason, { route: policy, facts, now, snapshot, live });
      refused ??= { route: route.name, opens: false, reason, detail };
    }
    return refused ?? { route: route.name, opens: false, reason: 'outside-path', detail: 'opens nothing of the route' };
  });
}

/**
 * What the gateway would answer to a request with the token.
 *
 * @param url     `https://host/path`; the path as it would be sent
 * @param client  IP address that the request would come from
 * @returns null when the text is no such URL, or its path has no canonical form, which the gateway answers with 400
 */
export function judgeUrl(
  token: string,
  { url, method, client }: { readonly url: string; readonly method: string; readonly client: string },
  { config, ring, now }: Circumstances,
): UrlVerdict | null {
  const match = /^https?:\/\/([^/?#@]+)(\/[^?#]*)?(?:\?[^#]*)?(?:#.*)?$/i.exec(url);
  const host = match?.[1] === undefined ? null : canonicalHost(match[1]);
  const snapshot = snapshotOf(config);
  const raw = match?.[2] ?? '/';
  const needy = canonicalPathAllowing(Buffer.from(raw, 'utf8').toString('latin1'), snapshot.takesPaths);
  if (host === null || needy === null) return null;
  const { path } = needy;
  const facts: RequestFacts = {
    ...factsAt(host, path, method, client),
    pathNeeds: needy.needs & ~pathNeed.encodedSlash,
    isReserved: path.startsWith(snapshot.reservedPrefix),
    explicitToken: token,
    explicitForm: 'bearer',
    explicitCount: 1,
  };
  const live = liveOf(ring);
  const decision = decide(facts, snapshot, live, now, null);
  const place = { method, host, path, route: decision.route?.name ?? null };
  switch (decision.kind) {
    case 'allow': {
      const detail =
        decision.how === 'anyone' ? 'anyone may open it, and the token says nothing there' : 'by the token';
      return { ...place, opens: true, reason: null, detail };
    }
    case 'deny':
      return { ...place, opens: false, reason: decision.reason, detail: decision.detail };
    case 'lookup':
      return { ...place, opens: false, reason: 'no-credential', detail: 'control would have to be asked' };
    default:
      return decision satisfies never;
  }
}

function snapshotOf(config: Config): Snapshot {
  const slots = { routes: config.routes.map((_, at) => at), upstreams: config.upstreams.map((_, at) => at) };
  return compileSnapshot(config, 0, slots, config.upstreams.length);
}

function liveOf(ring: KeyRing): LiveIndex {
  return {
    verify: (token) => verifyToken(token, ring),
    isOurs: (token) => ring.isNamedBy(token),
    isRevoked: () => false,
    hasRevoked: () => false,
    placesAhead: () => 0,
    isForeign: () => false,
    findAccess: () => null,
    position: null,
    indexAgeMs: 0,
  };
}

function policyOf(snapshot: Snapshot, { host, path }: Pick<RoutePolicy, 'host' | 'path'>): RoutePolicy | null {
  const found = snapshot.routes.find(host === null ? '' : host.replace('*', 'x'), path);
  return found?.host === host && found.path === path ? found : null;
}

/** Sample requests for the route that the token may open, the likeliest first; one of them is for the route's own path. */
function placesOf({ claims }: VerifiedToken, route: RoutePolicy, snapshot: Snapshot): readonly RequestFacts[] {
  const method = methodFor(claims.methods, route);
  const client = claims.ips?.[0]?.split('/')[0] ?? '127.0.0.1';
  const host = hostFor(claims.hosts ?? [], route, snapshot);
  const paths = (claims.paths ?? []).flatMap((pattern) => pathFor(canonicalPattern(pattern) ?? '', route.path));
  const here = paths.filter((path) => chooseRoute(snapshot.routes, host, path) === route);
  return [...new Set([...here, route.path])].map((path) => factsAt(host, path, method, client));
}

/** A method for the sample requests: one that both the token and the route take, where there is one. */
function methodFor(wanted: readonly string[] | undefined, { methods }: RoutePolicy): string {
  const both = methods === null ? wanted : wanted?.filter((method) => methods.includes(method));
  return both?.[0] ?? wanted?.[0] ?? methods?.[0] ?? 'GET';
}

/** A host for the sample requests: the route's own; below a wildcard one of the token's hosts that the route serves, else a made-up one. */
function hostFor(wanted: readonly string[], route: RoutePolicy, { routes }: Snapshot): string {
  if (route.host !== null && !isWildcardHost(route.host)) return route.host;
  const suffix = route.host === null ? '' : route.host.slice(1);
  const found = wanted
    .map((host) => host.replace('*', 'x'))
    .find((host) => host.endsWith(suffix) && routes.find(host, route.path) === route);
  return found ?? `x${suffix}`;
}

/** Sample paths that lie in the route and may match the pattern. Whether one does is judged later. */
function pathFor(pattern: string, routePath: string): readonly string[] {
  const isBelow = pattern.endsWith('/*');
  // a star inside a segment matches any text, so also one letter
  const path = comparedForm((isBelow ? pattern.slice(0, -1) : pattern).replaceAll('*', 'x'));
  if (path === routePath) return [path];
  if (routePath.endsWith('/') && path.startsWith(routePath)) return [path];
  if (isBelow && routePath.startsWith(path)) return [routePath];
  // else a path of the route with the pattern's end; whether the pattern matches it is judged later
  const route = comparedForm(routePath).split('/');
  const rest = path.split('/').slice(route.length - 1);
  if (!routePath.endsWith('/')) return [routePath];
  return rest.length === 0 ? [routePath] : [[...route.slice(0, -1), ...rest].join('/')];
}

function factsAt(host: string, path: string, method: string, clientAddress: string): RequestFacts {
  return {
    ...{ method, host, path, pathNeeds: 0, clientAddress, isReserved: false },
    ...{ explicitToken: null, explicitForm: null, explicitCount: 0, moreTokens: [] },
    ...{ passCookies: [], sessionCookie: null, linkTokens: 0, basic: null },
  };
}

/** What the token opens on the route, by its claims `paths`, `hosts`, `methods` and `ips`. */
function openedText({ claims }: VerifiedToken, route: RoutePolicy): string {
  const parts = [(claims.paths ?? [`everything below ${route.path}`]).join(', ')];
  if (claims.hosts !== undefined) parts.push(`on ${claims.hosts.join(', ')}`);
  if (claims.methods !== undefined) parts.push(`by ${claims.methods.join(', ')}`);
  if (claims.ips !== undefined) parts.push(`from ${claims.ips.join(', ')}`);
  return parts.join(' ');
}
