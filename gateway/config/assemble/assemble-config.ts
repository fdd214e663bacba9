// Makes a Config of what the file says: every default filled in, every path absolute. Pure; schema and references were checked before.
// Routes, upstreams and what is for control alone have files of their own beside this one.

import type { LogTarget } from '../../telemetry/log-file.ts';
import type { Config, ListenerConfig } from '../compiled/config.ts';
import type { ConfigFile } from '../schema/schema.ts';
import { assembleControl } from './assemble-control.ts';
import { assembleRoute } from './assemble-route.ts';
import { assembleUpstream } from './assemble-upstream.ts';

/**
 * @param absolute  makes a path of the file absolute
 * @param cores     what `edges: auto` means
 */
export function assembleConfig(file: ConfigFile, absolute: (path: string) => string, cores: number): Config {
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
    routes: file.routes.map((route) => assembleRoute(route, file)),
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
      format: file.logs.format,
      refusals: file.logs.refusals,
    },
    telemetry: {
      // a span without a trace context for the site would be a trace of one
      tracesRequests: file.telemetry.trace_context === 'on' || file.telemetry.otlp !== undefined,
      otlp: assembleOtlp(file.telemetry.otlp),
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

function assembleOtlp(otlp: ConfigFile['telemetry']['otlp']): Config['telemetry']['otlp'] {
  if (otlp === undefined) return null;
  const { endpoint, headers, service_name: serviceName, sample } = otlp;
  return { endpoint, headers, serviceName, sample };
}

function logTarget(text: string, absolute: (path: string) => string): LogTarget {
  if (text === 'off' || text === 'stdout') return { kind: text };
  return { kind: 'file', path: absolute(text) };
}
