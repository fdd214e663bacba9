// Turns a configuration into the Snapshot that requests are decided against. Pure work, done once per (re)load.

import { compileCors } from '../core/decision/policy/cors.ts';
import { compileIdentity, customIdentityNames } from '../core/decision/policy/identity.ts';
import { type PublicTransport, publicTransport } from '../core/decision/policy/public-transport.ts';
import { compileRateLimits } from '../core/decision/policy/rate-limit.ts';
import { claimNamesOf, compileRequestPolicy, requestFieldsOf } from '../core/decision/policy/request-policy.ts';
import { compileResponsePolicy, responseFieldsOf } from '../core/decision/policy/response-policy.ts';
import { compileWho } from '../core/decision/policy/who.ts';
import { buildRouteTable } from '../core/decision/route/route-table.ts';
import { compileSite, type Site } from '../core/decision/route/site.ts';
import { isNoLooser } from '../core/decision/state/route-strictness.ts';
import type { RoutePolicy, Snapshot } from '../core/decision/state/snapshot.ts';
import { verifiersFor } from '../core/decision/verifier/verifiers.ts';
import { pathNeed } from '../core/model/path.ts';
import { compileIpList } from '../core/token/ip-list.ts';
import { withHead } from '../core/token/scope.ts';
import { tokenKinds } from '../core/token/token-kinds.ts';
import type { Config, RouteConfig } from './compiled/config.ts';
import type { UpstreamConfig } from './compiled/upstream-config.ts';

/** The counters' places of routes and upstreams, by their position in the configuration's lists; they outlive a reload. */
interface Slots {
  readonly routes: readonly number[];
  readonly upstreams: readonly number[];
}

/** @param ownUpstream  slot of latchkey's own pages */
export function compileSnapshot(config: Config, seq: number, slots: Slots, ownUpstream: number): Snapshot {
  const upstreamSlots = new Map<string, number>();
  config.upstreams.forEach((upstream, position) => {
    upstreamSlots.set(upstream.name, slots.upstreams[position] ?? position);
  });
  const customNames = new Set<string>();
  for (const route of config.routes) {
    for (const name of [...customIdentityNames(route.identity), ...claimNamesOf(route.request)]) customNames.add(name);
  }
  const sites = new Map(config.upstreams.map((upstream) => [upstream.name, siteOf(upstream)]));
  // equal settings share one writer, so that a token's remembered lines serve all routes that write alike
  const writers = new Map<string, RoutePolicy['identity']>();
  const routes = config.routes.map((route, position): RoutePolicy => {
    const site = route.rewritesLocations ? (sites.get(route.upstream) ?? null) : null;
    const request = compileRequestPolicy(route.request);
    const claimHeaders = request?.claimHeaders ?? [];
    const writerKey = JSON.stringify([route.identity, claimHeaders]);
    const identity = writers.get(writerKey) ?? compileIdentity(route.identity, claimHeaders);
    writers.set(writerKey, identity);
    const upstreamIndex = upstreamSlots.get(route.upstream);
    if (upstreamIndex === undefined) throw new Error(`route "${route.name}" names no upstream of the configuration`);
    return compileRoute(route, slots.routes[position] ?? position, upstreamIndex, identity, request, site, config);
  });
  return {
    seq,
    routes: buildRouteTable(routes, config.portal === null ? [] : [config.portal.host], isNoLooser),
    takesPaths: routes.reduce(
      (all, route) => all | route.takesPaths | (route.keepsEncodedSlash ? pathNeed.encodedSlash : 0),
      0,
    ),
    reserved: reservedRoute(config, ownUpstream),
    reservedPrefix: config.reservedPrefix,
    portal: portalOf(config),
    transport: transportOf(config),
    tokenPathPrefix: config.tokens.pathPrefix,
    tokenParameter: config.tokens.parameter,
    linkParameter: routes.some((route) => route.accept.includes('member')) ? config.links.tokenParameter : null,
    clockSkewSeconds: config.tokens.clockSkewSeconds,
    maxTokenTtlSeconds: longestTokenSeconds(config),
    passTtlSeconds: config.tokens.passTtlSeconds,
    issuer: config.tokens.issuer,
    trustedProxies: config.trustedProxies.length === 0 ? null : compileIpList(config.trustedProxies),
    hasEarlyRules: routes.some((route) => route.cors !== null || (route.rateLimits?.byAddress.length ?? 0) > 0),
    requestFields: requestFieldsOf(routes.map((route) => route.request)),
    responseFields: responseFieldsOf(routes.map((route) => route.response)),
    clientAddressHeader: config.clientAddressHeader?.toLowerCase() ?? null,
    saysVia: config.saysVia,
    tracesRequests: config.telemetry.tracesRequests,
    customIdentityNames: customNames,
  };
}

/** Longest life, in seconds, of a token or session that any route accepts: a revocation is remembered for so long. Control asks too. */
export function longestTokenSeconds({ routes }: Pick<Config, 'routes'>): number {
  return Math.max(tokenKinds.session.longestSeconds, ...routes.map((route) => route.maxTokenTtlSeconds));
}

