// Starts the one backend behind all proxies of a run: nginx when it is installed, else a small Node.js server.
// Both answer `/vod/<size>/…` with the body of that size, keep connections open, and write no log.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CorePlan, pin } from '../measure/cores.ts';
import { findFreePort, startProcess, waitForPort } from '../measure/processes.ts';
import { findProgram, readVersion } from '../measure/programs.ts';
import { type BodySize, makeBody } from '../workload/bodies.ts';

export interface Backend {
  readonly port: number;
  /** Name and version, for the report. */
  readonly title: string;
  stop(): Promise<void>;
}

const sizes: readonly BodySize[] = ['1k', '64k', '1m'];

/** Starts the backend; its files go below `folder`. */
export async function startBackend(folder: string, plan: CorePlan): Promise<Backend> {
  const nginx = findProgram('nginx');
  return nginx === null ? startNode(plan) : startNginx(nginx, folder, plan);
}

/** Starts the Node backend, whatever is installed. */
export async function startNode(plan: CorePlan): Promise<Backend> {
  const script = fileURLToPath(new URL('./node-backend.ts', import.meta.url));
  const child = startProcess(pin(plan, 'backend', [process.execPath, script]));
  const { port } = JSON.parse(await child.readLine(10_000)) as { readonly port: number };
  return { port, title: `node:net, Node ${process.versions.node}`, stop: () => child.stop() };
}

async function startNginx(nginx: string, folder: string, plan: CorePlan): Promise<Backend> {
  const place = join(folder, 'backend');
  mkdirSync(place, { recursive: true, mode: 0o755 });
  for (const size of sizes) writeFileSync(join(place, size), makeBody(size), { mode: 0o644 });
  const port = await findFreePort();
  const file = join(place, 'nginx.conf');
  writeFileSync(file, configure(place, port));
  const child = startProcess(pin(plan, 'backend', [nginx, '-p', place, '-e', 'stderr', '-c', file]));
  await waitForPort(port, child, 10_000);
  return { port, title: `nginx ${readVersion(nginx, ['-v'])}`, stop: () => child.stop() };
}

function configure(place: string, port: number): string {
  // the small body comes from the configuration and the larger ones by sendfile, so that the backend is never the bottleneck
  return `daemon off; master_process off; pid ${place}/pid; error_log stderr error;
events { worker_connections 2048; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 600s;
  default_type video/mp2t; client_body_temp_path ${place}/t1; proxy_temp_path ${place}/t2; fastcgi_temp_path ${place}/t3;
  uwsgi_temp_path ${place}/t4; scgi_temp_path ${place}/t5; open_file_cache max=8;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location /vod/1k/ { return 200 "${makeBody('1k')}"; }
    location /vod/64k/ { root ${place}; try_files /64k =404; }
    location /vod/1m/ { root ${place}; try_files /1m =404; }
  }
}
`;
}
