// Loads a configuration file: every problem at once, or a Config with every default filled in.
// The phases: YAML to data, data to values, values against each other, values to Config. It changes nothing anywhere.

import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { RouteLimits, RouteTimeouts } from '../core/decision/state/snapshot.ts';
import { checkReferences } from './check/references.ts';
import type { Config, IdentityConfig, ListenerConfig, LogTarget, RouteConfig } from './compiled/config.ts';
import { readDocument } from './files/document.ts';
import type { Environment } from './files/environment.ts';
import { type Problem, problemAt } from './problems/problem.ts';
import { type Inspection, inspect } from './schema/inspect.ts';
import { assembleUpstream } from './schema/load-upstreams.ts';
import { type ConfigFile, fileSchema } from './schema/schema.ts';
import { assembleControl } from './schema/schema-control.ts';
import { assemblePaths } from './schema/schema-paths.ts';
import { assemblePolicy } from './schema/schema-policy.ts';

export type LoadedConfig =
  | { readonly kind: 'loaded'; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] };

export interface LoadOptions {
  /** What `edges: auto` means. Default: the cores this process may use. */
  readonly cores?: number;
  /** `skip` does not open the secret and users files, for commands that are about to make them. Default `check`. */
  readonly files?: 'check' | 'skip';
}

const defaultTimeouts: RouteTimeouts = {
  requestBodyIdleMs: 30_000,
  upstreamConnectMs: 3_000,
  upstreamFirstByteMs: 60_000,
  upstreamIdleMs: 60_000,
  clientWriteIdleMs: 60_000,
  tunnelIdleMs: 3_600_000,
};

/**
 * Loads a file.
 *
 * @param file         path of the YAML file; relative paths inside it start at its folder
 * @param environment  for `${NAME}`; `readEnvironment` in production
 */
export function loadConfig(file: string, environment: Environment, options: LoadOptions = {}): LoadedConfig {
  const document = readDocument(file, environment);
  if (document.kind === 'unreadable') return { kind: 'invalid', problems: document.problems };
  if (typeof document.value !== 'object' || Array.isArray(document.value)) {
    return {
      kind: 'invalid',
      problems: [problemAt([], 'the file is not a mapping', 'start from config/minimal.yaml')],
    };
  }
  const folder = dirname(resolve(file));
  const absolute = (path: string) => resolve(folder, path);
  const inspection: Inspection<ConfigFile> = inspect(fileSchema, document.value, document.interpolated);
  const { problems, warnings } = checkReferences(
    inspection.kind === 'whole' ? inspection.value : inspection.draft,
    absolute,
    options.files ?? 'check',
  );
  if (inspection.kind === 'broken' || problems.length > 0 || document.problems.length > 0) {
    const shape = inspection.kind === 'broken' ? inspection.problems : [];
    return { kind: 'invalid', problems: onePerPlace([...document.problems, ...shape, ...problems]) };
  }
  return {
    kind: 'loaded',
    config: assemble(inspection.value, absolute, options.cores ?? availableParallelism()),
    warnings: onePerPlaceAndText([...document.warnings, ...warnings]),
  };
}

/** A place whose variable is not set, or whose value is no value, needs no second opinion. */
function onePerPlace(problems: readonly Problem[]): readonly Problem[] {
  const places = new Set<string>();
  return problems.filter(({ path }) => {
    const first = path === '' || !places.has(path);
    places.add(path);
    return first;
  });
}

/** A variable that is a whole value is told as the variable, and not once more as the value. */
function onePerPlaceAndText(warnings: readonly Problem[]): readonly Problem[] {
  return warnings.filter(
    ({ path, problem }, at) =>
      !warnings.slice(0, at).some((other) => other.path === path && other.problem.endsWith(problem)),
  );
}