/** How visitors reach the gateway, http or https. Control asks too, because its pages set the same cookies. */
export function transportOf({ portal, listeners }: Pick<Config, 'portal' | 'listeners'>): PublicTransport {
  return publicTransport(
    portal?.publicUrl ?? null,
    listeners.some(({ tls }) => tls !== null),
  );
}

function compileRoute(
  route: RouteConfig,
  index: number,
  upstreamIndex: number,
  identity: RoutePolicy['identity'],
  request: RoutePolicy['request'],
  site: RoutePolicy['site'],
  { edges, tokens }: Pick<Config, 'edges' | 'tokens'>,
): RoutePolicy {
  return {
    index,
    name: route.name,
    host: route.host,
    path: route.path,
    keepsEncodedSlash: route.encodedSlash === 'keep',
    takesPaths:
      (route.paths.slashes === 'refuse' ? 0 : pathNeed.merging) |
      (route.paths.notUtf8 === 'keep' ? pathNeed.anyOctets : 0) |
      (route.paths.encodedPercent === 'keep' ? pathNeed.encodedPercent : 0) |
      (route.paths.rawUtf8 === 'encode' ? pathNeed.rawLetters : 0),
    mergesPaths: route.paths.slashes === 'redirect' ? 'by-redirect' : 'silently',
    methods: route.methods === null ? null : withHead(route.methods),
    passPaths: [route.path.endsWith('/') ? `${route.path}*` : route.path],
    upstreamName: route.upstream,
    upstreamIndex,
    site,
    ...acceptOf(route.accept),
    isOwnPages: false,
    unscopedTokens: route.unscopedTokens,
    audience: route.audience,
    maxTokenTtlSeconds: route.maxTokenTtlSeconds,
    maxPassTtlSeconds: Math.min(
      route.maxTokenTtlSeconds,
      Math.max(tokens.passTtlSeconds, tokenKinds.pass.longestSeconds),
    ),
    isRevocable: route.revocation === 'checked',
    maxStalenessMs: route.maxStalenessMs,
    forwardsAuthorization: route.forwardAuthorization,
    identity,
    allow: compileWho(route.allow),
    assertion: route.assertion,
    upgrade: route.upgrade.length === 0 ? null : { protocols: route.upgrade, origins: route.webSocketOrigins },
    request,
    response: compileResponsePolicy(route.response),
    sharesCaches: route.response.cache === 'shared',
    variesByCredential: route.accept.includes('anyone') && route.accept.length > 1 && route.response.cache !== 'shared',
    cors: compileCors(route.cors),
    rateLimits: compileRateLimits(route.name, route.rateLimits, edges),
    timeouts: route.timeouts,
    limits: route.limits,
  };
}

function acceptOf(
  accept: RoutePolicy['accept'],
): Pick<RoutePolicy, 'accept' | 'verifiers' | 'takesOutsideTokens' | 'looksAtSessions'> {
  return {
    accept,
    verifiers: verifiersFor(accept),
    takesOutsideTokens: accept.includes('token'),
    looksAtSessions: accept.includes('session') || accept.includes('member'),
  };
}

function siteOf({ servers }: UpstreamConfig): Site {
  return compileSite(
    servers.flatMap(({ address, isTls }) =>
      address.kind === 'tcp' ? [{ host: address.host, port: address.port, isTls }] : [],
    ),
  );
}

/** The route of latchkey's own pages: open to everybody, with control as its upstream on the same machine. */
function reservedRoute(config: Config, upstreamIndex: number): RoutePolicy {
  return {
    index: -1,
    name: 'latchkey',
    host: null,
    path: config.reservedPrefix,
    keepsEncodedSlash: false,
    takesPaths: 0,
    mergesPaths: 'silently',
    methods: null,
    passPaths: [],
    upstreamName: 'latchkey',
    upstreamIndex,
    site: null,
    ...acceptOf(['anyone']),
    isOwnPages: true,
    unscopedTokens: 'refuse',
    audience: [],
    maxTokenTtlSeconds: 0,
    maxPassTtlSeconds: 0,
    isRevocable: false,
    maxStalenessMs: 0,
    forwardsAuthorization: false,
    identity: () => '',
    allow: null,
    assertion: false,
    upgrade: null,
    request: null,
    response: null,
    sharesCaches: true,
    variesByCredential: false,
    cors: null,
    rateLimits: null,
    timeouts: {
      requestBodyIdleMs: 30_000,
      upstreamConnectMs: 1_000,
      upstreamFirstByteMs: 10_000,
      upstreamIdleMs: 10_000,
      clientWriteIdleMs: 60_000,
      tunnelIdleMs: 60_000,
    },
    // clients send only forms and small documents there
    limits: { maxBodyBytes: 1024 * 1024, minRequestRate: 100, minResponseRate: 0 },
  };
}

function portalOf({ portal }: Config): Snapshot['portal'] {
  if (portal === null) return null;
  const { host, publicUrl, name, logoFile, contact } = portal;
  return { host, url: publicUrl, name, hasLogo: logoFile !== null, contact };
}
