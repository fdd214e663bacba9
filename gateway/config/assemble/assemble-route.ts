// Makes a RouteConfig of what the file says about a route, and of the defaults that the whole file gives. Pure.

import type { RouteLimits, RouteTimeouts } from '../../core/decision/state/snapshot.ts';
import type { IdentityConfig, PolicyConfig, RouteConfig, RoutePathsConfig } from '../compiled/config.ts';
import type { ConfigFile } from '../schema/schema.ts';

type RouteFile = ConfigFile['routes'][number];

const defaultTimeouts: RouteTimeouts = {
  requestBodyIdleMs: 30_000,
  upstreamConnectMs: 3_000,
  upstreamFirstByteMs: 60_000,
  upstreamIdleMs: 60_000,
  clientWriteIdleMs: 60_000,
  tunnelIdleMs: 3_600_000,
};

/** @param file  whose `timeouts` and `limits` hold where the route says nothing */
export function assembleRoute(route: RouteFile, file: Pick<ConfigFile, 'timeouts' | 'limits'>): RouteConfig {
  return {
    name: route.name,
    host: route.host ?? null,
    path: route.path,
    encodedSlash: route.encoded_slash,
    paths: assemblePaths(route.paths),
    methods: route.methods ?? null,
    upstream: route.upstream,
    accept: route.accept,
    allow: route.allow ?? null,
    identity: assembleIdentity(route.identity),
    assertion: route.assertion,
    audience: typeof route.audience === 'string' ? [route.audience] : route.audience,
    unscopedTokens: route.unscoped_tokens,
    maxTokenTtlSeconds: route.max_token_ttl,
    revocation: route.revocation,
    maxStalenessMs: route.max_staleness,
    forwardAuthorization: route.forward_authorization,
    rewritesLocations: route.rewrite_locations,
    upgrade: route.upgrade === 'off' ? [] : route.upgrade,
    webSocketOrigins: route.websocket.origins,
    timeouts: mergeTimeouts(mergeTimeouts(defaultTimeouts, file.timeouts), route.timeouts),
    limits: mergeLimits(file.limits, route.limits),
    ...assemblePolicy(route),
  };
}

function mergeTimeouts(base: RouteTimeouts, own: ConfigFile['timeouts']): RouteTimeouts {
  return {
    requestBodyIdleMs: own.request_body_idle ?? base.requestBodyIdleMs,
    upstreamConnectMs: own.upstream_connect ?? base.upstreamConnectMs,
    upstreamFirstByteMs: own.upstream_first_byte ?? base.upstreamFirstByteMs,
    upstreamIdleMs: own.upstream_idle ?? base.upstreamIdleMs,
    clientWriteIdleMs: own.client_write_idle ?? base.clientWriteIdleMs,
    tunnelIdleMs: own.tunnel_idle ?? base.tunnelIdleMs,
  };
}

function mergeLimits(base: ConfigFile['limits'], own: RouteFile['limits']): RouteLimits {
  return {
    maxBodyBytes: own.max_body ?? base.max_body,
    minRequestRate: own.min_request_rate ?? base.min_request_rate,
    minResponseRate: own.min_response_rate ?? base.min_response_rate,
  };
}

function assembleIdentity(identity: RouteFile['identity']): IdentityConfig {
  if (typeof identity === 'string') return { preset: identity, user: 'id' };
  if (identity.custom === undefined) return { preset: identity.preset ?? 'oauth2-proxy', user: identity.user ?? 'id' };
  const headers = Object.fromEntries(Object.entries(identity.custom).filter(([, header]) => header !== undefined));
  return { preset: 'custom', headers };
}

function assemblePaths(choice: RouteFile['paths']): RoutePathsConfig {
  if (typeof choice === 'string') {
    return {
      slashes: choice === 'strict' ? 'refuse' : choice,
      notUtf8: 'refuse',
      encodedPercent: 'refuse',
      rawUtf8: 'refuse',
    };
  }
  return {
    slashes: choice.slashes,
    notUtf8: choice.not_utf8,
    encodedPercent: choice.encoded_percent,
    rawUtf8: choice.raw_utf8,
  };
}

function assemblePolicy(route: RouteFile): PolicyConfig {
  const { request, response, cors } = route;
  const limits = route.rate_limit ?? [];
  return {
    request: { set: { ...request.set }, remove: request.remove, keep: request.keep },
    response: {
      // copied, because a record that zod made has no prototype
      set: { ...response.set },
      remove: response.remove,
      securityHeaders: response.security_headers,
      cache: response.cache,
    },
    cors:
      cors === undefined
        ? null
        : {
            origins: cors.origins,
            methods: cors.methods,
            headers: cors.headers,
            expose: cors.expose,
            credentials: cors.credentials,
            maxAgeSeconds: cors.max_age,
          },
    rateLimits: (Array.isArray(limits) ? limits : [limits]).map((limit) => ({
      by: limit.by,
      count: limit.rate.count,
      perSeconds: limit.rate.perSeconds,
      burst: limit.burst ?? limit.rate.count,
    })),
  };
}