function assemble(file: ConfigFile, absolute: (path: string) => string, cores: number): Config {
  const timeouts = mergeTimeouts(defaultTimeouts, file.timeouts);
  return {
    listeners: file.listeners.map((listener, at) => assembleListener(listener, at, absolute)),
    operations: { at: 'operations.address', ...file.operations.address },
    dataDir: absolute(file.data_dir),
    edges: file.edges === 'auto' ? cores : file.edges,
    commonKeys: (file.common_keys ?? []).map(({ id, secret_file, state }) => ({
      id,
      secretFile: absolute(secret_file),
      state,
    })),
    usersFile: file.users_file === undefined ? null : absolute(file.users_file),
    upstreams: Object.entries(file.upstreams).map(([name, upstream]) => assembleUpstream(name, upstream, absolute)),
    routes: file.routes.map(
      (route): RouteConfig => ({
        name: route.name,
        host: route.host ?? null,
        path: route.path,
        encodedSlash: route.encoded_slash,
        paths: assemblePaths(route.paths),
        methods: route.methods ?? null,
        upstream: route.upstream,
        accept: route.accept,
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
        timeouts: mergeTimeouts(timeouts, route.timeouts),
        limits: mergeLimits(file.limits, route.limits),
        ...assemblePolicy(route),
      }),
    ),
    trustedProxies: file.trusted_proxies,
    clientAddressHeader: file.client_address_header ?? null,
    saysVia: file.via === 'on',
    reservedPrefix: file.reserved_prefix,
    tokens: {
      parameter: file.tokens.parameter,
      pathPrefix: file.tokens.path_prefix,
      clockSkewSeconds: file.tokens.clock_skew,
      passTtlSeconds: file.tokens.pass_ttl,
      issuer: file.tokens.issuer,
    },
    logs: {
      level: file.logs.level,
      access: logTarget(file.logs.access, absolute),
      decisions: logTarget(file.logs.decisions, absolute),
    },
    limits: {
      headMs: file.limits.head_timeout,
      clientKeepAliveMs: file.limits.client_keep_alive,
      upstreamKeepAliveMs: file.limits.upstream_keep_alive,
      maxConnections: file.limits.max_connections,
      maxConnectionsPerAddress:
        file.limits.max_connections_per_address === 'unlimited' ? null : file.limits.max_connections_per_address,
      maxEventLoopDelayMs: file.limits.max_event_loop_delay,
      drainMs: file.limits.drain_timeout,
      rateWindowMs: file.limits.rate_window,
    },
    reload: { watch: file.reload.watch, intervalMs: file.reload.interval },
    decisionCache: file.decision_cache,
    explain: file.explain,
    passwordChecksPerSecond: file.password_checks_per_second,
    ...assembleControl(file, absolute(file.data_dir), absolute),
  };
}

function assembleListener(
  listener: ConfigFile['listeners'][number],
  at: number,
  absolute: (path: string) => string,
): ListenerConfig {
  const { address, tls, redirect_to_https: redirect, proxy_protocol: proxy } = listener;
  const clients = tls?.client_certificates;
  return {
    at: `listeners[${at}].address`,
    ...address,
    tls:
      tls === undefined
        ? null
        : {
            certificates: tls.certificates.map(({ cert_file, key_file }) => ({
              certFile: absolute(cert_file),
              keyFile: absolute(key_file),
            })),
            minVersion: Number(tls.min_version) === 1.3 ? '1.3' : '1.2',
            clientCertificates:
              clients === undefined
                ? null
                : { caFile: absolute(clients.ca_file), mode: clients.mode, hosts: clients.hosts ?? null },
          },
    redirectPort: redirect === true ? 443 : redirect === false ? null : redirect,
    proxyFrom: proxy?.from ?? null,
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

function mergeLimits(base: ConfigFile['limits'], own: ConfigFile['routes'][number]['limits']): RouteLimits {
  return {
    maxBodyBytes: own.max_body ?? base.max_body,
    minRequestRate: own.min_request_rate ?? base.min_request_rate,
    minResponseRate: own.min_response_rate ?? base.min_response_rate,
  };
}

function assembleIdentity(identity: ConfigFile['routes'][number]['identity']): IdentityConfig {
  if (typeof identity === 'string') return { preset: identity };
  const headers = Object.fromEntries(Object.entries(identity.custom).filter(([, header]) => header !== undefined));
  return { preset: 'custom', headers };
}

function logTarget(text: string, absolute: (path: string) => string): LogTarget {
  if (text === 'off' || text === 'stdout') return { kind: text };
  return { kind: 'file', path: absolute(text) };
}
