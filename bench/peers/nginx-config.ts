// Starts nginx for the peers: one worker, keep-alive on both sides, everything else at its defaults.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, readVersion } from '../measure/programs.ts';
import { type Availability, type RunningPeer, type Start, startServer } from './peer.ts';

interface NginxVariant {
  /** Directives of the location, in front of `proxy_pass`. */
  readonly location: readonly string[];
}

/** Whether nginx is installed, and its version. */
export function findNginx(): Availability {
  const nginx = findProgram('nginx');
  if (nginx === null) return { kind: 'missing', hint: 'apt-get install nginx-light' };
  return { kind: 'installed', version: readVersion(nginx, ['-v']) };
}

/** Starts nginx with one server that forwards `/` to the backend. */
export function startNginx(start: Start, variant: NginxVariant): Promise<RunningPeer> {
  return startServer(start, (port) => {
    const file = join(start.folder, 'nginx.conf');
    writeFileSync(file, configure(start, variant, port));
    return [findProgram('nginx') ?? 'nginx', '-p', start.folder, '-e', 'stderr', '-c', file];
  });
}

function configure(start: Start, variant: NginxVariant, port: number): string {
  const { folder } = start;
  const log = start.accessLog === null ? 'access_log off;' : `access_log ${start.accessLog} combined;`;
  // started by root, nginx would drop its privileges, and could not buffer bodies in the temporary folder, which belongs to root
  return `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr error;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http {
  ${log}
  keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
  uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
  upstream backend { server 127.0.0.1:${start.backendPort}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      ${variant.location.join('\n      ')}
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://backend;
    }
  }
}
`;
}
