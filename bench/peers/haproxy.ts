// HAProxy as a plain reverse proxy, and with jwt_verify and one header set from a claim.
// Source: HAProxy's configuration manual, 7.3.1 `jwt_verify`, `jwt_payload_query`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, readVersion } from '../measure/programs.ts';
import { type Availability, type Peer, type RunningPeer, type Start, startServer } from './peer.ts';

/** HAProxy, which checks no credential. */
export const haproxy: Peer = {
  name: 'haproxy',
  title: 'HAProxy, plain',
  form: 'bearer',
  checks: false,
  measures: 'all',
  logs: true,
  find,
  start: (start) => launch(start, []),
};

/** HAProxy that verifies a JWT and sets a header from its `sub`. */
export const haproxyJwt: Peer = {
  name: 'haproxy-jwt',
  title: 'HAProxy + jwt_verify, header from claim',
  form: 'bearer',
  checks: true,
  measures: 'all',
  logs: true,
  find,
  start: (start) =>
    launch(start, [
      'http-request set-var(txn.bearer) http_auth_bearer',
      `http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')`,
      'http-request deny deny_status 401 unless { var(txn.alg) -m str HS256 }',
      `http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"${start.secret}") -m int 1 }`,
      `http-request set-header X-Forwarded-User %[var(txn.bearer),jwt_payload_query('$.sub')]`,
    ]),
};

function find(): Availability {
  const program = findProgram('haproxy');
  if (program === null) return { kind: 'missing', hint: 'apt-get install haproxy' };
  return { kind: 'installed', version: readVersion(program, ['-v']) };
}

function launch(start: Start, rules: readonly string[]): Promise<RunningPeer> {
  const configure = (port: number): string[] => {
    const file = join(start.folder, 'haproxy.cfg');
    // HAProxy writes no log file itself: its access lines go to standard output, which is redirected to the file
    const [globalLog, frontLog] =
      start.accessLog === null ? ['', ''] : ['  log stdout format raw local0\n', '  log global\n  option httplog\n'];
    writeFileSync(
      file,
      `global
  nbthread 1
  maxconn 4096
${globalLog}defaults
  mode http
  timeout connect 3s
  timeout client 65s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port} backlog 1024
${frontLog}${rules.map((rule) => `  ${rule}\n`).join('')}  default_backend back
backend back
  server one 127.0.0.1:${start.backendPort}
`,
    );
    return [findProgram('haproxy') ?? 'haproxy', '-db', '-f', file];
  };
  return startServer(start, configure, start.accessLog ?? undefined);
}
