// Caddy as a plain reverse proxy, on one processor.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, readVersion } from '../measure/programs.ts';
import { type Peer, startServer } from './peer.ts';

/** Caddy, which checks no credential. */
export const caddy: Peer = {
  name: 'caddy',
  title: 'Caddy, plain',
  form: 'bearer',
  checks: false,
  measures: 'all',
  logs: true,
  find: () => {
    const program = findProgram('caddy');
    if (program === null) return { kind: 'missing', hint: 'apt-get install caddy' };
    return { kind: 'installed', version: readVersion(program, ['version']) };
  },
  start: (start) =>
    startServer(start, (port) => {
      const file = join(start.folder, 'caddy.json');
      writeFileSync(file, JSON.stringify(configure(start.folder, port, start.backendPort, start.accessLog)));
      const data = join(start.folder, 'data');
      mkdirSync(data);
      const program = findProgram('caddy') ?? 'caddy';
      // Caddy's state goes below the start's folder, and not into the user's home folder
      const settings = [`XDG_DATA_HOME=${data}`, `XDG_CONFIG_HOME=${data}`, 'GOMAXPROCS=1'];
      return ['env', ...settings, program, 'run', '--config', file];
    }),
};

function configure(folder: string, port: number, backendPort: number, accessLog: string | null): object {
  const upstream = { handler: 'reverse_proxy', upstreams: [{ dial: `127.0.0.1:${backendPort}` }] };
  const server = {
    listen: [`127.0.0.1:${port}`],
    automatic_https: { disable: true },
    routes: [{ handle: [upstream] }],
    ...(accessLog === null ? {} : { logs: { default_logger_name: 'access' } }),
  };
  const access = { writer: { output: 'file', filename: accessLog }, include: ['http.log.access.access'] };
  const logs = {
    default: { level: 'ERROR', ...(accessLog === null ? {} : { exclude: ['http.log.access'] }) },
    ...(accessLog === null ? {} : { access }),
  };
  return {
    admin: { disabled: true },
    storage: { module: 'file_system', root: folder },
    logging: { logs },
    apps: { http: { servers: { front: server } } },
  };
}
