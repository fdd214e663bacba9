// Makes UpstreamConfig of what the file says about an upstream: every path absolute, every default filled in. Pure.

import type { Balance, UpstreamConfig, UpstreamServer, UpstreamTls } from '../compiled/upstream-config.ts';
import type { Draft } from '../schema/inspect.ts';
import type { UpstreamFile } from '../schema/schema-upstreams.ts';
import { authorityOf } from '../schema/upstream-values.ts';

/** @param absolute  makes a path of the file absolute */
export function assembleUpstream(name: string, file: UpstreamFile, absolute: (path: string) => string): UpstreamConfig {
  const servers = file.servers.map((server) => assembleServer(server, absolute));
  const { ejection, health_check: check } = file;
  return {
    name,
    servers,
    maxConnections: file.max_connections,
    maxIdleConnections: file.max_idle_connections,
    keepAliveMs: file.keep_alive ?? null,
    pipelining: file.pipelining,
    ...(file.status_line === 'icy' ? { statusLine: file.status_line } : {}),
    balance: assembleBalance(file.balance),
    // an upstream with one server never ejects it: no other server could answer
    ejection: ejection === 'off' || servers.length < 2 ? null : { failures: ejection.failures, forMs: ejection.for },
    healthCheck:
      check === undefined
        ? null
        : {
            path: check.path,
            host: check.host ?? null,
            intervalMs: check.interval,
            timeoutMs: check.timeout,
            expect: check.expect.map((range) => (typeof range === 'number' ? ([range, range] as const) : range)),
            healthyAfter: check.healthy_after,
            unhealthyAfter: check.unhealthy_after,
          },
    tls: servers.some(({ isTls }) => isTls) ? assembleTls(file.tls, absolute) : null,
  };
}

function assembleServer(file: UpstreamFile['servers'][number], absolute: (path: string) => string): UpstreamServer {
  const { server, weight } =
    'weight' in file ? { server: file.address, weight: file.weight } : { server: file, weight: 1 };
  const { address, isTls } = server;
  return {
    address: address.kind === 'unix' ? { kind: 'unix', path: absolute(address.path) } : address,
    isTls,
    authority: authorityOf(server, absolute),
    weight,
  };
}

function assembleBalance(file: UpstreamFile['balance']): Balance {
  if (typeof file === 'string') return { kind: 'least-connections' };
  if (file.hash_header !== undefined) return { kind: 'header', name: file.hash_header };
  if (file.hash_cookie !== undefined) return { kind: 'cookie', name: file.hash_cookie };
  return { kind: file.hash === undefined ? 'least-connections' : 'path' };
}

/** Makes UpstreamTls also of a draft, for the checks: a missing setting gets its default. */
export function assembleTls(
  file: Draft<NonNullable<UpstreamFile['tls']>> = {},
  absolute: (path: string) => string,
): UpstreamTls {
  const path = (value: string | undefined) => (value === undefined ? null : absolute(value));
  return {
    caFile: path(file.ca_file),
    serverName: file.server_name ?? null,
    verify: file.verify ?? true,
    clientCertificateFile: path(file.client_certificate_file),
    clientKeyFile: path(file.client_key_file),
    minVersion: file.min_version ?? 'TLSv1.2',
  };
}
