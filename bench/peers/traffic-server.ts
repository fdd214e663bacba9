// Apache Traffic Server as a plain reverse proxy without its cache, and with the uri_signing plugin.
// It runs from a layout of its own below the start's folder, and does not touch an installed service.
// Source: Traffic Server's administrator's guide, "URI Signing Plugin" and "runroot".

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, readVersion } from '../measure/programs.ts';
import { issuer, keyId } from '../workload/tokens.ts';
import { type Availability, type Peer, type RunningPeer, type Start, startServer } from './peer.ts';

/** Traffic Server, which checks no credential. */
export const trafficServer: Peer = {
  name: 'ats',
  title: 'Traffic Server, plain',
  form: 'bearer',
  checks: false,
  measures: 'all',
  logs: true,
  find,
  start: (start) => launch(start, ''),
};

/** Traffic Server that checks a JWT in the query. */
export const trafficServerSigned: Peer = {
  name: 'ats-uri-signing',
  title: 'Traffic Server + uri_signing',
  form: 'uri-signing',
  checks: true,
  measures: 'all',
  logs: true,
  find: () => {
    const found = find();
    if (found.kind === 'missing' || existsSync(join(readLayout().plugins, 'uri_signing.so'))) return found;
    return { kind: 'missing', hint: 'apt-get install trafficserver-experimental-plugins' };
  },
  start: (start) => {
    const key = { alg: 'HS256', kid: keyId, kty: 'oct', k: Buffer.from(start.secret).toString('base64url') };
    const file = join(start.folder, 'keys.json');
    writeFileSync(file, JSON.stringify({ [issuer]: { renewal_kid: keyId, strip_token: true, keys: [key] } }));
    return launch(start, ` @plugin=uri_signing.so @pparam=${file}`);
  },
};

function find(): Availability {
  const program = findProgram('traffic_server');
  if (program === null) return { kind: 'missing', hint: 'apt-get install trafficserver' };
  return { kind: 'installed', version: readVersion(program, ['-V']) };
}

/** Where the installed package keeps its libraries and plugins. */
function readLayout(): { readonly libraries: string; readonly plugins: string } {
  const text =
    spawnSync(findProgram('traffic_layout') ?? 'traffic_layout', ['info'], { encoding: 'utf8' }).stdout ?? '';
  const read = (name: string, otherwise: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(text)?.[1] ?? otherwise;
  return {
    libraries: read('LIBDIR', '/usr/lib/trafficserver'),
    plugins: read('PLUGINDIR', '/usr/lib/trafficserver/modules'),
  };
}

async function launch(start: Start, plugin: string): Promise<RunningPeer> {
  const place = (name: string) => join(start.folder, name);
  const running = await startServer(start, (port) => {
    const layout = readLayout();
    for (const name of ['etc', 'run', 'log', 'cache']) mkdirSync(place(name), { mode: 0o755 });
    const paths = {
      prefix: '/usr',
      exec_prefix: '/usr',
      bindir: '/usr/bin',
      sbindir: '/usr/sbin',
      sysconfdir: place('etc'),
      datadir: place('cache'),
      includedir: '/usr/include',
      libdir: layout.libraries,
      libexecdir: layout.plugins,
      localstatedir: place('run'),
      runtimedir: place('run'),
      logdir: place('log'),
      cachedir: place('cache'),
      mandir: '/usr/share/man',
      infodir: '/usr/share/info',
    };
    const lines = Object.entries(paths).map(([name, path]) => `${name}: ${path}\n`);
    writeFileSync(place('runroot.yaml'), lines.join(''));
    writeFileSync(place('etc/records.config'), records(start, port));
    writeFileSync(place('etc/remap.config'), `map / http://127.0.0.1:${start.backendPort}/${plugin}\n`);
    writeFileSync(place('etc/storage.config'), `${place('cache')} 32M\n`);
    writeFileSync(place('etc/ip_allow.yaml'), allowLoopback);
    writeFileSync(place('etc/logging.yaml'), start.accessLog === null ? '' : logging);
    writeFileSync(place('etc/plugin.config'), '');
    return [findProgram('traffic_server') ?? 'traffic_server', `--run-root=${place('runroot.yaml')}`];
  });
  return { ...running, accessLog: place('log/access.log') };
}

function records(start: Start, port: number): string {
  const settings: Readonly<Record<string, string>> = {
    'http.server_ports': `STRING ${port}:ip-in=127.0.0.1`,
    // the bench compares forwarding and not caching
    'http.cache.http': 'INT 0',
    'exec_thread.autoconfig': 'INT 0',
    'exec_thread.limit': 'INT 1',
    accept_threads: 'INT 0',
    task_threads: 'INT 1',
    'log.logging_enabled': `INT ${start.accessLog === null ? 0 : 3}`,
    // Stay who we are: the plugin's and the layout's files belong to whoever runs the bench.
    'admin.user_id': 'STRING #-1',
    crash_log_helper: 'STRING NULL',
    'url_remap.remap_required': 'INT 1',
    'reverse_proxy.enabled': 'INT 1',
  };
  return Object.entries(settings)
    .map(([name, value]) => `CONFIG proxy.config.${name} ${value}\n`)
    .join('');
}

const allowLoopback = 'ip_allow:\n  - { apply: in, ip_addrs: 127.0.0.1, action: allow, methods: ALL }\n';

// the log file goes to the layout's log folder, which is below the start's folder
const logging = `logging:
  formats:
    - { name: common, format: '%<chi> - %<caun> [%<cqtn>] "%<cqtx>" %<pssc> %<pscl>' }
  logs:
    - { mode: ascii, filename: access, format: common }
`;
