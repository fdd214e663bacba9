// The shape of `upstreams` in the configuration file; check/references-upstreams.ts compares the parts with each other.

import { z } from 'zod';
import {
  cookieName,
  fieldName,
  hostField,
  requestTarget,
  statusRange,
  upstreamHost,
  upstreamServer,
} from './upstream-values.ts';
import { durationMs, wordOf } from './values.ts';

const count = (least: number, most: number) => z.number().int().min(least).max(most);
const filePath = z.string().min(1).meta({ description: 'a path; relative ones start at the folder of this file' });

const server = z.union([
  upstreamServer,
  z.strictObject({ address: upstreamServer, weight: count(1, 100).prefault(1) }),
]);

const tls = z.strictObject({
  ca_file: filePath.optional().meta({ description: 'PEM certificates to trust; default the roots of the system' }),
  server_name: upstreamHost
    .optional()
    .meta({ description: 'name for SNI and for the check; default the host of the server' }),
  verify: z.boolean().prefault(true).meta({ description: 'false takes any certificate: for tests only' }),
  client_certificate_file: filePath.optional(),
  client_key_file: filePath.optional(),
  min_version: wordOf('version', ['TLSv1.2', 'TLSv1.3']).prefault('TLSv1.2'),
});

const healthCheck = z.strictObject({
  path: requestTarget.meta({ description: 'what is asked for, with GET' }),
  host: hostField.optional().meta({ description: 'Host of the request; default the address of the server' }),
  interval: durationMs('100ms', '1h').prefault('5s'),
  timeout: durationMs('10ms', '10m').prefault('2s'),
  expect: z
    .array(z.union([statusRange, count(100, 599)]))
    .min(1)
    .prefault(['200-399']),
  healthy_after: count(1, 100).prefault(2),
  unhealthy_after: count(1, 100).prefault(3),
});

const ejection = z.strictObject({
  failures: count(1, 10_000).prefault(5).meta({ description: 'in a row' }),
  for: durationMs('100ms', '1d').prefault('10s'),
});

const hashing = z.strictObject({
  hash: wordOf('part of the request', ['path']).optional(),
  hash_header: fieldName.optional(),
  hash_cookie: cookieName.optional(),
});

/** One upstream: its servers and how they are used. */
export const upstreamSchema = z.strictObject({
  servers: z.array(server).min(1),
  max_connections: count(1, 65_535).prefault(512).meta({ description: 'to each server, from one edge' }),
  max_idle_connections: count(0, 65_535).prefault(64).meta({ description: 'to each server, from one edge' }),
  keep_alive: durationMs('1ms', '1d').optional().meta({
    description: 'how long a connection may be idle; less than the server allows; default limits.upstream_keep_alive',
  }),
  pipelining: count(1, 64).prefault(1).meta({
    description:
      'GET and HEAD requests that may go out together on one connection; for servers with small, quick answers',
  }),
  status_line: wordOf('status line', ['http', 'icy']).prefault('http').meta({
    description: 'icy: answers may begin with ICY 200 OK, as old Shoutcast servers write it; clients get HTTP/1.1',
  }),
  balance: z
    .union([wordOf('balance', ['least_connections']), hashing])
    .prefault('least_connections')
    .meta({ description: 'least_connections, or one of hash: path, hash_header: NAME, hash_cookie: NAME' }),
  ejection: z
    .union([wordOf('value', ['off']), ejection])
    .prefault({})
    .meta({ description: 'servers that fail are left alone for a while; never the last one' }),
  health_check: healthCheck.optional(),
  tls: tls.optional().meta({ description: 'for https:// servers' }),
});

/** An upstream that passed the schema, nothing compared with anything else yet. */
export type UpstreamFile = z.output<typeof upstreamSchema>;
