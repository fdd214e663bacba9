// The parser panel: Node's http server, and nginx, HAProxy and Apache in front of one, as far as they are installed.
// Each passes on what it got and says in X-Peer-* fields how it read the request line.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, settle, startProcess, waitForPort } from '../../../bench/measure/processes.ts';
import { findProgram } from '../../../bench/measure/programs.ts';
import { Sink } from './sink.ts';

export const peerNames = ['node', 'nginx', 'haproxy', 'apache'] as const;
export type PeerName = (typeof peerNames)[number];

/** A running parser. */
export interface PanelPeer {
  readonly name: PeerName;
  readonly port: number;
  readonly sink: Sink;
  close(): Promise<void>;
}

/** @returns null when it is not installed */
export async function startPeer(name: PeerName): Promise<PanelPeer | null> {
  if (name === 'node') {
    const sink = await Sink.start();
    return { name, port: sink.port, sink, close: () => sink.close() };
  }
  const program = findProgram(name === 'apache' ? 'apache2' : name);
  if (program === null) return null;
  const sink = await Sink.start();
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-panel-'));
  const port = await findFreePort();
  const running = startProcess(commands[name](program, folder, port, sink.port), { folder });
  await settle(running, waitForPort(port, running, 15_000));
  return {
    name,
    port,
    sink,
    close: async () => {
      await running.stop();
      await sink.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Command = (program: string, folder: string, port: number, sinkPort: number) => readonly string[];

const commands: Readonly<Record<Exclude<PeerName, 'node'>, Command>> = {
  nginx: (program, folder, port, sinkPort) => {
    const file = join(folder, 'nginx.conf');
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${join(folder, name)};`,
    );
    // as root it would serve as another account, to which the temporary folder is closed
    const account = process.getuid?.() === 0 ? 'user root;' : '';
    writeFileSync(
      file,
      `daemon off; worker_processes 1; error_log stderr crit; pid ${join(folder, 'pid')}; ${account}
events { worker_connections 256; }
http {
  ${paths.join(' ')}
  access_log off;
  merge_slashes off;
  large_client_header_buffers 4 64k;
  # as sites have it that want to see such names
  underscores_in_headers on;
  ignore_invalid_headers off;
  client_max_body_size 0;
  upstream sink { server 127.0.0.1:${sinkPort}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://sink;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Peer-Method $request_method;
      proxy_set_header X-Peer-Target $request_uri;
      proxy_set_header X-Peer-Path $uri;
      proxy_set_header X-Peer-Length $content_length;
    }
  }
}
`,
    );
    return [program, '-e', 'stderr', '-c', file];
  },
  haproxy: (program, folder, port, sinkPort) => {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      `global
  tune.bufsize 131072
  tune.http.maxhdr 256
  maxconn 256
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
frontend panel
  bind 127.0.0.1:${port}
  http-request set-header X-Peer-Method %[method]
  http-request set-header X-Peer-Target %[pathq]
  http-request set-header X-Peer-Length %[req.hdr(content-length)]
  default_backend sink
backend sink
  http-reuse always
  server node 127.0.0.1:${sinkPort}
`,
    );
    return [program, '-db', '-f', file];
  },
  apache: (program, folder, port, sinkPort) => {
    const file = join(folder, 'apache.conf');
    const modules = [
      ['mpm_event_module', 'mod_mpm_event'],
      ['authz_core_module', 'mod_authz_core'],
      ['headers_module', 'mod_headers'],
      ['proxy_module', 'mod_proxy'],
      ['proxy_http_module', 'mod_proxy_http'],
    ].map(([name, fileName]) => `LoadModule ${name} /usr/lib/apache2/modules/${fileName}.so`);
    writeFileSync(
      file,
      `ServerRoot ${folder}
ServerName panel
DefaultRuntimeDir ${folder}
PidFile ${join(folder, 'pid')}
ErrorLog ${join(folder, 'errors')}
LogLevel crit
Listen 127.0.0.1:${port}
${modules.join('\n')}
${process.getuid?.() === 0 ? 'User daemon\nGroup daemon' : ''}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
HttpProtocolOptions Strict
LimitRequestLine 65536
LimitRequestFieldSize 65536
LimitRequestFields 200
MaxKeepAliveRequests 0
AllowEncodedSlashes NoDecode
MergeSlashes Off
ProxyPreserveHost On
ProxyPass / http://127.0.0.1:${sinkPort}/ nocanon
RequestHeader set X-Peer-Method "expr=%{REQUEST_METHOD}"
RequestHeader set X-Peer-Line "expr=%{THE_REQUEST}"
RequestHeader set X-Peer-Length "expr=%{HTTP:Content-Length}"
`,
    );
    return [program, '-f', file, '-DFOREGROUND'];
  },
};
